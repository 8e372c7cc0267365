"""What the custodian does with a device: issue, return, fault, repair, retire, lost, found.

Two touches: the device's button leads to a page with what speaks for and against, and the button
there puts it on record, by the same functions as the commands (Art. 22, 24).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.catalogue import device_events
from recorder_sync.custodian import moves
from recorder_sync.custodian.standing import Standing, check
from recorder_sync.errors import NotFound, NotReady, UsageProblem
from recorder_sync.language import T, Text, tr
from recorder_sync.model import Officer
from recorder_sync.rules.access import Permission
from recorder_sync.rules.readiness import Reason
from recorder_sync.rules.whereabouts import DeviceEvent, Happening
from recorder_sync.web.devices import Seer, address_of, officers_by_number, seen_device
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter()

_Mover = Annotated[Visit, Depends(visitor(Permission.MOVE_DEVICES), scope="function")]
_SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class _Move:
    """A move other than an issue, as its page words it."""

    what: Happening
    title: str
    button: str
    asks: str | None
    """What the text is about; None: no text is asked for."""
    must_say: bool
    says: str
    is_grave: bool = False


class Move(StrEnum):
    """The moves that have a page of their own, by its address."""

    RETURN = "return"
    FAULT = "fault"
    REPAIR = "repair"
    RETIRE = "retire"
    LOST = "lost"
    FOUND = "found"


def _words_of(move: Move) -> _Move:
    return {
        Move.RETURN: _Move(
            Happening.RETURNED,
            tr("Take back"),
            tr("Take it back into store"),
            None,
            False,
            tr("From now on nobody holds it."),
        ),
        Move.FAULT: _Move(
            Happening.FAULT,
            tr("Report a fault"),
            tr("Report the fault"),
            tr("What is wrong"),
            True,
            tr("It stays in until a repair is entered; only professionals open it (Art. 24)."),
        ),
        Move.REPAIR: _Move(
            Happening.REPAIRED,
            tr("Enter a repair"),
            tr("Enter the repair"),
            tr("What was done, and by whom"),
            True,
            tr("A repair closes the open faults. Maintenance without a fault goes here too."),
        ),
        Move.RETIRE: _Move(
            Happening.RETIRED,
            tr("Retire"),
            tr("Retire it for good"),
            tr("Why"),
            True,
            tr("Nothing more can be entered of a retired device. Its record stays."),
            True,
        ),
        Move.LOST: _Move(
            Happening.LOST,
            tr("Report as lost"),
            tr("Put on record that it is lost"),
            tr("How, as far as it is known"),
            True,
            tr("What it recorded and did not bring in stays overdue."),
            True,
        ),
        Move.FOUND: _Move(
            Happening.FOUND,
            tr("Found again"),
            tr("Put on record that it is back"),
            tr("How it was found"),
            False,
            tr("It is in store again then."),
        ),
    }[move]


@router.get("/device-issue")
def issue_form(request: Request, visit: _Mover, number: str) -> Response:
    return _issue(request, visit, seen_device(visit, number), "", "", None)


@router.post("/device-issue")
def issue(
    request: Request,
    visit: _Mover,
    number: Annotated[str, Form(max_length=200)],
    officer: Annotated[str, Form(max_length=200)] = "",
    override: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    standing = seen_device(visit, number)
    try:
        if officer not in officers_by_number(visit):
            raise UsageProblem(T("Choose the officer who takes it."))
        moves.issue(visit.station, number, officer, override.strip() or None)
    except (UsageProblem, NotReady, NotFound) as problem:
        return _issue(request, visit, standing, officer, override, problem.text)
    return RedirectResponse(address_of(number, "?done=issued"), _SEE_OTHER)


def _issue(
    request: Request,
    visit: Visit,
    standing: Standing,
    officer: str,
    override: str,
    problem: Text | None,
) -> Response:
    verdict, measured = check(visit.station.catalogue, standing, visit.settings.readiness)
    officers = officers_by_number(visit)
    values = {
        "one": standing,
        "device": standing.device,
        "verdict": verdict,
        "measured": measured,
        "is_faulty": any(one.reason is Reason.OPEN_FAULT for one in verdict.reasons),
        "may_issue": standing.where.allows(Happening.ISSUED),
        "may_return": standing.where.allows(Happening.RETURNED),
        "units": _by_unit(officers),
        "officer": officer or _usual_officer(visit, standing),
        "names": officers,
        "override": override,
        "problem": problem,
    }
    return page(request, "devices/issue.html", values, code=400 if problem else 200)


def _by_unit(officers: dict[str, Officer]) -> list[tuple[str, list[Officer]]]:
    found: dict[str, list[Officer]] = {}
    for one in officers.values():
        found.setdefault(one.unit or "", []).append(one)
    return sorted(found.items())


def _usual_officer(visit: Visit, standing: Standing) -> str:
    """Return who it is given to, or who had it last."""
    if standing.device.officer:
        return standing.device.officer
    events = device_events.events_of(visit.station.catalogue, standing.device.number)
    return next((one.officer for one in reversed(events) if one.officer), "")


@router.get("/device-handover")
def handover(request: Request, visit: Seer, number: str, entry: int | None = None) -> Response:
    """Show the form of an issue, to be printed and signed; by default of the newest."""
    standing = seen_device(visit, number)
    events = device_events.events_of(visit.station.catalogue, number)
    issued = [
        (at, one)
        for at, one in enumerate(events)
        if one.what is Happening.ISSUED and entry in (None, one.custody_seq)
    ]
    if not issued:
        raise NotFound(T("Device {number} was never issued.", number=number))
    at, event = issued[-1]
    values = {
        "device": standing.device,
        "event": event,
        "officer": officers_by_number(visit).get(event.officer or ""),
        "returned": _end_of(events[at + 1 :]),
        "keeper": visit.account.name,
        "custodian": standing.device.custodian,
    }
    return page(request, "devices/handover.html", values)


def _end_of(later: list[DeviceEvent]) -> DeviceEvent | None:
    ends = (Happening.RETURNED, Happening.LOST, Happening.ISSUED)
    found = next((one for one in later if one.what in ends), None)
    return found if found is not None and found.what is Happening.RETURNED else None


@router.get("/device-moves/{move}")
def move_form(request: Request, visit: _Mover, move: Move, number: str) -> Response:
    return _move(request, seen_device(visit, number), move, "", None)


@router.post("/device-moves/{move}")
def enter(
    request: Request,
    visit: _Mover,
    move: Move,
    number: Annotated[str, Form(max_length=200)],
    text: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    standing = seen_device(visit, number)
    try:
        if _words_of(move).must_say and not text.strip():
            raise UsageProblem(T("The text is empty."))
        moves.enter(visit.station, number, _words_of(move).what, text.strip() or None)
    except (UsageProblem, NotFound) as problem:
        return _move(request, standing, move, text, problem.text)
    return RedirectResponse(address_of(number, f"?done={move.value}"), _SEE_OTHER)


def _move(
    request: Request, standing: Standing, move: Move, text: str, problem: Text | None
) -> Response:
    words = _words_of(move)
    values = {
        "one": standing,
        "device": standing.device,
        "move": words,
        "is_allowed": standing.where.allows(words.what),
        "text": text,
        "problem": problem,
    }
    return page(request, "devices/move.html", values, code=400 if problem else 200)
