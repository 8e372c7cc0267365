"""When is a backup due?

Pure: no clock, no files. Times are aware, in the station's zone.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta


def last_due(now: datetime, hour: int) -> datetime:
    """Return the last time at which this hour of the day began."""
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def is_due(made: Iterable[datetime], now: datetime, hour: int) -> bool:
    """Tell whether none of the backups was made since the last time that one was due.

    A computer that was off at that hour makes its backup when it is on again. One that is
    dated in the future was made by a clock that was wrong, and does not count.
    """
    due = last_due(now, hour)
    return not any(due <= one <= now for one in made)
