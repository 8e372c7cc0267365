"""A matter: something that is so at a moment, and that somebody must handle.

Each concern has a rule of its own beside this module, which looks at facts and says which
matters are open. A matter knows nothing of what was said before: `reconcile.py` holds the
matters of now against the alerts on record, and `escalation.py` says who is told.

A matter's key is what it is about, so that the same matter has the same key after every
restart. Many things of one cause are one matter with a list.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from recorder_sync.language import Text
from recorder_sync.model import AlertKind

_HAPPENED = "happened"

MOST_SHOWN = 20
"""Items that are shown of a long list."""


class Severity(StrEnum):
    """How bad a matter is, the least first."""

    NOTICE = "notice"
    """Somebody should know."""
    WARNING = "warning"
    """Somebody must act."""
    BREACH = "breach"
    """A limit has passed, or evidence is lost."""

    @property
    def rank(self) -> int:
        return tuple(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of a matter's list, known by its name."""

    name: str
    since: datetime | None = None
    until: datetime | None = None
    """The limit of a recording, or the end of a gap."""


@dataclass(frozen=True, slots=True)
class Matter:
    kind: AlertKind
    key: str
    severity: Severity
    since: datetime
    """When it began to be so; for a breach the limit itself, not when it was noticed."""
    text: Text
    """What is wrong. Times are in `since`, `due` and `items`, to be shown in local time."""
    hint: Text
    """What to do."""
    due: datetime | None = None
    """The limit that it is about."""
    device: str | None = None
    docking: str | None = None
    recording: str | None = None
    officer: str | None = None
    """Certificate number."""
    case: str | None = None
    count: int = 1
    """How many things it is about."""
    items: tuple[Item, ...] = ()
    """Those things, all of them, where they have names."""

    @property
    def shown_items(self) -> tuple[Item, ...]:
        return self.items[:MOST_SHOWN]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(item.name for item in self.items)

    @property
    def digest(self) -> str:
        """What it says, as one value that is the same after a restart.

        `since` is left out: a forecast's beginning moves a little with every sample.
        """
        said = [
            *(self.severity, self.text, self.hint, self.due, self.count),
            *(self.device, self.docking, self.recording, self.officer, self.case),
            [[item.name, item.since, item.until] for item in self.items],
        ]
        canonical = json.dumps(said, default=_plain, sort_keys=True)
        return sha256(canonical.encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Text):
        return [value.template, value.values]
    return value.isoformat() if isinstance(value, datetime) else str(value)


def key_of(kind: AlertKind, *about: str) -> str:
    """Return the key of a matter about these things; different things, different keys."""
    escaped = (part.replace("%", "%25").replace("/", "%2F") for part in about)
    return "/".join((kind.value, *escaped))


def about_of(key: str) -> tuple[str, ...]:
    """Return what `key_of` was given beside the kind."""
    parts = key.split("/")[1:]
    return tuple(part.replace("%2F", "/").replace("%25", "%") for part in parts)


def event_key(kind: AlertKind, about: str | None, words: str) -> str:
    """Return the key of something that happened and says `words`: a `Text` as it is kept.

    No matter of a rule has such a key. Alerts of older versions have it too, so it must
    stay as it is.
    """
    said = sha256(words.encode()).hexdigest()[:16]
    return key_of(kind, _HAPPENED, about or "station", said)


def has_happened(key: str) -> bool:
    """Tell whether a key is one of `event_key`."""
    parts = key.split("/")
    return len(parts) == 4 and parts[1] == _HAPPENED


def severity_by(due: datetime, lead: timedelta, now: datetime) -> Severity | None:
    """Return how bad it is at `now` that something due is not done.

    None until `lead` before the limit. The last instant is on time.
    """
    if now > due:
        return Severity.BREACH
    return Severity.WARNING if due - now <= lead else None


def begun(due: datetime, lead: timedelta, severity: Severity) -> datetime:
    """Return since when what `severity_by` said is so."""
    return due if severity is Severity.BREACH else due - lead


def only(values: Iterable[str | None]) -> str | None:
    """Return the value that all have, or None where they differ or one is unknown."""
    found = set(values)
    return found.pop() if len(found) == 1 else None
