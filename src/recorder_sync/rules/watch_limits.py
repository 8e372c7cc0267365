"""From when on something is a matter: the limits that an office may set.

The defaults are those of the Measures where they name a figure, and what has proved
sensible elsewhere.
"""

from dataclasses import dataclass
from datetime import timedelta

from recorder_sync.rules.deadline import BACK_DATED_BY, LIMIT


@dataclass(frozen=True, slots=True)
class WatchLimits:
    stored_within: timedelta = LIMIT
    """From a recording's end until it must be stored (Art. 21)."""
    lead: timedelta = timedelta(hours=4)
    """How long before a limit it becomes a matter."""
    back_dated_by: timedelta = BACK_DATED_BY
    """How long after its approval a deferral may be entered."""
    docked_within: timedelta = LIMIT
    """From the end of a shift, an issue or a return until the device must be docked."""
    docked_every: timedelta = timedelta(days=7)
    """A device that was on no port for longer is a matter."""
    covered_within: timedelta = timedelta(minutes=2)
    """How far a recording may begin late, end early or pause, and still show everything."""
    action_pause: timedelta = timedelta(minutes=30)
    """After a longer pause the next recording begins a new action."""
    split: timedelta = timedelta(seconds=5)
    """A pause that the camera itself makes between two files."""
    dated_ahead: timedelta = timedelta(minutes=5)
    """How far a recording's start may lie after its docking."""
    clock_offset_s: float = 60.0
    """Seconds that a device's clock may be off."""
    battery_failures: int = 2
    """Failed battery checks in a row that are a matter."""
    least_battery_percent: int = 80
    least_free_percent: int = 10
    """Of a device's memory."""
    most_used_percent: int = 90
    """Of the evidence disk."""
    full_within: timedelta = timedelta(days=14)
    """A forecast that the evidence disk is full sooner is a notice."""
    full_soon: timedelta = timedelta(days=3)
    """And sooner than this a warning."""
    unreachable_for: timedelta = timedelta(minutes=15)
    """How long a store may be away."""
    queued_for: timedelta = timedelta(hours=6)
    """How long a recording may wait for a store."""
    witnessed_within: timedelta = timedelta(hours=24)
    """From a checkpoint until another party has signed it."""
    unsynchronised_for: timedelta = timedelta(hours=1)
    """How long the station's clock may run without a time source."""
    clock_step_s: float = 2.0
    """Seconds by which the station's clock may be set."""
    backup_every: timedelta = timedelta(hours=26)
    """A daily backup, and the time that one takes."""
    remembered_for: timedelta = timedelta(hours=24)
    """How long a restart or a clock step stays a matter by itself."""


USUAL = WatchLimits()
