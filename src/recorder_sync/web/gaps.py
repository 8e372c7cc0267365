"""Gaps: interruptions within an action, and how each is explained (Art. 20)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.catalogue import gap_explanations, ledger
from recorder_sync.catalogue.alert_search import names_of
from recorder_sync.catalogue.seen_by import seen_recordings, sees_every_recording, visible
from recorder_sync.custodian.interruptions import (
    Interruption,
    explain_by_voice,
    explain_in_writing,
    interruption,
)
from recorder_sync.custodian.kept_gaps import KeptGaps, gaps_ending_in
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T, tr
from recorder_sync.rules.access import Permission
from recorder_sync.web.drawing import Line, Stretch, around, line
from recorder_sync.web.forms import seconds_of
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter(prefix="/gaps")

Seeing = Annotated[Visit, Depends(visitor(Permission.SEE_CASES), scope="function")]
Explaining = Annotated[
    Visit,
    Depends(visitor(Permission.SEE_CASES, Permission.KEEP_CASES), scope="function"),
]

_SEE_OTHER = 303
_WEEK = timedelta(days=7)
_SHOWN = 100


@router.get("")
def gaps(
    request: Request,
    visit: Seeing,
    until: Annotated[date | None, Query()] = None,
    device: Annotated[str, Query(max_length=100)] = "",
    everything: Annotated[bool, Query(alias="all")] = False,
    skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """List a week's gaps: the seven days up to and with a day."""
    station, zone = visit.station, visit.settings.station.zone
    today = station.now().astimezone(zone).date()
    last = min(until or today, today)
    begins, ends = (
        _midnight(visit, last - _WEEK + timedelta(days=1)),
        _midnight(visit, last + timedelta(days=1)),
    )
    if wanted := device.strip():
        found = gaps_ending_in(station, wanted, begins, ends)
    else:
        kept: KeptGaps = request.app.state.gaps
        found = kept.ending_in(station, begins, ends)
    if not sees_every_recording(scope := visit.account.scope):
        seen = seen_recordings(station.catalogue, [one.after for one in found], scope)
        found = [one for one in found if one.after in seen]
    shown = [one for one in found if everything or not one.is_explained]
    shown.sort(key=lambda one: (one.begins, one.device), reverse=True)
    listed = shown[skip : skip + _SHOWN]
    return page(
        request,
        "duties/gaps.html",
        {
            "shown": listed,
            "skip": skip,
            "next": skip + _SHOWN if len(shown) > skip + _SHOWN else None,
            "open": sum(not one.is_explained for one in found),
            "explained": sum(one.is_explained for one in found),
            "begins": last - _WEEK + timedelta(days=1),
            "last": last,
            "earlier": last - _WEEK,
            "later": last + _WEEK if last < today else None,
            "today": today,
            "device": device,
            "everything": everything,
            "names": names_of(station.catalogue, (one.officer for one in listed)),
            "may_explain": visit.may(Permission.KEEP_CASES),
        },
    )


@router.get("/{after}")
def gap(request: Request, visit: Seeing, after: str) -> Response:
    return _shown(request, visit, _one(visit, after), None)


@router.post("/{after}")
def explain(
    request: Request,
    visit: Explaining,
    after: str,
    how: Annotated[str, Form()],
    at: Annotated[str, Form(max_length=40)] = "",
    officer: Annotated[list[str] | None, Form()] = None,
    text: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Put on record where it is explained by voice, or what two officers wrote."""
    found, who = _one(visit, after), visit.account.name
    try:
        if how == "voice":
            explain_by_voice(visit.station, found.gap.after, seconds_of(at), None, who)
        elif how == "writing":
            signers = [one.strip() for one in officer or () if one.strip()]
            if len(set(signers)) < 2:
                raise UsageProblem(
                    T("A written explanation is signed by two different officers."),
                    T("Enter the certificate numbers of both."),
                )
            explain_in_writing(visit.station, found.gap.after, signers, text, who)
        else:
            raise UsageProblem(T("An interruption is explained by voice or in writing."))
    except (UsageProblem, NotFound) as problem:
        return _shown(request, visit, found, problem)
    return RedirectResponse(f"/gaps/{found.gap.after}", _SEE_OTHER)


def _one(visit: Visit, after: str) -> Interruption:
    """Return one gap within the scope of a visit. Raises NotFound."""
    resumed = visible(visit.station.catalogue, after, visit.account.scope).recording
    return interruption(visit.station, resumed.id)


def _shown(
    request: Request, visit: Visit, found: Interruption, problem: UsageProblem | NotFound | None
) -> Response:
    db = visit.station.catalogue
    given = gap_explanations.recorded(db, found.action.device, found.gap)
    explained = [one for one in given if one.explanation.explains(found.gap, found.action)]
    officers = [*(p.officer for p in found.action.pieces)]
    for one in explained:
        officers += sorted(one.explanation.officers)
    after = next(p for p in found.action.pieces if p.recording == found.gap.after)
    before = next(p for p in found.action.pieces if p.recording == found.gap.before)
    seen = seen_recordings(db, [p.recording for p in found.action.pieces], visit.account.scope)
    known = [one for one in ledger.officers(db) if one.name]
    return page(
        request,
        "duties/gap.html",
        {
            "one": found,
            "before": before,
            "after": after,
            "seen": seen,
            "explained": explained,
            "names": names_of(db, officers),
            "known": known,
            "drawing": _drawing(visit, found, seen),
            "length": (after.ends - after.begins).total_seconds(),
            "may_explain": visit.may(Permission.KEEP_CASES) and not found.is_explained,
            "may_look": visit.may(Permission.SEE_RECORDINGS),
            "problem": problem,
        },
        code=400 if problem else 200,
    )


def _drawing(visit: Visit, found: Interruption, seen: frozenset[str]) -> Line:
    zone = visit.settings.station.zone

    def title(begins: datetime, ends: datetime, what: str) -> str:
        return f"{begins.astimezone(zone):%H:%M:%S}–{ends.astimezone(zone):%H:%M:%S} {what}"

    stretches = [
        Stretch(
            piece.begins,
            piece.ends,
            "shown",
            title(piece.begins, piece.ends, tr("recording")),
            f"/recordings/{piece.recording}" if piece.recording in seen else None,
        )
        for piece in found.action.pieces
    ]
    stretches += [
        Stretch(
            one.begins,
            one.ends,
            "gap here" if one == found.gap else "gap",
            title(one.begins, one.ends, tr("gap")),
            None if one == found.gap else f"/gaps/{one.after}",
        )
        for one in found.action.gaps
    ]
    return line(stretches, zone, *around(stretches))


def _midnight(visit: Visit, day: date) -> datetime:
    return datetime.combine(day, time(), visit.settings.station.zone).astimezone(UTC)
