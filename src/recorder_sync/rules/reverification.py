"""Re-reading all evidence within so many days: how much tonight, what first, can it be kept?

What has waited longest comes first. Tonight's part is the least with which nothing is ever
too late, if every night after this one does as much: early nights do not idle while later
ones are overfull. Pure: no clock, no database. Times are aware; the night is the station's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Night:
    """The hours in which evidence is re-read."""

    begins: datetime
    ends: datetime

    @property
    def seconds(self) -> float:
        return (self.ends - self.begins).total_seconds()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sealed recording, and when it was last re-read."""

    recording: str
    size: int
    sealed_at: datetime
    verified_at: datetime | None

    def since(self, began: datetime) -> datetime:
        """Return since when it waits, of a schedule that began then.

        What was sealed long before there was a schedule is not late on its first day.
        """
        return self.verified_at or max(self.sealed_at, began)


@dataclass(frozen=True, slots=True)
class Plan:
    """One night's work, in bytes."""

    needed: int
    """What must be re-read tonight so that nothing will be late."""
    possible: int
    """What the rate allows in one night."""
    chosen: tuple[str, ...]
    """Recordings to re-read tonight, first things first."""

    @property
    def can_be_kept(self) -> bool:
        return self.needed <= self.possible


def night_at(moment: datetime, begins: time, ends: time) -> Night | None:
    """Return the night that `moment`, local time, is in; None by day.

    A night may go past midnight. One that begins when it ends lasts the whole day.
    """
    for day in (moment.date(), moment.date() - _DAY):
        first = datetime.combine(day, begins, moment.tzinfo)
        last = datetime.combine(day, ends, moment.tzinfo)
        if last <= first:
            last = datetime.combine(day + _DAY, ends, moment.tzinfo)
        if first <= moment < last:
            return Night(first, last)
    return None


def plan(waiting: Iterable[Waiting], night: Night, days: int, rate: int) -> Plan:
    """Say what to re-read in this night, so that each recording's turn comes within `days`.

    `rate` is in bytes a second. Recordings whose time has come are chosen first; those
    chosen hold at least the bytes that are needed, or all there is.
    """
    all_waiting = list(waiting)
    began = min((w.verified_at for w in all_waiting if w.verified_at), default=night.begins)
    in_turn = sorted(
        all_waiting, key=lambda w: (w.since(began), w.verified_at is not None, w.recording)
    )
    needed = 0
    so_far = 0
    for one in in_turn:
        so_far += _work(one)
        nights = _nights_left(one.since(began) + timedelta(days=days), night)
        needed = max(needed, -(-so_far // nights))
    return Plan(needed, int(rate * night.seconds), tuple(_first(in_turn, needed)))


def _nights_left(due: datetime, night: Night) -> int:
    """Return how many nights, this one included, surely end before a time; at least one."""
    return max(1, (due - night.begins) // _DAY)


def _first(in_turn: Sequence[Waiting], size: int) -> Iterable[str]:
    """Yield the recordings that hold the first `size` bytes."""
    so_far = 0
    for one in in_turn:
        if so_far >= size:
            return
        yield one.recording
        so_far += _work(one)


def _work(one: Waiting) -> int:
    """Return a recording's bytes; an empty one has to be looked at as well."""
    return max(1, one.size)
