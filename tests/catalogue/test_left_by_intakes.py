"""Promise 5: of an intake only what a failure can leave is taken up from the log."""

from datetime import UTC, datetime

import pytest

from recorder_sync.catalogue import dockings
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.dockings import Docking, DockingOutcome
from recorder_sync.catalogue.left_by_intakes import OF_INTAKES, is_left
from recorder_sync.custody.log import Act
from recorder_sync.model import Identity, IdentityState
from recorder_sync.rules.docking import Stay
from recorder_sync.station import Station
from tests.conftest import Dock

_ID = "20261123-180000-abcdef"
_AT = datetime(2026, 11, 23, 18, tzinfo=UTC)
_UNDER_WAY = {Act.INVENTORY, Act.SEEN_AGAIN, Act.DOCKING_CLOSED}

LEFT = {
    "unknown": {Act.DEVICE_HELD, Act.DOCKING_OPENED},
    "held": {Act.DOCKING_OPENED, Act.DEVICE_REMOVED, *_UNDER_WAY},
    "copying": {Act.DEVICE_REMOVED, *_UNDER_WAY},
    "closed": {Act.DEVICE_REMOVED},
    "removed": set[Act](),
}


def _enter(station: Station, stage: str) -> None:
    """Bring a docking of the catalogue to this stage."""
    db = station.catalogue
    nobody = Identity(None, None, IdentityState.UNKNOWN, ())
    state = Stay.HELD if stage == "held" else Stay.COPYING
    with transaction(db):
        if stage != "unknown":
            dockings.open_docking(db, Docking(_ID, "/card", None, nobody, None, _AT, state=state))
        if stage in ("closed", "removed"):
            dockings.close_docking(db, _ID, _AT, DockingOutcome.DONE)
        if stage == "removed":
            dockings.end_stay(db, _ID, Stay.REMOVED, _AT)


@pytest.mark.parametrize("stage", LEFT)
def test_an_entry_is_taken_up_where_the_catalogue_lacks_just_that(stage: str, dock: Dock) -> None:
    station = dock.station()
    try:
        _enter(station, stage)
        left = {
            act
            for act in OF_INTAKES
            if is_left(station.catalogue, station.deed(act, _ID, {"docking": _ID}))
        }
        assert left == LEFT[stage]
    finally:
        station.catalogue.close()
