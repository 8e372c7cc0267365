"""A dock without hardware: cameras are folders, and somebody says when they come and go.

All that follows is the station's own: greeting, inventory, copy, read-back, seal. Only the way
to the device is simulated, and the speed of its card, so that a person can watch.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from queue import SimpleQueue

from recorder_sync.config import Configuration
from recorder_sync.dock.board import Board
from recorder_sync.dock.clearing import ask_for_clearing
from recorder_sync.dock.plugged import Interface, Plugged
from recorder_sync.dock.ports import Ports
from recorder_sync.dock.row_observer import RowObserver
from recorder_sync.dock.watcher import Came, Event, Gone
from recorder_sync.ingest.capacity import Capacity
from recorder_sync.ingest.stopping import Stop
from recorder_sync.ingest.volume import gone
from recorder_sync.language import Text
from recorder_sync.model import Battery, CardPath, ClockOffset, Health, Storage, UsbIdentity

_MOUNT_S = 0.8
_CARD_BYTES = 64 << 30

_stays = count(1)


@dataclass(slots=True)
class Camera:
    """A simulated camera: a folder in the place of its card."""

    card: Path
    usb: UsbIdentity
    maker: str = "SIMULATED"
    model: str = "DSJ-A3"
    battery: int = 80
    clock_off_s: float = 0.4
    used: float = 0.2
    """Part of its memory."""
    plugged: Plugged | None = field(default=None)


class SimulatedDock:
    """Ports into which simulated cameras are plugged."""

    def __init__(self, bytes_a_second: float) -> None:
        """`bytes_a_second` is how fast a card is read."""
        self._pace = bytes_a_second
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self._cameras: dict[str, Camera] = {}
        self._ended = threading.Event()

    def plug(self, camera: Camera, port: str) -> None:
        number = next(_stays)
        path = f"/simulated/usb1/{port}/{number}"
        camera.plugged = Plugged(
            key=path,
            interface=Interface.DISK,
            node=Path("/dev/simulated"),
            mount_name=f"simulated-{number}",
            number=None,
            disk_sequence=None,
            port=port,
            usb_path=path,
            usb=camera.usb,
            maker=camera.maker,
            model=camera.model,
            file_system="vfat",
            uuid=None,
            label=None,
        )
        self._cameras[path] = camera
        self._events.put(Came(camera.plugged))

    def unplug(self, camera: Camera) -> None:
        plugged, camera.plugged = camera.plugged, None
        if plugged is not None:
            self._cameras.pop(plugged.key, None)
            self._events.put(Gone(plugged.key, plugged.usb_path))

    def ports(self, _in_use: Callable[[], Configuration], _capacity: Capacity) -> Ports:
        """Return these ports for the daemon."""
        return Ports(
            teller=self,
            mount=self._mount,
            is_present=lambda plugged: plugged.key in self._cameras,
            check=self._check,
            clear=ask_for_clearing,
            observer=self._observer,
        )

    def events(self) -> Iterator[Event]:
        while (event := self._events.get()) is not None:
            yield event

    def stop(self) -> None:
        self._ended.set()
        self._events.put(None)

    def _mount(self, plugged: Plugged, stop: Stop) -> Path:
        stop.wait_quietly(_MOUNT_S)
        stop.check()
        return self._camera(plugged).card

    def _check(self, plugged: Plugged, _root: Path) -> Health:
        camera = self._camera(plugged)
        used = int(camera.used * _CARD_BYTES)
        return Health(
            battery=Battery(camera.battery, "simulated"),
            storage=Storage(_CARD_BYTES, used, _CARD_BYTES - used),
            clock=ClockOffset(camera.clock_off_s, "simulated"),
            maker=camera.maker,
            model=camera.model,
        )

    def _camera(self, plugged: Plugged) -> Camera:
        camera = self._cameras.get(plugged.key)
        if camera is None:
            raise gone()
        return camera

    def _observer(self, board: Board, key: str, log: Callable[[Text], None]) -> RowObserver:
        return _SlowCard(board, key, log, self._pace, self._ended)


class _SlowCard(RowObserver):
    """Follows an intake, and keeps it to the speed of a card."""

    def __init__(
        self,
        board: Board,
        key: str,
        log: Callable[[Text], None],
        bytes_a_second: float,
        ended: threading.Event,
    ) -> None:
        super().__init__(board, key, log)
        self._pace = bytes_a_second
        self._ended = ended

    def copied(self, path: CardPath, count: int) -> None:
        left = count / self._pace
        while left > 0:  # a large step is shown as the several that it would be
            step = min(left, 0.25)
            self._ended.wait(step)  # the end waits for no card
            super().copied(path, round(min(count, step * self._pace)))
            left -= step
