"""Evidence stores elsewhere: what waits for each, how fast it goes, what failed (Art. 21)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.catalogue import copies
from recorder_sync.catalogue.seen_by import seen_recordings
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.forward import standing as keeping
from recorder_sync.forward.standing import StoreStanding, standings
from recorder_sync.language import T
from recorder_sync.rules.access import Permission
from recorder_sync.rules.forwarding import rate_at
from recorder_sync.stores.bindings import Binding, binding_of
from recorder_sync.stores.store_settings import StoreSettings
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter(prefix="/stores")

Seeing = Annotated[Visit, Depends(visitor(Permission.SEE_STATION), scope="function")]
Keeping = Annotated[
    Visit,
    Depends(visitor(Permission.SEE_STATION, Permission.KEEP_QUEUE), scope="function"),
]

_SEE_OTHER = 303
_FAILURES = 20


@dataclass(frozen=True, slots=True)
class Shown:
    standing: StoreStanding
    settings: StoreSettings
    binding: Binding | None
    last: datetime | None
    """When it last confirmed a recording."""
    seen: frozenset[str]
    """The recordings among its failures that the visitor may see."""


@router.get("")
def stores(request: Request, visit: Seeing) -> Response:
    return page(request, "station/stores.html", _values(visit, None))


@router.get("/now")
def stores_now(request: Request, visit: Seeing) -> Response:
    """Return the part of the page that renews itself."""
    return page(request, "station/stores_now.html", _values(visit, None))


@router.post("/{name}")
def change(
    request: Request,
    visit: Keeping,
    name: str,
    do: Annotated[str, Form()],
    reason: Annotated[str, Form(max_length=2000)] = "",
    recording: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Pause, resume, or have what failed tried again."""
    station = visit.station
    if name not in {one.name for one in visit.settings.stores}:
        raise NotFound(T("The configuration names no store {name}.", name=name))
    try:
        if do == "retry":
            keeping.retry(station, [name], recording or None)
        elif do in ("pause", "resume"):
            if do == "pause" and not reason.strip():
                raise UsageProblem(
                    T("Say why nothing is to be sent."), T("The reason stays on record.")
                )
            change = keeping.pause if do == "pause" else keeping.resume
            change(station, [name], reason.strip() or None)
        else:
            raise UsageProblem(T("Nothing was chosen to do."))
    except UsageProblem as problem:
        return page(request, "station/stores.html", _values(visit, problem), code=400)
    return RedirectResponse("/stores", _SEE_OTHER)


def _values(visit: Visit, problem: UsageProblem | None) -> dict[str, Any]:
    station, settings = visit.station, visit.settings
    db, now = station.catalogue, station.now()
    by_name = {one.name: one for one in settings.stores}
    shown = [
        Shown(
            one,
            by_name[one.name],
            binding_of(settings.paths.state, one.name),
            copies.newest_confirmed(db, one.name),
            seen_recordings(db, [failed.recording for failed in one.failures], visit.account.scope),
        )
        for one in standings(station, failures=_FAILURES)
    ]
    forward = settings.forward
    local = now.astimezone(settings.station.zone)
    return {
        "stores": shown,
        "rate_now": rate_at(
            local, forward.limited_hours, forward.usual_rate, forward.stations_on_line
        ),
        "forward": forward,
        "problem": problem,
        "may_keep": visit.may(Permission.KEEP_QUEUE),
        "may_look": visit.may(Permission.SEE_RECORDINGS),
        "now": now,
    }
