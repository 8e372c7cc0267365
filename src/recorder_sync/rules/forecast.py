"""When will a disk be full?

The straight line through the samples by Theil and Sen: the median of the slopes between
every two of them. A night's disposal or one huge card does not turn it, as up to a quarter
of the samples may be anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from statistics import median

MOST_SAMPLES = 120
"""More are thinned out evenly: the work grows with their square."""

LEAST_SPAN = timedelta(days=1)
"""A shorter time says nothing of the days to come."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DiskSample:
    at: datetime
    used: int
    """Bytes."""


def full_at(samples: Iterable[DiskSample], capacity: int) -> datetime | None:
    """Return when `capacity` bytes will be used, never before the newest sample.

    None where it is not getting fuller, where the samples span less than LEAST_SPAN, or
    where that is beyond the calendar.
    """
    in_order = sorted({one.at: one for one in sorted(samples, key=_sorting)}.values(), key=_sorting)
    if not in_order or in_order[-1].at - in_order[0].at < LEAST_SPAN:
        return None
    points = [((one.at - _EPOCH).total_seconds(), one.used) for one in _thinned(in_order)]
    slope = median(
        (used_2 - used_1) / (time_2 - time_1)
        for (time_1, used_1), (time_2, used_2) in combinations(points, 2)
    )
    if slope <= 0:
        return None
    newest = in_order[-1].at
    level = median(used + slope * (points[-1][0] - time) for time, used in points)
    try:
        return newest + timedelta(seconds=max(0, round((capacity - level) / slope)))
    except OverflowError:
        return None


def _sorting(one: DiskSample) -> tuple[datetime, int]:
    return one.at, one.used


def _thinned(samples: list[DiskSample]) -> list[DiskSample]:
    if len(samples) <= MOST_SAMPLES:
        return samples
    last = len(samples) - 1
    return [samples[n * last // (MOST_SAMPLES - 1)] for n in range(MOST_SAMPLES)]
