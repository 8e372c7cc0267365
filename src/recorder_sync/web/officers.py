"""Officers, as they are registered: `/officers`. Their PINs open their tile at the dock."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from recorder_sync.access import accounts, keeping, pins
from recorder_sync.catalogue import ledger
from recorder_sync.custodian.officer_list import read_officers
from recorder_sync.custodian.registration import register_officers
from recorder_sync.custodian.standing import standings
from recorder_sync.errors import BadList, NotFound, RecorderSyncError, UsageProblem
from recorder_sync.language import T
from recorder_sync.model import Officer
from recorder_sync.rules.access import Permission
from recorder_sync.web.rendering import page
from recorder_sync.web.safeguards import LARGEST_FORM
from recorder_sync.web.visits import Visit, visitor

router = APIRouter()

_Keeper = Annotated[Visit, Depends(visitor(Permission.KEEP_PEOPLE), scope="function")]
_SEE_OTHER = 303


@router.get("/officers")
def officers(
    request: Request, visit: _Keeper, q: str = "", unit: str = "", done: str = "", count: int = 0
) -> Response:
    everyone = list(ledger.officers(visit.station.catalogue))
    sought = q.strip().casefold()
    found = [
        one
        for one in everyone
        if (not unit or one.unit == unit)
        and (not sought or sought in f"{one.cert_no} {one.name or ''}".casefold())
    ]
    values = {
        "officers": found,
        "q": q,
        "unit": unit,
        "units": sorted({one.unit for one in everyone if one.unit}),
        "held": _held(visit),
        "pins": pins.with_pin(visit.desk.accounts),
        "accounts": _accounts(visit),
        "done": done,
        "count": count,
        "total": len(everyone),
    }
    return page(request, "officers/list.html", values)


@router.get("/officer-registration")
def registration_form(request: Request, _visit: _Keeper) -> Response:
    return _registration(request, Officer(""), None)


@router.post("/officer-registration")
def registration(
    request: Request,
    visit: _Keeper,
    cert_no: Annotated[str, Form(max_length=64)] = "",
    name: Annotated[str, Form(max_length=64)] = "",
    unit: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    officer = Officer(cert_no.strip(), name.strip() or None, unit.strip() or None)
    if not officer.cert_no:
        return _registration(request, officer, UsageProblem(T("A number is empty.")))
    register_officers(visit.station, [officer])
    return RedirectResponse(f"{_address(officer.cert_no)}?done=registered", _SEE_OTHER)


@router.get("/officer-import")
def import_form(request: Request, _visit: _Keeper) -> Response:
    return _import(request, None)


@router.post("/officer-import")
def import_(request: Request, visit: _Keeper, file: UploadFile) -> Response:
    try:
        found = read_officers(file.file.read(LARGEST_FORM))
    except UsageProblem as problem:
        return _import(request, problem)
    register_officers(visit.station, found)
    return RedirectResponse(f"/officers?done=imported&count={len(found)}", _SEE_OTHER)


@router.get("/officers/{cert_no:path}/pin")
def pin_form(request: Request, visit: _Keeper, cert_no: str) -> Response:
    return _pin(request, _officer(visit, cert_no), None)


@router.post("/officers/{cert_no:path}/pin")
def pin(
    request: Request,
    visit: _Keeper,
    cert_no: str,
    pin: Annotated[str, Form(max_length=100)] = "",
    again: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    officer = _officer(visit, cert_no)
    try:
        if pin != again:
            raise UsageProblem(T("The two PINs are not the same."))
        keeping.set_pin(visit.station, visit.desk.accounts, cert_no, pin)
    except UsageProblem as problem:
        return _pin(request, officer, problem)
    return RedirectResponse(f"{_address(cert_no)}?done=pin", _SEE_OTHER)


@router.post("/officers/{cert_no:path}/no-pin")
def no_pin(visit: _Keeper, cert_no: str) -> Response:
    keeping.remove_pin(visit.station, visit.desk.accounts, cert_no)
    return RedirectResponse(f"{_address(cert_no)}?done=no-pin", _SEE_OTHER)


@router.get("/officers/{cert_no:path}")
def officer_page(request: Request, visit: _Keeper, cert_no: str, done: str = "") -> Response:
    officer = _officer(visit, cert_no)
    values = {
        "officer": officer,
        "pin_since": pins.with_pin(visit.desk.accounts).get(cert_no),
        "held": _held(visit).get(cert_no, []),
        "accounts": _accounts(visit).get(cert_no, []),
        "done": done,
    }
    return page(request, "officers/officer.html", values)


def _address(cert_no: str) -> str:
    return f"/officers/{quote(cert_no)}"


def _officer(visit: Visit, cert_no: str) -> Officer:
    found = ledger.officer(visit.station.catalogue, cert_no)
    if found is None:
        raise NotFound(
            T("There is no officer {number}.", number=cert_no),
            T("The list of officers shows them."),
        )
    return found


def _held(visit: Visit) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in standings(visit.station.catalogue):
        if one.where.officer is not None:
            found.setdefault(one.where.officer, []).append(one.device.number)
    return found


def _accounts(visit: Visit) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in accounts.every(visit.desk.accounts):
        if one.officer is not None:
            found.setdefault(one.officer, []).append(one.name)
    return found


def _registration(
    request: Request, officer: Officer, problem: RecorderSyncError | None
) -> Response:
    values = {"officer": officer, "problem": problem}
    return page(request, "officers/registration.html", values, code=400 if problem else 200)


def _import(request: Request, problem: UsageProblem | None) -> Response:
    listed = problem.problems if isinstance(problem, BadList) else []
    values = {"problem": problem, "listed": listed}
    return page(request, "officers/import.html", values, code=400 if problem else 200)


def _pin(request: Request, officer: Officer, problem: UsageProblem | None) -> Response:
    values = {
        "officer": officer,
        "problem": problem,
        "shortest": pins.SHORTEST,
        "longest": pins.LONGEST,
    }
    return page(request, "officers/pin.html", values, code=400 if problem else 200)
