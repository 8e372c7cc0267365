"""What came in since a moment, and what waits for somebody: the figures of the overview.

Each is read along an index that holds only what is asked for, so none of them depends on how
many recordings there are in all.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.catalogue.seen_by import by_device, recordings_in
from recorder_sync.rules.access import Scope
from recorder_sync.timestamps import iso, moment

MOST_COUNTED = 100
"""What waits is counted no further: more is more."""


@dataclass(frozen=True, slots=True)
class CameIn:
    sealed: int = 0
    size: int = 0
    seconds: float = 0.0
    late: int = 0
    dockings: int = 0


def came_in(db: Database, scope: Scope, since: datetime) -> CameIn:
    """Return what was sealed within a scope since a moment, and how often something docked."""
    seen, docked = recordings_in(scope), by_device(scope)
    sealed, size, seconds, late = db.execute(
        "select count(*), coalesce(sum(r.size), 0), coalesce(sum(r.duration_s), 0),"
        " coalesce(sum(r.on_time = 0), 0) from recordings r indexed by recordings_by_sealing"
        f" where r.state = 'sealed' and r.sealed_at >= ? and {seen.sql}",
        [iso(since), *seen.values],
    ).fetchone()
    (dockings,) = db.execute(
        f"select count(*) from dockings where started_at >= ? and {docked.sql}",
        [iso(since), *docked.values],
    ).fetchone()
    return CameIn(int(sealed), int(size), float(seconds), int(late), int(dockings))


@dataclass(frozen=True, slots=True)
class HeldNow:
    """A device that waits on its port for the custodian."""

    docking: str
    device: str | None
    port: str | None
    since: datetime


def held_now(db: Database, scope: Scope) -> list[HeldNow]:
    """Return the devices that wait on a port, the longest first."""
    seen = by_device(scope)
    rows = db.query(
        "select id, device, port, started_at from dockings indexed by dockings_on_port"
        f" where state = 'held' and removed_at is null and ({seen.sql} or device is null)"
        " order by started_at, id",
        list(seen.values),
    )
    return [
        HeldNow(row["id"], row["device"], row["port"], moment(row["started_at"])) for row in rows
    ]


def without_officer(db: Database) -> int:
    """Count the sealed recordings of which nobody knows whose they are, up to `MOST_COUNTED`."""
    return _count(db, "recordings_by_officer", "officer is null")


def without_device(db: Database) -> int:
    """Count the sealed recordings of no known device, up to `MOST_COUNTED`."""
    return _count(db, "recordings_by_device", "device is null")


def without_case(db: Database, officer: str, since: datetime) -> int:
    """Count an officer's recordings sealed since a moment that are of no case."""
    (count,) = db.execute(
        "select count(*) from recordings indexed by recordings_by_sealing where state = 'sealed'"
        " and sealed_at >= ? and officer = ? and case_no is null",
        [iso(since), officer],
    ).fetchone()
    return int(count)


def _count(db: Database, index: str, condition: str) -> int:
    (count,) = db.execute(
        f"select count(*) from (select 1 from recordings indexed by {index}"
        f" where state = 'sealed' and {condition} limit ?)",
        [MOST_COUNTED],
    ).fetchone()
    return int(count)
