"""Documents of a case: handed in, handed out, and named by the recordings that belong to them.

What is handed in waits in the tray until the process that may write evidence has sealed it,
which takes a moment. What is handed out is never shown as a page, whatever it is: a browser is
offered to keep it. That somebody looks at it is on record before the first byte.
"""

import asyncio
import hmac
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from io import FileIO
from typing import Annotated
from urllib.parse import quote, urlencode

from blake3 import blake3
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from recorder_sync.catalogue import documents
from recorder_sync.catalogue.cases import seen_case
from recorder_sync.catalogue.copies import confirmed_by
from recorder_sync.catalogue.document_corrections import corrections_of
from recorder_sync.catalogue.documents import SealedDocument
from recorder_sync.catalogue.seen_by import visible
from recorder_sync.custodian.documents import (
    belongs_to,
    checked_here,
    correct_document,
    too_large,
)
from recorder_sync.document_json import corrected_in_words
from recorder_sync.errors import MissingPart, RecordingFailure, UsageProblem
from recorder_sync.ingest.tray import HandedIn, Tray
from recorder_sync.language import T
from recorder_sync.model import CardPath
from recorder_sync.rules.access import Permission
from recorder_sync.rules.document_types import HEAD
from recorder_sync.rules.documents import Change, Clearable, Document, DocumentKind, Given
from recorder_sync.rules.stage import Stage
from recorder_sync.web.looks import Look, looked_at
from recorder_sync.web.safeguards import UPLOAD
from recorder_sync.web.uploads import Fields, TooLarge, Upload
from recorder_sync.web.visits import (
    FORM_TOKEN,
    FormRefused,
    NotAllowed,
    Visit,
    desks_of,
    session_in,
    visitor,
)

router = APIRouter()
uploading = APIRouter()
"""What checks its form by itself, while it is received."""

Seeing = Annotated[Visit, Depends(visitor(Permission.SEE_CASES), scope="function")]
Taking = Annotated[
    Visit,
    Depends(visitor(Permission.SEE_CASES, Permission.VIEW_EVIDENCE), scope="function"),
]
Correcting = Annotated[
    Visit,
    Depends(
        visitor(Permission.SEE_RECORDINGS, Permission.SEE_CASES, Permission.CORRECT),
        scope="function",
    ),
]

CorrectingDocuments = Annotated[
    Visit,
    Depends(
        visitor(Permission.SEE_CASES, Permission.HAND_IN_DOCUMENTS, Permission.CORRECT),
        scope="function",
    ),
]

_SEE_OTHER = 303
_CHUNK = 1 << 18
_WAITS_S = 3.0
"""Seconds that a page waits for what was handed in to be sealed."""
_LOOKS_S = 0.1
_AT_ONCE = 4
"""Documents that are received at the same time."""
_PASSED_OVER = 64 << 20
"""Bytes of a file that is too large which are read, so that the browser hears the answer."""
_NEVER_A_PAGE = {
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class StageDocuments:
    """The documents of one stage of a case; None: those that nobody gave a stage."""

    stage: Stage | None
    sealed: list[SealedDocument]
    waiting: list[HandedIn]


@dataclass(frozen=True, slots=True)
class Correction:
    """What was corrected of a document, for the page. Times in UTC."""

    custody_seq: int
    at: datetime
    by: str
    reason: str
    changes: list[str]


@dataclass(frozen=True, slots=True)
class Later:
    """What became of a document since it was sealed."""

    corrections: list[Correction]
    """The oldest first."""
    stores: list[str]
    """Those that have confirmed it."""


def later_of(visit: Visit, one: SealedDocument) -> Later:
    db, corrected = visit.station.catalogue, []
    if one.corrected_seq is not None:
        corrected = corrections_of(db, [one.id])[one.id]
    return Later(
        [
            Correction(
                each.custody_seq,
                each.at,
                each.facts["by"],
                each.facts["reason"],
                list(corrected_in_words(each.facts)),
            )
            for each in corrected
        ],
        list(confirmed_by(db, one.id)),
    )


def documents_of_case(visit: Visit, number: str) -> list[StageDocuments]:
    """Return the documents of a case by stage, with those that wait to be sealed."""
    sealed = documents.of_case(visit.station.catalogue, number)
    known = {one.id for one in sealed}
    waiting = [
        one
        for one in Tray(visit.settings.paths.state).waiting()
        if one.given.case == number and one.id not in known
    ]
    found = []
    for stage in (*Stage, None):
        of_stage = [one for one in sealed if one.document.given.stage is stage]
        to_come = [one for one in waiting if one.given.stage is stage]
        if of_stage or to_come:
            found.append(StageDocuments(stage, of_stage, to_come))
    return found


def receiving_at_once() -> asyncio.Semaphore:
    return asyncio.Semaphore(_AT_ONCE)


@dataclass(frozen=True, slots=True)
class _Session:
    csrf: str
    actor: str


@uploading.post(UPLOAD)
async def hand_in(request: Request) -> Response:
    """Receive a document of a case, straight onto the disk."""
    session = await run_in_threadpool(_session, request)
    settings = desks_of(request).settings()
    largest = settings.documents.largest_mib << 20

    async def check(fields: Fields) -> None:
        if not hmac.compare_digest(session.csrf.encode(), fields.get(FORM_TOKEN, "").encode()):
            raise FormRefused
        await run_in_threadpool(_check_case, request, fields.get("case", ""))

    at_once: asyncio.Semaphore = request.app.state.receiving
    if at_once.locked():
        raise MissingPart(
            T("Several documents are being received just now."), T("Send it again in a moment.")
        )
    async with at_once:
        with ExitStack() as stack:
            upload = Upload(
                Tray(settings.paths.state),
                stack,
                request,
                largest,
                settings.ingest.reserve_mib << 20,
                check,
            )
            try:
                await upload.receive()
            except TooLarge:
                await upload.pass_over(_PASSED_OVER)
                raise too_large(settings.documents.largest_mib) from None
            except ClientDisconnect:  # nobody hears the answer, and nothing is kept
                return Response(status_code=400)
            handed_in, is_known = await run_in_threadpool(_handed_in, request, upload)
    if not is_known:
        await _sealed_soon(request, handed_in)
    number = quote(handed_in.given.case)
    query = urlencode({"document": handed_in.id, **({"known": "yes"} if is_known else {})})
    return RedirectResponse(f"/cases/{number}?{query}#documents", _SEE_OTHER)


def _session(request: Request) -> _Session:
    """Return the session of who hands something in. Raises FormRefused or NotAllowed."""
    with desks_of(request).lent() as desk:
        session = session_in(request, desk)
    if session is None:
        raise FormRefused
    request.state.account, request.state.csrf = session.account, session.csrf
    needed = (Permission.SEE_CASES, Permission.HAND_IN_DOCUMENTS)
    if not all(session.account.may(one) for one in needed):
        raise NotAllowed
    return _Session(session.csrf, session.account.actor)


def _check_case(request: Request, number: str) -> None:
    with desks_of(request).lent() as desk:
        seen_case(desk.station.catalogue, number, request.state.account.scope)


def _handed_in(request: Request, upload: Upload) -> tuple[HandedIn, bool]:
    """Put what was received into the tray; tell whether the case has it already."""
    received, fields, account = upload.received, upload.fields, request.state.account
    assert received is not None
    assert upload.name is not None
    with desks_of(request).lent() as lent:
        station = lent.of(account.actor).station
        item, stage = fields.get("item"), fields.get("stage")
        given = Given(
            case=fields.get("case", ""),
            title=fields.get("title", ""),
            kind=_kind(fields.get("kind", "")),
            name=CardPath(upload.name),
            by=account.name,
            at=station.now(),
            number=fields.get("number"),
            stage=Stage(stage) if stage in set(Stage) and not item else None,
            item=item or None,
        )
        given = checked_here(station, given, received.head(HEAD), received.size)
        handed_in = received.as_handed_in(given, account.actor)
        if documents.find(station.catalogue, handed_in.id) is not None:
            return handed_in, True
        return received.complete(given, account.actor), False


def _kind(text: str) -> DocumentKind:
    if text not in set(DocumentKind):
        raise UsageProblem(T("Nobody said what the document is for."), T("Choose a kind."))
    return DocumentKind(text)


async def _sealed_soon(request: Request, handed_in: HandedIn) -> None:
    """Wait a moment for it to be sealed; the page says so where it is not yet."""

    def is_sealed() -> bool:
        with desks_of(request).lent() as desk:
            return documents.find(desk.station.catalogue, handed_in.id) is not None

    until = time.monotonic() + _WAITS_S
    while time.monotonic() < until and not await run_in_threadpool(is_sealed):
        await asyncio.sleep(_LOOKS_S)


@router.get("/documents/{identifier}")
def document(visit: Seeing, identifier: str) -> Response:
    """Lead to where a document stands on the page of its case."""
    found = documents.seen_document(visit.station.catalogue, identifier, visit.account.scope)
    return RedirectResponse(f"/cases/{quote(found.document.given.case)}#{found.id}", _SEE_OTHER)


@router.get("/documents/{identifier}/file")
def file(request: Request, visit: Taking, identifier: str) -> Response:
    """Send the sealed file to be kept; it is compared with its seal while it is sent."""
    found = documents.seen_document(visit.station.catalogue, identifier, visit.account.scope)
    source = os.fdopen(visit.station.evidence.opened(found.path), "rb", buffering=0)
    try:
        looked_at(request, visit, [found.id], Look.DOCUMENT)
    except BaseException:
        source.close()
        raise
    name = found.path.rpartition("/")[2]
    return StreamingResponse(
        _pieces(source, found.document),
        media_type="application/octet-stream",
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "content-length": str(found.document.size),
            **_NEVER_A_PAGE,
        },
    )


def _pieces(source: FileIO, document: Document) -> Iterator[bytes]:
    """Yield the file; the last piece only where all of it is what was sealed."""
    digest, held = blake3(), b""
    with source:
        while data := source.read(_CHUNK):
            if held:
                yield held
            digest.update(data)
            held = data
    if digest.hexdigest() != document.digests.blake3:
        raise RecordingFailure(
            T("{path} is not what was sealed.", path=document.path),
            T("Do not use this copy. Run: recorder-sync verify --all, and tell the custodian."),
        )
    yield held


@router.post("/documents/{identifier}/correction")
def correct(
    visit: CorrectingDocuments,
    identifier: str,
    title: Annotated[str, Form(max_length=1000)] = "",
    kind: Annotated[str, Form(max_length=100)] = "",
    number: Annotated[str, Form(max_length=1000)] = "",
    stage: Annotated[str, Form(max_length=100)] = "",
    item: Annotated[str, Form(max_length=100)] = "",
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Enter what is right of a document: all of it, as the form shows it."""
    found = documents.seen_document(visit.station.catalogue, identifier, visit.account.scope)
    is_stage = stage in set(Stage) and not item
    said = {
        Clearable.NUMBER: number.strip(),
        Clearable.STAGE: is_stage or item,
        Clearable.ITEM: item,
    }
    change = Change(
        title=title,
        kind=_kind(kind),
        number=number.strip() or None,
        stage=Stage(stage) if is_stage else None,
        item=item or None,
        cleared=frozenset(one for one, value in said.items() if not value),
    )
    correct_document(visit.station, found.id, change, visit.account.name, reason)
    return RedirectResponse(f"/cases/{quote(found.document.given.case)}#{found.id}", _SEE_OTHER)


@router.post("/recordings/{identifier}/document")
def name_document(
    visit: Correcting, identifier: str, document: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """Enter which document of its case a recording belongs to; an empty choice: none."""
    db, scope = visit.station.catalogue, visit.account.scope
    sealed = visible(db, identifier, scope)
    if document:
        documents.seen_document(db, document, scope)
    belongs_to(visit.station, sealed.recording.id, document or None, visit.account.name)
    return RedirectResponse(f"/recordings/{sealed.recording.id}", _SEE_OTHER)
