"""Corrections of what was said of a document of a case, as the custody log has them.

The row of the document has what is right now; each correction stands in the audit trail, with
what was said before it. The sealed description says what was said when it was handed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue import documents, trail
from recorder_sync.catalogue.documents import SealedDocument
from recorder_sync.custody.log import Act, Entry
from recorder_sync.document_json import document_json
from recorder_sync.timestamps import iso

_MOST = 1000
"""Corrections of one document that are shown."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """One correction. Times in UTC."""

    custody_seq: int
    at: datetime
    actor: str
    facts: Mapping[str, Any]
    """`by`, `reason`, and `before` and `after` as `document_json.said_json` writes them."""


def take_up(db: Database, entry: Entry) -> None:
    """Enter what is right of a document, where no later correction is entered."""
    after = entry.deed.facts["after"]
    columns = ("title", "kind", "number", "stage", "item")
    changes = ", ".join(f"{name} = ?" for name in columns)
    db.execute(
        f"update documents set {changes}, corrected_seq = ?"
        " where id = ? and coalesce(corrected_seq, -1) < ?",
        [*(after[name] for name in columns), entry.seq, entry.deed.subject, entry.seq],
    )


def corrections_of(db: Database, documents: Sequence[str]) -> dict[str, list[Corrected]]:
    """Return the corrections of these documents, the oldest first; of none: an empty list."""
    acts = frozenset({Act.DOCUMENT_CORRECTED})
    found = {}
    for one in documents:
        steps = trail.steps(db, trail.Wanted(acts, subject=one, limit=_MOST))
        found[one] = [Corrected(s.custody_seq, s.at, s.actor, s.facts) for s in reversed(steps)]
    return found


def documents_json(db: Database, found: Sequence[SealedDocument]) -> list[dict[str, Any]]:
    """Return documents as commands and the API print them."""
    ids = [one.id for one in found]
    belonging, corrected = documents.recordings_of(db, ids), corrections_of(db, ids)
    return [
        {
            **document_json(one.document),
            "recordings": belonging[one.id],
            "corrections": [_json(each) for each in corrected[one.id]],
        }
        for one in found
    ]


def _json(one: Corrected) -> dict[str, Any]:
    said = {name: one.facts[name] for name in ("by", "reason", "before", "after")}
    return {"custody_seq": one.custody_seq, "at": iso(one.at), **said}
