"""The positions within a film as they were taken out of it, read from the folder of previews.

They are derived and no part of the description as sealed: whoever has the file gets the same from
it. What is read is as little trusted as the film; it may also have been cut short, or changed.
"""

import json
import math
import os
from dataclasses import dataclass

from recorder_sync.media.track import MOST_POINTS
from recorder_sync.model import Position
from recorder_sync.previews.folder import Form, PreviewFolder, Wanted

_LARGEST = 4 << 20


@dataclass(frozen=True, slots=True)
class TrackPoint:
    second: float
    """From the beginning of the film."""
    position: Position


@dataclass(frozen=True, slots=True)
class Track:
    points: tuple[TrackPoint, ...]
    """In the order of time; at least one."""
    is_cut: bool
    """Whether the film has more of them."""


def track_of(folder: PreviewFolder, recording: str) -> Track | None:
    """Return the track of a recording; None where it is not there, or is none."""
    handle = folder.opened(Wanted(recording, Form.TRACK))
    if handle is None:
        return None
    with os.fdopen(handle, "rb") as file:
        content = file.read(_LARGEST)
    try:
        found = json.loads(content)
        points = tuple(_point(*one) for one in found["points"][:MOST_POINTS])
        return Track(points, bool(found["cut"])) if points else None
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def _point(second: float, latitude: float, longitude: float) -> TrackPoint:
    numbers = [float(one) for one in (second, latitude, longitude)]
    if not all(math.isfinite(one) for one in numbers):
        raise ValueError("no number")
    if abs(numbers[1]) > 90 or abs(numbers[2]) > 180 or numbers[0] < 0:
        raise ValueError("no position")
    return TrackPoint(numbers[0], Position(numbers[1], numbers[2]))
