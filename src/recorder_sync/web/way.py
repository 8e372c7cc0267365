"""Draws where a device was: points of one day, or the track within one film, to scale, without a
map and without anybody's server. Positions are WGS 84; over a few kilometres a degree of longitude
is shorter than one of latitude by the cosine of the latitude, which is all the projection that is
needed.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from recorder_sync.catalogue.around import Place
from recorder_sync.model import Position
from recorder_sync.previews.track import Track

_WIDE, _HIGH, _EDGE = 480.0, 240.0, 28.0
_METRES = 111_320.0
"""Of a degree of latitude."""
_LEAST_M = 60.0
_SCALES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)


_MOST_DRAWN = 1000
"""Points of a track that are drawn: more than the drawing is wide."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Positions fitted into the drawing, north up."""

    middle: tuple[float, float]
    east_m: float
    """Metres of a degree of longitude there."""
    per_m: float
    """Pixels."""

    @classmethod
    def of(cls, positions: Sequence[Position]) -> Self:
        south, north = _ends([p.latitude for p in positions])
        west, east = _ends([p.longitude for p in positions])
        middle = (south + north) / 2, (west + east) / 2
        east_m = _METRES * max(0.01, math.cos(math.radians(middle[0])))
        wide_m = max(_LEAST_M, (east - west) * east_m)
        high_m = max(_LEAST_M, (north - south) * _METRES)
        per_m = min((_WIDE - 2 * _EDGE) / wide_m, (_HIGH - 2 * _EDGE) / high_m)
        return cls(middle, east_m, per_m)

    def at(self, position: Position) -> tuple[float, float]:
        return (
            round(_WIDE / 2 + (position.longitude - self.middle[1]) * self.east_m * self.per_m, 1),
            round(_HIGH / 2 - (position.latitude - self.middle[0]) * _METRES * self.per_m, 1),
        )

    @property
    def scale_m(self) -> int:
        """Metres that the scale bar stands for."""
        return max((s for s in _SCALES if s * self.per_m <= _WIDE / 3), default=_SCALES[0])

    @property
    def scale_px(self) -> float:
        return round(self.scale_m * self.per_m, 1)


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float
    recording: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Way:
    points: tuple[Point, ...]
    """In the order of time."""
    here: Point
    fit: Fit
    position: Position

    @property
    def line(self) -> str:
        return " ".join(f"{p.x:.1f},{p.y:.1f}" for p in self.points)


def drawn(places: Sequence[Place], recording: str, here: Position) -> Way:
    """Return the drawing: all places of the day, and the one of this recording."""
    fit = Fit.of([*(place.position for place in places), here])
    points = tuple(Point(*fit.at(one.position), one.recording, one) for one in places)
    return Way(points, Point(*fit.at(here), recording, None), fit, here)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The track within one film."""

    points: tuple[tuple[float, float, float, float, float], ...]
    """Of each: second of the film, x, y, latitude, longitude; in the order of time."""
    fit: Fit
    count: int
    """Of the points that the film has; of very many only some are drawn."""
    is_cut: bool

    @property
    def line(self) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for _, x, y, _, _ in self.points)

    @property
    def data(self) -> str:
        """Return the points for the script that moves a dot along them."""
        return json.dumps(self.points, separators=(",", ":"))


def track_drawn(track: Track) -> Drawn:
    """Return the drawing of a track, with its first and its last point."""
    every = -(-len(track.points) // _MOST_DRAWN)
    chosen = [*track.points[::every]]
    if chosen[-1] is not track.points[-1]:
        chosen.append(track.points[-1])
    fit = Fit.of([one.position for one in track.points])
    points = (
        (one.second, *fit.at(one.position), one.position.latitude, one.position.longitude)
        for one in chosen
    )
    return Drawn(tuple(points), fit, len(track.points), track.is_cut)


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)
