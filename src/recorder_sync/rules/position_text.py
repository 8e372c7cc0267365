"""Where a device says it was, in a line of text: what cameras write into a film's subtitles. Pure.

NMEA 0183 sentences (RMC, GGA, GLL) whose checksum fits and that have a fix; degrees with
hemispheres (N38.0423 E114.5149, 38.0423N,114.5149E, 北纬38°02'32" 东经114°30'54"); degrees with
names (lat: 38.0423 lon: 114.5149, 纬度…经度…); ISO 6709 (+38.0423+114.5149). A bare pair of numbers
is no position: nothing says which is which. Degrees are WGS 84 as receivers give them; a device
that writes the shifted degrees of Chinese maps does not say so, and none are shifted back.
"""

import re
from collections.abc import Mapping

from recorder_sync.model import Position

_LONGEST = 2000
"""Characters of a text that are looked at."""

_HEMISPHERES = str.maketrans({"：": ":", "，": ",", "′": "'", "″": '"', "’": "'", "”": '"'})
_WORDS = (("北纬", "N"), ("南纬", "S"), ("东经", "E"), ("西经", "W"))

_DEGREES = (
    r"(?P<{0}>\d{{1,3}}(?:\.\d{{1,12}})?)"
    r"(?:°\s?(?P<{0}m>\d{{1,2}}(?:\.\d{{1,10}})?)'\s?(?:(?P<{0}s>\d{{1,2}}(?:\.\d{{1,10}})?)\"\s?)?)?"
)
_BETWEEN = r"[\s,;/|]{0,4}"
_NOT_WITHIN = r"(?<![\w°'\".+-])"


def _before(hemisphere: str, name: str, gap: str) -> str:
    """Return the pattern of a hemisphere and its degrees; the first name of its group is `hN`."""
    return rf"(?P<h{name}>[{hemisphere}]){gap}" + _DEGREES.format(name) + r"°?"


def _after(hemisphere: str, name: str) -> str:
    return _DEGREES.format(name) + rf"(?:°\s?)?(?P<h{name}>[{hemisphere}])(?![A-Za-z0-9])"


def _pairs() -> list[re.Pattern[str]]:
    """Return the patterns of pairs: hemisphere first or last, latitude first or last.

    A letter between two numbers may belong to either: with spaces it counts only where no number
    is before it.
    """
    glued, spaced = r"(?:[:=]\s?)?", r"\s"
    found = []
    for first, second in ((("NS", "lat"), ("EW", "lon")), (("EW", "lon"), ("NS", "lat"))):
        for start, gap in ((_NOT_WITHIN, glued), (_NOT_WITHIN + r"(?<!\d\s)", spaced)):
            found.append(start + _before(*first, gap) + _BETWEEN + _before(*second, gap))
        found.append(_NOT_WITHIN + _after(*first) + _BETWEEN + _after(*second))
    return [re.compile(one) for one in found]


_PAIRS = _pairs()
_NAMED = {
    name: re.compile(
        rf"(?<![A-Za-z])(?:{words})\s{{0,3}}[:=]?\s{{0,3}}(?P<sign>[+-]?)"
        + _DEGREES.format(name)
        + rf"(?:°\s?)?(?P<h{name}>[{hemisphere}](?![A-Za-z0-9]))?",
        re.IGNORECASE,
    )
    for name, words, hemisphere in (
        ("lat", "latitude|lat|纬度", "NS"),
        ("lon", "longitude|longtitude|long|lon|lng|经度", "EW"),
    )
}
_ISO_6709 = re.compile(r"(?<![\d.])(?P<lat>[+-]\d{2}\.\d{2,12})(?P<lon>[+-]\d{3}\.\d{2,12})")
_SENTENCE = re.compile(
    r"\$(?P<said>[A-Z]{2}(?P<kind>RMC|GGA|GLL),[^*$\r\n]{5,120})\*(?P<sum>[0-9A-Fa-f]{2})"
)
_MINUTES = re.compile(r"(\d{1,3})(\d{2}\.\d{1,10})")


def position_in(text: str) -> Position | None:
    """Return the position that a text tells of; None where it tells of none, or of no fix."""
    text = text[:_LONGEST].translate(_HEMISPHERES)
    if "$" in text and (found := _sentence(text)) is not None:
        return found
    for word, letter in _WORDS:
        text = text.replace(word, letter)
    matches = (match for pattern in _PAIRS if (match := pattern.search(text)))
    for match in sorted(matches, key=lambda match: match.start())[:1]:
        return _position(_signed(match.groupdict(), "lat"), _signed(match.groupdict(), "lon"))
    named = {name: pattern.search(text) for name, pattern in _NAMED.items()}
    latitude, longitude = named["lat"], named["lon"]
    if latitude is not None and longitude is not None:
        return _position(
            _signed(latitude.groupdict(), "lat"), _signed(longitude.groupdict(), "lon")
        )
    if match := _ISO_6709.search(text):
        return _position(float(match["lat"]), float(match["lon"]))
    return None


def _signed(found: Mapping[str, str | None], name: str) -> float:
    degrees = float(found[name] or 0)
    degrees += float(found[f"{name}m"] or 0) / 60 + float(found[f"{name}s"] or 0) / 3600
    is_negative = found.get("sign") == "-" or (found[f"h{name}"] or "").upper() in ("S", "W")
    return -degrees if is_negative else degrees


def _position(latitude: float, longitude: float) -> Position | None:
    if abs(latitude) > 90 or abs(longitude) > 180 or latitude == longitude == 0:
        return None
    return Position(round(latitude, 7), round(longitude, 7))


def _sentence(text: str) -> Position | None:
    for match in _SENTENCE.finditer(text):
        total = 0
        for character in match["said"]:
            total ^= ord(character)
        if total != int(match["sum"], 16):
            continue
        if (found := _of_fields(match["kind"], match["said"].split(","))) is not None:
            return found
    return None


def _of_fields(kind: str, fields: list[str]) -> Position | None:
    """Return the position of a sentence: of RMC and GLL with status A, of GGA with a fix."""
    at = {"RMC": 3, "GGA": 2, "GLL": 1}[kind]
    if len(fields) < at + 4:
        return None
    valid = {
        "RMC": lambda: fields[2] == "A",
        "GGA": lambda: fields[6:7] not in ([], [""], ["0"]),
        "GLL": lambda: fields[6:7] == ["A"],
    }
    latitude, north, longitude, east = fields[at : at + 4]
    found = _MINUTES.fullmatch(latitude), _MINUTES.fullmatch(longitude)
    if not valid[kind]() or None in found or north not in ("N", "S"):
        return None
    if east not in ("E", "W"):
        return None
    degrees = [int(one[1]) + float(one[2]) / 60 for one in found if one]
    signs = -1 if north == "S" else 1, -1 if east == "W" else 1
    return _position(signs[0] * degrees[0], signs[1] * degrees[1])
