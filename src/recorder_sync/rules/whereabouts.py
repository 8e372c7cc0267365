"""Where a device is and who holds it, from what was put on record about it (Art. 22, 24).

A device is kept in store, issued to an officer and returned. A fault keeps it back until a
repair closes it. What stands in the custody log happened, so following the events never
fails; whether a new one makes sense is asked before it is entered.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Happening(StrEnum):
    """What can happen to a device."""

    ISSUED = "issued"
    RETURNED = "returned"
    FAULT = "fault"
    REPAIRED = "repaired"
    RETIRED = "retired"
    LOST = "lost"
    FOUND = "found"


class State(StrEnum):
    """Where the ledger has a device."""

    IN_STORE = "in-store"
    IN_REPAIR = "in-repair"
    """In store, and kept back by an open fault."""
    ISSUED = "issued"
    RETIRED = "retired"
    LOST = "lost"


ALLOWED: dict[State, frozenset[Happening]] = {
    State.IN_STORE: frozenset(
        {
            Happening.ISSUED,
            Happening.FAULT,
            Happening.REPAIRED,
            Happening.RETIRED,
            Happening.LOST,
        }
    ),
    State.IN_REPAIR: frozenset(
        {Happening.FAULT, Happening.REPAIRED, Happening.RETIRED, Happening.LOST}
    ),
    State.ISSUED: frozenset(
        {Happening.RETURNED, Happening.FAULT, Happening.REPAIRED, Happening.LOST}
    ),
    State.LOST: frozenset({Happening.FOUND, Happening.FAULT, Happening.RETIRED}),
    State.RETIRED: frozenset(),
}
"""What may be entered of a device in each state. A repair without a fault is maintenance."""


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """One thing that happened to a device, as it stands in the custody log."""

    device: str
    time: datetime
    what: Happening
    actor: str
    custody_seq: int
    officer: str | None = None
    """Certificate number of the officer it was issued to."""
    text: str | None = None
    """What is wrong, what was repaired, or why."""
    override: str | None = None
    """Why it was issued though it was not ready."""
    not_ready: tuple[str, ...] = ()
    """What the readiness check had against it then, in English."""


@dataclass(frozen=True, slots=True)
class Fault:
    what: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Whereabouts:
    place: State = State.IN_STORE
    """Any state but IN_REPAIR, which follows from open faults."""
    since: datetime | None = None
    """None: since it was registered."""
    officer: str | None = None
    """Certificate number of the holder, where it is issued."""
    open_faults: tuple[Fault, ...] = ()

    @property
    def state(self) -> State:
        if self.place is State.IN_STORE and self.open_faults:
            return State.IN_REPAIR
        return self.place

    @property
    def state_since(self) -> datetime | None:
        if self.state is not State.IN_REPAIR:
            return self.since
        faulty = self.open_faults[0].since
        return faulty if self.since is None else max(faulty, self.since)

    def allows(self, what: Happening) -> bool:
        return what in ALLOWED[self.state]


def whereabouts(events: Iterable[DeviceEvent]) -> Whereabouts:
    """Return where a device is after these events, in the order of the custody log."""
    where = Whereabouts()
    for event in events:
        where = after(where, event)
    return where


def after(where: Whereabouts, event: DeviceEvent) -> Whereabouts:
    """Return where a device is after one more event, which is taken at its word."""
    match event.what:
        case Happening.FAULT:
            fault = Fault(event.text or "", event.time)
            return replace(where, open_faults=(*where.open_faults, fault))
        case Happening.REPAIRED:
            since = event.time if where.state is State.IN_REPAIR else where.since
            return replace(where, open_faults=(), since=since)
        case Happening.ISSUED:
            return replace(where, place=State.ISSUED, since=event.time, officer=event.officer)
        case Happening.RETURNED | Happening.FOUND:
            place = State.IN_STORE
        case Happening.RETIRED:
            place = State.RETIRED
        case Happening.LOST:
            place = State.LOST
    return replace(where, place=place, since=event.time, officer=None)


@dataclass(frozen=True, slots=True)
class Holding:
    """The time in which one officer held a device."""

    officer: str
    since: datetime
    until: datetime | None
    """Not part of it; None: until now."""

    def covers(self, moment: datetime) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)


NOT_MOVED = frozenset({Happening.FAULT, Happening.REPAIRED})
"""What leaves a device where it is."""


def holdings(events: Iterable[DeviceEvent]) -> list[Holding]:
    """Return who held a device and when, in the order of the custody log."""
    found: list[Holding] = []
    for event in events:
        if event.what not in NOT_MOVED and found and found[-1].until is None:
            found[-1] = replace(found[-1], until=event.time)
        if event.what is Happening.ISSUED and event.officer:
            found.append(Holding(event.officer, event.time, None))
    return found


def holder_at(held: Iterable[Holding], moment: datetime) -> Holding | None:
    """Return the holding that covers this moment, the last one entered if several do."""
    found = None
    for one in held:
        if one.covers(moment):
            found = one
    return found
