"""A document of a case as JSON, and back: in its custody entry, beside its file, in answers."""

import base64
from collections.abc import Mapping
from typing import Any

from recorder_sync.model import CardPath, Digests
from recorder_sync.rules.documents import Document, DocumentKind, Given
from recorder_sync.rules.marks import Stage
from recorder_sync.timestamps import iso, moment

Json = dict[str, Any]


def document_json(document: Document) -> Json:
    """Return the DOCUMENT that other programs rely on. Absent values are null."""
    given = document.given
    return {
        "id": document.id,
        "case": given.case,
        "title": given.title,
        "kind": given.kind.value,
        "number": given.number,
        "stage": given.stage.value if given.stage else None,
        "item": given.item,
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
