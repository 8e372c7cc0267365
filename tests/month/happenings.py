"""What happens at a station, one small fact each, in the order in which it happens.

Times that people or devices tell are fields. When a thing was put on record is the time
on the station's clock, which is beside it in the story.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class File:
    """A recording on a card; its times are the device's word."""

    recording: str
    """Id that it gets when it is sealed."""
    device: str
    name: str
    size: int
    mtime: datetime
    begins: datetime
    ends: datetime | None
    """None: the file does not tell."""
    kind: str
    officer: str | None
    counter: int


@dataclass(frozen=True, slots=True)
class Registered:
    device: str
    card: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Something happened to a device, in the words of the ledger: issued, returned ..."""

    device: str
    what: str
    officer: str | None = None


@dataclass(frozen=True, slots=True)
class Plugged:
    """A docking began and its card was listed."""

    docking: str
    port: str
    device: str | None
    card: str
    files: tuple[File, ...]
    conflict: bool = False
    battery: int | None = None
    free_percent: int | None = None
    clock_off_s: float | None = None
    dirty: bool | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """An unknown device was plugged in; its files are nobody's business."""

    docking: str
    port: str
    card: str


@dataclass(frozen=True, slots=True)
class Sealed:
    docking: str
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """These could not be copied; unreadable: because the card did not give them."""

    docking: str
    files: tuple[File, ...]
    unreadable: bool


@dataclass(frozen=True, slots=True)
class TakenIn:
    """The intake of a docking ended; what is not sealed now waits for another docking."""

    docking: str
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Unplugged:
    """A stay ended, by a hand or, where the power went first, at the next start."""

    docking: str
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Deferred:
    """A deferral was entered; `approved_at` where it was approved at once or before."""

    id: str
    begins: datetime
    expected: datetime
    device: str | None = None
    officer: str | None = None
    approver: str | None = None
    approved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Approved:
    deferral: str
    approver: str


@dataclass(frozen=True, slots=True)
class CameBack:
    deferral: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A shift was entered in the calendar."""

    id: str
    officer: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Enforcement:
    """Enforcement that a recording should show was entered in the calendar."""

    id: str
    begins: datetime
    ends: datetime
    officer: str | None
    device: str | None
    case: str | None
    in_full: bool


@dataclass(frozen=True, slots=True)
class WhyNotRecorded:
    enforcement: str
    reason: str


@dataclass(frozen=True, slots=True)
class WhyInterrupted:
    """A gap was explained, by voice in a recording or in writing by officers."""

    device: str
    begins: datetime
    ends: datetime
    recording: str | None = None
    second: float | None = None
    officers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClockSet:
    """The station's clock was set by so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Restarted:
    """The service began again: everything that it kept in memory is gone."""

    by_watchdog: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody acknowledged one of the open alerts; which, is a throw from 0 to 1."""

    throw: float


@dataclass(frozen=True, slots=True)
class Resolved:
    """Somebody resolved one of the alerts that were not resolved."""

    throw: float


@dataclass(frozen=True, slots=True)
class Tick:
    """The daemon looks at everything."""


What: TypeAlias = (
    Registered
    | Moved
    | Plugged
    | Held
    | Sealed
    | Failed
    | TakenIn
    | Unplugged
    | Deferred
    | Approved
    | CameBack
    | OnDuty
    | Enforcement
    | WhyNotRecorded
    | WhyInterrupted
    | ClockSet
    | Restarted
    | Acknowledged
    | Resolved
    | Tick
)


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    """On the station's clock, whatever that shows."""
    what: What
