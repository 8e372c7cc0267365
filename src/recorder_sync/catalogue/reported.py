"""What the statistics report of a time besides sums of days: missing files, faults (Art. 28)."""

from collections.abc import Mapping
from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.catalogue.not_in import LISTED_EVER
from recorder_sync.catalogue.seen_by import by_device
from recorder_sync.rules.access import Reach, Scope
from recorder_sync.timestamps import iso


def missing(db: Database, since: datetime, until: datetime, scope: Scope) -> Mapping[str, int]:
    """Return how many files of each device dockings of a time listed and nobody sealed since.

    A file that several dockings listed counts once. Of no device is the number ''.
    """
    if scope.reach is Reach.NONE:
        return {}
    reached = by_device(scope, "d.device")
    rows = db.execute(
        "select device, count(*) from (select distinct coalesce(d.device, '') as device, i.path,"
        f" i.size, i.mtime_ns {LISTED_EVER} and d.started_at >= ? and d.started_at < ?"
        f" and {reached.sql}) group by device",
        [iso(since), iso(until), *reached.values],
    )
    return dict(rows.fetchall())


def faults(db: Database, since: datetime, until: datetime, scope: Scope) -> Mapping[str, int]:
    """Return how many faults of each device were reported in a time."""
    if scope.reach is Reach.NONE:
        return {}
    reached = by_device(scope)
    rows = db.execute(
        "select device, count(*) from device_events indexed by device_faults"
        f" where what = 'fault' and time >= ? and time < ? and {reached.sql} group by device",
        [iso(since), iso(until), *reached.values],
    )
    return dict(rows.fetchall())
