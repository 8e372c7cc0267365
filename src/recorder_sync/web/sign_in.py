"""Signing in and out, the one-time link, and the language of the pages."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.access import keeping, sessions, signing_in
from recorder_sync.access.accounts import Account
from recorder_sync.access.signing_in import Outcome
from recorder_sync.errors import UsageProblem
from recorder_sync.language import Language, T
from recorder_sync.web.desks import Desk
from recorder_sync.web.rendering import page
from recorder_sync.web.safeguards import LANGUAGE_COOKIE
from recorder_sync.web.visits import OpenDesk, cookie_name, session_in

router = APIRouter()

_A_YEAR_S = 365 * 24 * 3600
_SEE_OTHER = 303


def _inside(address: str) -> str:
    """Return an address within this service, whatever was asked for."""
    parts = urlsplit(address)
    is_inside = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_inside and not parts.scheme and not parts.netloc else "/"


@router.get("/sign-in")
def sign_in_form(request: Request, next: str = "/") -> Response:  # noqa: A002 - as in the address
    return page(request, "sign_in.html", {"next": _inside(next), "problem": None, "name": ""})


@router.post("/sign-in")
def sign_in(
    request: Request,
    desk: OpenDesk,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=4096)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002 - as in the address
) -> Response:
    at, address = desk.station.now(), request.client.host if request.client else None
    outcome, account = signing_in.sign_in(desk.accounts, name.strip(), password, address, at)
    if account is None:
        problem = (
            T("Too many failures. Try again in 15 minutes, or ask the administrator.")
            if outcome is Outcome.LOCKED
            else T("Name or password is wrong.")
        )
        values = {"next": _inside(next), "problem": problem, "name": name}
        return page(request, "sign_in.html", values, code=401)
    return _signed_in(request, desk, account, _inside(next))


def _signed_in(request: Request, desk: Desk, account: Account, to: str) -> Response:
    answer = RedirectResponse(to, _SEE_OTHER)
    begin_session(request, answer, desk, account)
    if account.language is not None:
        keep_language(answer, account.language)
    return answer


def begin_session(request: Request, answer: Response, desk: Desk, account: Account) -> None:
    """Begin a session in the browser that gets this answer; the one it had is over."""
    settings = desk.station.settings.web
    before = request.cookies.get(cookie_name(settings))
    if before:
        sessions.end(desk.accounts, before)
    address = request.client.host if request.client else None
    answer.set_cookie(
        cookie_name(settings),
        sessions.begin(desk.accounts, account, address, desk.station.now()),
        max_age=round(timedelta(hours=settings.session_hours).total_seconds()),
        httponly=True,
        secure=settings.is_encrypted,
        samesite="lax",
    )


@router.post("/sign-out")
def sign_out(request: Request, desk: OpenDesk) -> Response:
    name = cookie_name(desk.station.settings.web)
    if session_in(request, desk) is not None:
        sessions.end(desk.accounts, request.cookies[name])
    answer = RedirectResponse("/sign-in", _SEE_OTHER)
    answer.delete_cookie(name, secure=desk.station.settings.web.is_encrypted, httponly=True)
    return answer


@router.get("/invitation/{token}")
def invitation_form(request: Request, desk: OpenDesk, token: str) -> Response:
    account = signing_in.invited(desk.accounts, token, desk.station.now())
    return _invitation(request, token, account, None)


@router.post("/invitation/{token}")
def invitation(
    request: Request,
    desk: OpenDesk,
    token: str,
    password: Annotated[str, Form(max_length=4096)] = "",
    again: Annotated[str, Form(max_length=4096)] = "",
) -> Response:
    at = desk.station.now()
    invited = signing_in.invited(desk.accounts, token, at)
    try:
        if password != again:
            raise UsageProblem(T("The two passwords are not the same."))
        account = keeping.accept(desk.station, desk.accounts, token, password)
    except UsageProblem as problem:
        return _invitation(request, token, invited, problem)
    if account is None:
        return _invitation(request, token, None, None)
    return _signed_in(request, desk, account, "/")


def _invitation(
    request: Request, token: str, account: Account | None, problem: UsageProblem | None
) -> Response:
    values = {
        "token": token,
        "invited": account,
        "problem": problem,
        "shortest": signing_in.SHORTEST,
    }
    is_good = account is not None and problem is None
    return page(request, "invitation.html", values, code=200 if is_good else 400)


@router.post("/language")
def language(
    chosen: Annotated[Language, Form()],
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002 - as in the form
) -> Response:
    answer = RedirectResponse(_inside(next), _SEE_OTHER)
    keep_language(answer, chosen)
    return answer


def keep_language(answer: Response, language: Language) -> None:
    answer.set_cookie(LANGUAGE_COOKIE, language.value, max_age=_A_YEAR_S, samesite="lax")
