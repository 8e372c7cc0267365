"""Every limit that runs, by the time that is left: recordings, devices, enforcement.

The same facts as the tick's, read anew. A person sees here what is not a matter yet.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from recorder_sync.rules.deadline import after, in_force
from recorder_sync.rules.outstanding import Why, outstanding_deadline
from recorder_sync.rules.overdue_device import docking_due
from recorder_sync.watching.cards import NotInYet
from recorder_sync.watching.deferrals import Deferrals
from recorder_sync.watching.devices import Docked
from recorder_sync.watching.enforcement import Enforcement
from recorder_sync.watching.source import Look


class What(StrEnum):
    """What has to be done by a limit."""

    RECORDING = "recording"
    """It has to be stored."""
    DEVICE = "device"
    """It has to be docked."""
    ENFORCEMENT = "enforcement"
    """A recording has to show it."""


@dataclass(frozen=True, slots=True)
class RunningDeadline:
    what: What
    name: str
    due: datetime
    within: timedelta
    """How long there was in all."""
    device: str | None = None
    officer: str | None = None
    """Certificate number."""
    docking: str | None = None
    why: Why | None = None
    """What keeps a recording out."""
    deferral: str | None = None
    """The one that moved it."""

    def left(self, now: datetime) -> timedelta:
        """Return how long there is; negative once the limit has passed."""
        return self.due - now


def running_deadlines(look: Look) -> list[RunningDeadline]:
    """Return every limit that runs or has passed, the most urgent first."""
    return Running().deadlines(look)


class Running:
    """Looks again and again: what did not change since the last look is not read anew."""

    def __init__(self) -> None:
        self._deferrals = Deferrals()
        self._not_in = NotInYet(self._deferrals)
        self._docked = Docked(self._deferrals)
        self._enforcement = Enforcement(self._deferrals)
        self._one_at_a_time = threading.Lock()

    def deadlines(self, look: Look) -> list[RunningDeadline]:
        """Return every limit that runs or has passed, the most urgent first."""
        with self._one_at_a_time:
            moved = self._deferrals
            moved.now(look.station)
            found = [
                *_recordings(look, self._not_in, moved),
                *_devices(look, self._docked, moved),
                *_enforcement(look, self._enforcement, moved),
            ]
        return sorted(found, key=lambda one: (one.due, one.what, one.device or "", one.name))


class DeviceDeadlines:
    """When devices that are out have to be docked; what did not change is not read again."""

    def __init__(self) -> None:
        self._deferrals = Deferrals()
        self._docked = Docked(self._deferrals)

    def now(self, look: Look) -> list[RunningDeadline]:
        """Return those that run or have passed, the most urgent first."""
        self._deferrals.now(look.station)
        found = _devices(look, self._docked, self._deferrals)
        return sorted(found, key=lambda one: (one.due, one.name))


def _recordings(look: Look, source: NotInYet, deferrals: Deferrals) -> Iterator[RunningDeadline]:
    seen = set()
    for one in source.facts(look):
        same = one.device or one.docking, one.name, one.mtime
        if same in seen:
            continue
        seen.add(same)
        moved_by = deferrals.concerning(one.device, one.officer)
        deadline = outstanding_deadline(one, moved_by, look.limits)
        yield RunningDeadline(
            What.RECORDING,
            one.name,
            deadline.due,
            look.limits.stored_within,
            device=one.device,
            officer=one.officer,
            docking=one.docking,
            why=one.why,
            deferral=deadline.deferral,
        )


def _devices(look: Look, source: Docked, deferrals: Deferrals) -> Iterator[RunningDeadline]:
    for one in source.facts(look):
        due = docking_due(one, deferrals.concerning(one.device, one.officer), look.limits)
        if due is not None:
            within = look.limits.docked_within
            name = one.device
            yield RunningDeadline(What.DEVICE, name, due, within, one.device, one.officer)


def _enforcement(
    look: Look, source: Enforcement, deferrals: Deferrals
) -> Iterator[RunningDeadline]:
    for one in source.not_shown(look):
        within = look.limits.stored_within
        concerning = deferrals.concerning(one.device, one.officer)
        by = in_force(concerning, one.span.ends, one.device, one.officer)
        begin = by.back_at if by and by.back_at else one.span.ends
        yield RunningDeadline(
            What.ENFORCEMENT,
            one.id,
            after(begin, within),
            within,
            device=one.device,
            officer=one.officer,
            deferral=by.id if by else None,
        )
