"""Guests that have booted already: memory and disks, to go on from within a second.

`bare` is Debian that has just booted. A machine that goes on from it must be the same
one: same devices, same way to run. Booting may fail on an overloaded machine, so it is
tried once more, here and nowhere else.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e import machine
from tests.e2e.base_image import BaseImage
from tests.e2e.kept import digest, digest_of_files, kept
from tests.e2e.machine import DidNotStart, Disks, Machine
from tests.e2e.running import run

_EVIDENCE_BYTES = 512 << 20
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Guest:
    """A guest as it was saved: to go on from, or to boot anew."""

    base: BaseImage
    disks: Disks
    memory: Path
    accelerator: tuple[str, ...]

    @property
    def place(self) -> Path:
        return self.memory.parent

    @contextmanager
    def resumed(self) -> Iterator[Machine]:
        """Go on from the saved moment, with the clock set, on disks of its own."""
        with machine.run_folder() as folder:
            disks = Disks.over(self.disks, folder)
            with Machine(self.base, disks, folder, self.accelerator, self.memory) as resumed:
                resumed.wait_for_agent()
                resumed.set_clock()
                yield resumed

    def saved_from(self, running: Machine, folder: Path, disks: Disks) -> "Guest":
        """Save a running machine, which ends; `disks` are its own, in `folder`."""
        memory = folder / "memory"
        running.agent.sh("sync; echo 3 > /proc/sys/vm/drop_caches")
        running.save(memory)
        return Guest(self.base, disks, memory, self.accelerator)


def at(place: Path, base: BaseImage, accelerator: tuple[str, ...]) -> Guest:
    """Return the guest that is kept in a folder."""
    disks = Disks(place / "system.qcow2", place / "evidence.qcow2")
    return Guest(base, disks, place / "memory", accelerator)


def bare(base: BaseImage) -> Guest:
    """Return Debian that has booted, without the product. The first call boots it."""
    with machine.run_folder() as folder:
        accelerator = machine.accelerator(base, folder)
    made_from = digest(
        str(base.disk).encode(),
        run("qemu-system-x86_64", "--version").encode(),
        " ".join(accelerator).encode(),
        digest_of_files([_HERE / "warm.py", _HERE / "machine.py"]).encode(),
    )

    def make(place: Path) -> None:
        disks = Disks.new(base, _EVIDENCE_BYTES, place)
        guest = Guest(base, disks, place / "memory", accelerator)
        with machine.run_folder() as run_folder, booted(guest, disks, run_folder) as running:
            guest.saved_from(running, place, disks)

    return at(kept("bare", made_from, make), base, accelerator)


def _nothing(_: Machine) -> None:
    pass


@contextmanager
def booted(
    guest: Guest, disks: Disks, folder: Path, at_power_on: Callable[[Machine], None] = _nothing
) -> Iterator[Machine]:
    """Boot these disks. A guest that does not come up is tried once more."""
    try:
        running = _boot(guest, disks, folder / "1", at_power_on)
    except DidNotStart as error:
        print(f"Booting once more: {error}", file=sys.stderr)
        running = _boot(guest, disks, folder / "2", at_power_on)
    with running:
        yield running


def _boot(
    guest: Guest, disks: Disks, folder: Path, at_power_on: Callable[[Machine], None]
) -> Machine:
    running = Machine(guest.base, disks, folder, guest.accelerator)
    try:
        at_power_on(running)
        running.wait_for_agent()
        running.agent.sh("systemctl is-system-running --wait || true")
        running.set_clock()
    except BaseException:
        running.power_cut()
        raise
    return running
