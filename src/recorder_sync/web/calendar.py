"""The duty calendar: a week of shifts and enforcement, and why something was not recorded."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from recorder_sync.catalogue import calendar as catalogue
from recorder_sync.catalogue.alert_search import names_of
from recorder_sync.catalogue.calendar import CalendarEntry
from recorder_sync.catalogue.seen_by import mine
from recorder_sync.custodian.calendar_csv import calendar_of
from recorder_sync.custodian.duty import enter_calendar, explain
from recorder_sync.custodian.enforcement_shown import HowShown, how_shown
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T
from recorder_sync.rules.access import Permission
from recorder_sync.rules.coverage import NoRecordingReason
from recorder_sync.web.rendering import page
from recorder_sync.web.safeguards import LARGEST_FORM
from recorder_sync.web.visits import Visit, visitor, visitor_of_any

router = APIRouter(prefix="/calendar")

Seeing = Annotated[
    Visit,
    Depends(visitor_of_any(Permission.SEE_STATION, Permission.SEE_RECORDINGS), scope="function"),
]
Keeping = Annotated[
    Visit,
    Depends(visitor(Permission.SEE_STATION, Permission.HANDLE_ALERTS), scope="function"),
]

_SEE_OTHER = 303
_DAYS = 7


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    is_today: bool
    entries: tuple[HowShown, ...]


@router.get("")
def week(
    request: Request,
    visit: Seeing,
    on: Annotated[date | None, Query()] = None,
    entry: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    return _week(request, visit, on, entry, None)


@router.post("/import")
def import_(
    request: Request,
    visit: Keeping,
    file: UploadFile,
) -> Response:
    """Enter the lines of a CSV file, all or none; every problem is named with its line."""
    try:
        name = file.filename or "—"
        found = calendar_of(visit.station, name, file.file.read(LARGEST_FORM))
        enter_calendar(visit.station, found, visit.account.name)
    except UsageProblem as problem:
        return _week(request, visit, None, "", problem)
    first = min((one.begins for one in found), default=visit.station.now())
    day = first.astimezone(visit.settings.station.zone).date()
    return RedirectResponse(f"/calendar?on={day}", _SEE_OTHER)


@router.post("/explain")
def explain_(
    request: Request,
    visit: Annotated[
        Visit,
        Depends(visitor(Permission.SEE_CASES, Permission.KEEP_CASES), scope="function"),
    ],
    entry: Annotated[str, Form(max_length=200)],
    reason: Annotated[NoRecordingReason, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    found = _seen(visit, entry)
    day = found.begins.astimezone(visit.settings.station.zone).date()
    try:
        explain(visit.station, entry, reason, note.strip() or None, visit.account.name)
    except UsageProblem as problem:
        return _week(request, visit, day, entry, problem)
    return RedirectResponse(f"/calendar?on={day}", _SEE_OTHER)


def _seen(visit: Visit, identifier: str) -> CalendarEntry:
    """Return an entry within the scope of a visit. Raises NotFound."""
    found = catalogue.entry_of(visit.station.catalogue, identifier)
    whom = mine(visit.station.catalogue, visit.account.scope)
    if not whom.concerns(found.officer, found.device):
        raise NotFound(T("The calendar has no entry {id}.", id=identifier))
    return found


def _week(
    request: Request,
    visit: Visit,
    on: date | None,
    entry: str,
    problem: UsageProblem | None,
) -> Response:
    station, zone = visit.station, visit.settings.station.zone
    today = station.now().astimezone(zone).date()
    chosen = None
    if entry:
        chosen = _seen(visit, entry)
        on = on or chosen.begins.astimezone(zone).date()
    day = on or today
    monday = day - timedelta(days=day.weekday())
    edges = [
        datetime.combine(monday + timedelta(days=days), time(), zone).astimezone(UTC)
        for days in range(_DAYS + 1)
    ]
    found = catalogue.entries_between(station.catalogue, edges[0], edges[-1], visit.account.scope)
    shown = [how_shown(station, one) for one in found]
    days = [
        Day(
            monday + timedelta(days=number),
            monday + timedelta(days=number) == today,
            tuple(one for one in shown if _is_on(one.entry, edges[number], edges[number + 1])),
        )
        for number in range(_DAYS)
    ]
    return page(
        request,
        "duties/calendar.html",
        {
            "days": days,
            "count": len(found),
            "begins": monday,
            "ends": monday + timedelta(days=_DAYS - 1),
            "earlier": monday - timedelta(days=_DAYS),
            "later": monday + timedelta(days=_DAYS),
            "today": today,
            "names": names_of(station.catalogue, (one.officer for one in found)),
            "chosen": chosen,
            "chosen_standing": how_shown(station, chosen).standing if chosen else None,
            "reasons": list(NoRecordingReason),
            "problem": problem,
            "problems": getattr(problem, "problems", []),
            "may_import": visit.may(Permission.HANDLE_ALERTS),
            "may_explain": visit.may(Permission.KEEP_CASES),
            "now": station.now(),
        },
        code=400 if problem else 200,
    )


def _is_on(one: CalendarEntry, begins: datetime, ends: datetime) -> bool:
    return one.begins < ends and (one.ends > begins or one.begins >= begins)
