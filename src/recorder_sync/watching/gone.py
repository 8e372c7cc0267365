"""Alerts of something that happened whose cause is visibly gone.

They are raised where it happens, once, and no rule says each minute that it is still so. A
device that was pulled out too early is a matter no longer when everything that its docking
listed is sealed, whichever docking brought it in.
"""

from collections.abc import Iterator

from sqlite_utils.db import Database

from recorder_sync.catalogue import alerts
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.catalogue.not_in import left_of
from recorder_sync.model import AlertKind
from recorder_sync.timestamps import iso

_OF_A_DOCKING = frozenset({AlertKind.REMOVED_EARLY, AlertKind.NOT_TAKEN_IN, AlertKind.DEVICE_HELD})


def causes_gone(db: Database) -> Iterator[int]:
    """Yield the numbers of the alerts whose cause is gone."""
    for one in alerts.standing(db, _OF_A_DOCKING):
        if not one.is_resolved and _is_gone(db, one):
            yield one.number


def _is_gone(db: Database, one: RecordedAlert) -> bool:
    if one.docking is None:
        return _came_in_later(db, one)
    if one.kind is AlertKind.DEVICE_HELD:
        return not _waits(db, one.docking)
    left = left_of(db, one.docking)
    return _came_in_later(db, one) if left is None else left == 0


def _waits(db: Database, docking: str) -> bool:
    """Tell whether a docking is still held; the alert of one not on record yet stays."""
    row = db.execute("select state, removed_at from dockings where id = ?", [docking]).fetchone()
    return row is None or (row[0] == "held" and row[1] is None)


def _came_in_later(db: Database, one: RecordedAlert) -> bool:
    """Tell whether a later docking of the device took everything in.

    Asked where nobody knows what the docking of the alert would have brought.
    """
    if one.device is None:
        return False
    found = db.execute(
        "select 1 from dockings where device = ? and started_at > ? and outcome = 'done'"
        " and id is not ? limit 1",
        [one.device, iso(one.raised_at), one.docking],
    )
    return found.fetchone() is not None
