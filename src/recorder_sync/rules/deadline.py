"""The 24-hour rule (Art. 21): when must a recording be stored by?

Pure: no clock, no catalogue. Times are aware datetimes in UTC.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from recorder_sync.model import RecordedTime

LIMIT = timedelta(hours=24)
"""Art. 21: within twenty-four hours of completion."""


class Basis(StrEnum):
    RECORDED_END = "recorded-end"
    RECORDED_START = "recorded-start"


@dataclass(frozen=True, slots=True)
class Deadline:
    due: datetime
    basis: Basis


def deadline_for(recorded: RecordedTime, limit: timedelta = LIMIT) -> Deadline:
    """Return when a recording made at `recorded` must be stored by.

    The clock starts when the recording ends. Where the end is not known (a damaged
    file tells no duration) it starts at the beginning: early is the safe side.
    """
    basis = Basis.RECORDED_START if recorded.end is None else Basis.RECORDED_END
    try:
        return Deadline((recorded.end or recorded.start) + limit, basis)
    except OverflowError:  # a clock at the end of the calendar
        return Deadline(recorded.end or recorded.start, basis)


def is_on_time(deadline: Deadline, sealed_at: datetime) -> bool:
    """Tell whether sealing at `sealed_at` met the deadline; the last instant counts."""
    return sealed_at <= deadline.due
