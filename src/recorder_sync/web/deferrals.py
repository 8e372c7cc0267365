"""Deferrals: asked for, approved by somebody else, and the real return (Art. 21)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.catalogue import deferrals as catalogue
from recorder_sync.catalogue.alert_search import names_of
from recorder_sync.catalogue.deferrals import RecordedDeferral
from recorder_sync.catalogue.seen_by import mine
from recorder_sync.custodian import deferring
from recorder_sync.custodian.deferring import Wanted
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T, Text
from recorder_sync.rules.access import Permission
from recorder_sync.rules.deadline import Deferral, DeferralReason
from recorder_sync.web.forms import for_input, local_time
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor, visitor_of_any

router = APIRouter(prefix="/deferrals")

Seeing = Annotated[
    Visit,
    Depends(visitor_of_any(Permission.SEE_STATION, Permission.ASK_DEFERRAL), scope="function"),
]
Asking = Annotated[Visit, Depends(visitor(Permission.ASK_DEFERRAL), scope="function")]
Approving = Annotated[Visit, Depends(visitor(Permission.APPROVE_DEFERRAL), scope="function")]

_SEE_OTHER = 303
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """A deferral, how it stands, and what the visitor may do with it."""

    one: RecordedDeferral
    standing: Text
    may_be_approved: bool
    may_be_returned: bool

    @property
    def deferral(self) -> Deferral:
        return self.one.deferral


@router.get("")
def deferrals(
    request: Request,
    visit: Seeing,
    after: Annotated[str | None, Query(max_length=64)] = None,
    device: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    return _shown(request, visit, after, {"device": device}, None)


@router.post("")
def ask(
    request: Request,
    visit: Asking,
    reason: Annotated[DeferralReason, Form()],
    begins: Annotated[str, Form(max_length=40)],
    expected: Annotated[str, Form(max_length=40)],
    device: Annotated[str, Form(max_length=100)] = "",
    officer: Annotated[str, Form(max_length=100)] = "",
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Ask for a deferral; it counts once somebody else approves it."""
    given = {
        "reason": reason.value,
        "begins": begins,
        "expected": expected,
        "device": device,
        "officer": officer,
        "note": note,
    }
    station, zone = visit.station, visit.settings.station.zone
    try:
        wanted = Wanted(
            reason,
            local_time(begins, zone),
            local_time(expected, zone),
            device.strip() or None,
            officer.strip() or None,
            note=note.strip() or None,
        )
        if wanted.device is None and wanted.officer is None:
            raise UsageProblem(
                T("A deferral is for a device, an officer or both."),
                T("Fill in the device, the officer or both."),
            )
        whom = mine(station.catalogue, visit.account.scope)
        deferring.refuse_unknown(station, wanted.device, wanted.officer)
        if not whom.concerns(wanted.officer, wanted.device):
            raise UsageProblem(
                T("You may ask for yourself, or for the officers of your unit only."),
                T("Ask their team leader or the custodian."),
            )
        deferring.add(station, wanted, visit.account.name)
    except (UsageProblem, NotFound) as problem:
        return _shown(request, visit, None, given, problem)
    return RedirectResponse("/deferrals", _SEE_OTHER)


@router.post("/{identifier}/approve")
def approve(request: Request, visit: Approving, identifier: str) -> Response:
    found = _seen(visit, identifier)
    try:
        if visit.account.officer is not None and visit.account.officer == found.deferral.officer:
            raise UsageProblem(
                T("A deferral of your own is approved by somebody else."),
                T("Ask another team leader, or who stands in."),
            )
        deferring.approve(visit.station, identifier, visit.account.name, None, visit.account.name)
    except UsageProblem as problem:
        return _shown(request, visit, None, {}, problem)
    return RedirectResponse("/deferrals", _SEE_OTHER)


@router.post("/{identifier}/return")
def enter_return(
    request: Request,
    visit: Asking,
    identifier: str,
    at: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Put the real return on record: from it the hours run."""
    _seen(visit, identifier)
    try:
        when = local_time(at, visit.settings.station.zone) if at.strip() else None
        deferring.enter_return(visit.station, identifier, when, visit.account.name)
    except UsageProblem as problem:
        return _shown(request, visit, None, {}, problem)
    return RedirectResponse("/deferrals", _SEE_OTHER)


def _seen(visit: Visit, identifier: str) -> RecordedDeferral:
    found = catalogue.deferral(visit.station.catalogue, identifier)
    whom = mine(visit.station.catalogue, visit.account.scope)
    if not whom.concerns(found.deferral.officer, found.deferral.device):
        raise NotFound(T("There is no deferral {id}.", id=identifier))
    return found


def _shown(
    request: Request,
    visit: Visit,
    after: str | None,
    given: dict[str, str],
    problem: UsageProblem | NotFound | None,
) -> Response:
    station, zone = visit.station, visit.settings.station.zone
    now, limits = station.now(), visit.settings.watch_limits
    found = catalogue.newest(station.catalogue, visit.account.scope, after, _SHOWN)
    fresh = {
        "reason": DeferralReason.OFF_SITE.value,
        "begins": for_input(now, zone),
        "expected": for_input(now + timedelta(days=1), zone),
        "device": "",
        "officer": visit.account.officer or "",
        "note": "",
    }
    return page(
        request,
        "duties/deferrals.html",
        {
            "found": [
                Listed(
                    one,
                    deferring.standing(one.deferral, limits),
                    visit.may(Permission.APPROVE_DEFERRAL)
                    and not one.deferral.is_approved
                    and one.entered_by != visit.account.name
                    and (
                        visit.account.officer is None
                        or visit.account.officer != one.deferral.officer
                    ),
                    visit.may(Permission.ASK_DEFERRAL) and one.deferral.returned_at is None,
                )
                for one in found.found
            ],
            "next": f"/deferrals?after={found.next}" if found.next else None,
            "first": "/deferrals" if after else None,
            "names": names_of(station.catalogue, (d.deferral.officer for d in found.found)),
            "waiting": catalogue.waiting(station.catalogue, visit.account.scope),
            "reasons": list(DeferralReason),
            "given": {**fresh, **given},
            "problem": problem,
            "may_ask": visit.may(Permission.ASK_DEFERRAL),
            "me": visit.account.name,
            "hours": limits.stored_within,
            "now": now,
        },
        code=400 if problem else 200,
    )
