"""What a maker's file name says, and what name a recording gets here.

A profile is data: how one maker names files, which clock its cameras keep, which
identity files lie on the card, and which container tags carry a number. Profiles
come with the product (`profiles.toml`) and from the configuration.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from recorder_sync.model import CardPath, Claim, Kind, Source, UsbIdentity


class Clock(StrEnum):
    """What a device's clock shows: the station's local time, or UTC."""

    LOCAL = "local"
    UTC = "utc"


class IdentityFormat(StrEnum):
    TEXT = "text"
    INI = "ini"
    JSON = "json"
    XML = "xml"


class Field(StrEnum):
    """What a name, a container tag or an identity file can tell."""

    DEVICE = "device"
    OFFICER = "officer"
    OFFICER_NAME = "officer_name"
    UNIT = "unit"
    CASE = "case"
    BATTERY = "battery"
    CHARGING = "charging"
    CLOCK = "clock"
    FIRMWARE = "firmware"
    MODEL = "model"


class HealthSource(StrEnum):
    """Who can be asked about a device's state."""

    VENDOR_COMMAND = "vendor-command"
    SYSFS = "sysfs"
    GPHOTO2 = "gphoto2"
    ADB = "adb"
    STATUS_FILE = "status-file"


@dataclass(frozen=True, slots=True)
class Command:
    """A maker's program: its arguments, and the seconds that it may take."""

    arguments: tuple[str, ...]
    limit_s: float


@dataclass(frozen=True, slots=True)
class UsbModel:
    """USB vendor and product number, four hexadecimal digits each, lower case."""

    vendor: str
    product: str


@dataclass(frozen=True, slots=True)
class IdentityFile:
    """A file on the card that says whose it is.

    `path` is a regular expression over the path below the card's root; its named
    groups are facts as well. `keys` says which key, element or group of the content
    tells which field. With `per_file` the content's facts concern only the recordings
    that the file lists (by element `file`), not the whole card.
    """

    path: re.Pattern[str]
    format: IdentityFormat
    keys: tuple[tuple[str, Field], ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    file_names: tuple[re.Pattern[str], ...] = ()
    """Over the path below the root where the pattern has a `/`, else over the name."""
    name_clock: Clock = Clock.LOCAL
    container_clock: Clock = Clock.UTC
    mtime_clock: Clock = Clock.UTC
    identity_files: tuple[IdentityFile, ...] = ()
    container_tags: tuple[tuple[str, Field], ...] = ()
    kinds: tuple[tuple[str, Kind], ...] = ()
    """What the name's group `kind` means."""
    usb: tuple[UsbModel, ...] = ()
    """The devices that it is for; empty: any."""
    status_files: tuple[IdentityFile, ...] = ()
    status_clock: Clock | None = None
    """What a reported time means that names no zone, or `Z`; None: local, and UTC."""
    health_from: tuple[HealthSource, ...] = ()
    """Who is asked about the device's state, the best first; empty: the usual ones."""
    vendor_command: Command | None = None
    unlock_command: Command | None = None

    def is_for(self, usb: UsbIdentity) -> bool:
        """Tell whether this profile names the device's USB numbers."""
        return UsbModel(usb.vendor, usb.product) in self.usb


GENERIC = Profile("generic")
"""Used where no profile knows the name: nothing is read out of it."""


@dataclass(frozen=True, slots=True)
class NameFacts:
    """What one file's name says. `started` is without a zone, as the name is."""

    profile: Profile = GENERIC
    started: datetime | None = None
    started_raw: str | None = None
    kind: Kind | None = None
    important: bool = False
    claims: Mapping[Field, Claim] = field(default_factory=dict)


def read_name(path: CardPath, profiles: Sequence[Profile]) -> NameFacts:
    """Return what the first profile that knows this name reads out of it.

    Named groups of the pattern: `device`, `officer`, `case`, `date` (yyyymmdd),
    `time` (hhmmss), `kind`, `important`. A date that is none is no date.
    """
    whole, name = path.text, path.name.text
    for profile in profiles:
        for pattern in profile.file_names:
            if match := pattern.fullmatch(whole if "/" in pattern.pattern else name):
                return _facts(profile, {k: v for k, v in match.groupdict().items() if v})
    return NameFacts()


def _facts(profile: Profile, groups: dict[str, str]) -> NameFacts:
    raw = groups.get("date", "") + groups.get("time", "")
    claims = {
        which: Claim(groups[which], Source.NAME, f"profile {profile.name}")
        for which in (Field.DEVICE, Field.OFFICER, Field.CASE)
        if which in groups
    }
    return NameFacts(
        profile=profile,
        started=_naive(raw),
        started_raw=raw or None,
        kind=dict(profile.kinds).get(groups.get("kind", "")),
        important="important" in groups,
        claims=claims,
    )


def _naive(digits: str) -> datetime | None:
    if len(digits) != len("yyyymmddhhmmss"):
        return None
    try:
        return datetime.fromisoformat(f"{digits[:8]}T{digits[8:]}")
    except ValueError:
        return None


def is_identity_file(path: CardPath, profiles: Sequence[Profile]) -> bool:
    """Tell whether a profile reads facts about the card from this file."""
    return any(
        file.path.fullmatch(path.text)
        for profile in profiles
        for file in (*profile.identity_files, *profile.status_files)
    )


LONGEST_NAME = 120
"""Bytes of the safe name: file systems allow 255 for it and our prefix together."""

_SAFE_ALREADY = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*", re.ASCII)
"""Most names: there is nothing to change in them, unless they are too long."""


def safe_name(original: CardPath) -> str:
    """Return a form of a card's file name that is safe on any disk and in any list.

    Letters, digits and marks of any script stay, as do `.`, `-` and `_`; the rest
    becomes `_`. No leading dot, at most LONGEST_NAME bytes, the ending kept.
    """
    text = original.name.text
    if len(text) <= LONGEST_NAME and _SAFE_ALREADY.fullmatch(text):
        return text
    text = unicodedata.normalize("NFC", text)
    text = "".join(c if _is_safe(c) else "_" for c in text)
    cleaned = text.rstrip(".")
    hidden = cleaned.lstrip(".")
    if hidden != cleaned:  # `.mp4` keeps its ending, `.hidden.mp4` just loses the dot
        cleaned = hidden if "." in hidden else f"_.{hidden}"
    cleaned = cleaned or "_"
    stem, dot, ending = cleaned.rpartition(".")
    if not dot or len(ending.encode()) > 16:
        stem, ending = cleaned, ""
    room = LONGEST_NAME - len((dot + ending).encode() if ending else b"")
    return _cut(stem, room).rstrip(".") + (dot + ending if ending else "")


@lru_cache(maxsize=64)
def safe_component(value: str) -> str:
    """Return a device number as one safe folder name."""
    return safe_name(CardPath(value.replace("/", "_").encode("utf-8", "replace")))


def _is_safe(character: str) -> bool:
    return character in "._-" or unicodedata.category(character)[0] in "LMN"


def _cut(text: str, room: int) -> str:
    return text.encode()[:room].decode("utf-8", "ignore")
