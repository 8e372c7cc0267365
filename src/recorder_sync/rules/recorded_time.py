"""When was a recording made, and who says so?

Three sources, best first: the container's own tag, the file name, the modification
time. Each is a device clock's word, so each is read with the profile's knowledge of
that clock: FAT times have no zone, and many cameras write local time and mark it `Z`.
What every source said is kept as found beside the interpretation (Art. 3).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from recorder_sync.model import Flag, Kind, RecordedTime, TimeSource
from recorder_sync.rules.naming import Clock, NameFacts
from recorder_sync.timestamps import from_ns, iso_ns, to_milliseconds

EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
"""Before the first body cameras of this kind: a clock that was never set."""

LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""After this a time is rubbish, and would leave no room for arithmetic."""

AHEAD = timedelta(minutes=5)
"""How far a good clock may be ahead of the station's."""

APART = timedelta(minutes=10)
"""How far the sources may differ, beyond the recording's own length."""


_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXIF = re.compile(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d", re.ASCII)
_ISO = re.compile(r"\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Reading:
    source: TimeSource
    start: datetime
    end: datetime | None


def recorded_time(
    *,
    container: str | None,
    duration_s: float | None,
    kind: Kind,
    name: NameFacts,
    mtime_ns: int,
    zone: tzinfo,
    docked_at: datetime,
) -> RecordedTime:
    """Return when a recording started and ended, by its best believable source.

    `container` is the container's creation time as found; `zone` is the station's;
    `docked_at` is when the station saw the file. A source before EARLIEST is passed
    over while another is believable. The end is None when no source tells it.
    """
    length = _length(kind, duration_s)
    readings = _readings(container, name, mtime_ns, length, zone)
    believable = [r for r in readings if r.start >= EARLIEST]
    best = (believable or readings)[0]
    flags = set()
    if len(believable) < len(readings):
        flags.add(Flag.IMPLAUSIBLE_TIME)
    if best.start > docked_at + AHEAD:
        flags.add(Flag.FUTURE_DATED)
    if _disagree(believable, length):
        flags.add(Flag.TIME_CONFLICT)
    raw = {"mtime": iso_ns(mtime_ns)}
    if container:
        raw["container"] = container
    if name.started_raw:
        raw["name"] = name.started_raw
    end = None if best.end is None else to_milliseconds(best.end)
    return RecordedTime(to_milliseconds(best.start), end, best.source, raw, frozenset(flags))


def _length(kind: Kind, duration_s: float | None) -> timedelta | None:
    if kind is Kind.PHOTO:
        return timedelta()
    return None if duration_s is None else timedelta(seconds=duration_s)


def _readings(
    container: str | None,
    name: NameFacts,
    mtime_ns: int,
    length: timedelta | None,
    zone: tzinfo,
) -> list[_Reading]:
    readings = []
    profile = name.profile
    if container and (start := _from_container(container, profile.container_clock, zone)):
        readings.append(_Reading(TimeSource.CONTAINER, start, _after(start, length)))
    if name.started and name.started.year < LATEST.year:
        start = _by_clock(name.started, profile.name_clock, zone)
        readings.append(_Reading(TimeSource.NAME, start, _after(start, length)))
    modified = modified_at(mtime_ns, profile.mtime_clock, zone)
    # A file is last modified when the recording stops.
    readings.append(_Reading(TimeSource.MTIME, _before(modified, length), modified))
    return readings


def modified_at(mtime_ns: int, clock: Clock, zone: tzinfo) -> datetime:
    """Return when a file was modified, by a card whose times are in this clock."""
    modified = min(max(from_ns(mtime_ns), _UNIX_EPOCH), LATEST)
    if clock is Clock.LOCAL:
        return _by_clock(modified.replace(tzinfo=None), Clock.LOCAL, zone)
    return modified


def _from_container(text: str, clock: Clock, zone: tzinfo) -> datetime | None:
    """Read a container's time. EXIF writes `2026:08:04 10:00:00`, always without a zone."""
    try:
        found = (
            datetime.strptime(text, "%Y:%m:%d %H:%M:%S")
            if _EXIF.fullmatch(text)
            else datetime.fromisoformat(text)
            if _ISO.match(text)
            else None
        )
    except ValueError:
        return None
    if found is None or found.year >= LATEST.year:
        return None
    try:
        if found.tzinfo is None:
            return _by_clock(found, Clock.LOCAL, zone)
        marked_z = found.utcoffset() == timedelta()
        if clock is Clock.LOCAL and marked_z:
            return _by_clock(found.replace(tzinfo=None), Clock.LOCAL, zone)
        return found.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _by_clock(naive: datetime, clock: Clock, zone: tzinfo) -> datetime:
    aware = naive.replace(tzinfo=UTC if clock is Clock.UTC else zone)
    try:
        return aware.astimezone(UTC)
    except (OverflowError, ValueError):
        return naive.replace(tzinfo=UTC)


def _after(start: datetime, length: timedelta | None) -> datetime | None:
    if length is None:
        return None
    try:
        return start + length
    except OverflowError:
        return None


def _before(end: datetime, length: timedelta | None) -> datetime:
    try:
        return end - (length or timedelta())
    except OverflowError:
        return end


def _disagree(readings: list[_Reading], length: timedelta | None) -> bool:
    """Tell whether the container and the name mean different moments.

    The modification time is left out: copying a card with ordinary tools changes it.
    """
    starts = [r.start for r in readings if r.source is not TimeSource.MTIME]
    return len(starts) > 1 and max(starts) - min(starts) > APART + (length or timedelta())
