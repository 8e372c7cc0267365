"""Sealed video and audio of a device as pieces of its actions (Art. 20)."""

from datetime import datetime, timedelta

from sqlite_utils.db import Database

from recorder_sync.catalogue.footage import LONGEST
from recorder_sync.catalogue.seen_by import recordings_in
from recorder_sync.catalogue.time_line import place
from recorder_sync.rules.access import Scope
from recorder_sync.rules.continuity import Piece
from recorder_sync.rules.deadline import after
from recorder_sync.rules.watch_limits import WatchLimits
from recorder_sync.timestamps import iso, moment

_INEXACT_S = 0.1
"""How far SQLite's reckoning of times may be off, and more."""


def pieces(
    db: Database, device: str | None, since: datetime, until: datetime | None = None
) -> list[Piece]:
    """Return what ended at `since` or later and began at `until` or earlier, by device and start.

    Where a file does not tell its end, nobody knows whether a gap follows: it is left out.
    Read along the time line, so a recording that is longer than `LONGEST` shows nothing of
    what is later than that.
    """
    conditions = ["state = 'sealed'", "kind in ('video', 'audio')", "recorded_end >= ?"]
    values: list[object] = [iso(since)]
    conditions.append("number >= ?")
    values.append(place(after(since, -LONGEST)))
    if until is not None:
        conditions.append("recorded_start <= ?")
        values.append(iso(until))
        conditions.append("number <= ?")
        values.append(place(after(until, timedelta(seconds=1))))
    if device is not None:
        conditions.append("device = ?")
        values.append(device)
    rows = db.execute(
        "select id, device, recorded_start, recorded_end, officer, case_no from recordings"
        f" where {' and '.join(conditions)} and device is not null"
        " order by device, recorded_start, id",
        values,
    )
    return [
        Piece(identifier, of, moment(begins), moment(ends), officer, case)
        for identifier, of, begins, ends, officer, case in rows
    ]


def devices_with_gaps(
    db: Database, since: datetime, until: datetime, limits: WatchLimits, scope: Scope
) -> list[str]:
    """Return the devices with a gap that ends in a time, with a recording within a scope.

    A first look, which parses no row: `rules/continuity.py` says what is a gap.
    """
    seen = recordings_in(scope)
    rows = db.execute(
        "select distinct r.device from ("
        " select number, device, recorded_start as begins, max(recorded_end) over"
        " (partition by device order by recorded_start, id"
        " rows between unbounded preceding and 1 preceding) as earlier"
        " from recordings where number between ? and ? and state = 'sealed'"
        " and kind in ('video', 'audio') and recorded_end is not null and device is not null"
        ") p join recordings r on r.number = p.number"
        " where p.begins >= ? and p.begins < ?"
        " and (julianday(p.begins) - julianday(p.earlier)) * 86400 between ? and ?"
        f" and {seen.sql} order by r.device",
        [
            place(after(since, -LONGEST)),
            place(after(until, timedelta(seconds=1))),
            iso(since),
            iso(until),
            limits.split.total_seconds() - _INEXACT_S,
            limits.action_pause.total_seconds() + _INEXACT_S,
            *seen.values,
        ],
    )
    return [str(row[0]) for row in rows]
