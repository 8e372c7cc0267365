"""What lies around one recording: its action, the device's way on that day, its history.

Only what the one who asks may see (`seen_by.py`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils.db import Database

from recorder_sync.catalogue.pieces import pieces
from recorder_sync.catalogue.seen_by import recordings_in, visible_of
from recorder_sync.model import Position, Recording
from recorder_sync.rules.access import Scope
from recorder_sync.rules.continuity import Action, actions
from recorder_sync.rules.watch_limits import WatchLimits
from recorder_sync.timestamps import iso, moment

_AROUND = timedelta(days=1)
_MOST = 300


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The recordings of one action that somebody may see, and those beside one of them."""

    action: Action
    seen: frozenset[str]
    previous: str | None
    following: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a recording was made."""

    recording: str
    at: datetime
    position: Position


def neighbours(
    db: Database, one: Recording, limits: WatchLimits, scope: Scope
) -> Neighbours | None:
    """Return the action of a recording; None for photos, and where its device is not known."""
    if one.tags.device is None:
        return None
    start = one.recorded.start
    around = pieces(db, one.device, start - _AROUND, (one.recorded.end or start) + _AROUND)
    for action in actions(around, limits):
        ids = [piece.recording for piece in action.pieces]
        if one.id in ids:
            seen = visible_of(db, ids, scope)
            at = seen.index(one.id)
            return Neighbours(
                action,
                frozenset(seen),
                seen[at - 1] if at else None,
                seen[at + 1] if at + 1 < len(seen) else None,
            )
    return None


def way_of(
    db: Database, device: str | None, begins: datetime, ends: datetime, scope: Scope
) -> list[Place]:
    """Return where a device was in that time, by its recordings, in the order of time."""
    if device is None:
        return []
    condition, values = recordings_in(scope, "+r.officer").named("scope")
    rows = db.execute(
        "select r.id, r.recorded_start, json_extract(d.json, '$.media.position.latitude') as lat,"
        " json_extract(d.json, '$.media.position.longitude') as lon"
        " from recordings r join descriptions d on d.recording = r.id"
        " where r.state = 'sealed' and r.device = :device and r.recorded_start >= :begins"
        f" and r.recorded_start < :ends and {condition} and lat is not null"
        " order by r.number limit :most",
        {"device": device, "begins": iso(begins), "ends": iso(ends), "most": _MOST, **values},
    )
    return [Place(one, moment(at), Position(lat, lon)) for one, at, lat, lon in rows]
