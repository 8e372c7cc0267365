"""A document of a case as JSON, and back: in its custody entry, beside its file, in answers."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from recorder_sync.language import T, tr
from recorder_sync.model import CardPath, Digests
from recorder_sync.printable import printable
from recorder_sync.rules.documents import Document, DocumentKind, Given
from recorder_sync.rules.stage import Stage
from recorder_sync.timestamps import iso, moment

Json = dict[str, Any]


def document_json(document: Document) -> Json:
    """Return the DOCUMENT that other programs rely on. Absent values are null."""
    given = document.given
    return {
        "id": document.id,
        "case": given.case,
        **said_json(given),
        "original_name": given.name.text,
        "original_name_base64": given.name.base64,
        "path": document.path,
        "size": document.size,
        "blake3": document.digests.blake3,
        "sha256": document.digests.sha256,
        "sm3": document.digests.sm3,
        "handed_in_by": given.by,
        "handed_in_at": iso(given.at),
        "sealed_at": iso(document.sealed_at),
        "read_back": document.read_back,
    }


def said_json(given: Given) -> Json:
    """Return what can be corrected of a document."""
    return {
        "title": given.title,
        "kind": given.kind.value,
        "number": given.number,
        "stage": given.stage.value if given.stage else None,
        "item": given.item,
    }


def corrected_in_words(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a correction changed, for people."""
    before, after = facts["before"], facts["after"]
    for name, word in (
        ("title", tr("Title")),
        ("kind", tr("Kind")),
        ("number", tr("Document number")),
        ("stage", tr("Stage")),
        ("item", tr("Item")),
    ):
        if before[name] != after[name]:
            old, new = (_in_words(name, values[name]) for values in (before, after))
            yield T("{what}: {before} → {after}", what=word, before=old, after=new).shown


def _in_words(name: str, value: str | None) -> str:
    if value is None:
        return "—"
    return tr(value) if name in ("kind", "stage") else printable(value)


def document_of(found: Mapping[str, Any]) -> Document:
    """Return the document that `document_json` described.

    Raises KeyError, TypeError or ValueError when it is no such description.
    """
    exact = found["original_name_base64"]
    given = Given(
        case=found["case"],
        title=found["title"],
        kind=DocumentKind(found["kind"]),
        name=CardPath(base64.b64decode(exact) if exact else found["original_name"].encode()),
        by=found["handed_in_by"],
        at=moment(found["handed_in_at"]),
        number=found["number"],
        stage=Stage(found["stage"]) if found["stage"] else None,
        item=found["item"],
    )
    return Document(
        id=found["id"],
        given=given,
        path=found["path"],
        size=found["size"],
        digests=Digests(found["blake3"], found["sha256"], found["sm3"]),
        sealed_at=moment(found["sealed_at"]),
        read_back=found["read_back"],
    )
