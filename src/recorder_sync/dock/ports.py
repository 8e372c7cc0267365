"""How the dock reaches what is plugged in: who tells of it, where it is, what it says of itself.

The station's USB ports are the ones that count. The demo has simulated ones in their place,
and all that follows is the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recorder_sync.config import Configuration
from recorder_sync.dock.board import Board
from recorder_sync.dock.checking import Checking
from recorder_sync.dock.clearing import Clearing, ask_for_clearing
from recorder_sync.dock.mounts import wait_until_mounted
from recorder_sync.dock.own_disks import own_disks
from recorder_sync.dock.plugged import Plugged
from recorder_sync.dock.presence import is_present
from recorder_sync.dock.row_observer import RowObserver
from recorder_sync.dock.unlock import unlock
from recorder_sync.dock.watcher import Event, Watcher
from recorder_sync.errors import MissingPart
from recorder_sync.ingest.capacity import Capacity
from recorder_sync.ingest.report import Report
from recorder_sync.ingest.stopping import Stop
from recorder_sync.language import T, Text
from recorder_sync.model import Health
from recorder_sync.station import Station

_SYSTEM = tuple(map(Path, ("/", "/boot", "/boot/efi", "/usr", "/var", "/home")))


class Teller(Protocol):
    """Tells of devices that come and go."""

    def events(self) -> Iterator[Event]:
        """Yield what comes and goes until stopped."""

    def stop(self) -> None:
        """Have `events` end soon."""


@dataclass(frozen=True, slots=True)
class Ports:
    teller: Teller
    mount: Callable[[Plugged, Stop], Path]
    """Waits until the volume is mounted and says where; raises RecorderSyncError."""
    is_present: Callable[[Plugged], bool]
    check: Callable[[Plugged, Path], Health]
    clear: Callable[[Station, Report, Plugged, Path], Clearing | None]
    """Asks for the card to be cleared of what is sealed, where that is wanted."""
    observer: Callable[[Board, str, Callable[[Text], None]], RowObserver] = RowObserver
    """Makes what follows one intake for its row of the board."""


MakePorts = Callable[[Callable[[], Configuration], Capacity], Ports]


def usb_ports(in_use: Callable[[], Configuration], capacity: Capacity) -> Ports:
    """Return the USB ports of this computer. Raises MissingPart where udev is not there."""
    paths = in_use().paths

    def mount(plugged: Plugged, stop: Stop) -> Path:
        settings = in_use()
        _refuse_without_file_system(plugged)
        unlock(plugged, settings.known_profiles)
        volumes = settings.paths.runtime / "volumes"
        return wait_until_mounted(plugged, volumes, settings.dock.mount_wait_s, stop)

    return Ports(
        teller=Watcher(own_disks((*_SYSTEM, paths.evidence, paths.state))),
        mount=mount,
        is_present=is_present,
        check=Checking(in_use, capacity),
        clear=ask_for_clearing,
    )


def _refuse_without_file_system(plugged: Plugged) -> None:
    if plugged.node is not None and plugged.file_system is None and plugged.number is not None:
        raise MissingPart(
            T("The card on port {port} has no file system that is known.", port=plugged.port),
            T(
                "Do not format it: recordings may still be on it. Hand it to the custodian; "
                "a specialist can copy the whole disk."
            ),
        )
