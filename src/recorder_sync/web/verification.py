"""Verification: is everything as it was sealed, when was it re-read, and check some now."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.catalogue import alert_search, verified
from recorder_sync.catalogue.alert_search import AlertSearch
from recorder_sync.catalogue.seen_by import seen_recordings
from recorder_sync.custody.log import Act, Entry
from recorder_sync.errors import UsageProblem
from recorder_sync.inspection.advice import advice
from recorder_sync.inspection.background import BackgroundChecks
from recorder_sync.inspection.findings import FindingKind
from recorder_sync.language import T, Text
from recorder_sync.model import AlertKind
from recorder_sync.rules.access import Permission
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter(prefix="/verification")

Seeing = Annotated[Visit, Depends(visitor(Permission.SEE_STATION), scope="function")]
Checking = Annotated[
    Visit, Depends(visitor(Permission.SEE_STATION, Permission.VERIFY), scope="function")
]

_SEE_OTHER = 303
_RUNS = 12
_LOOKED_AT = 20_000
"""Lines at the end of the custody log in which the last runs are looked for."""
_MOST = 10_000
_COUNTED_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """One finding of a run, in words."""

    kind: FindingKind
    path: str
    recording: str | None
    meaning: Text
    to_do: Text


@dataclass(frozen=True, slots=True)
class Run:
    at: datetime
    by: str
    number: int
    what: Text
    checked: int
    size: int
    complete: bool
    count: int
    findings: tuple[Found, ...]
    """Those that concern what the visitor may see."""


@router.get("")
def verification(request: Request, visit: Seeing) -> Response:
    return _shown(request, visit, None)


@router.post("")
def check_some(
    request: Request,
    visit: Checking,
    sample: Annotated[int, Form(ge=1, le=_MOST)] = 100,
) -> Response:
    """Have some recordings re-read, picked at random; the result goes on record."""
    checks: BackgroundChecks = request.app.state.samples
    try:
        checks.begin(visit.station, visit.account.name, sample=sample)
    except UsageProblem as problem:
        return _shown(request, visit, problem)
    return RedirectResponse("/verification", _SEE_OTHER)


@router.get("/now")
def now(request: Request, visit: Seeing) -> Response:
    """Return the part of the page that says how far a check is."""
    return page(request, "station/check.html", _check(request, visit))


def _check(request: Request, visit: Visit) -> dict[str, Any]:
    checks: BackgroundChecks = request.app.state.samples
    return {"check": checks.newest, "now": visit.station.now()}


def _shown(request: Request, visit: Visit, problem: UsageProblem | None) -> Response:
    db, settings = visit.station.catalogue, visit.settings.verification
    at = visit.station.now()
    standing = _standing(request, visit)
    open_ones = alert_search.page(
        db,
        AlertSearch(kind=AlertKind.VERIFICATION_FINDING),
        visit.account.scope,
    ).found
    return page(
        request,
        "station/verification.html",
        {
            "oldest": standing.oldest,
            "never": standing.never,
            "is_behind": standing.oldest is not None
            and (at - standing.oldest).days >= settings.days,
            "days": settings.days,
            "settings": settings,
            "alerts": open_ones,
            "runs": _runs(visit),
            "problem": problem,
            "may_check": visit.may(Permission.VERIFY),
            "may_look": visit.may(Permission.SEE_RECORDINGS),
            **_check(request, visit),
        },
        code=400 if problem else 200,
    )


def _standing(request: Request, visit: Visit) -> verified.Standing:
    """Return how far back verification lies; what has to be counted is up to a minute old."""
    kept: tuple[float, verified.Standing] | None = getattr(
        request.app.state, "verification_standing", None
    )
    if kept is not None and time.monotonic() - kept[0] < _COUNTED_EVERY_S:
        return kept[1]
    found = verified.standing(visit.station.catalogue)
    request.app.state.verification_standing = time.monotonic(), found
    return found


def _runs(visit: Visit) -> list[Run]:
    found = []
    for entry in visit.station.custody.newest_of((Act.VERIFICATION,), _LOOKED_AT):
        if not entry.deed.facts.get("part"):
            found.append(_run(visit, entry))
        if len(found) == _RUNS:
            break
    return found


def _run(visit: Visit, entry: Entry) -> Run:
    facts = entry.deed.facts
    findings = list(facts.get("findings", ()))
    named = [one["recording"] for one in findings if one.get("recording")]
    seen = seen_recordings(visit.station.catalogue, named, visit.account.scope)
    return Run(
        at=entry.deed.time,
        by=entry.deed.actor,
        number=entry.seq,
        what=_what(facts),
        checked=facts.get("checked", 0),
        size=facts.get("bytes", 0),
        complete=facts.get("complete", False),
        count=len(findings),
        findings=tuple(
            _found(one) for one in findings if not one.get("recording") or one["recording"] in seen
        ),
    )


def _found(one: Mapping[str, Any]) -> Found:
    kind = FindingKind(one["kind"])
    meaning, to_do = advice(kind)
    return Found(kind, one["path"], one.get("recording"), meaning, to_do)


def _what(facts: Any) -> Text:
    scope = facts.get("scope", {})
    if facts.get("metadata"):
        return T("all but the content")
    if scope.get("sample"):
        return T("{count} at random", count=scope["sample"])
    if scope.get("case"):
        return T("case {number}", number=scope["case"])
    if scope.get("since"):
        return T("what was sealed since {time}", time=str(scope["since"])[:10])
    return T("everything") if facts.get("run") else T("what waited longest")
