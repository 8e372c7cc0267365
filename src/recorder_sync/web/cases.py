"""Cases: what was recorded of each stage and what was not, and until when it is archived."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from recorder_sync.catalogue import calendar, holds, ledger
from recorder_sync.catalogue import cases as catalogue
from recorder_sync.catalogue.alert_search import names_of
from recorder_sync.catalogue.cases import CaseSearch, CaseState, ListedCase, OfCase
from recorder_sync.catalogue.seen_by import mine
from recorder_sync.custodian.case_list import cases_of
from recorder_sync.custodian.enforcement_shown import HowShown, how_shown
from recorder_sync.custodian.interruptions import Interruption, interruptions
from recorder_sync.custodian.registration import (
    classify_case,
    close_case,
    number_in_use,
    register_cases,
)
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T, Text, tr
from recorder_sync.model import Case, Kind
from recorder_sync.rules.access import Permission, Reach, Secrecy
from recorder_sync.rules.documents import DocumentKind
from recorder_sync.rules.marks import Item
from recorder_sync.rules.stage import Stage
from recorder_sync.web.documents import StageDocuments, documents_of_case, later_of
from recorder_sync.web.drawing import Line, Stretch, around, line
from recorder_sync.web.holds import may_release_cases
from recorder_sync.web.recording import hold_steps
from recorder_sync.web.rendering import page
from recorder_sync.web.safeguards import LARGEST_FORM
from recorder_sync.web.visits import NotAllowed, Visit, visitor

router = APIRouter(prefix="/cases")

Seeing = Annotated[Visit, Depends(visitor(Permission.SEE_CASES), scope="function")]
Keeping = Annotated[
    Visit,
    Depends(visitor(Permission.SEE_CASES, Permission.KEEP_CASES), scope="function"),
]

_SEE_OTHER = 303
_SHOWN = 50
_DAYS = 14
"""Days of a case that are drawn, the newest."""
_ENTRIES = 60
_LISTED = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """An item of a stage, and how many recordings show it and documents write it down."""

    item: Item
    count: int
    documents: int


@dataclass(frozen=True, slots=True)
class CheckedStage:
    stage: Stage
    items: tuple[Checked, ...]
    without_item: int
    """Recordings marked with the stage alone."""

    @property
    def covered(self) -> int:
        return sum(1 for one in self.items if one.count or one.documents)


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    line: Line
    open_gaps: int


@router.get("")
def cases(
    request: Request,
    visit: Seeing,
    q: Annotated[str, Query(max_length=200)] = "",
    state: Annotated[str, Query()] = "",
    after: Annotated[int | None, Query(ge=0, le=2**62)] = None,
) -> Response:
    return _list(request, visit, q, state, after, None)


@router.post("")
def open_case(
    request: Request,
    visit: Keeping,
    number: Annotated[str, Form(max_length=200)],
    party: Annotated[str, Form(max_length=400)] = "",
    cause: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """Register a case. One that is there already is described on its own page."""
    number = number.strip()
    try:
        if not number or not number.isprintable():
            raise UsageProblem(T("A number is empty."), T("Give a number."))
        if ledger.case(visit.station.catalogue, number) is not None:
            raise number_in_use(number)
        register_cases(visit.station, [Case(number, party.strip() or None, cause.strip() or None)])
    except UsageProblem as problem:
        return _list(request, visit, "", "", None, problem)
    return _to(number)


@router.post("/import")
def import_(request: Request, visit: Keeping, file: UploadFile) -> Response:
    """Register the cases of a CSV file, all or none. It may change any case that is seen."""
    if visit.account.scope.reach is not Reach.ALL:
        raise NotAllowed
    try:
        found = cases_of(file.filename or "—", file.file.read(LARGEST_FORM))
        register_cases(visit.station, found, visit.account.cleared)
    except UsageProblem as problem:
        return _list(request, visit, "", "", None, problem)
    return RedirectResponse("/cases", _SEE_OTHER)


@router.get("/{number:path}")
def case(
    request: Request,
    visit: Seeing,
    number: str,
    document: Annotated[str, Query(max_length=40)] = "",
    known: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show a case; `document` was handed in just now, and `known` says that it was before."""
    return _shown(request, visit, _seen(visit, number), None, (document, bool(known)))


@router.post("/{number:path}")
def change(
    request: Request,
    visit: Keeping,
    number: str,
    do: Annotated[str, Form()],
    party: Annotated[str, Form(max_length=400)] = "",
    cause: Annotated[str, Form(max_length=400)] = "",
    closed_on: Annotated[str, Form(max_length=20)] = "",
    secrecy: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Describe a case, close it, or enter how secret it is."""
    found, station = _seen(visit, number), visit.station
    try:
        if do == "describe":
            known = Case(number, party.strip() or None, cause.strip() or None)
            register_cases(station, [known])
        elif do == "close":
            close_case(station, number, _day(closed_on))
        elif do == "classify":
            wanted = Secrecy(secrecy) if secrecy in set(Secrecy) else None
            if wanted is None or wanted not in visit.account.cleared:
                raise UsageProblem(
                    T("You are not cleared for this secrecy class."),
                    T("Ask somebody who is, or the administrator."),
                )
            classify_case(station, number, wanted)
        else:
            raise UsageProblem(T("Nothing was chosen to do."))
    except UsageProblem as problem:
        return _shown(request, visit, found, problem)
    return _to(number)


def _to(number: str) -> Response:
    return RedirectResponse(f"/cases/{quote(number)}", _SEE_OTHER)


def _seen(visit: Visit, number: str) -> ListedCase:
    return catalogue.seen_case(visit.station.catalogue, number, visit.account.scope)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UsageProblem(T("{text} is no date such as 2026-11-23.", text=text or "—")) from None


def _list(
    request: Request,
    visit: Visit,
    q: str,
    state: str,
    after: int | None,
    problem: UsageProblem | None,
) -> Response:
    station = visit.station
    today = station.now().astimezone(visit.settings.station.zone).date()
    chosen = CaseState(state) if state in set(CaseState) else None
    wanted = CaseSearch(q.strip() or None, chosen, after, _SHOWN)
    found = catalogue.page(station.catalogue, wanted, visit.account.scope, today)
    given = {"q": q, "state": chosen.value if chosen else ""}
    query = urlencode({name: value for name, value in given.items() if value})
    return page(
        request,
        "cases/list.html",
        {
            "found": found.found,
            "next": f"/cases?{query}&after={found.next}" if found.next is not None else None,
            "first": f"/cases?{query}" if after is not None else None,
            "q": q,
            "state": chosen,
            "states": list(CaseState),
            "most": catalogue.MOST_COUNTED,
            "today": today,
            "problem": problem,
            "archive_words": archive_words,
            "may_keep": visit.may(Permission.KEEP_CASES),
            "may_import": visit.may(Permission.KEEP_CASES)
            and visit.account.scope.reach is Reach.ALL,
        },
        code=400 if problem else 200,
    )


def _shown(
    request: Request,
    visit: Visit,
    listed: ListedCase,
    problem: UsageProblem | None,
    handed_in: tuple[str, bool] = ("", False),
) -> Response:
    station, scope = visit.station, visit.account.scope
    db, number = station.catalogue, listed.case.number
    today = station.now().astimezone(visit.settings.station.zone).date()
    found = catalogue.recordings_of(db, number, scope)
    entries = [how_shown(station, one) for one in calendar.of_case(db, number, _ENTRIES)]
    if scope.reach is not Reach.ALL:
        entries = [one for one in entries if _is_within(visit, one)]
    gaps = _gaps(visit, found)
    papers = documents_of_case(visit, number)
    officers: list[str | None] = [one.officer for one in found]
    officers += [one.entry.officer for one in entries]
    return page(
        request,
        "cases/one.html",
        {
            "one": listed,
            "case": listed.case,
            "stages": _stages(visit.settings.marks.known.values(), found, papers),
            "documents": papers,
            "document_count": sum(len(one.sealed) for one in papers),
            "later": {one.id: later_of(visit, one) for part in papers for one in part.sealed},
            "handed_in": handed_in,
            "just_sealed": next(
                (one for part in papers for one in part.sealed if one.id == handed_in[0]), None
            ),
            "kinds": list(DocumentKind),
            "stage_words": list(Stage),
            "largest_mib": visit.settings.documents.largest_mib,
            "types": visit.settings.documents.types,
            "may_hand_in": visit.may(Permission.HAND_IN_DOCUMENTS),
            "may_correct": visit.may(Permission.HAND_IN_DOCUMENTS)
            and visit.may(Permission.CORRECT),
            "may_open": visit.may(Permission.VIEW_EVIDENCE),
            "unmarked": sum(1 for one in found if one.stage is None),
            "recordings": found[::-1][:_LISTED],
            "count": len(found),
            "seconds": sum(one.duration_s or 0 for one in found),
            "size": sum(one.size for one in found),
            "late": sum(1 for one in found if not one.on_time),
            "gaps": gaps,
            "open_gaps": sum(1 for one in gaps if not one.is_explained),
            "entries": entries,
            "days": _days(visit, found, gaps, entries),
            "names": names_of(db, officers),
            "items": visit.settings.marks.known,
            "secrecies": [one for one in Secrecy if one in visit.account.cleared],
            "today": today,
            "problem": problem,
            "archive_words": archive_words,
            "may_keep": visit.may(Permission.KEEP_CASES),
            "may_look": visit.may(Permission.SEE_RECORDINGS),
            "holds": holds.holds_of_case(db, number),
            "hold_steps": hold_steps(visit, number),
            "may_release": may_release_cases(visit),
        },
        code=400 if problem else 200,
    )


def _is_within(visit: Visit, one: HowShown) -> bool:
    whom = mine(visit.station.catalogue, visit.account.scope)
    return whom.concerns(one.entry.officer, one.entry.device)


def _stages(
    items: Iterable[Item], found: list[OfCase], papers: list[StageDocuments]
) -> list[CheckedStage]:
    """Return the checklist of Art. 6 to 9 with how many recordings and documents each item has."""
    written = Counter(one.document.given.item for part in papers for one in part.sealed)
    of_item: dict[str, int] = {}
    of_stage: dict[Stage, int] = {}
    for one in found:
        if one.item is not None:
            of_item[one.item] = of_item.get(one.item, 0) + 1
        elif one.stage is not None:
            of_stage[one.stage] = of_stage.get(one.stage, 0) + 1
    checked: dict[Stage, list[Checked]] = {stage: [] for stage in Stage}
    for item in items:
        checked[item.stage].append(Checked(item, of_item.get(item.id, 0), written[item.id]))
    return [
        CheckedStage(stage, tuple(some), of_stage.get(stage, 0)) for stage, some in checked.items()
    ]


def _gaps(visit: Visit, found: list[OfCase]) -> list[Interruption]:
    """Return the gaps between recordings of the case, in the order of time."""
    ids = {one.id for one in found}
    devices = {one.device for one in found if one.device is not None}
    if not found:
        return []
    newest = found[-1].ends
    gaps: list[Interruption] = []
    for device in sorted(devices):
        of_device = [one for one in found if one.device == device]
        begins = max(of_device[0].begins, newest - timedelta(days=3 * _DAYS))
        gaps += interruptions(visit.station, device, begins, of_device[-1].ends)
    within = [one for one in gaps if one.gap.after in ids and one.gap.before in ids]
    return sorted(within, key=lambda one: one.gap.begins)


def _days(
    visit: Visit, found: list[OfCase], gaps: list[Interruption], entries: list[HowShown]
) -> list[Day]:
    """Draw the newest days of a case: what was recorded, and the gaps between."""
    zone = visit.settings.station.zone
    on = sorted({one.begins.astimezone(zone).date() for one in found}, reverse=True)[:_DAYS]
    days = []
    for day in on:
        begins = datetime.combine(day, time(), zone).astimezone(UTC)
        ends = begins + timedelta(days=1)
        stretches = [
            Stretch(
                one.begins,
                one.ends,
                "photo" if one.kind is Kind.PHOTO else "shown",
                f"{one.begins.astimezone(zone):%H:%M:%S} {one.name}",
                f"/recordings/{one.id}" if visit.may(Permission.SEE_RECORDINGS) else None,
            )
            for one in found
            if begins <= one.begins < ends
        ]
        of_day = [one for one in gaps if begins <= one.gap.begins < ends]
        stretches += [
            Stretch(
                one.gap.begins,
                one.gap.ends,
                "explained" if one.is_explained else "gap",
                tr("gap, explained") if one.is_explained else tr("gap, not explained"),
                f"/gaps/{one.gap.after}",
            )
            for one in of_day
        ]
        stretches += [
            Stretch(one.entry.begins, one.entry.ends, "expected", one.entry.id, None)
            for one in entries
            if begins <= one.entry.begins < ends
        ]
        open_gaps = sum(1 for one in of_day if not one.is_explained)
        days.append(Day(day, line(stretches, zone, *around(stretches)), open_gaps))
    return days


def archive_words(due: date, today: date) -> Text:
    """Say how long there is to archive a case."""
    left = (due - today).days
    if left < 0:
        return T("the 30 days passed on {day}", day=due)
    return T("{count} day(s) left, until {day}", count=left, day=due)
