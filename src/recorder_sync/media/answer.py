"""Checks what a confined process says of a file, value by value.

A hostile file may have taken the process over, so its answer is as little trusted as
the file: a value of the wrong type or beyond reason is left out, text is made whole
UTF-8 and short.
"""

import math
from collections.abc import Mapping

from recorder_sync.model import Flag, Kind, Media, Position

_PROBLEMS = (Flag.TRUNCATED, Flag.UNREADABLE)
_LONGEST = 1024
_MOST_TAGS = 100
_LARGEST = 1 << 31


def checked(found: Mapping[str, object]) -> Media:
    """Return the description in an answer, without what makes no sense in it."""
    tags = found.get("tags")
    return Media(
        kind=next((kind for kind in Kind if kind == found.get("kind")), Kind.OTHER),
        container=_text(found.get("container")),
        codec=_text(found.get("codec")),
        audio_codec=_text(found.get("audio_codec")),
        width=_count(found.get("width")),
        height=_count(found.get("height")),
        frame_rate=_number(found.get("frame_rate")),
        duration_s=_number(found.get("duration_s")),
        started=_text(found.get("started")),
        position=_position(found.get("position")),
        make=_text(found.get("make")),
        model=_text(found.get("model")),
        tags=_tags(tags) if isinstance(tags, dict) else {},
        problem=next((flag for flag in _PROBLEMS if flag == found.get("problem")), None),
        detail=_text(found.get("detail")),
    )


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return value[:_LONGEST].encode("utf-8", "replace").decode() or None


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 < value < _LARGEST else None


def _number(value: object) -> float | None:
    if type(value) not in (int, float):
        return None
    assert isinstance(value, int | float)
    return float(value) if math.isfinite(value) and 0 <= value < _LARGEST else None


def _position(value: object) -> Position | None:
    if not isinstance(value, dict):
        return None
    latitude, longitude = value.get("latitude"), value.get("longitude")
    if not (isinstance(latitude, float) and isinstance(longitude, float)):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    return Position(latitude, longitude)


def _tags(value: Mapping[object, object]) -> dict[str, str]:
    pairs = ((_text(k), _text(v)) for k, v in list(value.items())[:_MOST_TAGS])
    return {k: v for k, v in pairs if k is not None and v is not None}
