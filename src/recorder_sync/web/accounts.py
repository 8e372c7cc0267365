"""Who may sign in, for the administrator: `/accounts`. Every change is on record (Art. 21)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.access import accounts, keeping, sessions, signing_in
from recorder_sync.access.accounts import Account
from recorder_sync.access.keeping import Standing
from recorder_sync.catalogue import ledger
from recorder_sync.errors import RecorderSyncError
from recorder_sync.rules.access import Permission, Role, Secrecy
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, session_limits, visitor

router = APIRouter()

_Keeper = Annotated[Visit, Depends(visitor(Permission.KEEP_PEOPLE), scope="function")]
_SEE_OTHER = 303


def wanted_standing(
    role: Annotated[Role, Form()],
    officer: Annotated[str, Form(max_length=200)] = "",
    unit: Annotated[str, Form(max_length=200)] = "",
    cleared: Annotated[list[Secrecy] | None, Form()] = None,
) -> Standing:
    return Standing(role, officer.strip() or None, unit.strip() or None, frozenset(cleared or ()))


_Wanted = Annotated[Standing, Depends(wanted_standing)]


@router.get("/accounts")
def accounts_list(request: Request, visit: _Keeper) -> Response:
    db, at = visit.desk.accounts, visit.station.now()
    values = {
        "accounts": list(accounts.every(db)),
        "names": _names(visit),
        "open": sessions.open_counts(db, session_limits(visit.settings.web), at),
        "now": at,
    }
    return page(request, "accounts/list.html", values)


@router.get("/account-registration")
def registration_form(request: Request, visit: _Keeper) -> Response:
    return _registration(request, visit, "", None, None)


@router.post("/account-registration")
def registration(
    request: Request,
    visit: _Keeper,
    wanted: _Wanted,
    name: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    try:
        token = keeping.add(visit.station, visit.desk.accounts, name.strip(), wanted)
    except RecorderSyncError as problem:
        return _registration(request, visit, name, wanted, problem)
    return _link(request, visit, name.strip(), token)


@router.get("/accounts/{name}")
def account_page(request: Request, visit: _Keeper, name: str, done: str = "") -> Response:
    return _account(request, visit, accounts.get(visit.desk.accounts, name), None, done)


@router.post("/accounts/{name}/change")
def change(request: Request, visit: _Keeper, name: str, wanted: _Wanted) -> Response:
    account = accounts.get(visit.desk.accounts, name)
    try:
        keeping.change(visit.station, visit.desk.accounts, name, wanted)
    except RecorderSyncError as problem:
        return _account(request, visit, account, problem, "")
    return _back(name, "changed")


@router.post("/accounts/{name}/link")
def link(request: Request, visit: _Keeper, name: str) -> Response:
    account = accounts.get(visit.desk.accounts, name)
    try:
        token = keeping.new_link(visit.station, visit.desk.accounts, name)
    except RecorderSyncError as problem:
        return _account(request, visit, account, problem, "")
    return _link(request, visit, name, token)


@router.post("/accounts/{name}/disable")
def disable(request: Request, visit: _Keeper, name: str) -> Response:
    account = accounts.get(visit.desk.accounts, name)
    try:
        keeping.disable(visit.station, visit.desk.accounts, name)
    except RecorderSyncError as problem:
        return _account(request, visit, account, problem, "")
    return _back(name, "disabled")


@router.post("/accounts/{name}/enable")
def enable(visit: _Keeper, name: str) -> Response:
    keeping.enable(visit.station, visit.desk.accounts, name)
    return _back(name, "enabled")


@router.post("/accounts/{name}/sign-out")
def end_sessions(visit: _Keeper, name: str) -> Response:
    keeping.end_sessions(visit.station, visit.desk.accounts, name)
    return _back(name, "signed-out")


def _back(name: str, done: str) -> Response:
    return RedirectResponse(f"/accounts/{name}?done={done}", _SEE_OTHER)


def _names(visit: Visit) -> dict[str, str | None]:
    return {one.cert_no: one.name for one in ledger.officers(visit.station.catalogue)}


def _registration(
    request: Request,
    visit: Visit,
    name: str,
    wanted: Standing | None,
    problem: RecorderSyncError | None,
) -> Response:
    values = {"name": name, "wanted": wanted, "problem": problem, **_choices(visit)}
    return page(request, "accounts/registration.html", values, code=400 if problem else 200)


def _account(
    request: Request,
    visit: Visit,
    account: Account,
    problem: RecorderSyncError | None,
    done: str,
) -> Response:
    db, at = visit.desk.accounts, visit.station.now()
    limits = session_limits(visit.settings.web)
    values = {
        "shown": account,
        "wanted": account,
        "problem": problem,
        "done": done,
        "now": at,
        "sessions": sessions.of_account(db, account.name, None, limits, at),
        **_choices(visit),
    }
    return page(request, "accounts/account.html", values, code=400 if problem else 200)


def _choices(visit: Visit) -> dict[str, object]:
    officers = list(ledger.officers(visit.station.catalogue))
    return {
        "roles": list(Role),
        "classes": [one for one in Secrecy if one is not Secrecy.NONE],
        "officers": officers,
        "units": sorted({one.unit for one in officers if one.unit}),
    }


def _link(request: Request, visit: Visit, name: str, token: str) -> Response:
    values = {
        "name": name,
        "link": f"{visit.settings.web.link_address}/invitation/{token}",
        "days": signing_in.INVITATION_HOLDS.days,
    }
    return page(request, "accounts/link.html", values)
