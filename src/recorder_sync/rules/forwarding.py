"""Which recordings go to a store, in which order, how long they are kept, when is it tried?

Order (Art. 21): what was marked important first, then what has to be stored soonest, then
what was sealed first. The date until which a store keeps an object from being deleted comes
from the policies of the settings (Art. 25: retention by risk); of several that fit, the
longest counts.

A store that fails is left alone for a while, longer each time, and one recording tries
whether it is back before the others follow. Times are in UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from recorder_sync.model import Flag, Kind

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(hours=1)
TRIES_WHILE_THERE = 2
"""Failures of one recording at a store that was seen to be there just before each: then it may
be this recording, and another one tries."""
TRIES_OF_OTHER_BYTES = 3
"""Times that a store showed other bytes than were sealed: then a person has to look."""
_VARIES = 0.25
_LAST_DATE = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Forwardable:
    """A sealed recording, as far as it matters here."""

    id: str
    kind: Kind
    flags: frozenset[Flag]
    case: str | None
    sealed_at: datetime
    deadline: datetime
    held: bool = False
    """Legal hold."""

    @property
    def is_important(self) -> bool:
        return Flag.IMPORTANT in self.flags


@dataclass(frozen=True, slots=True)
class Selection:
    """Which recordings: what fits every one of these that is set."""

    kinds: frozenset[Kind] = frozenset()
    """Empty: of every kind."""
    flags: frozenset[Flag] = frozenset()
    """With at least one of these; empty: with or without."""
    cases: frozenset[str] = frozenset()
    """Of one of these cases; empty: of any or none."""
    in_case: bool = False
    """Only those that belong to a case."""

    def takes(self, one: Forwardable) -> bool:
        return (
            (not self.kinds or one.kind in self.kinds)
            and (not self.flags or bool(one.flags & self.flags))
            and (not self.cases or one.case in self.cases)
            and (not self.in_case or one.case is not None)
        )


def urgency(one: Forwardable) -> tuple[bool, datetime, datetime, str]:
    """Return what sorts recordings by the order in which they are sent."""
    return not one.is_important, one.deadline, one.sealed_at, one.id


@dataclass(frozen=True, slots=True)
class Retention:
    """How long recordings of one category are kept, from their sealing."""

    of: Selection
    days: int


def kept_until(one: Forwardable, policies: Iterable[Retention]) -> datetime | None:
    """Return until when a store has to keep it; None: no policy says anything."""
    days = max((policy.days for policy in policies if policy.of.takes(one)), default=0)
    return days_after(one.sealed_at, days) if days else None


def days_after(moment: datetime, days: int) -> datetime:
    """Return the moment so many days later; no later than dates go."""
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        return _LAST_DATE


def wait_after(failures: int, chance: float, retry_after_s: float | None = None) -> timedelta:
    """Return how long to leave alone what failed so many times in a row.

    It doubles, up to an hour, less up to a quarter by `chance` (from 0 up to 1), so that
    what failed together is not tried again together; longer where the store asks for it.
    """
    doubled = FIRST_WAIT * (1 << min(max(failures, 1) - 1, 20))
    wait = min(doubled, LONGEST_WAIT) * (1 - _VARIES * chance)
    return max(wait, timedelta(seconds=min(retry_after_s or 0.0, LONGEST_WAIT.total_seconds())))


class Gate(StrEnum):
    """What a store may be asked for now."""

    OPEN = "open"
    PROBE = "probe"
    """One try, which shows whether it is back."""
    SHUT = "shut"


@dataclass(frozen=True, slots=True)
class Breaker:
    """Whether a store is tried (a circuit breaker). Seconds of a clock that nobody sets."""

    failures: int = 0
    """In a row."""
    shut_until: float = 0.0
    is_probing: bool = False
    is_asked: bool = False
    """The store asked for this pause itself."""

    def gate(self, now: float) -> Gate:
        if not self.failures:
            return Gate.OPEN
        return Gate.SHUT if self.is_probing or now < self.shut_until else Gate.PROBE

    def probing(self) -> "Breaker":
        """Somebody tries; the others wait for the outcome."""
        return replace(self, is_probing=True)

    def failed(
        self, now: float, chance: float, retry_after_s: float | None = None, *, for_long: bool
    ) -> "Breaker":
        """`for_long`: only a person can mend it, so it is tried once an hour."""
        if now < self.shut_until and not self.is_probing:  # under way when another one failed
            asked = min(retry_after_s or 0.0, LONGEST_WAIT.total_seconds())
            until = max(self.shut_until, now + asked)
            return Breaker(self.failures, until, is_asked=self.is_asked or bool(asked))
        failures = self.failures + 1
        wait = wait_after(64 if for_long else failures, chance, retry_after_s)
        return Breaker(failures, now + wait.total_seconds(), is_asked=bool(retry_after_s))

    def worked(self) -> "Breaker":
        """What was under way when the store asked for a pause does not end it."""
        return self if self.is_asked and not self.is_probing else Breaker()

    def let_go(self) -> "Breaker":
        """Whoever tried was broken off, and nothing is known."""
        return replace(self, is_probing=False)

    def try_at_once(self) -> "Breaker":
        """Somebody says that it is mended."""
        return Breaker(min(self.failures, 1))


@dataclass(frozen=True, slots=True)
class LimitedHours:
    """A part of each day with a limit of its own. Minutes of the station's day."""

    begins: int
    ends: int
    """The same as its beginning: the whole day. Before it: over midnight."""
    rate: int | None
    """Bytes a second; None: as fast as it goes."""

    def covers(self, minute: int) -> bool:
        if self.begins < self.ends:
            return self.begins <= minute < self.ends
        return minute >= self.begins or minute < self.ends


def rate_at(
    local: datetime, hours: Iterable[LimitedHours], usual: int | None, stations: int
) -> int | None:
    """Return the bytes a second that this station may send; None: as many as it can.

    `local` is the station's local time. The first hours that cover it count. `stations`
    share the line, and each takes its part.
    """
    minute = local.hour * 60 + local.minute
    rate = next((one.rate for one in hours if one.covers(minute)), usual)
    return None if rate is None else max(1, rate // stations)
