"""Notices that the station's clock was set, and puts it on record.

Deadlines and custody entries stand on that clock, so a step has to be found in the log
beside them. The daemon compares two clocks at every beat; a step while it does not run is
not noticed here. clock_gettime(2)
"""

import time
from collections.abc import Callable

from recorder_sync.catalogue import clock_steps
from recorder_sync.catalogue.database import transaction
from recorder_sync.custody.log import Act
from recorder_sync.rules.clock_step import ClockReading, ClockStep, step_between
from recorder_sync.rules.station_matters import ClockStep as Step
from recorder_sync.station import Station
from recorder_sync.timestamps import iso, to_milliseconds

_APART_NS = 10_000_000
"""Readings that are further apart were interrupted: the process was not running."""
_TRIES = 5


def read_clocks() -> ClockReading:
    """Return both clocks, read so close together that the difference does not matter."""
    for _ in range(_TRIES):
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        wall = time.clock_gettime_ns(time.CLOCK_REALTIME)
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if after - before < _APART_NS:
            break
    return ClockReading(wall, (before + after) // 2)


class ClockWatch:
    """Compares each reading with the one before."""

    def __init__(self, read: Callable[[], ClockReading] = read_clocks) -> None:
        self._read = read
        self._earlier = read()

    def step(self) -> ClockStep | None:
        """Return the step since the last look, if there was one."""
        later = self._read()
        found = step_between(self._earlier, later)
        self._earlier = later
        return found


def report_step(station: Station, step: ClockStep) -> None:
    """Put a step on record; the next tick makes an alert of it.

    Raises MissingPart or CustodyProblem when that cannot be done, or sqlite3.DatabaseError.
    """
    offset_s = round(step.offset.total_seconds(), 3)
    facts = {"before": iso(step.before), "after": iso(step.after), "offset_s": offset_s}
    station.custody.append([station.deed(Act.CLOCK_STEP, station.settings.station.id, facts)])
    with transaction(station.catalogue):
        clock_steps.enter(station.catalogue, Step(to_milliseconds(step.after), offset_s))
