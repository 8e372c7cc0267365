"""How amounts, lengths and times are written for people, on a terminal and on a page."""

from datetime import datetime, tzinfo


def amount(size: int) -> str:
    """Return bytes as people read them, in powers of 1024."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("unreachable")


def span(seconds: float | None) -> str | None:
    """Return a duration as h:mm:ss."""
    if seconds is None:
        return None
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def minute(moment: datetime | None, zone: tzinfo) -> str | None:
    """Return a time as the station's local time, without the seconds."""
    return None if moment is None else f"{_in(zone, moment):%Y-%m-%d %H:%M}"


def local(moment: datetime | None, zone: tzinfo) -> str | None:
    """Return a time as the station's local time."""
    return None if moment is None else f"{_in(zone, moment):%Y-%m-%d %H:%M:%S}"


def _in(zone: tzinfo, moment: datetime) -> datetime:
    """Return a time in a zone; one at the end of the calendar stays as it is."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment
