"""Times as text: ISO 8601 in UTC with `Z`, as files and the catalogue hold them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)


def iso(moment: datetime) -> str:
    """Return an aware time as `2026-11-23T15:04:05.678Z`.

    Raises ValueError for a naive time: a time without a zone is not a fact.
    """
    if moment.tzinfo is not UTC:
        if moment.tzinfo is None:
            raise ValueError(f"a time without a zone: {moment}")
        moment = moment.astimezone(UTC)
    return moment.isoformat("T", "milliseconds").removesuffix("+00:00") + "Z"


def iso_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def moment(text: str) -> datetime:
    """Return the time that `iso` wrote, aware, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def to_milliseconds(value: datetime) -> datetime:
    """Drop what `iso` would not keep, so that a time equals itself read back."""
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def from_ns(nanoseconds: int) -> datetime:
    """Return a file's modification time (nanoseconds since 1970) as a time in UTC.

    A damaged card can hold any number here, so one that is out of datetime's range
    becomes the nearest end of that range.
    """
    try:
        return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return _LAST if nanoseconds > 0 else _FIRST


def iso_ns(nanoseconds: int) -> str:
    """Return nanoseconds since 1970 as ISO 8601 with nine decimals, exactly."""
    whole = from_ns(nanoseconds)
    return f"{whole.isoformat()[:19]}.{nanoseconds % 1_000_000_000:09d}Z"


def ns(text: str) -> int:
    """Return what `iso_ns` was given, for times in datetime's range."""
    whole, _, decimals = text.removesuffix("Z").partition(".")
    seconds = datetime.fromisoformat(whole + "+00:00") - _EPOCH
    return (seconds.days * 86400 + seconds.seconds) * 1_000_000_000 + int(decimals)
