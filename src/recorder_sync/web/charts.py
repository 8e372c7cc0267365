"""Charts as figures of SVG: where lines, columns and words stand, in whole units of its box.

Templates write these as attributes, so a chart needs no script and no style of its own. What it
shows stands in a table beside it as well: nobody has to read a picture.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo


@dataclass(frozen=True, slots=True)
class Box:
    """The size of a chart, and the room that its words need at the left and below."""

    width: int
    height: int
    left: int = 46
    below: int = 24
    above: int = 10
    right: int = 10

    @property
    def right_edge(self) -> int:
        return self.width - self.right

    @property
    def floor(self) -> int:
        return self.height - self.below

    def x(self, share: float) -> float:
        return round(self.left + share * (self.right_edge - self.left), 1)

    def y(self, share: float) -> float:
        """Return the height of a share of the scale: 0 stands on the floor."""
        return round(self.floor - share * (self.floor - self.above), 1)


SMALL = Box(320, 130, left=42, below=20)
WIDE = Box(560, 200, left=68)


@dataclass(frozen=True, slots=True)
class Mark:
    """A word at an axis."""

    at: float
    word: str


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Values over time as a line. `more` is a second, dashed one, such as a forecast."""

    box: Box
    line: str
    dots: tuple[Dot, ...]
    more: str
    ups: tuple[Mark, ...]
    acrosses: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Column:
    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Columns:
    box: Box
    columns: tuple[Column, ...]
    ups: tuple[Mark, ...]
    acrosses: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a column: how much, which kind (a class), and what it says in words."""

    value: float
    kind: str
    title: str


def curve(
    points: Sequence[tuple[datetime, float]],
    zone: tzinfo,
    say: Callable[[float], str],
    box: Box = SMALL,
    *,
    least: float | None = None,
    most: float | None = None,
    more: Sequence[tuple[datetime, float]] = (),
) -> Curve | None:
    """Draw values in the order of time; None where there is nothing to draw.

    `say` puts a value into words; `least` and `most` are on the scale in any case.
    """
    if not points:
        return None
    everything = [*points, *more]
    values = [value for _, value in everything]
    low, high, step = scale(
        min([*values, *([least] if least is not None else [])]),
        max([*values, *([most] if most is not None else [])]),
    )
    first, last = everything[0][0], max(at for at, _ in everything)
    whole = (last - first).total_seconds()

    def place(at: datetime, value: float) -> tuple[float, float]:
        share = (at - first).total_seconds() / whole if whole else 0.5
        return box.x(share), box.y((value - low) / (high - low))

    def joined(of: Sequence[tuple[datetime, float]]) -> str:
        return " ".join(f"{x},{y}" for x, y in (place(at, value) for at, value in of))

    dots = tuple(
        Dot(*place(at, value), f"{at.astimezone(zone):%Y-%m-%d %H:%M}: {say(value)}")
        for at, value in points
    )
    ends = [(first, 0.0), (last, 1.0)] if whole else [(first, 0.5)]
    return Curve(
        box,
        joined(points),
        dots,
        joined(more),
        _ups(box, low, high, step, say),
        tuple(Mark(box.x(share), f"{at.astimezone(zone):%m-%d}") for at, share in ends),
    )


def columns(
    stacks: Sequence[tuple[str, Sequence[Part]]],
    say: Callable[[float], str],
    box: Box = WIDE,
    *,
    most: float | None = None,
) -> Columns | None:
    """Draw columns side by side, each of parts on top of each other; None without any."""
    if not stacks:
        return None
    tallest = max(sum(part.value for part in parts) for _, parts in stacks)
    low, high, step = scale(0, max(tallest, most or 0))
    room = (box.right_edge - box.left) / len(stacks)
    width = max(1.0, min(48.0, room * 0.72))
    drawn: list[Column] = []
    for number, (_, parts) in enumerate(stacks):
        left = round(box.left + room * number + (room - width) / 2, 1)
        below = 0.0
        for part in parts:
            if part.value <= 0:
                continue
            top = box.y((below + part.value) / high)
            height = round(box.y(below / high) - top, 1)
            drawn.append(
                Column(left, top, round(width, 1), max(0.5, height), part.kind, part.title)
            )
            below += part.value
    every = max(1, math.ceil(len(stacks) / 8))
    words = tuple(
        Mark(round(box.left + room * (number + 0.5), 1), word)
        for number, (word, _) in enumerate(stacks)
        if number % every == 0
    )
    return Columns(box, tuple(drawn), _ups(box, low, high, step, say), words)


def scale(low: float, high: float, steps: int = 4) -> tuple[float, float, float]:
    """Return a scale of round numbers that holds both: where it begins, ends, and its step."""
    if high <= low:
        high = low + 1
    rough = (high - low) / steps
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def _ups(
    box: Box, low: float, high: float, step: float, say: Callable[[float], str]
) -> tuple[Mark, ...]:
    count = round((high - low) / step)
    return tuple(
        Mark(box.y(number / count), say(low + number * step)) for number in range(count + 1)
    )
