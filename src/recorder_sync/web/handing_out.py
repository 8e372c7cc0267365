"""Recordings handed out: a checkable copy as one archive, or a preview with a mark in it.

Both are on record before the first byte, and taken back on record where they were broken off.
"""

import json
import os
from collections.abc import Generator
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from recorder_sync.catalogue.recordings import Sealed
from recorder_sync.catalogue.seen_by import visible
from recorder_sync.custody.checkpoints import Signed
from recorder_sync.custody.log import Act
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.inspection.handing_out import (
    HandedOut,
    archive,
    put_on_record,
    take_back,
)
from recorder_sync.inspection.sealing_proof import proof_on_record
from recorder_sync.language import T
from recorder_sync.media.rendering import preview, preview_type, render
from recorder_sync.model import Kind, Recording
from recorder_sync.on_record import put
from recorder_sync.previews.folder import Form as Made
from recorder_sync.previews.folder import Wanted
from recorder_sync.previews.maker import PreviewMaker
from recorder_sync.rules.access import Permission
from recorder_sync.shown import local
from recorder_sync.station import Station
from recorder_sync.web.broken_off import Answer
from recorder_sync.web.desks import Desks
from recorder_sync.web.playing import previews_of
from recorder_sync.web.visits import Visit, desks_of, visitor
from recorder_sync.witnessing.making import checkpoints_of, make_checkpoint

router = APIRouter()

Handing = Annotated[
    Visit,
    Depends(
        visitor(Permission.SEE_RECORDINGS, Permission.VIEW_EVIDENCE, Permission.EXPORT),
        scope="function",
    ),
]
_MOST = 50
_NEVER_A_PAGE = {"content-security-policy": "default-src 'none'; sandbox"}


@router.post("/recordings-copy")
def copy(
    request: Request,
    visit: Handing,
    ids: Annotated[list[str], Form()] = [],  # noqa: B006
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Send a checkable copy of one or more recordings."""
    if not ids:
        raise UsageProblem(T("No recording is chosen."), T("Go back, and tick those to copy."))
    if not reason.strip():
        raise UsageProblem(T("A copy needs a reason."), T("Say what it is for."))
    if len(ids) > _MOST:
        raise UsageProblem(
            T("Too many recordings for one copy."), T("Choose at most {count}.", count=_MOST)
        )
    db, scope = visit.station.catalogue, visit.account.scope
    wanted = list({s.recording.id: s for s in (visible(db, one, scope) for one in ids)}.values())
    made = put_on_record(
        visit.station, wanted, to="browser", by=visit.account.name, reason=reason.strip()
    )
    at = visit.station.now().astimezone(visit.settings.station.zone)
    name = f"recordings-{visit.settings.station.id}-{at:%Y%m%d-%H%M%S}.zip"
    desks, actor = desks_of(request), visit.account.actor
    return Answer(
        _archive(desks, actor, wanted),
        lambda why: _take_back(desks, actor, made, why),
        "application/zip",
        {"content-disposition": f'attachment; filename="{name}"', **_NEVER_A_PAGE},
    )


def _archive(desks: Desks, actor: str, wanted: list[Sealed]) -> Generator[bytes]:
    with desks.lent() as desk:
        station = desk.of(actor).station
        yield from archive(station, wanted, _Proofs(station), station.now())


def _take_back(desks: Desks, actor: str, made: HandedOut, why: str) -> None:
    with desks.lent() as desk:
        take_back(desk.of(actor).station, made, why)


class _Proofs:
    """Makes proofs that are all under one checkpoint, signed when the first is asked for."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._checkpoints = checkpoints_of(station.settings)
        self._signed: Signed | None = None

    def __call__(self, sealed: Sealed) -> str:
        if self._signed is None:
            self._signed = make_checkpoint(self._station.settings, self._checkpoints).signed
        signed = self._signed
        proof = proof_on_record(self._station, self._checkpoints, sealed, lambda: signed)
        return json.dumps(proof, ensure_ascii=False, indent=2) + "\n"


@router.post("/recordings/{identifier}/marked-preview")
def marked_preview(
    request: Request,
    visit: Handing,
    identifier: str,
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Send a preview in whose picture, or title, stands who had it made, and when.

    It is made meanwhile.
    """
    if not reason.strip():
        raise UsageProblem(T("A copy needs a reason."), T("Say what it is for."))
    station = visit.station
    found = visible(station.catalogue, identifier, visit.account.scope).recording
    kind = preview_type(found.media.kind)
    if kind is None:
        raise NotFound(T("There is no preview of this recording."), None)
    facts: dict[str, object] = {
        "what": "preview",
        "to": "browser",
        "by": visit.account.name,
        "reason": reason.strip(),
    }
    (entry,) = put(station, [station.deed(Act.EXPORT, found.id, facts)])
    at = local(station.now(), visit.settings.station.zone)
    text = T(
        "PREVIEW, not evidence · {account} · {time} · {id}",
        account=visit.account.name,
        time=at,
        id=found.id,
    ).shown
    made = HandedOut({found.id: entry.seq}, facts)
    ending = {"image/jpeg": "jpg", "audio/mp4": "m4a"}.get(kind, "mp4")
    desks, actor = desks_of(request), visit.account.actor
    return Answer(
        _preview(desks, previews_of(request), found, text),
        lambda why: _take_back(desks, actor, made, why),
        kind,
        {
            "content-disposition": f'attachment; filename="preview-{found.id}.{ending}"',
            **_NEVER_A_PAGE,
        },
    )


def _preview(desks: Desks, maker: PreviewMaker, found: Recording, text: str) -> Generator[bytes]:
    with maker.alone(), desks.lent() as desk:
        settings = desk.station.settings.previews
        work = preview(found.media.kind, settings, marked=True)
        assert work is not None
        source = None
        if found.media.kind is Kind.PHOTO:  # ffmpeg reads no HEIC; its preview is a JPEG
            source = maker.folder.opened(Wanted(found.id, Made.PREVIEW))
        if source is None:
            source = desk.station.evidence.opened(found.path)
        try:
            yield from render(source, work, settings.memory_limit_mib, text=text)
        finally:
            os.close(source)
