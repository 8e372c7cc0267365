"""What a failure between the custody log and the catalogue leaves of an intake; nothing else.

Entries of intakes are taken up only where the catalogue lacks just that. So a row that
somebody changed or removed is named by verification and never set right, however far the
catalogue claims to be.
"""

from dataclasses import dataclass
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue import recordings
from recorder_sync.custody.log import Act, Deed
from recorder_sync.rules.docking import Stay

OF_INTAKES = frozenset(
    {
        *(Act.DEVICE_HELD, Act.DOCKING_OPENED, Act.INVENTORY, Act.SEAL, Act.SEEN_AGAIN),
        *(Act.DOCKING_CLOSED, Act.DEVICE_REMOVED),
    }
)


def is_left(db: Database, deed: Deed) -> bool:
    """Tell whether an intake's deed stands in the log and did not get into the catalogue.

    A docking is entered with its inventory, which goes on as long as it is open; a seal's
    recording is there before, as an intent. Raises KeyError where it is no such deed.
    """
    if deed.act is Act.SEAL:
        return recordings.is_intent(db, deed.subject)
    docking = _docking(db, deed.facts["docking"] if deed.act is Act.SEEN_AGAIN else deed.subject)
    match deed.act:
        case Act.DEVICE_HELD:
            return docking is None
        case Act.DOCKING_OPENED:
            return docking is None or docking.is_held
        case Act.DEVICE_REMOVED:
            return docking is not None and not docking.is_removed
        case _:
            return docking is not None and not docking.is_closed


@dataclass(frozen=True, slots=True)
class _Docking:
    is_held: bool
    is_closed: bool
    is_removed: bool


def _docking(db: Database, docking: Any) -> _Docking | None:
    select = "select state, ended_at, removed_at from dockings where id = ?"
    row = db.execute(select, [docking]).fetchone()
    if row is None:
        return None
    state, ended_at, removed_at = row
    return _Docking(state == Stay.HELD, ended_at is not None, removed_at is not None)
