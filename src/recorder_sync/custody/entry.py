"""One entry of the custody log, and its line: canonical JSON (RFC 8785), by which it is hashed.

An entry holds the leaf hash of the one before it, computed as RFC 6962 does (SHA-256 of a
zero byte and the line). Names are sorted, so `act` comes first and `prev` and `seq` last but
for three: what a fast reader looks at stands where it can be found. Pure.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from recorder_sync.custody.canonical import canonical
from recorder_sync.custody.unfit import Unfit
from recorder_sync.language import T
from recorder_sync.timestamps import iso, moment

FIRST_PREVIOUS = "0" * 64
"""`prev` of the very first entry."""


class Act(StrEnum):
    """What was done."""

    DOCKING_OPENED = "docking-opened"
    INVENTORY = "inventory"
    SEAL = "seal"
    SEEN_AGAIN = "seen-again"
    DOCKING_CLOSED = "docking-closed"
    DEVICE_HELD = "device-held"
    DEVICE_REMOVED = "device-removed"
    CLEARED = "cleared"
    CONFIRMED = "confirmed"
    """A store has shown that it has a recording."""
    COPIES_LOOKED_AT = "copies-looked-at"
    """Confirmed copies were found again at their store as they were."""
    COPY_LOST = "copy-lost"
    """A store does not have what it had confirmed; it counts as confirmed no more."""
    COPY_LOCKED = "copy-locked"
    """A store keeps a copy longer, or under legal hold, or not under hold any more."""
    LEGAL_HOLD = "legal-hold"
    """Nothing of a recording, or of a case, may be disposed of until it is released."""
    HOLD_RELEASED = "legal-hold-released"
    ALERT = "alert"
    """An alert was opened."""
    ALERT_UPDATED = "alert-updated"
    ALERT_ACKNOWLEDGED = "alert-acknowledged"
    ALERT_RESOLVED = "alert-resolved"
    ALERT_ENDED = "alert-ended"
    """The cause is gone of an alert that a person had resolved."""
    DEFERRAL = "deferral"
    CALENDAR = "calendar-entry"
    GAP_EXPLAINED = "gap-explained"
    DEVICE_EVENT = "device-event"
    """A device was issued, returned, reported faulty, repaired, retired or lost."""
    CONFIGURATION = "configuration"
    SERVICE = "service"
    """The service was started or stopped."""
    CLOCK_STEP = "clock-step"
    """Somebody or something set the station's clock."""
    KEY_ROTATED = "key-rotated"
    """Checkpoints are signed with another key from then on."""
    VIEW = "view"
    EXPORT = "export"
    EXPORT_FAILED = "export-failed"
    """The copy that an entry speaks of was refused or cut off: it was not made."""
    TAG = "tag"
    MARK = "mark"
    """A recording was marked: important, notified, stage and item, secrecy."""
    DOCUMENT = "document"
    """A document of a case was sealed."""
    DOCUMENT_CORRECTED = "document-corrected"
    """What was said of a document was wrong; the file and its description stay as sealed."""
    BELONGS_TO_DOCUMENT = "belongs-to-document"
    """A recording belongs to a document of its case, or to none any more."""
    BOOKMARK = "bookmark"
    """A moment of a recording was marked, or that was taken back."""
    LEDGER = "ledger-entry"
    ACCOUNT = "account"
    """Who may sign in, and as what, was changed; facts hold no secret."""
    VERIFICATION = "verification"
    CATALOGUE_REBUILT = "catalogue-rebuilt"
    STORE_BOUND = "store-bound"
    """Somebody said which evidence store is meant by a name of the settings."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done, not yet in the log. `facts` is what JSON can hold."""

    act: Act
    subject: str
    """Id of what it was done to: a recording, a docking, a device ..."""
    actor: str
    time: datetime
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    seq: int
    previous: str
    station: str
    deed: Deed
    leaf: str
    """Leaf hash of this entry's line, hex."""


def leaf_hash(line: bytes) -> str:
    """Return the RFC 6962 leaf hash of an entry's line (without its newline), hex."""
    return hashlib.sha256(b"\0" + line).hexdigest()


def line_of(seq: int, previous: str, station: str, deed: Deed) -> bytes:
    """Return the line of an entry, without its newline."""
    return canonical(
        {
            "seq": seq,
            "prev": previous,
            "station": station,
            "time": iso(deed.time),
            "actor": deed.actor,
            "act": deed.act.value,
            "subject": deed.subject,
            "facts": dict(deed.facts),
        }
    )


def link_of(line: bytes) -> tuple[int | None, bytes]:
    """Return the number of a canonical line's entry and the hash it is linked by.

    Within a line's strings every quotation mark is escaped, and of the keys of an entry only
    `facts`, which comes before, holds others.
    """
    at = line.rfind(b',"prev":"') + len(b',"prev":"')
    link, comma, rest = line[at : at + 64], line[at + 64 : at + 72], line[at + 72 : at + 92]
    number = rest.partition(b",")[0]
    return (int(number) if comma == b'","seq":' and number.isdigit() else None), link


def parsed(line: bytes) -> Entry:
    """Read an entry's line. Raises ValueError for what is none."""
    try:
        fields = json.loads(line.decode())
        deed = Deed(
            Act(fields["act"]),
            fields["subject"],
            fields["actor"],
            moment(fields["time"]),
            fields["facts"],
        )
        found = Entry(fields["seq"], fields["prev"], fields["station"], deed, leaf_hash(line))
        texts = (found.previous, found.station, deed.subject, deed.actor)
        if type(found.seq) is not int or not all(isinstance(one, str) for one in texts):
            raise Unfit(T("a field is of the wrong type"))
        if not isinstance(deed.facts, dict):
            raise Unfit(T("its facts are none"))
        return found
    except Unfit:
        raise
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unfit(T("{why}", why=error)) from error


def beginning_of(act: Act) -> bytes:
    """Return what a line of this act begins with: names are sorted, its own is the first."""
    return canonical({"act": act.value})[:-1] + b","
