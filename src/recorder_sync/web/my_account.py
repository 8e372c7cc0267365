"""One's own account: password, language, sessions."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.access import accounts, keeping, sessions, signing_in
from recorder_sync.access.signing_in import Outcome
from recorder_sync.catalogue import ledger
from recorder_sync.errors import UsageProblem
from recorder_sync.language import Language, T
from recorder_sync.web.rendering import page
from recorder_sync.web.sign_in import begin_session, keep_language
from recorder_sync.web.visits import Visit, cookie_name, session_limits, visitor

router = APIRouter()

_Anybody = Annotated[Visit, Depends(visitor(), scope="function")]
_SEE_OTHER = 303


@router.get("/my-account")
def my_account(request: Request, visit: _Anybody, done: str = "") -> Response:
    return _mine(request, visit, None, done)


@router.post("/my-account/password")
def password(
    request: Request,
    visit: _Anybody,
    old: Annotated[str, Form(max_length=4096)] = "",
    password: Annotated[str, Form(max_length=4096)] = "",
    again: Annotated[str, Form(max_length=4096)] = "",
) -> Response:
    db = visit.desk.accounts
    try:
        if password != again:
            raise UsageProblem(T("The two passwords are not the same."))
        _refuse_wrong(visit, old)
        keeping.set_password(visit.station, db, visit.account, password)
    except UsageProblem as problem:
        return _mine(request, visit, problem, "")
    answer = RedirectResponse("/my-account?done=password", _SEE_OTHER)
    begin_session(request, answer, visit.desk, visit.account)
    return answer


@router.post("/my-account/language")
def language(visit: _Anybody, chosen: Annotated[Language, Form()]) -> Response:
    accounts.change(visit.desk.accounts, replace(visit.account, language=chosen))
    answer = RedirectResponse("/my-account?done=language", _SEE_OTHER)
    keep_language(answer, chosen)
    return answer


@router.post("/my-account/sign-out-elsewhere")
def sign_out_elsewhere(request: Request, visit: _Anybody) -> Response:
    token = request.cookies[cookie_name(visit.settings.web)]
    sessions.end_others(visit.desk.accounts, visit.account.name, token)
    return RedirectResponse("/my-account?done=signed-out", _SEE_OTHER)


def _refuse_wrong(visit: Visit, old: str) -> None:
    outcome = signing_in.is_password(visit.desk.accounts, visit.account, old, visit.station.now())
    if outcome is Outcome.LOCKED:
        raise UsageProblem(
            T("Too many failures. Try again in 15 minutes, or ask the administrator.")
        )
    if outcome is Outcome.REFUSED:
        raise UsageProblem(T("The old password is wrong."))


def _mine(request: Request, visit: Visit, problem: UsageProblem | None, done: str) -> Response:
    web, account = visit.settings.web, visit.account
    token = request.cookies.get(cookie_name(web))
    officer = ledger.officer(visit.station.catalogue, account.officer) if account.officer else None
    values = {
        "problem": problem,
        "done": done,
        "officer": officer,
        "shortest": signing_in.SHORTEST,
        "sessions": sessions.of_account(
            visit.desk.accounts, account.name, token, session_limits(web), visit.station.now()
        ),
    }
    return page(request, "accounts/mine.html", values, code=400 if problem else 200)
