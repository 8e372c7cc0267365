"""Was the station's clock set, and by how much?

Pure. Two clocks are compared: the one that people read, which anybody may set, and the one
that counts from the boot, sleep included, which nobody can. As long as nobody sets the
first, both advance alike; a time service that corrects it gently moves it by half a
millisecond a second at most.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LEAST_STEP = timedelta(seconds=1)
"""What moves the clock by less is no step."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Both clocks at one moment, in nanoseconds."""

    wall_ns: int
    """CLOCK_REALTIME, since 1970."""
    boot_ns: int
    """CLOCK_BOOTTIME, since the boot."""


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The clock was set between two readings."""

    before: datetime
    """What it would show at the second reading, had nobody set it."""
    after: datetime
    """What it showed."""

    @property
    def offset(self) -> timedelta:
        """By how much it was set: negative means back."""
        return self.after - self.before


def step_between(earlier: ClockReading, later: ClockReading) -> ClockStep | None:
    """Return the step between two readings of one boot, None when there was none."""
    expected_ns = earlier.wall_ns + later.boot_ns - earlier.boot_ns
    step = ClockStep(_time(expected_ns), _time(later.wall_ns))
    return step if abs(step.offset) >= LEAST_STEP else None


def _time(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
