"""Documents of cases in the catalogue, and which recordings belong to which (Art. 10 to 16).

A row stands here once the custody log has the document; what is about to be moved into its
place is noted in a table of its own until then.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from blake3 import blake3
from sqlite_utils.db import Database

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.cases import seen_case
from recorder_sync.catalogue.database import insert
from recorder_sync.catalogue.documents_under_way import folder_of
from recorder_sync.custody.log import Entry
from recorder_sync.description import as_text
from recorder_sync.document_json import document_json, document_of
from recorder_sync.errors import NotFound
from recorder_sync.language import T
from recorder_sync.model import Digests
from recorder_sync.printable import printable
from recorder_sync.rules.access import Scope
from recorder_sync.rules.documents import Document, is_document
from recorder_sync.timestamps import iso, moment

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DocumentIntent:
    """A document about to be moved into place: all that a restart needs to finish it."""

    document: Document
    part: str
    """The copy's path below the evidence folder."""
    actor: str | None = None
    """Who acts, as the custody log names them; None: whoever finishes it."""

    @property
    def id(self) -> str:
        return self.document.id

    @property
    def path(self) -> str:
        return self.document.path

    @property
    def digests(self) -> Digests:
        return self.document.digests

    @property
    def text(self) -> str:
        """The description file's text."""
        return as_text(document_json(self.document))

    @property
    def description(self) -> Digests:
        """Of that text, in UTF-8."""
        data = self.text.encode()
        return Digests(blake3(data).hexdigest(), hashlib.sha256(data).hexdigest())

    @property
    def folder(self) -> str:
        """Name of the folder in the incoming area that the copy is in."""
        return folder_of(self.part)


@dataclass(frozen=True, slots=True)
class SealedDocument:
    """A document of the catalogue."""

    document: Document
    description: Digests
    protection: str | None
    fs_verity: str | None
    custody_seq: int
    """Number of its entry in the custody log."""
    recordings: int
    """How many recordings belong to it."""
    corrected_seq: int | None = None
    """Number of the entry that corrected what was said of it; None: it is as it was handed in."""

    @property
    def id(self) -> str:
        return self.document.id

    @property
    def path(self) -> str:
        return self.document.path

    @property
    def size(self) -> int:
        return self.document.size

    @property
    def digests(self) -> Digests:
        return self.document.digests


@dataclass(frozen=True, slots=True)
class Belonging:
    """That a recording belongs to a document, as somebody said. Times in UTC."""

    recording: str
    document: str
    who: str
    at: datetime


def note_intent(db: Database, intent: DocumentIntent) -> None:
    """Write the intent to seal a document, in a transaction of the caller's."""
    row = {
        "document": intent.id,
        "json": intent.text,
        "part": intent.part,
        "actor": intent.actor,
    }
    insert(db, "documents_under_way", [row])


def forget_intent(db: Database, document: str) -> None:
    db.execute("delete from documents_under_way where document = ?", [document])


def intents(db: Database) -> list[DocumentIntent]:
    """Return the documents whose sealing was interrupted, or is under way."""
    rows = db.query("select * from documents_under_way order by document")
    return [
        DocumentIntent(document_of(json.loads(row["json"])), row["part"], row["actor"])
        for row in rows
    ]


def take_up(db: Database, entry: Entry) -> None:
    """Enter a document that the custody log has; one that is entered stays as it is."""
    facts = entry.deed.facts
    document = document_of(facts["document"])
    forget_intent(db, document.id)
    if find(db, document.id) is not None:
        return
    ledger.see_case(db, document.given.case)
    described = document_json(document)
    row = {
        **{column: described[key] for column, key in _COLUMNS.items()},
        "description_blake3": facts["description_blake3"],
        "description_sha256": facts["description_sha256"],
        "protection": facts["protection"],
        "fs_verity": facts.get("fs_verity"),
        "custody_seq": entry.seq,
    }
    insert(db, "documents", [row])


def take_up_belonging(db: Database, entry: Entry) -> None:
    """Enter that a recording belongs to a document, or to none any more."""
    facts, recording = entry.deed.facts, entry.deed.subject
    db.execute(
        "delete from recording_documents where recording = ? and custody_seq <= ?",
        [recording, entry.seq],
    )
    if facts["document"] is not None:
        db.execute(
            "insert into recording_documents (recording, document, who, at, custody_seq)"
            " values (?, ?, ?, ?, ?) on conflict do nothing",
            [recording, facts["document"], facts["by"], iso(entry.deed.time), entry.seq],
        )


def find(db: Database, identifier: str) -> SealedDocument | None:
    """Return the document with this whole id."""
    for row in db.query(f"{_SELECT} where d.id = ?", [identifier]):
        return _sealed(row)
    return None


def document(db: Database, identifier: str) -> SealedDocument:
    """Return the document with this id. Raises NotFound."""
    found = find(db, identifier)
    if found is None:
        raise no_such_document(identifier)
    return found


def no_such_document(identifier: str) -> NotFound:
    return NotFound(
        T("There is no document {id}.", id=printable(identifier)),
        T("recorder-sync cases documents list CASE shows those of a case."),
    )


def seen_document(db: Database, identifier: str, scope: Scope) -> SealedDocument:
    """Return a document whose case is within a scope. Raises NotFound."""
    found = document(db, identifier)
    try:
        seen_case(db, found.document.given.case, scope)
    except NotFound:
        raise no_such_document(identifier) from None
    return found


def seen_documents(db: Database, identifiers: Iterable[str], scope: Scope) -> frozenset[str]:
    """Return those of these ids that are documents within a scope."""
    found = set()
    for one in {one for one in identifiers if is_document(one)}:
        with suppress(NotFound):
            found.add(seen_document(db, one, scope).id)
    return frozenset(found)


def of_case(db: Database, case: str) -> list[SealedDocument]:
    """Return the documents of a case in the order in which they were handed in."""
    rows = db.query(f"{_SELECT} where d.case_no = ? order by d.handed_in_at, d.id", [case])
    return [_sealed(row) for row in rows]


def ids(db: Database, since: datetime | None = None, case: str | None = None) -> list[str]:
    """Return all documents by path, or those sealed since, or of one case."""
    query, values = "select id from documents where 1", []
    if since is not None:
        query, values = query + " and sealed_at >= ?", [iso(since)]
    if case is not None:
        query, values = query + " and case_no = ?", [*values, case]
    return [row[0] for row in db.execute(query + " order by path", values)]


def belonging_of(db: Database, recording: str) -> Belonging | None:
    """Return which document a recording belongs to."""
    for row in db.query("select * from recording_documents where recording = ?", [recording]):
        return Belonging(row["recording"], row["document"], row["who"], moment(row["at"]))
    return None


def of_recording(db: Database, recording: str) -> SealedDocument | None:
    """Return the document that a recording belongs to."""
    belonging = belonging_of(db, recording)
    return find(db, belonging.document) if belonging else None


def recordings_of(db: Database, documents: Sequence[str]) -> dict[str, list[str]]:
    """Return the recordings that belong to these documents, by document."""
    query = "select recording from recording_documents where document = ? order by custody_seq"
    return {one: [row[0] for row in db.execute(query, [one])] for one in documents}


_SELECT = (
    "select d.*, (select count(*) from recording_documents b where b.document = d.id)"
    " as recordings from documents d"
)


_COLUMNS = {
    **{
        name: name
        for name in (
            *("id", "title", "kind", "number", "stage", "item", "path", "size"),
            *("blake3", "sha256", "sm3", "handed_in_by", "handed_in_at", "sealed_at", "read_back"),
        )
    },
    "case_no": "case",
    "name": "original_name",
    "name_base64": "original_name_base64",
}
"""What the columns are called in a DOCUMENT (`document_json.py`), which has the same values."""


def _sealed(row: Json) -> SealedDocument:
    return SealedDocument(
        document_of({key: row[column] for column, key in _COLUMNS.items()}),
        Digests(row["description_blake3"], row["description_sha256"]),
        row["protection"],
        row["fs_verity"],
        row["custody_seq"],
        row["recordings"],
        row["corrected_seq"],
    )
