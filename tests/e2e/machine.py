"""The dock PC: one QEMU process, from power on to power off or power cut.

Nothing of it outlives the test: QEMU is killed when the machine is left, and by the
kernel when the test process itself dies.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.agent import PATIENCE_S, Agent
from tests.e2e.base_image import BaseImage
from tests.e2e.qmp import Control, Silent
from tests.e2e.running import run

_START_LIMIT_S = 60.0
_MEMORY_MIB = 1024
_PROBE_S = 8.0

EMULATED = ("-accel", "tcg,thread=multi,tb-size=512", "-cpu", "Nehalem")
"""`-cpu max` boots two to three times slower."""
REAL = ("-accel", "kvm", "-cpu", "host")


class DidNotStart(Exception):
    """The machine did not come up; the message says what it said last."""


@dataclass(frozen=True)
class Disks:
    """The machine's own disks, qcow2."""

    system: Path
    evidence: Path

    @classmethod
    def over(cls, below: "Disks", folder: Path) -> "Disks":
        """Make disks in a folder that begin as `below` and leave it as it is."""
        return cls(
            system=_layer(below.system, folder / "system.qcow2", "qcow2"),
            evidence=_layer(below.evidence, folder / "evidence.qcow2", "qcow2"),
        )

    @classmethod
    def new(cls, base: BaseImage, evidence_bytes: int, folder: Path) -> "Disks":
        """Make the disks of a newly installed Debian in a folder."""
        empty = folder / "evidence.img"
        with open(empty, "wb") as file:
            file.truncate(evidence_bytes)
        run("mkfs.ext4", "-q", "-F", "-L", "evidence", "-E", "lazy_itable_init=0", empty)
        evidence = folder / "evidence.qcow2"
        run("qemu-img", "convert", "-O", "qcow2", empty, evidence)
        empty.unlink()
        return cls(_layer(base.disk, folder / "system.qcow2", "raw"), evidence)


def _layer(below: Path, path: Path, form: str) -> Path:
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", below, "-F", form, path)
    return path


class Machine:
    """A machine that is running. `folder` holds its sockets and its serial log."""

    def __init__(
        self,
        base: BaseImage,
        disks: Disks,
        folder: Path,
        accelerator: tuple[str, ...],
        memory: Path | None = None,
    ) -> None:
        """Power on; with `memory`, go on where `save` stopped.

        Raises DidNotStart.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.disks = disks
        with open(folder / "qemu.log", "wb") as words:
            self._process = subprocess.Popen(
                _command(base, disks, folder, accelerator, waiting=memory is not None),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_for_sockets()
            self.control = Control(folder / "control")
            self.agent = Agent(folder / "agent")
            if memory:
                self._restore(memory)
        except BaseException as error:
            self.power_cut()
            if isinstance(error, Silent | OSError):
                raise DidNotStart(self.last_words()) from error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.power_cut()

    def wait_for_agent(self) -> None:
        """Wait until commands can be run. Raises DidNotStart."""
        if not self.agent.answers(PATIENCE_S):
            raise DidNotStart(self.last_words())

    def set_clock(self) -> None:
        """Set the guest's clock to the host's; a restored machine lives in the past."""
        self.agent.sh(f"date -s @{time.time():.3f}")

    def save(self, memory: Path) -> None:
        """Write the state of memory and devices to a file and power off.

        The disks are then as they were at this moment, and stay so.
        """
        self.control.tell("stop")
        self.control.tell("migrate-set-parameters", max_bandwidth=10 << 30)
        self.control.tell("migrate-set-capabilities", capabilities=[_EVENTS])
        self.control.tell("migrate", uri=f"exec:cat > {memory}")
        self.control.wait_for("MIGRATION", status="completed")
        self.control.tell("quit")
        self._process.wait(_START_LIMIT_S)

    def _restore(self, memory: Path) -> None:
        self.control.tell("migrate-set-capabilities", capabilities=[_EVENTS])
        self.control.tell("migrate-incoming", uri=f"exec:cat {memory}")
        self.control.wait_for("MIGRATION", status="completed")
        self.control.tell("cont")

    def shut_down(self) -> None:
        """Power off as a person would; the guest's services are stopped."""
        self.agent.sh("systemctl poweroff --no-block")
        self._process.wait(PATIENCE_S)

    def power_cut(self) -> None:
        """Take the power away. What the guest has not flushed to its disks is lost."""
        self._process.kill()
        self._process.wait()
        for open_ in ("control", "agent"):
            if hasattr(self, open_):
                getattr(self, open_).close()

    def is_running(self) -> bool:
        return self._process.poll() is None

    def last_words(self) -> str:
        said = [
            (self._folder / name).read_text(encoding="utf-8", errors="replace")[-2000:]
            for name in ("qemu.log", "serial.log")
            if (self._folder / name).exists()
        ]
        return "the machine did not come up: " + "\n".join(said)

    def _wait_for_sockets(self) -> None:
        """Wait until QEMU listens; it makes its sockets before it says anything."""
        end = time.monotonic() + _START_LIMIT_S
        while not ((self._folder / "control").exists() and (self._folder / "agent").exists()):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
                raise Silent("QEMU ended at once")
            if time.monotonic() > end:
                raise Silent("QEMU does not start")


_EVENTS = {"capability": "events", "state": True}


def _command(
    base: BaseImage, disks: Disks, folder: Path, accelerator: tuple[str, ...], *, waiting: bool
) -> list[str]:
    drives = [
        part
        for disk in (disks.system, disks.evidence)
        for part in ("-drive", f"file={disk},if=virtio,format=qcow2,cache=writeback")
    ]
    return [
        *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64"),
        *("-M", "q35", "-m", str(_MEMORY_MIB), "-smp", "2", "-nodefaults", "-nographic"),
        *("-no-reboot", *accelerator, "-kernel", str(base.kernel)),
        *("-initrd", str(base.initramfs), "-append"),
        "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 mitigations=off",
        *drives,
        *("-device", "qemu-xhci,id=usb,p2=15,p3=15"),
        *("-device", "virtio-rng-pci", "-device", "virtio-serial-pci"),
        *("-chardev", f"socket,id=agent,path={folder}/agent,server=on,wait=off"),
        *("-device", "virtserialport,chardev=agent,name=e2e"),
        *("-qmp", f"unix:{folder}/control,server=on,wait=off"),
        *("-serial", f"file:{folder}/serial.log"),
        *(("-incoming", "defer") if waiting else ()),
    ]


def accelerator(base: BaseImage, folder: Path) -> tuple[str, ...]:
    """Return how to run guests here: with KVM if a kernel really starts with it.

    A /dev/kvm that exists and opens may still not run anything.
    """
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return EMULATED
    log = folder / "probe.log"
    command = [
        *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-M", "q35", *REAL),
        *("-m", "512", "-nodefaults", "-nographic", "-no-reboot", "-kernel", str(base.kernel)),
        *("-append", "console=ttyS0 panic=-1", "-serial", f"file:{log}"),
    ]
    quiet = subprocess.DEVNULL
    probe = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
    with suppress(subprocess.TimeoutExpired):
        probe.wait(_PROBE_S)  # without a root disk it ends soon where it runs at all
    probe.kill()
    probe.wait()
    started = log.exists() and b"Linux version" in log.read_bytes()
    return REAL if started else EMULATED


@contextmanager
def run_folder() -> Iterator[Path]:
    """A short-named folder for one machine: names of sockets must be below 108 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="rs-e2e-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
