"""Sealed video and audio of a device as pieces of its actions (Art. 20)."""

from datetime import datetime, timedelta

from sqlite_utils.db import Database

from recorder_sync.catalogue.footage import LONGEST
from recorder_sync.catalogue.time_line import place
from recorder_sync.rules.continuity import Piece
from recorder_sync.rules.deadline import after
from recorder_sync.timestamps import iso, moment


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
