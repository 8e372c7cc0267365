"""The 24-hour rule (Art. 21): when must a recording be stored by?

Pure: no clock, no catalogue. Times are aware datetimes in UTC.

A deferral is for work from which nobody can bring a recording back in time. It counts once
it is approved, and then the hours run from the return. One that was entered when the limit
had already passed, or long after the approval that it names, counts as well: whether that
was right is for people to judge, so it is shown, and never hidden.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from recorder_sync.language import T
from recorder_sync.model import AlertKind, RecordedTime
from recorder_sync.rules.matter import Matter, Severity, key_of

LIMIT = timedelta(hours=24)
"""Art. 21: within twenty-four hours of completion."""

BACK_DATED_BY = timedelta(hours=1)
"""How long after its approval a deferral may be entered without being called back-dated."""


class Basis(StrEnum):
    RECORDED_END = "recorded-end"
    RECORDED_START = "recorded-start"
    RETURN = "return"
    """The return that an approved deferral names."""


class DeferralReason(StrEnum):
    """The work for which Art. 21 lets the hours begin at the return."""

    CONTINUOUS = "continuous"
    OFF_SITE = "off-site"
    REMOTE = "remote"
    WATER = "water"
    HARD_TO_REACH = "hard-to-reach"


@dataclass(frozen=True, slots=True)
class Deferral:
    """A reason to store later. Raises ValueError where it makes no sense."""

    id: str
    reason: DeferralReason
    begins: datetime
    """Recordings that ended before it are not covered."""
    entered_at: datetime
    """By the station's clock, when it was put on record."""
    device: str | None = None
    officer: str | None = None
    """Certificate number. Where device and officer are named, both have to be right."""
    ends: datetime | None = None
    """None: it covers everything until the return."""
    approver: str | None = None
    approved_at: datetime | None = None
    returned_at: datetime | None = None
    expected: datetime | None = None
    """The return as it was planned; counts until the real one is entered."""

    def __post_init__(self) -> None:
        if self.device is None and self.officer is None:
            raise ValueError("a deferral names a device or an officer")
        if self.ends is not None and self.ends < self.begins:
            raise ValueError("a deferral ends before it begins")

    @property
    def is_approved(self) -> bool:
        return self.approver is not None and self.approved_at is not None

    @property
    def back_at(self) -> datetime | None:
        return self.returned_at or self.expected

    def concerns(self, device: str | None, officer: str | None) -> bool:
        """Tell whether it is about them; what is unknown is never taken to match."""
        return self.device in {None, device} and self.officer in {None, officer}

    def covers(self, moment: datetime) -> bool:
        """Tell whether `moment` lies in its time, which never goes beyond the return."""
        ends = self.back_at if self.ends is None else self.ends
        if self.back_at is None or ends is None:
            return False
        return self.begins <= moment <= min(ends, self.back_at)

    def is_back_dated(self, limit_passed: datetime, by: timedelta = BACK_DATED_BY) -> bool:
        """Tell whether it was on record and approved too late to be believed unseen.

        `limit_passed` is when the limit passed without it.
        """
        if self.approved_at is None:
            return False
        settled_at = max(self.entered_at, self.approved_at)
        return settled_at > limit_passed or self.entered_at - self.approved_at > by


@dataclass(frozen=True, slots=True)
class Deadline:
    due: datetime
    basis: Basis
    deferral: str | None = None
    """Id of the deferral that moved it."""
    back_dated: bool = False
    """Whether that deferral came too late to be believed unseen."""


def deadline_for(
    recorded: RecordedTime,
    limit: timedelta = LIMIT,
    deferrals: Iterable[Deferral] = (),
    *,
    device: str | None = None,
    officer: str | None = None,
    back_dated_by: timedelta = BACK_DATED_BY,
) -> Deadline:
    """Return when a recording made at `recorded` must be stored by.

    The hours begin when the recording ends. Where the end is not known (a damaged file
    tells no duration) they begin with the recording: early is the safe side. An approved
    deferral that covers that moment moves it to the return; of several the latest counts.
    """
    begin = recorded.end or recorded.start
    basis = Basis.RECORDED_START if recorded.end is None else Basis.RECORDED_END
    due = after(begin, limit)
    moved_by = in_force(deferrals, begin, device, officer)
    if moved_by is None or moved_by.back_at is None:
        return Deadline(due, basis)
    back_dated = moved_by.is_back_dated(due, back_dated_by)
    return Deadline(after(moved_by.back_at, limit), Basis.RETURN, moved_by.id, back_dated)


def in_force(
    deferrals: Iterable[Deferral], moment: datetime, device: str | None, officer: str | None
) -> Deferral | None:
    """Return the approved deferral for `moment` with the latest return."""
    found = [
        (one.back_at, one.id, one)
        for one in deferrals
        if one.is_approved and one.back_at and one.concerns(device, officer) and one.covers(moment)
    ]
    return max(found, key=lambda each: each[:2])[2] if found else None


def after(moment: datetime, limit: timedelta) -> datetime:
    """Return `moment` and `limit`; a clock at the end of the calendar stays there."""
    try:
        return moment + limit
    except OverflowError:
        return moment


def is_on_time(deadline: Deadline, sealed_at: datetime) -> bool:
    """Tell whether sealing at `sealed_at` met the deadline; the last instant counts."""
    return sealed_at <= deadline.due


@dataclass(frozen=True, slots=True)
class Deferred:
    """A deferral, and when the earliest of what it covers ended; None: nothing yet."""

    deferral: Deferral
    earliest_end: datetime | None = None


def back_dated_deferrals(
    deferred: Iterable[Deferred],
    limit: timedelta = LIMIT,
    back_dated_by: timedelta = BACK_DATED_BY,
) -> Iterator[Matter]:
    """Yield every approved deferral that came too late to be believed unseen (Art. 21)."""
    for one in deferred:
        deferral = one.deferral
        begin = deferral.begins if one.earliest_end is None else one.earliest_end
        if deferral.approved_at is None or not deferral.is_approved:
            continue
        if deferral.is_back_dated(after(begin, limit), back_dated_by):
            yield Matter(
                kind=AlertKind.BACK_DATED_DEFERRAL,
                key=key_of(AlertKind.BACK_DATED_DEFERRAL, deferral.id),
                severity=Severity.NOTICE,
                since=max(deferral.entered_at, deferral.approved_at),
                text=T(
                    "Deferral {id} was put on record after the fact, by {approver}.",
                    id=deferral.id,
                    approver=deferral.approver,
                ),
                hint=T("It counts. Check the reason with the approver and note the result."),
                device=deferral.device,
                officer=deferral.officer,
            )
