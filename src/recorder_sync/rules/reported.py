"""What a device says of its own state, as text: a fact, or nothing.

A card's status file, a program's answer and a phone's report are all untrusted. What is
not plainly a percentage, a time or a name is unknown; nothing is rounded into range.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from recorder_sync.printable import printable
from recorder_sync.rules.naming import Clock

_PERCENT = re.compile(r"(\d{1,3})(?:\.\d+)?\s*%?", re.ASCII)
_SECONDS = re.compile(r"\d{9,10}(?:\.\d+)?", re.ASCII)
_TIME = re.compile(
    r"(\d{4})([-/:.]?)(\d\d)\2(\d\d)[T_ ]?(\d\d)(:?)(\d\d)\6(\d\d)(?:[.,]\d+)?"
    r"\s*(Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_YEARS = range(1970, 2100)
_LONGEST_NAME = 64
_CHARGING = frozenset({"1", "true", "yes", "on", "charging"})
_NOT_CHARGING = frozenset({"0", "false", "no", "off", "discharging", "not charging", "full"})


def percent(text: str) -> int | None:
    """Return whole percent, decimals cut off, of `83`, `83 %` or `83.5`; None for others.

    A value between 0 and 1 may be meant as a fraction or as a percentage: it is unknown.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        return None
    value = float(text.strip().rstrip("%"))
    return int(value) if 1 <= value <= 100 or value == 0 else None


def charging(text: str) -> bool | None:
    """Return whether the words, as sysfs and makers use them, mean that it charges."""
    word = text.strip().casefold()
    return True if word in _CHARGING else False if word in _NOT_CHARGING else None


def name(text: str) -> str | None:
    """Return a firmware or model as one short printable line, or None for anything else."""
    shown = printable(text.strip())
    return shown if 0 < len(shown) <= _LONGEST_NAME else None


def time(text: str, clock: Clock | None, zone: tzinfo) -> datetime | None:
    """Return the time that a device's clock shows, in UTC; None where it is none.

    Known are year-first dates with a time, and seconds since 1970. Without a zone they
    are the station's local time, and `Z` is UTC, unless the profile's `clock` says what
    both mean; `+08:00` means what it says. Years before 1970 and after 2099 are none.
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text.partition(".")[0]), UTC)
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, _, month, day, hour, _, minute, second, said = match.groups()
    try:
        naive = datetime(*(int(part) for part in (year, month, day, hour, minute, second)))  # type: ignore[arg-type]  # noqa: DTZ001
        found = naive.replace(tzinfo=_zone(said, clock, zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year in _YEARS else None


def _zone(said: str | None, clock: Clock | None, local: tzinfo) -> tzinfo:
    if said not in {None, "Z"}:
        assert said is not None
        sign = -1 if said[0] == "-" else 1
        return timezone(sign * timedelta(hours=int(said[1:3]), minutes=int(said[-2:])))
    if clock is None:
        return UTC if said == "Z" else local
    return local if clock is Clock.LOCAL else UTC
