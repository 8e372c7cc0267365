"""Photos, described from their EXIF data by Pillow (and libheif for HEIC).

Runs in the confined process only. The picture itself is not decoded: its size,
codec and EXIF are in the headers.
"""

import warnings
from typing import Any, BinaryIO

from PIL import (
    ExifTags,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
)

from recorder_sync.media.containers import ends_early
from recorder_sync.media_facts import Flag, Kind, Media, Position

_FORMATS = (JpegImagePlugin.JpegImageFile.format, PngImagePlugin.PngImageFile.format)
_LONGEST_VALUE = 1024

_AT_ONCE = 1 << 16
"""Bytes that are read at once: as a rule all that is looked at."""

Image.MAX_IMAGE_PIXELS = None  # nothing is decoded, so a large header is no danger


def describe(path: bytes) -> Media:
    """Return what the photo's headers say, or why they say nothing. Raises OSError."""
    with open(path, "rb", buffering=_AT_ONCE) as file:
        return described(file)


def described(file: BinaryIO) -> Media:
    """Return the same of a photo that is open, or in memory."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=_formats(file)) as image:
                return _media(image, ends_early(file))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, KeyError) as error:
        cut = ends_early(file)
        return Media(
            problem=Flag.TRUNCATED if cut else Flag.UNREADABLE,
            detail=f"the photo cannot be read: {type(error).__name__}",
        )


def _formats(file: BinaryIO) -> tuple[str, ...]:
    is_heif = file.read(8)[4:8] == b"ftyp"
    file.seek(0)
    if not is_heif:
        return _FORMATS
    import pillow_heif  # 8 MB of libheif: only where a card has HEIC photos

    pillow_heif.register_heif_opener()
    return ("HEIF",)


def _media(image: Image.Image, cut: bool) -> Media:
    tags, position = _exif(image)
    started = tags.get("datetimeoriginal") or tags.get("datetime")
    offset = tags.get("offsettimeoriginal")
    return Media(
        kind=Kind.PHOTO,
        container=(image.format or "").lower() or None,
        codec=(image.format or "").lower() or None,
        width=image.width,
        height=image.height,
        started=_with_offset(started, offset),
        position=position,
        make=tags.get("make") or None,
        model=tags.get("model") or None,
        tags=tags,
        problem=Flag.TRUNCATED if cut else None,
        detail="the end of the picture is missing" if cut else None,
    )


def _exif(image: Image.Image) -> tuple[dict[str, str], Position | None]:
    if "exif" not in image.info:  # Pillow would decode a whole PNG to look behind the picture
        return {}, None
    exif = image.getexif()
    details = exif.get_ifd(ExifTags.IFD.Exif)
    named = {ExifTags.TAGS.get(k, str(k)): v for k, v in (*exif.items(), *details.items())}
    tags = {k.lower(): v.strip("\0 ")[:_LONGEST_VALUE] for k, v in named.items() if _is_text(v)}
    return tags, _position(exif.get_ifd(ExifTags.IFD.GPSInfo))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip("\0 "))


def _with_offset(started: str | None, offset: str | None) -> str | None:
    """Write EXIF's `2026:08:04 10:00:00` with its offset tag as one ISO 8601 time."""
    if started is None or offset is None or len(started) != 19:
        return started
    return started[:10].replace(":", "-") + "T" + started[11:] + offset


def _position(gps: dict[int, Any]) -> Position | None:
    try:
        latitude = _degrees(gps[2]) * (-1 if gps.get(1) == "S" else 1)
        longitude = _degrees(gps[4]) * (-1 if gps.get(3) == "W" else 1)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180) or latitude == longitude == 0:
        return None
    return Position(round(latitude, 7), round(longitude, 7))


def _degrees(parts: tuple[Any, Any, Any]) -> float:
    degrees, minutes, seconds = (float(p) for p in parts)
    return degrees + minutes / 60 + seconds / 3600
