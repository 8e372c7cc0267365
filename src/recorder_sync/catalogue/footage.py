"""When sealed recordings begin and end, and whose they are, as the rules on time ask for it.

Read along the indexes by device and by officer, each of which holds the recordings in the
order of time (`time_line.py`).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlite_utils.db import Database

from recorder_sync.catalogue.time_line import FIRST, LAST, PLACES_A_SECOND, place
from recorder_sync.rules.coverage import Shown, Span
from recorder_sync.rules.deadline import Deferral, after
from recorder_sync.rules.sequence import Dated
from recorder_sync.timestamps import moment

LONGEST = timedelta(hours=48)
"""A recording that began earlier than this before a time shows nothing of it."""


def shown(db: Database, span: Span, officer: str | None, device: str | None) -> list[Shown]:
    """Return the sealed recordings of an officer or a device that may show any of a time."""
    found: dict[str, Shown] = {}
    for column, value in (("officer", officer), ("device", device)):
        if value is None:
            continue
        rows = db.execute(
            "select id, recorded_start, recorded_end, officer, device from recordings"
            f" indexed by recordings_by_{column} where {column} = ? and state = 'sealed'"
            " and number between ? and ?",
            [value, *_places(span.begins, span.ends)],
        )
        for recording, begins, ends, of_officer, of_device in rows:
            end = moment(ends) if ends else None
            found[recording] = Shown(moment(begins), end, of_officer, of_device)
    return list(found.values())


def plainly_shown(db: Database) -> set[str]:
    """Return the unexplained enforcement, not to be shown in full, within which a sealed recording
    of its officer lasts at some moment.

    One question for years of it. What else is shown the rules tell (`rules/coverage.py`).
    """
    # What began within it is found by its place alone, without looking at any recording.
    begun = (
        "r.number >= cast(strftime('%s', c.begins, '+0.999 seconds') as integer) * :places"
        " and r.number < cast(strftime('%s', c.ends) as integer) * :places"
    )
    lasting = (
        "r.number between (cast(strftime('%s', c.begins) as integer) - :longest) * :places"
        " and (cast(strftime('%s', c.ends) as integer) + 1) * :places"
        " and r.recorded_start <= c.ends"
        " and coalesce(r.recorded_end, r.recorded_start) >= c.begins"
    )
    of_officer = (
        "select 1 from recordings r indexed by recordings_by_officer where r.officer = c.officer"
        " and r.state = 'sealed'"
    )
    rows = db.execute(
        "select c.id from calendar c where c.kind = 'enforcement' and c.reason is null"
        " and c.in_full = 0 and c.officer is not null and case"
        f" when exists ({of_officer} and {begun}) then 1"
        f" else exists ({of_officer} and {lasting}) end",
        {"longest": int(LONGEST.total_seconds()), "places": PLACES_A_SECOND},
    )
    return {identifier for (identifier,) in rows}


def dated_after_docking(db: Database, device: str) -> Iterator[Dated]:
    """Yield a device's sealed recordings that begin after their docking did."""
    rows = db.execute(
        "select r.id, r.docking, d.started_at, r.recorded_start from recordings r"
        " indexed by recordings_by_device join dockings d on d.id = r.docking"
        " where r.device = ? and r.state = 'sealed' and r.recorded_start > d.started_at",
        [device],
    )
    for recording, docking, docked_at, begins in rows:
        yield Dated(recording, device, docking, moment(docked_at), moment(begins))


def earliest_end(db: Database, deferral: Deferral) -> datetime | None:
    """Return when the earliest of the sealed recordings ended that a deferral covers."""
    back_at = deferral.back_at
    if back_at is None:
        return None
    until = min(deferral.ends or back_at, back_at)
    conditions = ["state = 'sealed'", "number between ? and ?"]
    values: list[object] = [*_places(deferral.begins, until)]
    for column, value in (("device", deferral.device), ("officer", deferral.officer)):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    ends = (
        moment(row[0])
        for row in db.execute(
            "select coalesce(recorded_end, recorded_start) from recordings where "
            + " and ".join(conditions),
            values,
        )
    )
    return min((end for end in ends if deferral.covers(end)), default=None)


def _places(begins: datetime, ends: datetime) -> tuple[int, int]:
    """Return between which places the recordings lie that may show any of a time."""
    return _place(after(begins, -LONGEST)), _place(after(ends, timedelta(days=1)))


def _place(at: datetime) -> int:
    return min(max(place(at), FIRST), LAST)
