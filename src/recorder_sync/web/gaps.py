"""Gaps: interruptions within an action, and how each is explained (Art. 20)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.catalogue import gap_explanations, ledger
from recorder_sync.catalogue.alert_search import names_of
from recorder_sync.catalogue.pieces import devices_with_gaps
from recorder_sync.catalogue.seen_by import seen_recordings, sees_every_recording, visible
from recorder_sync.custodian.interruptions import (
    Interruption,
    explain_by_voice,
    explain_in_writing,
    interruption,
    interruptions,
)
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T, tr
from recorder_sync.rules.access import Permission, Reach
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
_ONE_BY_ONE = 120
"""Devices that are read one by one; of more, everything is read at once."""
_LONGEST = timedelta(days=1)
"""An action hardly lasts longer."""


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
    together = _devices(visit, device.strip(), begins, ends)
    found = [
        one
        for of_device in together
        for one in interruptions(station, of_device, begins - _LONGEST, ends)
        if begins <= one.gap.ends < ends
    ]
    found = _seen(visit, found)
    shown = [one for one in found if everything or not one.is_explained]
    shown.sort(key=lambda one: one.gap.begins, reverse=True)
    return page(
        request,
        "duties/gaps.html",
        {
            "shown": shown[skip : skip + _SHOWN],
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
            "names": names_of(
                station.catalogue, (_officer(one) for one in shown[skip : skip + _SHOWN])
            ),
            "officer_of": _officer,
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
    found = _seen(visit, [interruption(visit.station, resumed.id)])
    if not found:
        raise NotFound(T("No interruption ends with recording {id}.", id=after))
    return found[0]


def _devices(visit: Visit, wanted: str, begins: datetime, ends: datetime) -> list[str | None]:
    """Return the devices to be read one by one; None is all of them at once.

    Where everything may be seen, a first look would cost more than it saves.
    """
    if wanted:
        return [wanted]
    if visit.account.scope.reach is Reach.ALL:
        return [None]
    limits = visit.settings.watch_limits
    found = devices_with_gaps(visit.station.catalogue, begins, ends, limits, visit.account.scope)
    return [None] if len(found) > _ONE_BY_ONE else [*found]


def _seen(visit: Visit, found: list[Interruption]) -> list[Interruption]:
    """Return the gaps that end with a recording within the scope of a visit."""
    scope = visit.account.scope
    if sees_every_recording(scope):
        return found
    seen = seen_recordings(visit.station.catalogue, [one.gap.after for one in found], scope)
    return [one for one in found if one.gap.after in seen]


def _officer(one: Interruption) -> str | None:
    return next((p.officer for p in one.action.pieces if p.recording == one.gap.after), None)


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
