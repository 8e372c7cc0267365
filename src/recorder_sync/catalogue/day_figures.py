"""Sums of each local day, so that the statistics of years are read in milliseconds (Art. 28).

Triggers note what is stale (`figure_tables.py`); `bring_up` adds up such days anew, from the
recordings, and says how many are left. Nothing is ever
added to a sum: a day is counted whole, so that it cannot drift. Working state: what it says can
be made of the recordings at any time, and is, after a rebuild.

A row is one value of one part: `kind` (whose rows together are all recordings), `device`,
`officer`, `cause`, `stored` (by the day of sealing) and `gap` (interruptions of a device, `late`
those without explanation). Unit and secrecy are of every row, so that an account's scope narrows
them all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlite_utils.db import Database

from recorder_sync.catalogue import figure_tables, gap_explanations, time_line, year_figures
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.seen_by import NOTHING
from recorder_sync.catalogue.year_figures import Length, Span
from recorder_sync.rules.access import Reach, Scope, Secrecy
from recorder_sync.rules.continuity import Piece, actions, unexplained_gaps
from recorder_sync.rules.figures import Step, Sum, bounds, day_of, stretch_of
from recorder_sync.rules.watch_limits import WatchLimits
from recorder_sync.timestamps import iso, moment

_AT_ONCE = 7
"""Days in one transaction: nobody waits long for it."""
_AROUND = timedelta(days=1)
"""An action hardly lasts longer."""

PARTS = ("kind", "device", "officer", "cause")

_SECRECY = "coalesce(r.secrecy, 'none') || '|' || coalesce(c.secrecy, 'none')"
_JOINED = (
    " left join officers o on o.cert_no = r.officer"
    " left join cases c on c.number = r.case_no where r.state = 'sealed'"
)
# In the order of time, which is that of the table itself: no index is as good.
_ROWS = f"from recordings r not indexed{_JOINED}"
_ROWS_BY_SEALING = f"from recordings r indexed by recordings_by_sealing{_JOINED}"

# What a file does not say of its length its times do; photos have none.
_SECONDS = (
    "coalesce(r.duration_s, iif(r.kind in ('video', 'audio'), max(0.0,"
    " (julianday(r.recorded_end) - julianday(r.recorded_start)) * 86400.0), null), 0.0)"
)
_VALUES = {
    "kind": "r.kind",
    "device": "coalesce(r.device, '')",
    "officer": "coalesce(r.officer, '')",
    "cause": "coalesce(c.cause, '')",
}


@dataclass(frozen=True, slots=True)
class Basis:
    """What the sums depend on besides the catalogue."""

    zone: ZoneInfo
    limits: WatchLimits

    @property
    def text(self) -> str:
        split, pause = self.limits.split, self.limits.action_pause
        return f"{self.zone}/{split.total_seconds():g}/{pause.total_seconds():g}"


def bring_up(
    db: Database,
    basis: Basis,
    at_most: int,
    first: date | None = None,
    last: date | None = None,
) -> int:
    """Add up at most so many stale days anew, the newest first, of a time or of all.

    Returns how many days of it are left. Raises sqlite3.DatabaseError.
    """
    _note_days(db, basis)
    days = _stale(db, first, last)
    done = days[:at_most]
    for at in range(0, len(done), _AT_ONCE):
        some = sorted(done[at : at + _AT_ONCE])
        with transaction(db):
            for group in _in_a_row(some):
                _add_up(db, basis, group[0], group[-1])
    return len(days) - len(done)


def _note_days(db: Database, basis: Basis) -> None:
    """Make days of the hours that triggers noted, and of all where the basis is another.

    What changes after this is noted again; what is added up is added up with it.
    """
    known = db.execute("select basis from day_figures_basis").fetchone()
    is_same = known is not None and known[0] == basis.text
    if is_same and db.execute("select 1 from stale_hours limit 1").fetchone() is None:
        return
    with transaction(db):
        if not is_same:
            db.execute("delete from day_figures")
            year_figures.forget_all(db)
            figure_tables.mark_all(db)
            db.execute(
                "insert or replace into day_figures_basis (id, basis) values (1, ?)", [basis.text]
            )
        hours = [row[0] for row in db.execute("select hour from stale_hours")]
        db.conn.executemany(
            "insert or ignore into stale_days (day) values (?)",
            [(str(day),) for day in sorted({day for h in hours for day in _days_of(h, basis)})],
        )
        db.execute("delete from stale_hours")


def _days_of(hour: str, basis: Basis) -> set[date]:
    """Return the days whose sums something of this hour is in.

    An interruption before it counts on the day on which it began.
    """
    begins = _hour(hour)
    if begins is None:
        return set()
    ends = begins + timedelta(hours=1) - timedelta(milliseconds=1)
    return {day_of(at, basis.zone) for at in (begins - basis.limits.action_pause, begins, ends)}


def _stale(db: Database, first: date | None, last: date | None) -> list[date]:
    rows = db.execute(
        "select day from stale_days where day >= ? and day <= ? order by day desc",
        [str(first or date.min), str(last or date.max)],
    )
    return [date.fromisoformat(row[0]) for row in rows]


def _hour(text: str) -> datetime | None:
    """Read the first thirteen characters of a time; what is none was written by hand."""
    try:
        found = moment(f"{text}:00:00+00:00")
    except ValueError:
        return None
    return found if 1900 < found.year < 9999 else None


def _in_a_row(days: Sequence[date]) -> Iterable[list[date]]:
    """Yield the days in groups without a hole."""
    group: list[date] = []
    for day in days:
        if group and day - group[-1] > timedelta(days=1):
            yield group
            group = []
        group.append(day)
    if group:
        yield group


def _add_up(db: Database, basis: Basis, first: date, last: date) -> None:
    """Add up the days from one to another anew, in a transaction of the caller's."""
    begins, ends = bounds(first, basis.zone)[0], bounds(last, basis.zone)[1]
    db.execute("delete from day_figures where day between ? and ?", [str(first), str(last)])
    day = first
    while day <= last:
        _add_up_day(db, day, *bounds(day, basis.zone))
        day += timedelta(days=1)
    _add_up_gaps(db, basis, begins, ends)
    db.execute("delete from stale_days where day between ? and ?", [str(first), str(last)])
    year_figures.note_stale(db, first, last)


def _add_up_day(db: Database, day: date, begins: datetime, ends: datetime) -> None:
    first, last = time_line.place(begins), time_line.place(ends) - 1
    sums = f"count(*), sum(r.on_time = 0), sum({_SECONDS}), sum(r.size)"
    for part, value in _VALUES.items():
        db.execute(
            "insert into day_figures (part, day, unit, secrecy, value, recordings, late, seconds,"
            f" size) select ?, ?, coalesce(o.unit, '') as u, {_SECRECY} as s, {value} as v, {sums}"
            f" {_ROWS} and r.number between ? and ? group by u, s, v",
            [part, str(day), first, last],
        )
    db.execute(
        "insert into day_figures (part, day, unit, secrecy, value, recordings, late, seconds,"
        f" size) select 'stored', ?, coalesce(o.unit, '') as u, {_SECRECY} as s, '', {sums}"
        f" {_ROWS_BY_SEALING} and r.sealed_at >= ? and r.sealed_at < ? group by u, s",
        [str(day), iso(begins), iso(ends)],
    )


@dataclass(slots=True)
class _Gaps:
    count: int = 0
    unexplained: int = 0
    seconds: float = 0.0


def _add_up_gaps(db: Database, basis: Basis, begins: datetime, ends: datetime) -> None:
    first, last = time_line.place(begins - _AROUND), time_line.place(ends + _AROUND)
    found: list[Piece] = []
    of: dict[str, tuple[str, str]] = {}
    for identifier, device, began, ended, officer, unit, secrecy in db.execute(
        "select r.id, r.device, r.recorded_start, r.recorded_end, r.officer,"
        f" coalesce(o.unit, ''), {_SECRECY} {_ROWS} and r.number between ? and ?"
        " and r.kind in ('video', 'audio') and r.recorded_end is not null"
        " and r.device is not null",
        [first, last],
    ):
        found.append(Piece(identifier, device, moment(began), moment(ended), officer))
        of[identifier] = (unit, secrecy)
    given = gap_explanations.by_device(gap_explanations.explanations(db, None, begins, ends))
    sums: dict[tuple[date, str, str, str], _Gaps] = {}
    for action in actions(found, basis.limits):
        if not action.gaps:
            continue
        unexplained = set(unexplained_gaps(action, given.get(action.device, ())))
        for gap in action.gaps:
            if begins <= gap.begins < ends:
                unit, secrecy = of[gap.after]
                key = (day_of(gap.begins, basis.zone), unit, secrecy, action.device)
                one = sums.setdefault(key, _Gaps())
                one.count += 1
                one.unexplained += gap in unexplained
                one.seconds += (gap.ends - gap.begins).total_seconds()
    db.conn.executemany(
        "insert into day_figures (part, day, unit, secrecy, value, recordings, late, seconds,"
        " size) values ('gap', ?, ?, ?, ?, ?, ?, ?, 0)",
        [
            (str(day), unit, secrecy, device, one.count, one.unexplained, one.seconds)
            for (day, unit, secrecy, device), one in sums.items()
        ],
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """The days, and whose recordings."""

    first: date
    last: date
    """Included."""
    scope: Scope
    unit: str | None = None
    """One unit only, within the scope."""


def by_stretch(db: Database, part: str, asked: Asked, step: Step) -> dict[tuple[date, str], Sum]:
    """Return the sums of a part by value and the first day of each stretch."""
    longest = Length.MONTH if step is Step.MONTH else Length.DAY
    found: dict[tuple[date, str], Sum] = {}
    for name, value, *sums in _sums(db, part, asked, "name, value", longest):
        day = date.fromisoformat(name if len(name) > _MONTH else f"{name}-01")
        key = stretch_of(day, step), value
        found[key] = found.get(key, Sum()) + Sum(*sums)
    return found


def by_value(db: Database, part: str, asked: Asked) -> Mapping[str, Sum]:
    """Return the sums of a part by value, over all of the days."""
    return {value: Sum(*sums) for value, *sums in _sums(db, part, asked, "value")}


def by_unit(db: Database, asked: Asked) -> Mapping[str, Sum]:
    """Return the sums of all recordings by unit, over all of the days."""
    return {unit: Sum(*sums) for unit, *sums in _sums(db, "kind", asked, "unit")}


_MONTH = len("2026-11")
_SUMS = "sum(recordings), sum(late), sum(seconds), sum(size)"
_COLUMNS = "unit, value, recordings, late, seconds, size"


def _sums(
    db: Database, part: str, asked: Asked, group: str, longest: Length = Length.YEAR
) -> Iterator[Sequence[Any]]:
    """Yield the sums of what is asked for by some columns, before each row's sums."""
    selects: list[str] = []
    values: list[object] = []
    narrowed, given = _narrowed(part, asked)
    for span in year_figures.spans(db, asked.first, asked.last, longest):
        source, which = _rows_of(span)
        selects.append(f"select {source}, {_COLUMNS} from {which} and {narrowed}")
        values += [part, span.first, span.last, *given]
    rows = " union all ".join(selects)
    return iter(db.execute(f"select {group}, {_SUMS} from ({rows}) group by {group}", values))


def _rows_of(span: Span) -> tuple[str, str]:
    """Return the name of each sum of a span, and table and condition that it is found by."""
    if span.length is Length.DAY:
        return "day as name", "day_figures where part = ? and day between ? and ?"
    of_length = f"period_figures where part = ? and length = '{span.length.value}'"
    return "period as name", f"{of_length} and period between ? and ?"


def _narrowed(part: str, asked: Asked) -> tuple[str, list[object]]:
    """Return the condition of what is asked for of a part within the scope."""
    conditions: list[str] = ["1"]
    values: list[object] = []
    scope = asked.scope
    match scope.reach:
        case Reach.ALL:
            pass
        case Reach.UNIT if scope.unit is not None:
            conditions.append("unit = ?")
            values.append(scope.unit)
        case Reach.OWN if scope.officer is not None and part == "officer":
            conditions.append("value = ?")
            values.append(scope.officer)
        case _:
            conditions.append(NOTHING.sql)
    if asked.unit is not None:
        conditions.append("unit = ?")
        values.append(asked.unit)
    if scope.cleared != frozenset(Secrecy):
        pairs = [f"{one}|{other}" for one in scope.cleared for other in scope.cleared]
        conditions.append(f"secrecy in ({', '.join('?' for _ in pairs)})")
        values += sorted(pairs)
    return " and ".join(conditions), values


def units(db: Database) -> list[str]:
    """Return the units that officers belong to."""
    rows = db.execute("select distinct unit from officers where unit is not null order by unit")
    return [row[0] for row in rows]
