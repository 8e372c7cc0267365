"""The track within a film, on its page: drawn where it is made, and made where it is not."""

from typing import Any

from fastapi import APIRouter, Request, Response

from recorder_sync.catalogue.seen_by import visible
from recorder_sync.errors import NotFound
from recorder_sync.language import T
from recorder_sync.model import Kind, Recording
from recorder_sync.previews.folder import Form, State, Wanted
from recorder_sync.previews.track import track_of
from recorder_sync.web.looks import Look, looked_at
from recorder_sync.web.playing import Looking, previews_of
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit
from recorder_sync.web.way import track_drawn

router = APIRouter()

NO_TRACK: dict[str, Any] = {"track": None, "track_state": State.NONE.value}


def tracked(request: Request, visit: Visit, found: Recording) -> dict[str, Any]:
    """Return what the page shows of a recording that may be looked at; it is put on record."""
    if found.media.kind is not Kind.VIDEO or not visit.settings.previews.enabled:
        return NO_TRACK
    maker, wanted = previews_of(request), Wanted(found.id, Form.TRACK)
    track = track_of(maker.folder, found.id)
    if track is not None:
        looked_at(request, visit, [found.id], Look.TRACK)
        return {"track": track_drawn(track), "track_state": State.READY.value}
    state = maker.folder.state(wanted)
    if state is State.MISSING:
        maker.wish([wanted])
    return {"track": None, "track_state": state.value}


@router.get("/recordings/{identifier}/track")
def piece(request: Request, visit: Looking, identifier: str) -> Response:
    """The track as a piece of the page, for one that waited for it."""
    found = visible(visit.station.catalogue, identifier, visit.account.scope).recording
    track = track_of(previews_of(request).folder, found.id)
    if track is None:
        raise NotFound(T("There is no track of this recording yet."), None)
    looked_at(request, visit, [found.id], Look.TRACK)
    return page(request, "recordings/track.html", {"track": track_drawn(track)})
