"""Time drawn from left to right: bars of what was recorded, and of what was not.

Places are whole thousandths of the width, so a template writes them as attributes of SVG and
needs no style.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

WIDTH = 1000
_NARROWEST = 3
_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440)
"""Minutes between two marks."""
_MOST_TICKS = 9


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time with a meaning. Times in UTC."""

    begins: datetime
    ends: datetime
    kind: str
    """Class of the bar: shown, gap, explained, expected, photo."""
    title: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    x: int
    width: int
    kind: str
    title: str
    link: str | None


@dataclass(frozen=True, slots=True)
class Tick:
    x: int
    word: str


@dataclass(frozen=True, slots=True)
class Line:
    """One drawing: bars from `begins` to `ends`."""

    begins: datetime
    ends: datetime
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


def line(stretches: Sequence[Stretch], zone: tzinfo, begins: datetime, ends: datetime) -> Line:
    """Draw what lies between two times; what goes beyond is cut off there."""
    whole = max(1.0, (ends - begins).total_seconds())

    def place(at: datetime) -> int:
        inside = min(max((at - begins).total_seconds(), 0.0), whole)
        return round(inside / whole * WIDTH)

    bars = []
    for one in stretches:
        if one.ends < begins or one.begins > ends:
            continue
        left, right = place(one.begins), place(one.ends)
        width = max(_NARROWEST, right - left)
        bars.append(Bar(min(left, WIDTH - width), width, one.kind, one.title, one.link))
    return Line(begins, ends, tuple(bars), tuple(_ticks(zone, begins, ends, place)))


def around(stretches: Sequence[Stretch]) -> tuple[datetime, datetime]:
    """Return from when to when these are, with a little room on both sides."""
    begins = min(one.begins for one in stretches)
    ends = max(one.ends for one in stretches)
    room = max(timedelta(seconds=5), (ends - begins) / 40)
    return begins - room, ends + room


def _ticks(
    zone: tzinfo, begins: datetime, ends: datetime, place: Callable[[datetime], int]
) -> Iterator[Tick]:
    minutes = max(1.0, (ends - begins).total_seconds() / 60)
    step = next((one for one in _TICKS if minutes / one <= _MOST_TICKS), _TICKS[-1])
    first = begins.astimezone(zone).replace(second=0, microsecond=0)
    since_midnight = first.hour * 60 + first.minute
    at = first + timedelta(minutes=(-since_midnight) % step)
    while at <= ends:
        if at >= begins:
            yield Tick(place(at), f"{at:%H:%M}")
        at += timedelta(minutes=step)
