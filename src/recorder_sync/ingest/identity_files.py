"""What the identity files on a card say: whose card, whose recordings.

A file may speak for the whole card (a serial number in an ini), for the recordings of
one day (an XML named by officer and date), or for single files that it lists.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recorder_sync.ingest.inventory import Item
from recorder_sync.ingest.volume import Volume
from recorder_sync.media.describer import Describer
from recorder_sync.model import CardPath, Claim, Source
from recorder_sync.rules.naming import GENERIC, Field, IdentityFile, NameFacts, Profile

_MOST_FILES = 64
_FILE_KEYS = ("file", "filename", "file_name", "path")


@dataclass(frozen=True, slots=True)
class _Said:
    which: Field
    claim: Claim
    file: str | None
    """Lower-case name of the one recording it speaks of; None: not of one only."""
    day: str | None
    """yyyymmdd of the recordings it speaks of; None: of every day."""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """Everything the card's identity files said, and the files that said nothing."""

    said: tuple[_Said, ...] = ()
    unreadable: tuple[tuple[CardPath, str], ...] = ()
    profile: Profile | None = None
    """The profile whose identity file was found."""

    def of_card(self, which: Field) -> list[Claim]:
        """Return what was said of the whole card."""
        return [s.claim for s in self.said if s.which is which and s.file is None and s.day is None]

    def of_anything(self, which: Field) -> list[Claim]:
        """Return what was said at all, of the card, a day or a single file."""
        return [s.claim for s in self.said if s.which is which]

    def of_recording(self, which: Field, path: CardPath, started: datetime | None) -> list[Claim]:
        """Return what was said of one recording: of it alone first, then of its day, then
        of the card."""
        if not self.said:
            return []
        name = path.name.text.lower()
        day = f"{started:%Y%m%d}" if started else None
        mine = [s for s in self.said if s.which is which]
        own = [s.claim for s in mine if s.file == name]
        of_day = [s.claim for s in mine if s.file is None and s.day is not None and s.day == day]
        return own or of_day or self.of_card(which)


def read_identity_files(
    volume: Volume, items: Sequence[Item], profiles: Sequence[Profile], describer: Describer
) -> CardFacts:
    """Read the identity files among `items`; one that cannot be read is named, not fatal."""
    said: list[_Said] = []
    unreadable: list[tuple[CardPath, str]] = []
    found_by: Profile | None = None
    candidates = [i for i in items if i.size and i.kind is None]
    for item, profile, identity_file, match in _matching(candidates, profiles)[:_MOST_FILES]:
        found_by = found_by or profile
        try:
            facts = describer.identity_facts(volume.full_path(item.path), identity_file.format)
        except ValueError as error:
            unreadable.append((item.path, str(error)))
            continue
        said += _claims(item.path, profile, identity_file, match, facts)
    return CardFacts(tuple(dict.fromkeys(said)), tuple(unreadable), found_by)


def _matching(
    items: Sequence[Item], profiles: Sequence[Profile]
) -> list[tuple[Item, Profile, IdentityFile, re.Match[str]]]:
    return [
        (item, profile, identity_file, match)
        for item in items
        for profile in profiles
        for identity_file in profile.identity_files
        if (match := identity_file.path.fullmatch(item.path.text))
    ]


def _claims(
    path: CardPath,
    profile: Profile,
    identity_file: IdentityFile,
    match: re.Match[str],
    facts: list[dict[str, str]],
) -> list[_Said]:
    detail = f"{path.shown}, profile {profile.name}"
    groups = match.groupdict()
    day = groups.get("date")
    said = [
        _Said(Field(name), Claim(value, Source.SIDECAR, detail), None, day)
        for name, value in groups.items()
        if name in set(Field) and value
    ]
    for one in facts:
        file = next((one[key] for key in _FILE_KEYS if key in one), None)
        name = CardPath(file.replace("\\", "/").encode()).name.text.lower() if file else None
        said += [
            _Said(which, Claim(one[key], Source.SIDECAR, detail), name, day)
            for key, which in identity_file.keys
            if one.get(key)
        ]
    return said


def profile_for(name: NameFacts, card: CardFacts) -> NameFacts:
    """Return the name's facts read with the card's profile where the name knows none."""
    if name.profile is not GENERIC or card.profile is None:
        return name
    return NameFacts(card.profile)
