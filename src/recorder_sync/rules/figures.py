"""What the figures of the statistics mean (Art. 28). Pure.

Days are the station's local days. A recording counts on the day on which it began, wherever its
file was copied later; what is stored counts on the day on which it was sealed. Figures of days
add up to figures of any longer time, and nothing is counted on two days.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from recorder_sync.language import T, Text


@dataclass(frozen=True, slots=True)
class Sum:
    """What some recordings add up to. Adding is the only thing that is done to it."""

    recordings: int = 0
    late: int = 0
    """Stored after their limit (Art. 21)."""
    seconds: float = 0.0
    """Length of video and audio."""
    size: int = 0
    """Bytes."""

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(
            self.recordings + other.recordings,
            self.late + other.late,
            self.seconds + other.seconds,
            self.size + other.size,
        )

    @property
    def on_time(self) -> int:
        return self.recordings - self.late

    @property
    def on_time_rate(self) -> float | None:
        """From 0 to 1; None where there is nothing to be on time."""
        return self.on_time / self.recordings if self.recordings else None

    @property
    def hours(self) -> float:
        return self.seconds / 3600


def total(sums: Iterable[Sum]) -> Sum:
    whole = Sum()
    for one in sums:
        whole = whole + one
    return whole


class Step(StrEnum):
    """How long the stretches are that figures are shown by."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def stretch_of(day: date, step: Step) -> date:
    """Return the first day of the day's stretch: weeks begin on Monday (ISO 8601)."""
    match step:
        case Step.DAY:
            return day
        case Step.WEEK:
            return day - timedelta(days=day.weekday())
        case Step.MONTH:
            return day.replace(day=1)


def stretches(first: date, last: date, step: Step) -> list[date]:
    """Return the first day of every stretch from one day to another, both included."""
    found, at = [], stretch_of(first, step)
    while at <= last:
        found.append(at)
        at = _following(at, step)
    return found


def _following(at: date, step: Step) -> date:
    match step:
        case Step.DAY:
            return at + timedelta(days=1)
        case Step.WEEK:
            return at + timedelta(days=7)
        case Step.MONTH:
            return (at + timedelta(days=31)).replace(day=1)


def day_of(moment: datetime, zone: tzinfo) -> date:
    """Return the local day of a time."""
    return moment.astimezone(zone).date()


def bounds(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return when a local day begins, and when the next one does, in UTC."""
    begins = datetime.combine(day, time(), zone)
    ends = datetime.combine(day + timedelta(days=1), time(), zone)
    return begins.astimezone(UTC), ends.astimezone(UTC)


class Figure(StrEnum):
    """A figure, by the word that its meaning is found under."""

    RECORDINGS = "recordings"
    HOURS = "hours"
    ON_TIME = "on-time rate"
    LATE = "late"
    MISSING = "missing"
    GAPS = "interruptions"
    FAULTS = "faults"
    STORED = "stored"
    FORECAST = "forecast"


MEANING: dict[Figure, Text] = {
    Figure.RECORDINGS: T(
        "Sealed recordings: video, audio and photos, counted on the day on which they began."
    ),
    Figure.HOURS: T("Length of the sealed video and audio; photos have none."),
    Figure.ON_TIME: T(
        "Of all sealed recordings, the share stored within 24 hours of their end, or of the return "
        "where a deferral was approved before they were sealed (Art. 21)."
    ),
    Figure.LATE: T("Sealed recordings that were stored after their limit."),
    Figure.MISSING: T(
        "Files that a docking of this time listed on a card and that are not sealed until now."
    ),
    Figure.GAPS: T(
        "Pauses within one action of a device that are longer than the camera's own; explained "
        "ones are those that somebody gave the reason of as Art. 20 asks."
    ),
    Figure.FAULTS: T(
        "Faults that were reported of devices, by people or by the station (Art. 24)."
    ),
    Figure.STORED: T("Bytes of recordings, counted on the day on which they were sealed."),
    Figure.FORECAST: T(
        "The straight line through the last sixty days of the evidence disk; a single huge card "
        "does not turn it."
    ),
}
"""Each figure's meaning in a sentence, as the page says it."""
