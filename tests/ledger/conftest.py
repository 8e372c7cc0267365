"""Dockings as the dock writes them, without a camera."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from recorder_sync.catalogue import dockings
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.dockings import Docking, DockingOutcome, InventoryEntry
from recorder_sync.model import (
    Battery,
    CardPath,
    ClockOffset,
    Health,
    Identity,
    IdentityState,
    ItemOutcome,
    Kind,
    Storage,
    UsbIdentity,
)
from recorder_sync.rules.docking import Stay
from tests.conftest import Dock

BEGIN = datetime(2026, 11, 22, 1, tzinfo=UTC)
CAMERA = UsbIdentity("0781", "5581", "4C530001")
GOOD = Health(
    battery=Battery(95, "sysfs"),
    storage=Storage(1000, 100, 900),
    clock=ClockOffset(1.5, "gphoto2"),
)


@pytest.fixture
def plugged(dock: Dock) -> Callable[..., Docking]:
    """Put a docking on record: of device 0031, healthy, everything sealed."""

    def plugged(
        docking: str = "20261122-090000-aaaaaa",
        *,
        device: str | None = "0031",
        health: Health | None = GOOD,
        state: Stay | None = Stay.SAFE,
        removed_at: datetime | None = None,
        outcomes: tuple[ItemOutcome | None, ...] = (ItemOutcome.ALREADY_SEALED,),
        started_at: datetime = BEGIN,
    ) -> Docking:
        found = Docking(
            id=docking,
            source="/card",
            port="1-2",
            identity=Identity(device, None, IdentityState.KNOWN),
            storage=None,
            started_at=started_at,
            ended_at=started_at,
            outcome=DockingOutcome.DONE,
            state=state,
            usb=CAMERA,
            fs_uuid="12AB-34CD",
            health=health,
            removed_at=removed_at,
        )
        inventory = [
            InventoryEntry(CardPath(f"{at}.mp4".encode()), 1, 0, Kind.VIDEO, outcome)
            for at, outcome in enumerate(outcomes)
        ]
        station = dock.station()
        try:
            with transaction(station.catalogue):
                dockings.open_docking(station.catalogue, found)
                dockings.add_inventory(station.catalogue, docking, inventory)
        finally:
            station.catalogue.close()
        return found

    return plugged
