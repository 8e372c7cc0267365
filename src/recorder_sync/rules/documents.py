"""What a document of a case is (Art. 10 to 15): its kind, its id and its place. Pure.

Written records are made elsewhere; a scan or an electronic one is taken in as evidence of a
case. The kinds are those that Art. 10 names, and the written explanation of Art. 20. A
document's id names its content and its case: the same file twice in one case is one document,
and in two cases it is two.
"""

import base64
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from enum import StrEnum

from blake3 import blake3

from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.model import CardPath, Digests
from recorder_sync.printable import printable
from recorder_sync.rules.marks import Item
from recorder_sync.rules.naming import safe_component, safe_name
from recorder_sync.rules.stage import Stage

FOLDER = "documents"
"""Below the evidence folder."""

LONGEST_TITLE = 200
LONGEST_NUMBER = 100
_LONGEST_NAME = 1024
"""Bytes of a file's name as it was given; file systems allow 255."""
_ID_LENGTH = 13
_ID_BEGINS = "d-"


class DocumentKind(StrEnum):
    """What a written record is for (Art. 10)."""

    ISSUED = "issued document"
    """Given to the party (Art. 11)."""
    INVESTIGATION = "investigation document"
    """Made while investigating and taking evidence (Art. 12)."""
    APPROVAL = "approval document"
    """Of the inside: proposal, review and approval (Art. 13)."""
    HEARING = "hearing document"
    """Of a hearing (Art. 14)."""
    SERVICE = "service document"
    """Proof of service, a postal receipt, a public notice (Art. 15)."""
    EXPLANATION = "written explanation"
    """Why a recording was interrupted (Art. 20)."""
    OTHER = "other document"


STAGE_OF = {
    DocumentKind.INVESTIGATION: Stage.INVESTIGATION,
    DocumentKind.HEARING: Stage.INVESTIGATION,
    DocumentKind.SERVICE: Stage.EXECUTION,
}
"""The stage where the Measures put a kind (Art. 7, 9); of others a person says it, or nobody."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says of a document that they hand in."""

    case: str
    title: str
    kind: DocumentKind
    name: CardPath
    """The file's name, exactly."""
    by: str
    at: datetime
    """When it was handed in."""
    number: str | None = None
    """Document number (文号)."""
    stage: Stage | None = None
    item: str | None = None
    """Item of its stage (Art. 6 to 9)."""


class Clearable(StrEnum):
    """What of a document can be said to be nothing."""

    NUMBER = "number"
    STAGE = "stage"
    ITEM = "item"


@dataclass(frozen=True, slots=True)
class Change:
    """What is right of a document, as somebody says; None leaves it as it is."""

    title: str | None = None
    kind: DocumentKind | None = None
    number: str | None = None
    stage: Stage | None = None
    item: str | None = None
    """Its stage is entered with it."""
    cleared: frozenset[Clearable] = frozenset()
    """What is nothing."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a case, sealed in the evidence store. Times in UTC."""

    id: str
    given: Given
    path: str
    """Below the evidence folder."""
    size: int
    digests: Digests
    sealed_at: datetime
    read_back: str
    """How the copy was read back (`ingest/readback.py`)."""


def document_id(case: str, blake3_hex: str) -> str:
    """Return the id of the content with this BLAKE3 digest in this case."""
    digest = blake3(f"recorder-sync document\0{case}\0{blake3_hex}".encode()).digest()
    return _ID_BEGINS + base64.b32encode(digest).decode().lower()[:_ID_LENGTH]


def is_document(identifier: str) -> bool:
    """Tell whether an id is that of a document; no recording's begins so."""
    return identifier.startswith(_ID_BEGINS)


def document_path(identifier: str, given: Given, zone: tzinfo) -> str:
    """Return where a document is kept, below the evidence folder; `zone` is the station's."""
    local = given.at.astimezone(zone)
    name = f"{local:%Y%m%d-%H%M%S}_{identifier}_{safe_name(given.name)}"
    return f"{FOLDER}/{safe_component(given.case)}/{name}"


def checked(given: Given, items: dict[str, Item]) -> Given:
    """Return what was said without spaces around it, and with the stage that follows from it.

    `items` are those that are known, by id. Raises UsageProblem.
    """
    found = _in_words(given)
    stage, item = _stage(found.kind, found.stage, found.item, items)
    return replace(found, stage=stage, item=item)


def corrected(before: Given, change: Change, items: dict[str, Item]) -> Given:
    """Return what a document is after a correction.

    A stage that followed from what is corrected follows from what is right; another one stays.
    Raises UsageProblem.
    """
    kind, stage, item = change.kind or before.kind, before.stage, before.item
    if change.cleared & {Clearable.ITEM, Clearable.STAGE}:
        item = None
    if Clearable.STAGE in change.cleared:
        stage = None
    is_same = change.item == before.item and change.stage in (None, before.stage)
    if change.item is not None and not is_same:
        stage, item = _stage(kind, change.stage, change.item, items)
    elif change.item is None and change.stage is not None:
        known = items.get(item or "")
        stage, item = change.stage, item if known and known.stage is change.stage else None
    elif kind is not before.kind and item is None and stage is STAGE_OF.get(before.kind):
        stage = STAGE_OF.get(kind)
    number = None if Clearable.NUMBER in change.cleared else change.number or before.number
    title = before.title if change.title is None else change.title
    return _in_words(replace(before, title=title, kind=kind, number=number, stage=stage, item=item))


def _in_words(given: Given) -> Given:
    title, number = given.title.strip(), (given.number or "").strip() or None
    if not title or len(title) > LONGEST_TITLE or not title.isprintable():
        raise UsageProblem(
            T("The title will not do."),
            T("Write one line of at most {count} characters.", count=LONGEST_TITLE),
        )
    if number and (len(number) > LONGEST_NUMBER or not number.isprintable()):
        raise UsageProblem(
            T("The document number will not do."),
            T("Write one line of at most {count} characters.", count=LONGEST_NUMBER),
        )
    if not given.by.strip():
        raise UsageProblem(T("Nobody is named."), T("Say who hands the document in."))
    name = given.name.name
    if not 0 < len(name.raw) <= _LONGEST_NAME or name.raw in (b".", b".."):
        raise UsageProblem(T("The file has no name that can be kept."), T("Give it a short name."))
    return replace(given, title=title, name=name, by=given.by.strip(), number=number)


def _stage(
    kind: DocumentKind, stage: Stage | None, named: str | None, items: dict[str, Item]
) -> tuple[Stage | None, str | None]:
    """Return the stage that is meant, and its item."""
    if named is None:
        return stage or STAGE_OF.get(kind), None
    item = items.get(named)
    if item is None:
        raise UsageProblem(
            T("There is no item {item}.", item=printable(named)),
            T("recorder-sync recordings items lists them."),
        )
    if stage not in (None, item.stage):
        raise UsageProblem(
            T("Item {item} belongs to another stage.", item=item.id),
            T("Name the item alone: its stage is entered with it."),
        )
    return item.stage, item.id
