"""Sums of whole months and years, made of those of days, so that years are read in few rows.

Days are the truth here (`day_figures.py`). Whoever adds a day up anew notes its month and its
year as stale, in the same transaction; what is stale is not read, but its days are. So a sum of a
month is always that of its days, and nobody waits for it: `sum_up` makes those of months and years
that are over in the background. Working state, as the days are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import transaction

_SUMS = "sum(recordings), sum(late), sum(seconds), sum(size)"
_PARTS = ("kind", "device", "officer", "cause", "stored", "gap")


class Length(StrEnum):
    """What one sum is of."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring sums of one length, by their names: a day, 2026-11 or 2026; both included."""

    length: Length
    first: str
    last: str


def note_stale(db: Database, first: date, last: date) -> None:
    """Note the months and years of these days as stale, in a transaction of the caller's."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    names = {(length, _name(day, length)) for day in days for length in (Length.MONTH, Length.YEAR)}
    db.conn.executemany(
        "insert or ignore into stale_periods (length, period) values (?, ?)", sorted(names)
    )


def forget_all(db: Database) -> None:
    """Forget every sum, as those of days were forgotten, in a transaction of the caller's."""
    db.execute("delete from period_figures")
    db.execute("delete from stale_periods")


def sum_up(db: Database, before: date, at_most: int) -> int:
    """Sum up at most so many stale months and years that were over before a day.

    The newest first, and months before years, which are made of them. Returns how many are left.
    Raises sqlite3.DatabaseError.
    """
    rows = db.execute(
        "select length, period from stale_periods where (length = 'month' and period < ?)"
        " or (length = 'year' and period < ?) order by length, period desc",
        [_name(before, Length.MONTH), _name(before, Length.YEAR)],
    ).fetchall()
    for length, period in rows[:at_most]:
        with transaction(db):
            _sum_up(db, Length(length), period)
    return max(0, len(rows) - at_most)


def _sum_up(db: Database, length: Length, period: str) -> None:
    source, condition = "day_figures", "day between ? || '-01' and ? || '-31'"
    if length is Length.YEAR:
        source = "period_figures"
        condition = "length = 'month' and period between ? || '-01' and ? || '-12'"
        stale = "select 1 from stale_periods where length = 'month' and period like ? || '-%'"
        if db.execute(stale, [period]).fetchone() is not None:
            return  # a day of it was added up anew just now; its month comes first
    for part in _PARTS:
        of_this = [part, length.value, period]
        db.execute(
            "delete from period_figures where part = ? and length = ? and period = ?", of_this
        )
        db.execute(
            "insert into period_figures (part, length, period, unit, secrecy, value, recordings,"
            f" late, seconds, size) select ?, ?, ?, unit, secrecy, value, {_SUMS} from {source}"
            f" where part = ? and {condition} group by unit, secrecy, value",
            [*of_this, part, period, period],
        )
    db.execute("delete from stale_periods where length = ? and period = ?", [length.value, period])


def spans(db: Database, first: date, last: date, longest: Length) -> list[Span]:
    """Return what adds up to the days from one to another, in as few rows as there can be."""
    stale = set(db.execute("select length, period from stale_periods").fetchall())
    found: list[Span] = []
    for length, name in _pieces(first, last, longest, stale):
        if found and found[-1].length is length:
            found[-1] = Span(length, found[-1].first, name)
        else:
            found.append(Span(length, name, name))
    return found


def _pieces(
    first: date, last: date, longest: Length, stale: set[Sequence[str]]
) -> Iterator[tuple[Length, str]]:
    lengths = {Length.YEAR: (Length.YEAR, Length.MONTH), Length.MONTH: (Length.MONTH,)}
    at = first
    while at <= last:
        for length in lengths.get(longest, ()):
            begins, ends = _bounds(at, length)
            name = _name(at, length)
            if at == begins and ends <= last and (length.value, name) not in stale:
                yield length, name
                at = ends + timedelta(days=1)
                break
        else:
            yield Length.DAY, str(at)
            at += timedelta(days=1)


def _bounds(day: date, length: Length) -> tuple[date, date]:
    """Return the first and the last day of the month or year that a day is in."""
    if length is Length.YEAR:
        return date(day.year, 1, 1), date(day.year, 12, 31)
    begins = day.replace(day=1)
    return begins, (begins + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _name(day: date, length: Length) -> str:
    return f"{day:%Y}" if length is Length.YEAR else f"{day:%Y-%m}"
