"""All ports together: volumes that come and go, each with a thread that looks after it."""

import threading
import time
from collections.abc import Callable

from recorder_sync.config import Configuration
from recorder_sync.dock.board import Board
from recorder_sync.dock.docked import DockedVolume, Surroundings
from recorder_sync.dock.plugged import Plugged
from recorder_sync.dock.ports import Ports
from recorder_sync.dock.watcher import Came, Gone
from recorder_sync.ingest.capacity import Capacity


class Dock:
    """Every volume that is plugged in."""

    def __init__(
        self,
        settings: Callable[[], Configuration],
        capacity: Capacity,
        board: Board,
        ports: Ports,
    ) -> None:
        self._volumes: dict[str, DockedVolume] = {}
        self._leaving: list[DockedVolume] = []
        self._ended = False
        self._lock = threading.Lock()
        self._around = Surroundings(
            settings=settings,
            capacity=capacity,
            board=board,
            ports=ports,
            has_twin=self._has_twin,
        )

    def handle(self, event: Came | Gone) -> None:
        """Begin or end a stay."""
        match event:
            case Came(plugged):
                self._begin(plugged)
            case Gone(key=key):
                with self._lock:
                    volume = self._volumes.pop(key, None)
                    if volume is not None:
                        self._leaving.append(volume)
                if volume is not None:
                    volume.gone()

    def tick(self) -> None:
        """Called about once a second."""
        with self._lock:
            volumes = list(self._volumes.values())
            self._leaving = [volume for volume in self._leaving if not volume.join(0)]
        for volume in volumes:
            volume.tick()

    def stop(self, within_s: float) -> bool:
        """End every stay; tell whether all ended within so many seconds."""
        with self._lock:
            self._ended = True
            volumes = [*self._volumes.values(), *self._leaving]
            self._volumes.clear()
        for volume in volumes:
            volume.stop()
        until = time.monotonic() + within_s
        ended = [volume.join(max(0.0, until - time.monotonic())) for volume in volumes]
        return all(ended)

    def _begin(self, plugged: Plugged) -> None:
        volume = DockedVolume(plugged, self._around)
        with self._lock:
            if self._ended:
                return
            earlier = self._volumes.get(plugged.key)
            self._volumes[plugged.key] = volume
            if earlier is not None:  # its removal was missed
                self._leaving.append(earlier)
            again = [other for other in self._leaving if _is_same(other.plugged, plugged)]
            volume.start()
        if earlier is not None:
            earlier.gone()
        for other in again:
            other.came_again()

    def _has_twin(self, plugged: Plugged) -> bool:
        """Tell whether another device says that it is this one."""
        if plugged.usb.serial is None:
            return False
        with self._lock:
            others = [volume.plugged for volume in self._volumes.values()]
        return any(
            other.usb == plugged.usb and other.usb_path != plugged.usb_path for other in others
        )


def _is_same(one: Plugged, other: Plugged) -> bool:
    """Tell whether two stays are of the same device; one without a serial number stays put."""
    return one.usb == other.usb and (one.usb.serial is not None or one.key == other.key)
