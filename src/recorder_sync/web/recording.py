"""The page of one recording: look at it, see where it comes from, mark and correct it."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from recorder_sync.catalogue import copies, dockings, documents, holds, ledger, trail, verified
from recorder_sync.catalogue.answered import how_they_stand
from recorder_sync.catalogue.around import neighbours, way_of
from recorder_sync.catalogue.cases import seen_case
from recorder_sync.catalogue.marks import bookmarks_of, marks_of
from recorder_sync.catalogue.recordings import Sealed
from recorder_sync.catalogue.seen_by import visible, visible_of
from recorder_sync.custodian.marking import mark, set_bookmark, withdraw_bookmark
from recorder_sync.custody.log import Act, Entry
from recorder_sync.errors import CustodyProblem, NotFound
from recorder_sync.inspection.correction import Correction, correct
from recorder_sync.inspection.one_check import seal_entry
from recorder_sync.media.rendering import played_as, preview_type
from recorder_sync.model import Recording
from recorder_sync.previews.folder import Form as Made
from recorder_sync.previews.folder import State, Wanted
from recorder_sync.rules.access import Permission, Secrecy
from recorder_sync.rules.marks import BookmarkKind, Change, Markable
from recorder_sync.rules.stage import Stage
from recorder_sync.station import open_station
from recorder_sync.web.checks import Checks
from recorder_sync.web.looks import Look, looked_at
from recorder_sync.web.playing import previews_of, wish_for_thumbnails
from recorder_sync.web.rendering import page
from recorder_sync.web.track import NO_TRACK, tracked
from recorder_sync.web.visits import Visit, desks_of, visitor
from recorder_sync.web.way import drawn

router = APIRouter()

Seeing = Annotated[Visit, Depends(visitor(Permission.SEE_RECORDINGS), scope="function")]
Correcting = Annotated[
    Visit,
    Depends(visitor(Permission.SEE_RECORDINGS, Permission.CORRECT), scope="function"),
]
Checking = Annotated[
    Visit, Depends(visitor(Permission.SEE_RECORDINGS, Permission.VERIFY), scope="function")
]

_SHORT = Form(max_length=200)
_LONG = Form(max_length=2000)
_STEPS = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a recording's history."""

    at: datetime
    act: str
    actor: str
    custody_seq: int | None
    facts: dict[str, Any]


@router.get("/recordings/{identifier}")
def recording(request: Request, visit: Seeing, identifier: str) -> Response:
    sealed = visible(visit.station.catalogue, identifier, visit.account.scope)
    found = sealed.recording
    if identifier != found.id:
        return RedirectResponse(f"/recordings/{found.id}", 303)
    looked_at(request, visit, [found.id], Look.DESCRIPTION)
    db = visit.station.catalogue
    case = ledger.case(db, found.tags.case.value) if found.tags.case else None
    stand = how_they_stand(db, [found])[found.id]
    standing = holds.holds_of(db, [found.id]).get(found.id, [])
    values: dict[str, Any] = {
        "one": found,
        "custody_seq": sealed.custody_seq,
        "case": case,
        "marks": marks_of(db, [found.id])[found.id],
        "bookmarks": bookmarks_of(db, [found.id])[found.id],
        "stand": stand,
        "holds": [one for one in standing if one.recording],
        "case_holds": [one for one in standing if one.case],
        "verified_at": verified.last(db, found.id),
        "seen": dockings.other_names(db, found.id),
        "around": neighbours(db, found, visit.settings.watch_limits, visit.account.scope),
        "way": _way(visit, sealed),
        "history": _history(visit, sealed),
        "check": checks_of(request).of(found.id),
        "items": list(visit.settings.marks.known.values()),
        "item_of": visit.settings.marks.known,
        "stages": list(Stage),
        "secrecies": list(Secrecy),
        "bookmark_kinds": list(BookmarkKind),
        "officers": list(ledger.officers(db)) if visit.may(Permission.CORRECT) else [],
        **_documents(visit, found),
        **_shown(request, visit, sealed, is_here=bool(stand["here"])),
    }
    return page(request, "recordings/one.html", values)


def _documents(visit: Visit, found: Recording) -> dict[str, Any]:
    """Return the document that a recording belongs to, and those of its case, where seen."""
    db, scope = visit.station.catalogue, visit.account.scope
    number = found.tags.case.value if found.tags.case else None
    belonging = documents.belonging_of(db, found.id)
    document, of_case = None, []
    if visit.may(Permission.SEE_CASES):
        with suppress(NotFound):  # that of another case may be out of reach
            if belonging is not None:
                document = documents.seen_document(db, belonging.document, scope)
        with suppress(NotFound):
            if number is not None:
                of_case = documents.of_case(db, seen_case(db, number, scope).case.number)
    return {"document": document, "belonging": belonging, "documents": of_case}


def _shown(request: Request, visit: Visit, sealed: Sealed, *, is_here: bool) -> dict[str, Any]:
    """Return how it is shown: itself, by a preview, or not."""
    found, folder = sealed.recording, previews_of(request).folder
    if not is_here or not visit.may(Permission.VIEW_EVIDENCE):
        nothing = {"shown_as": "nothing", "thumbnail": False, "preview": State.NONE, "why": None}
        return {**nothing, **NO_TRACK}
    state = wish_for_thumbnails(request, [found.id])[found.id]
    if state is State.READY:
        looked_at(request, visit, [found.id], Look.THUMBNAIL)
    wanted = Wanted(found.id, Made.PREVIEW)
    preview, why = State.NONE, None
    if played_as(found) is not None:
        shown_as = "itself"
    elif preview_type(found.media.kind) is not None and visit.settings.previews.enabled:
        shown_as, preview = "preview", folder.state(wanted)
        if preview is State.MISSING:
            previews_of(request).wish([wanted])
        why = folder.failure(wanted) if preview is State.NONE else None
    else:
        shown_as = "nothing"
    return {
        "shown_as": shown_as,
        "thumbnail": state is State.READY,
        "preview": preview,
        "why": why,
        **tracked(request, visit, found),
    }


def _way(visit: Visit, sealed: Sealed) -> Any:
    found, zone = sealed.recording, visit.settings.station.zone
    if found.media.position is None:
        return None
    local = found.recorded.start.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    device = found.tags.device.value if found.tags.device else None
    places = way_of(
        visit.station.catalogue,
        device,
        midnight,
        midnight + timedelta(days=1),
        visit.account.scope,
    )
    return drawn(places, found.id, found.media.position)


def _history(visit: Visit, sealed: Sealed) -> list[Step]:
    """Return what happened to a recording, the oldest first; its latest steps where many."""
    found, station = sealed.recording, visit.station
    db = station.catalogue
    steps = [
        Step(one.at, one.act.value, one.actor, one.custody_seq, dict(one.facts))
        for one in trail.steps(db, trail.Wanted(subject=found.id, limit=_STEPS))
    ]
    if found.tags.case:
        steps += hold_steps(visit, found.tags.case.value)
    for copy in copies.confirmed_by(db, found.id).values():
        facts = {"store": copy.store}
        steps.append(Step(copy.confirmed_at, Act.CONFIRMED.value, "", copy.custody_seq, facts))
    if (at := verified.last(db, found.id)) is not None:
        steps.append(Step(at, Act.VERIFICATION.value, "", None, {}))
    seal = _seal(visit, sealed)
    actor = seal.deed.actor if seal else ""
    steps.append(Step(found.sealed_at, Act.SEAL.value, actor, sealed.custody_seq, {}))
    return sorted(steps, key=lambda step: (step.at, step.custody_seq or 0))


def hold_steps(visit: Visit, case: str) -> list[Step]:
    """Return when a whole case was put under legal hold and released, the newest first."""
    acts = frozenset({Act.LEGAL_HOLD, Act.HOLD_RELEASED})
    wanted = trail.Wanted(acts, subject=f"{holds.CASE}{case}", limit=_STEPS)
    return [
        Step(one.at, one.act.value, one.actor, one.custody_seq, {**one.facts, "case": case})
        for one in trail.steps(visit.station.catalogue, wanted)
    ]


def _seal(visit: Visit, sealed: Sealed) -> Entry | None:
    try:
        return seal_entry(visit.station, sealed)
    except CustodyProblem:
        return None  # verification names it; the page is shown all the same


def _seen(visit: Visit, identifier: str) -> Sealed:
    return visible(visit.station.catalogue, identifier, visit.account.scope)


def _back(sealed: Sealed, to: str = "") -> Response:
    return RedirectResponse(f"/recordings/{sealed.recording.id}{to}", 303)


@router.post("/recordings/{identifier}/tags")
def tag(
    visit: Correcting,
    identifier: str,
    reason: Annotated[str, _LONG] = "",
    device: Annotated[str, _SHORT] = "",
    officer: Annotated[str, _SHORT] = "",
    case: Annotated[str, _SHORT] = "",
) -> Response:
    """Correct what is filled in and differs; the rest stays."""
    sealed = _seen(visit, identifier)
    tags = sealed.recording.tags
    given = {
        name: value.strip()
        for name, value, known in (
            ("device", device, tags.device),
            ("officer", officer, tags.officer),
            ("case", case, tags.case),
        )
        if value.strip() and (known is None or known.value != value.strip())
    }
    by = visit.account.name
    correct(visit.station, sealed.recording, Correction(by=by, reason=reason, **given))
    return RedirectResponse(_still_seen(visit, sealed), 303)


def _still_seen(visit: Visit, sealed: Sealed) -> str:
    """Return where to go: a recording may be out of sight by what was corrected."""
    one = sealed.recording.id
    is_seen = visible_of(visit.station.catalogue, [one], visit.account.scope)
    return f"/recordings/{one}" if is_seen else "/recordings"


@router.post("/recordings/{identifier}/marks")
def marks(
    visit: Correcting,
    identifier: str,
    important: Annotated[str, _SHORT] = "",
    notified: Annotated[str, _SHORT] = "",
    notified_second: Annotated[float | None, Form()] = None,
    stage: Annotated[str, _SHORT] = "",
    item: Annotated[str, _SHORT] = "",
    secrecy: Annotated[Secrecy, Form()] = Secrecy.NONE,
    reason: Annotated[str, _LONG] = "",
) -> Response:
    """Mark as the form says; what it leaves empty is taken back where it was marked."""
    sealed = _seen(visit, identifier)
    before = marks_of(visit.station.catalogue, [sealed.recording.id])[sealed.recording.id]
    cleared = set()
    if before.notified and not notified:
        cleared.add(Markable.NOTIFIED)
    if before.stage and not stage and not item:
        cleared.add(Markable.STAGE)
    elif before.item and not item:
        cleared.add(Markable.ITEM)
    same_second = before.notified is not None and before.notified.second == notified_second
    change = Change(
        important={"yes": True, "no": False}.get(important),
        notified=bool(notified) and not same_second,
        notified_second=notified_second if notified else None,
        stage=Stage(stage) if stage in set(Stage) and not item else None,
        item=item or None,
        secrecy=secrecy,
        cleared=frozenset(cleared),
    )
    mark(visit.station, sealed.recording.id, change, visit.account.name, reason)
    return RedirectResponse(_still_seen(visit, sealed), 303)


@router.post("/recordings/{identifier}/bookmarks")
def bookmark(
    visit: Correcting,
    identifier: str,
    second: Annotated[float, Form()],
    kind: Annotated[BookmarkKind, Form()],
    note: Annotated[str, _LONG] = "",
) -> Response:
    sealed = _seen(visit, identifier)
    set_bookmark(visit.station, sealed.recording.id, second, kind, note, visit.account.name)
    return _back(sealed, "#player")


@router.post("/recordings/{identifier}/bookmarks/{number}/withdraw")
def withdraw(
    visit: Correcting,
    identifier: str,
    number: int,
    reason: Annotated[str, _LONG] = "",
) -> Response:
    sealed = _seen(visit, identifier)
    withdraw_bookmark(visit.station, sealed.recording.id, number, visit.account.name, reason)
    return _back(sealed, "#player")


def checks_of(request: Request) -> Checks:
    found = request.app.state.checks
    assert isinstance(found, Checks)
    return found


@router.post("/recordings/{identifier}/check")
def check(request: Request, visit: Checking, identifier: str) -> Response:
    """Begin to re-read it; the page shows how far that is."""
    sealed = _seen(visit, identifier)
    settings, actor = desks_of(request).settings(), visit.account.actor
    checks_of(request).begin(
        sealed.recording.id,
        sealed.recording.size,
        lambda: replace(open_station(settings, writes_evidence=False), actor=actor),
    )
    return _back(sealed, "#digests")


@router.get("/recordings/{identifier}/check")
def checking(request: Request, visit: Seeing, identifier: str) -> JSONResponse:
    sealed = _seen(visit, identifier)
    now = checks_of(request).of(sealed.recording.id)
    if now is None:
        return JSONResponse({"state": "none"})
    return JSONResponse(
        {
            "state": "over" if now.is_over else "under way",
            "share": round(min(1.0, now.done / now.size), 3) if now.size else None,
        }
    )
