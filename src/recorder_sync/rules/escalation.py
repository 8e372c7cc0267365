"""Who is told of which alert, and when?

An alert climbs in three stages: first the officer and the custodian, at the limit the team
leader, later the supervisor. One that nobody acknowledged climbs by time; an acknowledged
one stops, until it becomes worse. What was told is known by stage and not by time, so a
clock that is set, a restart or three days without power tell nobody twice: whoever should
have been told meanwhile is told once, at the highest stage reached.

Notices wait at night. When one person is to be told of many things at once, it is one
message. Once a day there is a digest of everything that is not resolved.

All times are in UTC; quiet hours and the digest are by the local clock of the zone given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from recorder_sync.rules.matter import Severity
from recorder_sync.rules.recipient import Recipient
from recorder_sync.rules.reconcile import AlertState


class Stage(StrEnum):
    """How far an alert has climbed, the lowest first."""

    FIRST = "first"
    """As soon as it is open; for what has a limit that is the lead before it."""
    LIMIT = "limit"
    """The limit has passed, or nobody acknowledged a warning."""
    LATER = "later"

    @property
    def rank(self) -> int:
        return tuple(Stage).index(self)


def _usual_recipients() -> Mapping[Stage, frozenset[Recipient]]:
    return {
        Stage.FIRST: frozenset({Recipient.OFFICER, Recipient.CUSTODIAN}),
        Stage.LIMIT: frozenset({Recipient.TEAM_LEADER}),
        Stage.LATER: frozenset({Recipient.SUPERVISOR}),
    }


@dataclass(frozen=True, slots=True)
class EscalationSettings:
    told: Mapping[Stage, frozenset[Recipient]] = field(default_factory=_usual_recipients)
    unacknowledged_after: timedelta = timedelta(hours=24)
    """From when a warning without a limit is open until it goes to the team leader."""
    later_after: timedelta = timedelta(hours=24)
    """From the limit, or the beginning of a breach without one, to the supervisor."""
    quiet_from: time = time(22)
    quiet_until: time = time(7)
    """Local times in whole minutes; where both are equal there are no quiet hours."""
    quiet_up_to: Severity | None = Severity.NOTICE
    """What waits in quiet hours; None: nothing does."""
    digest_at: time | None = time(8, 30)
    """Local time; None: no digest."""
    digest_to: frozenset[Recipient] = frozenset({Recipient.CUSTODIAN})
    most_at_once: int = 5
    """Alerts that one person gets in messages of their own; more are one message."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An alert that is not resolved."""

    number: int
    severity: Severity
    since: datetime
    due: datetime | None
    state: AlertState
    officer: str | None = None
    """Certificate number of the officer it concerns."""
    times_worse: int = 0
    """How often an update made it open again after it was acknowledged; it climbs anew
    each time."""


@dataclass(frozen=True, slots=True)
class Sent:
    """On record once its message is in the queue of a channel."""

    number: int
    stage: Stage
    times_worse: int = 0


@dataclass(frozen=True, slots=True)
class Address:
    recipient: Recipient
    officer: str | None = None
    """Which officer; for the others None."""


@dataclass(frozen=True, slots=True)
class Message:
    to: Address
    alerts: tuple[int, ...]
    """Numbers."""
    is_digest: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    messages: tuple[Message, ...] = ()
    sent: tuple[Sent, ...] = ()
    """What to put on record together with the messages."""
    digested_until: datetime | None = None
    """The newest digest that is made, or was due while there was nothing to tell."""
    look_next: datetime | None = None
    """When there may be more to send, if nothing else changes; None: never."""


def plan(
    alerts: Iterable[Unresolved],
    sent: Iterable[Sent],
    digested_until: datetime | None,
    now: datetime,
    zone: tzinfo,
    settings: EscalationSettings,
) -> Plan:
    """Return what to send at `now`, and when to look again.

    `digested_until` is what the last plan said; None at the very first, which makes no
    digest of the past.
    """
    unresolved = sorted(alerts, key=lambda one: one.number)
    reached = _highest(sent)
    quiet = is_quiet(now, zone, settings)
    messages: dict[Address, list[int]] = {}
    new: list[Sent] = []
    looks: list[datetime] = []
    waits = False
    for one in unresolved:
        if one.state is not AlertState.OPEN:
            continue
        done = reached.get((one.number, one.times_worse), -1)
        moments = _moments(one, settings)
        ahead = [moment for stage, moment in moments.items() if stage.rank > done and moment > now]
        looks.extend(ahead)
        due = [stage for stage, moment in moments.items() if stage.rank > done and moment <= now]
        if not due:
            continue
        if quiet and _may_wait(one.severity, settings):
            waits = True
            continue
        new.append(Sent(one.number, max(due, key=lambda stage: stage.rank), one.times_worse))
        for address in _addresses(one, due, settings):
            messages.setdefault(address, []).append(one.number)
    if waits:
        looks.append(_quiet_ends(now, zone, settings))
    made, next_digest = _digest_times(now, zone, settings)
    if next_digest is not None:
        looks.append(next_digest)
    digest = _digest(unresolved, made, digested_until, settings)
    return Plan(
        messages=(*_bundled(messages, settings.most_at_once), *digest),
        sent=tuple(new),
        digested_until=_later(made, digested_until),
        look_next=min(looks, default=None),
    )


def _highest(sent: Iterable[Sent]) -> dict[tuple[int, int], int]:
    found: dict[tuple[int, int], int] = {}
    for one in sent:
        key = one.number, one.times_worse
        found[key] = max(found.get(key, -1), one.stage.rank)
    return found


def _moments(one: Unresolved, settings: EscalationSettings) -> dict[Stage, datetime]:
    """Return when each stage is reached; one that never is, is left out.

    The first is reached by being open, also where a clock that was set back makes the
    matter begin in the future. The last instant of a limit is on time, so the limit has
    passed just after it.
    """
    found = {Stage.FIRST: _START}
    if one.due is not None:
        found[Stage.LIMIT] = _plus(one.due, timedelta.resolution)
    elif one.severity is Severity.BREACH:
        found[Stage.LIMIT] = one.since
    elif one.severity is Severity.WARNING:
        found[Stage.LIMIT] = _plus(one.since, settings.unacknowledged_after)
    if one.due is not None or one.severity is Severity.BREACH:
        found[Stage.LATER] = _plus(one.due or one.since, settings.later_after)
    return found


_START = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)


def _plus(moment: datetime, length: timedelta) -> datetime:
    return moment + length if length <= _END - moment else _END


def _may_wait(severity: Severity, settings: EscalationSettings) -> bool:
    return settings.quiet_up_to is not None and severity.rank <= settings.quiet_up_to.rank


def _addresses(
    one: Unresolved, stages: Iterable[Stage], settings: EscalationSettings
) -> list[Address]:
    """Return who is told; where the officer is not known the custodian is told instead."""
    found: set[Address] = set()
    for stage in stages:
        for recipient in settings.told.get(stage, frozenset()):
            if recipient is not Recipient.OFFICER:
                found.add(Address(recipient))
            elif one.officer is not None:
                found.add(Address(recipient, one.officer))
            else:
                found.add(Address(Recipient.CUSTODIAN))
    return sorted(found, key=_address_order)


def _address_order(address: Address) -> tuple[int, str]:
    return list(Recipient).index(address.recipient), address.officer or ""


def _bundled(messages: Mapping[Address, list[int]], most: int) -> list[Message]:
    found = []
    for address in sorted(messages, key=_address_order):
        numbers = messages[address]
        if len(numbers) > most:
            found.append(Message(address, tuple(numbers)))
        else:
            found.extend(Message(address, (number,)) for number in numbers)
    return found


def _digest(
    unresolved: list[Unresolved],
    made: datetime | None,
    until: datetime | None,
    settings: EscalationSettings,
) -> list[Message]:
    if made is None or until is None or made <= until or not unresolved:
        return []
    numbers = tuple(one.number for one in unresolved)
    # A digest for all officers would tell each of the others' matters.
    to = sorted(settings.digest_to - {Recipient.OFFICER}, key=list(Recipient).index)
    return [Message(Address(recipient), numbers, is_digest=True) for recipient in to]


def _later(made: datetime | None, until: datetime | None) -> datetime | None:
    known = [moment for moment in (made, until) if moment is not None]
    return max(known, default=None)


def _digest_times(
    now: datetime, zone: tzinfo, settings: EscalationSettings
) -> tuple[datetime | None, datetime | None]:
    """Return the newest time of a digest that has come, and the next one."""
    if settings.digest_at is None:
        return None, None
    times = [_local(day, settings.digest_at, zone) for day in _days_around(now, zone)]
    return max(t for t in times if t <= now), min(t for t in times if t > now)


def _days_around(now: datetime, zone: tzinfo) -> list[date]:
    today = now.astimezone(zone).date()
    return [today + timedelta(days=days) for days in (-2, -1, 0, 1, 2)]


def _local(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def is_quiet(now: datetime, zone: tzinfo, settings: EscalationSettings) -> bool:
    """Tell whether the local clock shows a time within the quiet hours."""
    shown, begins, ends = now.astimezone(zone).time(), settings.quiet_from, settings.quiet_until
    if begins <= ends:
        return begins <= shown < ends
    return shown >= begins or shown < ends


def _quiet_ends(now: datetime, zone: tzinfo, settings: EscalationSettings) -> datetime:
    """Return when the quiet hours end that `now` lies in.

    Minute by minute, as a clock that is changed may end them at other times than
    `quiet_until`: it may pass over that time, or go back to before they began.
    """
    moment = now.replace(second=0, microsecond=0)
    while is_quiet(moment, zone, settings):
        moment += timedelta(minutes=1)
    return moment
