"""What a media file says of itself, and what a person should know of it. No I/O, no clock.

These are nouns of the model, and everybody else finds them there (`model.py`). They stand apart
for the confined process, which reads hostile files and has nothing in it that it does not need.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"
    PHOTO = "photo"
    OTHER = "other"


class Flag(StrEnum):
    """What a person should know about a recording before relying on it."""

    IMPORTANT = "important"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    FUTURE_DATED = "future-dated"
    IMPLAUSIBLE_TIME = "implausible-time"
    TIME_CONFLICT = "time-conflict"
    DEVICE_CONFLICT = "device-conflict"
    OFFICER_CONFLICT = "officer-conflict"
    CASE_CONFLICT = "case-conflict"
    UNVERIFIED_MEDIUM = "unverified-medium"
    CONTENT_CONFLICT = "content-conflict"
    """The card showed other content under the same path, size and time before."""
    SALVAGED = "salvaged"
    """Parts of it could not be read: not the whole recording."""


@dataclass(frozen=True, slots=True)
class Position:
    """Degrees, WGS 84; north and east positive."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Media:
    """What a file says of itself (ffprobe, EXIF). Absent values are None."""

    kind: Kind = Kind.OTHER
    container: str | None = None
    codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    duration_s: float | None = None
    started: str | None = None
    """The start as the file writes it, unchanged."""
    position: Position | None = None
    make: str | None = None
    model: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    """Every text tag of the container, as found."""
    problem: Flag | None = None
    """`truncated` or `unreadable`, or None."""
    detail: str | None = None
    """What ffprobe or the photo library said about the problem, in English."""
