"""Video and audio files, described by ffprobe through ffmpeg-python.

Runs in the confined process only. The file goes to ffprobe as an open handle of this
process, never by the name that the card gave it (`x%d.jpg` would be a pattern), with the
demuxers of real recorders allowed and no others: a playlist that names other files is not
one of them.
"""

import os
import re
from collections.abc import Mapping
from typing import Any

import ffmpeg

from recorder_sync.media.containers import is_cut_short
from recorder_sync.media.demuxers import DEMUXERS
from recorder_sync.media_facts import Flag, Kind, Media, Position

_PHOTO_CONTAINERS = {"jpeg_pipe", "png_pipe"}
_LONGEST_VALUE = 1024
_MOST_TAGS = 100
_DEGREES = re.compile(r"(?P<lat>[+-]\d{2}(?:\.\d+)?)(?P<lon>[+-]\d{3}(?:\.\d+)?)")


def describe(path: bytes, ffprobe: str) -> Media:
    """Return what ffprobe says of the file, or why it says nothing."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        found = ffmpeg.probe(
            f"file:/proc/{os.getpid()}/fd/{handle}",
            cmd=ffprobe,
            v="error",
            format_whitelist=DEMUXERS,
            protocol_whitelist="file",
        )
        return _media(found, is_cut_short(path))
    except ffmpeg.Error as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        detail = said[0][-200:] if said else "ffprobe ended with an error and no message"
        cut = is_cut_short(path) or "moov atom not found" in detail
        return Media(problem=Flag.TRUNCATED if cut else Flag.UNREADABLE, detail=_plain(detail))
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        detail = _plain(f"ffprobe's answer makes no sense: {type(error).__name__}: {error}")
        return Media(problem=Flag.UNREADABLE, detail=detail)
    finally:
        os.close(handle)


def _media(found: Mapping[str, Any], cut: bool) -> Media:
    form = found["format"]
    streams = found.get("streams", [])
    pictures = [
        s
        for s in streams
        if s.get("codec_type") == "video" and not s.get("disposition", {}).get("attached_pic")
    ]
    sounds = [s for s in streams if s.get("codec_type") == "audio"]
    picture = pictures[0] if pictures else {}
    tags = _tags(form, *streams)
    container = str(form["format_name"])
    return Media(
        kind=_kind(container, bool(pictures), bool(sounds)),
        container=container,
        codec=picture.get("codec_name") or (sounds[0].get("codec_name") if sounds else None),
        audio_codec=sounds[0].get("codec_name") if sounds else None,
        width=picture.get("width") or None,
        height=picture.get("height") or None,
        frame_rate=_ratio(picture.get("avg_frame_rate", "0/0")),
        duration_s=_seconds(form.get("duration")),
        started=tags.get("creation_time") or tags.get("date"),
        position=_position(tags),
        make=tags.get("make") or tags.get("com.apple.quicktime.make"),
        model=tags.get("model") or tags.get("com.apple.quicktime.model"),
        tags=tags,
        problem=_problem(cut, bool(pictures or sounds)),
        detail=_detail(cut, bool(pictures or sounds)),
    )


def _problem(cut: bool, has_streams: bool) -> Flag | None:
    if cut:
        return Flag.TRUNCATED
    return None if has_streams else Flag.UNREADABLE


def _detail(cut: bool, has_streams: bool) -> str | None:
    if cut:
        return "the container is longer than the file"
    return None if has_streams else "neither pictures nor sound in it"


def _kind(container: str, pictures: bool, sounds: bool) -> Kind:
    if container in _PHOTO_CONTAINERS:
        return Kind.PHOTO
    if pictures:
        return Kind.VIDEO
    return Kind.AUDIO if sounds else Kind.OTHER


def _tags(*parts: Mapping[str, Any]) -> dict[str, str]:
    """Return the text tags of the container, then of its streams, first one wins."""
    tags: dict[str, str] = {}
    for part in parts:
        for key, value in part.get("tags", {}).items():
            if len(tags) < _MOST_TAGS:
                tags.setdefault(_plain(str(key)).lower(), _plain(str(value)))
    return tags


def _plain(text: str) -> str:
    """Return the text short, and whole as UTF-8."""
    return text[:_LONGEST_VALUE].encode("utf-8", "replace").decode()


def _seconds(text: object) -> float | None:
    try:
        seconds = float(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return round(seconds, 3) if seconds is not None and 0 <= seconds < 1e7 else None


def _ratio(text: object) -> float | None:
    if not isinstance(text, str):
        return None
    over, _, under = text.partition("/")
    try:
        return round(int(over) / int(under or 1), 3) or None
    except (ValueError, ArithmeticError):
        return None


def _position(tags: Mapping[str, str]) -> Position | None:
    """Read an ISO 6709 position such as `+38.0423+114.5149/`."""
    text = tags.get("location") or tags.get("com.apple.quicktime.location.iso6709") or ""
    match = _DEGREES.match(text)
    if not match:
        return None
    latitude, longitude = float(match["lat"]), float(match["lon"])
    if abs(latitude) > 90 or abs(longitude) > 180 or (latitude == 0 and longitude == 0):
        return None
    return Position(latitude, longitude)
