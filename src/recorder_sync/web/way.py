"""Draws where a device was: points of one day to scale, without a map and without anybody's
server. Positions are WGS 84; over a few kilometres a degree of longitude is shorter than one of
latitude by the cosine of the latitude, which is all the projection that is needed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from recorder_sync.catalogue.around import Place
from recorder_sync.model import Position

_WIDE, _HIGH, _EDGE = 480.0, 240.0, 28.0
_METRES = 111_320.0
"""Of a degree of latitude."""
_LEAST_M = 60.0
_SCALES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)


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
    scale_m: int
    scale_px: float
    position: Position

    @property
    def line(self) -> str:
        return " ".join(f"{p.x:.1f},{p.y:.1f}" for p in self.points)


def drawn(places: Sequence[Place], recording: str, here: Position) -> Way:
    """Return the drawing: all places of the day, and the one of this recording."""
    positions = [place.position for place in places] or [here]
    south, north = _ends([p.latitude for p in (*positions, here)])
    west, east = _ends([p.longitude for p in (*positions, here)])
    middle = (south + north) / 2, (west + east) / 2
    east_m = _METRES * max(0.01, math.cos(math.radians(middle[0])))
    wide_m = max(_LEAST_M, (east - west) * east_m)
    high_m = max(_LEAST_M, (north - south) * _METRES)
    per_m = min((_WIDE - 2 * _EDGE) / wide_m, (_HIGH - 2 * _EDGE) / high_m)

    def at(position: Position) -> tuple[float, float]:
        return (
            round(_WIDE / 2 + (position.longitude - middle[1]) * east_m * per_m, 1),
            round(_HIGH / 2 - (position.latitude - middle[0]) * _METRES * per_m, 1),
        )

    points = tuple(Point(*at(one.position), one.recording, one) for one in places)
    scale = max((s for s in _SCALES if s * per_m <= _WIDE / 3), default=_SCALES[0])
    return Way(points, Point(*at(here), recording, None), scale, round(scale * per_m, 1), here)


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)
