"""The test's hands at a made-up dock, and its eyes on what the watcher reports there."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from recorder_sync.dock.plugged import Plugged
from recorder_sync.dock.watcher import Came, Gone
from tests.dock.devices import Found, Made, mtp

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 20.0
_MARKER = mtp("9-1", "MARKER")


class Port:
    """Where devices are plugged in and pulled out.

    umockdev gives up when more than about ten events wait for the watcher: whoever plugs
    in more looks at what came in between.
    """

    def __init__(self, connection: Connection, process: subprocess.Popen[bytes]) -> None:
        self._connection = connection
        self._process = process

    def plug(self, *devices: Made) -> None:
        partitions = [d.key for d in devices if "partition" in d.attributes]
        self._ask("add", [str(d) for d in devices], partitions)

    def unplug(self, *devices: Made) -> None:
        """Remove the devices, the last first, each with its event."""
        for device in reversed(devices):
            self._ask("send", device.key, "remove")
        for device in reversed(devices):
            self._ask("take_away", device.key)

    def vanish(self, device: Made, *, told: bool) -> None:
        """Remove a device and all below it, with an event of its own only, or none."""
        if told:
            self._ask("send", device.key, "remove")
        self._ask("take_away", device.key)

    def change(
        self,
        device: Made,
        found: Found | None = None,
        *,
        told: bool = True,
        size: int | None = None,
        sequence: int | None = None,
    ) -> None:
        """Change what udev found, and the disk's size and sequence; tell of it."""
        properties = dict(found or {})
        attributes = {}
        if size is not None:
            attributes["size"] = str(size)
        if sequence is not None:
            attributes["diskseq"] = properties["DISKSEQ"] = str(sequence)
        self._ask("set", device.key, properties, attributes)
        if told:
            self.tell(device, "change")

    def tell(self, device: Made, action: str) -> None:
        self._ask("send", device.key, action)

    def lose_next_event(self) -> None:
        self._ask("lose_next")

    def watch(self, ignored: frozenset[int] = frozenset()) -> None:
        self._ask("watch", ignored)

    def stop(self) -> None:
        self._ask("stop")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def came(self) -> Plugged:
        event = self._next()
        assert isinstance(event, Came), event
        return event.plugged

    def gone(self) -> str:
        event = self._next()
        assert isinstance(event, Gone), event
        return event.key

    def ended(self) -> bool:
        return self._next() == "ended"

    def nothing_more(self) -> bool:
        """Tell whether nothing was reported of all that happened up to now.

        Something else is plugged in after it: events are reported in their order.
        """
        self.plug(_MARKER)
        event = self._next()
        if event != "ended":
            self.unplug(_MARKER)
        seen = isinstance(event, Came) and event.plugged.usb.serial == "MARKER"
        return seen and self.gone() == _MARKER.key

    def _ask(self, name: str, *arguments: object) -> None:
        self._connection.send((name, arguments))

    def _next(self) -> object:
        assert self._connection.poll(_PATIENCE_S), "nothing was reported"
        return self._connection.recv()


@contextmanager
def made_up_port() -> Iterator[Port]:
    """Yield a dock at which nothing is plugged in and nobody looks yet."""
    if not shutil.which("umockdev-wrapper"):
        pytest.skip("umockdev is not installed (apt-get install umockdev)")
    ours, theirs = Pipe()
    with ours, theirs:
        process = subprocess.Popen(
            ["umockdev-wrapper", sys.executable, "-m", "tests.dock.bed", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            cwd=_ROOT,
        )
        theirs.close()
        try:
            yield Port(ours, process)
        finally:
            ours.close()
            process.wait(_PATIENCE_S)
