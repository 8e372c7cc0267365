"""What the dock knows of a device before a file of it is read."""

from collections.abc import Callable
from dataclasses import dataclass

from recorder_sync.model import CardPath, Claim, Health, UsbIdentity


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Arrival:
    """One stay of a device on a port, as it begins."""

    docking: str
    """Id under which it is on record."""
    usb: UsbIdentity | None = None
    fs_uuid: str | None = None
    claims: tuple[Claim, ...] = ()
    """What the ledger says of its USB identity and its file system."""
    in_conflict: bool = False
    """Another device with the same identity is plugged in."""
    health: Health | None = None
    only: frozenset[CardPath] | None = None
    """In a drop folder: the files that are complete. None: every file."""
    is_present: Callable[[], bool] = _always
    """Whether the device is still there; without it, files prove nothing."""
