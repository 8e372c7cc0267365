"""What people type into the forms of the console, read."""

from datetime import UTC, datetime, timedelta, tzinfo

from recorder_sync.errors import UsageProblem
from recorder_sync.language import T


def local_time(text: str, zone: tzinfo) -> datetime:
    """Read a time of a form, which is the station's local time. Raises UsageProblem."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageProblem(
            T("{text} is no date or time.", text=text or "—"),
            T("Write 2026-11-23 or 2026-11-23T08:30."),
        ) from None


def for_input(at: datetime, zone: tzinfo) -> str:
    """Return a time as a field of a form holds it."""
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"


def seconds_of(text: str) -> float:
    """Read a moment of a recording: 75, 1:15 or 0:01:15. Raises UsageProblem."""
    parts = text.strip().replace("：", ":").split(":")
    try:
        numbers = [float(part) for part in parts]
        if len(numbers) > 3 or any(not 0 <= one < 1_000_000 for one in numbers):
            raise ValueError(text)
    except ValueError:
        raise UsageProblem(
            T("{text} is no moment of a recording.", text=text or "—"),
            T("Write minutes and seconds, such as 1:15."),
        ) from None
    found = timedelta()
    for number in numbers:
        found = found * 60 + timedelta(seconds=number)
    return found.total_seconds()
