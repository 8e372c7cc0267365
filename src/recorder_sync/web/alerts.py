"""Alerts: what somebody must handle, the worst first; who is on it, and what became of it."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.alerts.life import life_of, life_words
from recorder_sync.alerts.record import acknowledge, resolve
from recorder_sync.catalogue import alert_search, calendar, cases
from recorder_sync.catalogue.alert_search import AlertPage, AlertSearch, names_of
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind
from recorder_sync.catalogue.seen_by import seen_recordings
from recorder_sync.custodian.duty import explain
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.access import Permission
from recorder_sync.rules.coverage import NoRecordingReason
from recorder_sync.rules.matter import MOST_SHOWN, Item, Severity, about_of
from recorder_sync.rules.reconcile import AlertState
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter(prefix="/alerts")

Seeing = Annotated[Visit, Depends(visitor(Permission.SEE_STATION), scope="function")]
Handling = Annotated[
    Visit,
    Depends(visitor(Permission.SEE_STATION, Permission.HANDLE_ALERTS), scope="function"),
]

_SEE_OTHER = 303
_NOT_RECORDED = frozenset({AlertKind.NO_RECORDING, AlertKind.COVERAGE_HOLE})
_MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for; what is none of the words is not asked for."""

    state: AlertState | None
    severity: Severity | None
    kind: AlertKind | None
    device: str | None

    def query(self, **more: object) -> str:
        """Return the address of the list with these filters."""
        fields = {
            name: getattr(self, name) for name in ("state", "severity", "kind", "device")
        } | more
        given = {name: str(value) for name, value in fields.items() if value is not None}
        return "/alerts" + (f"?{urlencode(given)}" if given else "")


def _wanted(
    state: Annotated[str, Query()] = "",
    severity: Annotated[str, Query()] = "",
    kind: Annotated[str, Query()] = "",
    device: Annotated[str, Query(max_length=100)] = "",
) -> Wanted:
    return Wanted(
        AlertState(state) if state in set(AlertState) else None,
        Severity(severity) if severity in set(Severity) else None,
        AlertKind(kind) if kind in set(AlertKind) else None,
        device.strip() or None,
    )


@router.get("")
def alerts(
    request: Request,
    visit: Seeing,
    wanted: Annotated[Wanted, Depends(_wanted)],
    after: Annotated[int | None, Query(ge=-(2**62), le=2**62)] = None,
) -> Response:
    db, scope = visit.station.catalogue, visit.account.scope
    found: AlertPage = alert_search.page(
        db,
        AlertSearch(wanted.state, wanted.severity, wanted.kind, wanted.device, after),
        scope,
    )
    kinds = (
        list(AlertKind)
        if wanted.state is AlertState.RESOLVED
        else alert_search.live_kinds(db, scope)
    )
    if wanted.kind is not None and wanted.kind not in kinds:
        kinds.append(wanted.kind)
    return page(
        request,
        "alerts/list.html",
        {
            "found": found.found,
            "next": wanted.query(after=found.next) if found.next is not None else None,
            "first": wanted.query() if after is not None else None,
            "wanted": wanted,
            "counts": alert_search.live_by_severity(db, scope),
            "kinds": kinds,
            "states": list(AlertState),
            "names": names_of(db, (one.officer for one in found.found)),
            "may_handle": visit.may(Permission.HANDLE_ALERTS),
            "now": visit.station.now(),
        },
    )


@router.post("")
def handle_several(
    visit: Handling,
    wanted: Annotated[Wanted, Depends(_wanted)],
    do: Annotated[str, Form()],
    number: Annotated[list[int] | None, Form()] = None,
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Acknowledge or resolve what was chosen in the list, as far as it is still to be."""
    chosen = sorted(set(number or ()))[:_MOST_AT_ONCE]
    if not chosen:
        raise UsageProblem(T("No alert is chosen."), T("Go back and tick those that you mean."))
    for one in chosen:
        found = alert_search.seen_alert(visit.station.catalogue, one, visit.account.scope)
        if found.is_resolved:
            continue
        _handle(visit, found, do, note)
    return RedirectResponse(wanted.query(), _SEE_OTHER)


@router.get("/{number}")
def alert(request: Request, visit: Seeing, number: int) -> Response:
    one = _seen(visit, number)
    return _shown(request, visit, one, None)


@router.post("/{number}")
def handle(
    request: Request,
    visit: Handling,
    number: int,
    do: Annotated[str, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    one = _seen(visit, number)
    try:
        _handle(visit, one, do, note)
    except UsageProblem as problem:
        return _shown(request, visit, one, problem)
    return RedirectResponse(f"/alerts/{number}", _SEE_OTHER)


@router.post("/{number}/explain")
def explain_no_recording(
    request: Request,
    visit: Annotated[
        Visit,
        Depends(visitor(Permission.SEE_STATION, Permission.KEEP_CASES), scope="function"),
    ],
    number: int,
    reason: Annotated[NoRecordingReason, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Say why an enforcement was not recorded; the next look resolves the alert then."""
    one = _seen(visit, number)
    entry = _not_recorded(visit, one)
    if entry is None:
        raise NotFound(T("This alert is not about something of the calendar."))
    try:
        explain(visit.station, entry.id, reason, note.strip() or None, visit.account.name)
    except UsageProblem as problem:
        return _shown(request, visit, one, problem)
    return RedirectResponse(f"/alerts/{number}", _SEE_OTHER)


def _seen(visit: Visit, number: int) -> RecordedAlert:
    if not -(2**62) < number < 2**62:
        raise NotFound(T("There is no alert {number}.", number=number))
    return alert_search.seen_alert(visit.station.catalogue, number, visit.account.scope)


def _handle(visit: Visit, one: RecordedAlert, do: str, note: str) -> None:
    who = visit.account.name
    if do == "acknowledge":
        acknowledge(visit.station, one.number, who, note.strip() or None)
    elif do == "resolve":
        if not note.strip():
            raise UsageProblem(
                T("Say what was done, in a few words."),
                T("What resolves an alert stays on record with it."),
            )
        resolve(visit.station, one.number, who, note)
    else:
        raise UsageProblem(T("Nothing was chosen to do."))


def _shown(
    request: Request, visit: Visit, one: RecordedAlert, problem: UsageProblem | None
) -> Response:
    db = visit.station.catalogue
    told = alert_search.told_of(db, one)
    life = [(entry, *life_words(entry)) for entry in life_of(one, visit.station.custody)]
    values = {
        "one": one,
        "life": life,
        "told": told,
        "names": names_of(db, [one.officer, *(message.officer for message in told)]),
        "entry": _not_recorded(visit, one),
        "reasons": list(NoRecordingReason),
        "may_handle": visit.may(Permission.HANDLE_ALERTS),
        "may_explain": visit.may(Permission.KEEP_CASES),
        "is_gap": one.kind is AlertKind.GAP,
        "items": _items(visit, one),
        "most": MOST_SHOWN,
        "case": one.case if one.case and _sees_case(visit, one.case) else None,
        "recording": next(iter(seen_recordings(db, [one.recording], visit.account.scope)), None)
        if one.recording
        else None,
        "problem": problem,
        "now": visit.station.now(),
    }
    return page(request, "alerts/one.html", values, code=400 if problem else 200)


def _items(visit: Visit, one: RecordedAlert) -> tuple[Item, ...]:
    """Return what an alert is about; of a gap's recordings those that the visitor may see."""
    if one.kind is not AlertKind.GAP:
        return one.items
    named = [item.name for item in one.items]
    seen = seen_recordings(visit.station.catalogue, named, visit.account.scope)
    return tuple(item for item in one.items if item.name in seen)


def _sees_case(visit: Visit, number: str) -> bool:
    try:
        cases.seen_case(visit.station.catalogue, number, visit.account.scope)
    except NotFound:
        return False
    return True


def _not_recorded(visit: Visit, one: RecordedAlert) -> CalendarEntry | None:
    """Return the calendar's entry that an alert is about, if it is about one."""
    if one.kind not in _NOT_RECORDED or not about_of(one.key):
        return None
    try:
        found = calendar.entry_of(visit.station.catalogue, about_of(one.key)[0])
    except NotFound:
        return None
    return found if found.kind is CalendarKind.ENFORCEMENT else None
