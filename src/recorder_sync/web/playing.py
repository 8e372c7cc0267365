"""What is looked at and listened to: sealed files by ranges, thumbnails and previews.

The type of what is sent is never that of the file's name: a page on a card in the place of a
picture is offered to be kept, and no browser shows it as a page.
"""

import os
from collections.abc import Iterator
from io import FileIO
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from recorder_sync.catalogue.seen_by import visible, visible_of
from recorder_sync.errors import NotFound
from recorder_sync.language import T
from recorder_sync.media.rendering import played_as, preview_type
from recorder_sync.model import Recording
from recorder_sync.previews.folder import Form, State, Wanted
from recorder_sync.previews.maker import PreviewMaker
from recorder_sync.rules.access import Permission
from recorder_sync.rules.byte_range import Bytes, NotWithin, asked_for
from recorder_sync.web.looks import Look, looked_at
from recorder_sync.web.visits import Visit, desks_of, visitor

router = APIRouter()

Looking = Annotated[
    Visit,
    Depends(visitor(Permission.SEE_RECORDINGS, Permission.VIEW_EVIDENCE), scope="function"),
]

_CHUNK = 1 << 18
_MOST_ASKED = 100
_NEVER_A_PAGE = {
    "content-security-policy": "default-src 'none'; media-src 'self'; sandbox",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "accept-ranges": "bytes",
}


def previews_of(request: Request) -> PreviewMaker:
    found = request.app.state.previews
    assert isinstance(found, PreviewMaker)
    return found


@router.api_route("/recordings/{identifier}/media", methods=["GET", "HEAD"])
def media(request: Request, visit: Looking, identifier: str) -> Response:
    """Send the sealed file itself, or the piece of it that is asked for."""
    found = visible(visit.station.catalogue, identifier, visit.account.scope).recording
    kind = played_as(found)
    headers = {
        **_NEVER_A_PAGE,
        "content-disposition": _disposition("inline" if kind else "attachment", found),
        "content-type": kind or "application/octet-stream",
    }
    handle = visit.station.evidence.opened(found.path)
    return _sent(
        request, visit, handle, f'"{found.digests.blake3}"', headers, found, Look.RECORDING
    )


@router.api_route("/recordings/{identifier}/preview", methods=["GET", "HEAD"])
def preview(request: Request, visit: Looking, identifier: str) -> Response:
    """Send the preview; it is marked as one by its address, its name and the page around it."""
    found = visible(visit.station.catalogue, identifier, visit.account.scope).recording
    handle = previews_of(request).folder.opened(Wanted(found.id, Form.PREVIEW))
    if handle is None:
        raise NotFound(T("There is no preview of this recording yet."), None)
    headers = {
        **_NEVER_A_PAGE,
        "content-disposition": f'inline; filename="preview-{found.id}"',
        "content-type": preview_type(found.media.kind) or "application/octet-stream",
    }
    return _sent(request, visit, handle, f'"preview-{found.id}"', headers, found, Look.PREVIEW)


@router.get("/recordings/{identifier}/thumbnail")
def thumbnail(request: Request, visit: Looking, identifier: str) -> Response:
    found = visible(visit.station.catalogue, identifier, visit.account.scope).recording
    handle = previews_of(request).folder.opened(Wanted(found.id, Form.THUMBNAIL))
    if handle is None:
        raise NotFound(T("There is no picture of this recording yet."), None)
    with os.fdopen(handle, "rb") as file:
        content = file.read()
    looked_at(request, visit, [found.id], Look.THUMBNAIL)
    kind = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
    headers = {**_NEVER_A_PAGE, "cache-control": "private, max-age=600"}
    return Response(content, media_type=kind, headers=headers)


@router.get("/recordings-being-made")
def being_made(
    request: Request,
    visit: Looking,
    thumbnails: Annotated[list[str] | None, Query()] = None,
    preview: Annotated[str | None, Query()] = None,
    track: Annotated[str | None, Query()] = None,
) -> JSONResponse:
    """Say which pictures are ready, for pages that wait for them."""
    maker = previews_of(request)
    db, scope = visit.station.catalogue, visit.account.scope
    asked = (thumbnails or [])[:_MOST_ASKED]
    seen = visible_of(db, asked, scope) if asked else []
    answer: dict[str, object] = {
        "thumbnails": {one: maker.folder.state(Wanted(one, Form.THUMBNAIL)).value for one in seen}
    }
    if preview and visible_of(db, [preview], scope):
        wanted = Wanted(preview, Form.PREVIEW)
        now = maker.progress(wanted)
        share = now.done_s / now.of_s if now and now.of_s else None
        answer["preview"] = {
            "state": maker.folder.state(wanted).value,
            "share": None if share is None else round(min(share, 1.0), 3),
            "under_way": now is not None,
        }
    if track and visible_of(db, [track], scope):
        answer["track"] = maker.folder.state(Wanted(track, Form.TRACK)).value
    return JSONResponse(answer)


def wish_for_thumbnails(request: Request, recordings: list[str]) -> dict[str, State]:
    """Return how far their thumbnails are, and have those made that are missing."""
    maker = previews_of(request)
    folder = maker.folder
    states = {one: folder.state(Wanted(one, Form.THUMBNAIL)) for one in recordings}
    if not desks_of(request).settings().previews.enabled:
        return {one: State.READY if s is State.READY else State.NONE for one, s in states.items()}
    maker.wish([Wanted(one, Form.THUMBNAIL) for one in recordings if states[one] is State.MISSING])
    return states


def _sent(
    request: Request,
    visit: Visit,
    handle: int,
    etag: str,
    headers: dict[str, str],
    found: Recording,
    what: Look,
) -> Response:
    """Answer with an open file, which is closed at the end; on record before the first byte."""
    try:
        size = os.fstat(handle).st_size
        headers = {**headers, "etag": etag}
        if etag in request.headers.get("if-none-match", ""):
            os.close(handle)
            return Response(status_code=304, headers=headers)
        try:
            part = asked_for(
                request.headers.get("range"), request.headers.get("if-range"), etag, size
            )
        except NotWithin:
            os.close(handle)
            return Response(
                status_code=416, headers={**headers, "content-range": f"bytes */{size}"}
            )
        if request.method == "HEAD":
            os.close(handle)
            return Response(headers={**headers, "content-length": str(size)})
        looked_at(request, visit, [found.id], what)
        whole = Bytes(0, size - 1)
        chosen = part or whole
        headers["content-length"] = str(chosen.length)
        if part is not None:
            headers["content-range"] = f"bytes {part.first}-{part.last}/{size}"
    except BaseException:
        os.close(handle)
        raise
    file = os.fdopen(handle, "rb", buffering=0)  # closed with the answer, begun or not
    return StreamingResponse(_pieces(file, chosen), 200 if part is None else 206, headers=headers)


def _pieces(file: FileIO, part: Bytes) -> Iterator[bytes]:
    with file:
        file.seek(part.first)
        left = part.length
        while left > 0 and (data := file.read(min(_CHUNK, left))):
            left -= len(data)
            yield data


def _disposition(how: str, found: Recording) -> str:
    """Return how a browser names the file when it is kept (RFC 6266)."""
    return f"{how}; filename*=UTF-8''{quote(found.path.rpartition('/')[2], safe='')}"
