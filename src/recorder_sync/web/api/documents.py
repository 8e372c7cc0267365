"""Documents of cases by the API: the office's case system hands in what it made (Art. 10 to 15).

The body of the request is the file itself, received straight onto the disk; what is said of it
stands in the address. Its id names content and case, so the same file again is the same
document, whether the request carries an idempotency key or not.
"""

import asyncio
from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from recorder_sync.catalogue import documents
from recorder_sync.catalogue.document_corrections import documents_json
from recorder_sync.custodian.documents import checked_here, too_large
from recorder_sync.custodian.documents import correct_document as correct
from recorder_sync.errors import MissingPart, NotFound, UsageProblem
from recorder_sync.ingest.tray import Receiving, Tray
from recorder_sync.language import T
from recorder_sync.model import CardPath
from recorder_sync.rules.access import ApiScope
from recorder_sync.rules.document_types import HEAD
from recorder_sync.rules.documents import DocumentKind, Given
from recorder_sync.rules.stage import Stage
from recorder_sync.web.api.callers import Caller, caller
from recorder_sync.web.api.cases import known_case
from recorder_sync.web.api.forms import (
    CorrectedDocument,
    DocumentCorrection,
    DocumentForm,
    DocumentsForm,
    HandedInForm,
    NewDocument,
)
from recorder_sync.web.api.once import Key, once

router = APIRouter(tags=["cases"])

_Reader = Annotated[Caller, Depends(caller(ApiScope.CASES_READ), scope="function")]
_Writer = Annotated[Caller, Depends(caller(ApiScope.CASES_WRITE), scope="function")]
_Number = Annotated[str, Query(max_length=200, description="Number of the case.")]
_Id = Annotated[str, Path(max_length=100)]
_Text = Annotated[str | None, Query(max_length=200)]

_SILENT_S = 60.0
_AT_ONCE = asyncio.Semaphore(4)
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/cases/documents", response_model=DocumentsForm)
def list_documents(who: _Reader, number: _Number) -> dict[str, Any]:
    """The sealed documents of a case, in the order in which they were handed in."""
    db = who.station.catalogue
    found = documents.of_case(db, known_case(who, number).number)
    return {"documents": documents_json(db, found)}


@router.post("/cases/documents/{document}/correct", response_model=DocumentForm)
def correct_document(
    who: _Writer, document: _Id, correction: DocumentCorrection, key: Key = None
) -> Response:
    """Correct what was said of a document; its file and its description stay as sealed."""
    db = who.station.catalogue
    known = documents.document(db, document)
    try:
        known_case(who, known.document.given.case)
    except NotFound:
        raise documents.no_such_document(document) from None

    def do() -> DocumentForm:
        by = correction.by or who.token.name
        done = correct(who.station, known.id, correction.change, by, correction.reason)
        (listed,) = documents_json(db, [done])
        return DocumentForm(**listed)

    said = correction.model_dump(mode="json", exclude_unset=True)
    return once(who, key, CorrectedDocument(document=known.id, said=said), do)


@router.post("/cases/documents", status_code=202, response_model=HandedInForm, openapi_extra=_BODY)
async def hand_in_document(
    request: Request,
    who: _Writer,
    number: _Number,
    title: Annotated[str, Query(min_length=1, max_length=200)],
    kind: DocumentKind,
    name: Annotated[str, Query(min_length=1, max_length=200, description="Name of the file.")],
    document_number: _Text = None,
    stage: Stage | None = None,
    item: _Text = None,
    by: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Who hands it in.")
    ] = None,
    key: Key = None,
) -> Response:
    """Hand in a document; it is sealed within moments, and listed then."""
    given = Given(
        case=number,
        title=title,
        kind=kind,
        name=CardPath(name.encode()),
        by=by or who.token.name,
        at=who.station.now(),
        number=document_number,
        stage=stage,
        item=item,
    )
    await run_in_threadpool(known_case, who, number)
    if _AT_ONCE.locked():
        raise MissingPart(
            T("Several documents are being received just now."), T("Send it again in a moment.")
        )
    settings = who.station.settings
    async with _AT_ONCE:
        with ExitStack() as stack:
            length = request.headers.get("content-length", "")
            holding = Tray(settings.paths.state).receiving(
                min(int(length) if length.isdigit() else 0, settings.documents.largest_mib << 20),
                settings.ingest.reserve_mib << 20,
            )
            received = await run_in_threadpool(stack.enter_context, holding)
            await _receive(request, received, settings.documents.largest_mib)
            return await run_in_threadpool(_handed_in, who, given, received, key)


async def _receive(request: Request, received: Receiving, largest_mib: int) -> None:
    stream = request.stream().__aiter__()
    try:
        while True:
            async with asyncio.timeout(_SILENT_S):
                data = await anext(stream)
            if received.size + len(data) > largest_mib << 20:
                raise too_large(largest_mib)
            if data:
                await run_in_threadpool(received.write, data)
    except StopAsyncIteration:
        return
    except (TimeoutError, ClientDisconnect):
        raise UsageProblem(
            T("The file did not arrive as a whole."), T("Send it once more.")
        ) from None


def _handed_in(who: Caller, given: Given, received: Receiving, key: str | None) -> Response:
    given = checked_here(who.station, given, received.head(HEAD), received.size)
    actor = who.station.actor
    handed_in = received.as_handed_in(given, actor)

    def do() -> HandedInForm:
        is_sealed = documents.find(who.station.catalogue, handed_in.id) is not None
        if not is_sealed:
            received.complete(given, actor)
        return HandedInForm(id=handed_in.id, case=given.case, is_sealed=is_sealed)

    asked = NewDocument(
        case=given.case,
        title=given.title,
        kind=given.kind.value,
        number=given.number,
        stage=given.stage.value if given.stage else None,
        item=given.item,
        name=given.name.text,
        blake3=handed_in.blake3,
    )
    return once(who, key, asked, do, 202)
