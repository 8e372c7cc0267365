"""Puts the web service together: its pages, what stands before them, and how errors look.

Every router of the console is included with the check of its forms; the pages of signing in
and the dock screen have no session whose token a form could carry, and are guarded by where a
request comes from (`safeguards.py`) and what they ask for (a password, a PIN).
"""

import sqlite3
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from recorder_sync import __version__
from recorder_sync.catalogue.database import explain
from recorder_sync.custodian.kept_gaps import KeptGaps
from recorder_sync.errors import (
    NotFound,
    RecorderSyncError,
    UsageProblem,
    beyond_everything,
    defect,
    refused,
)
from recorder_sync.inspection.background import BackgroundChecks
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.previews.maker import PreviewMaker
from recorder_sync.watching.deadlines import Running
from recorder_sync.web import (
    about,
    accounts,
    alerts,
    audit,
    calendar,
    cases,
    custody,
    deadlines,
    deferrals,
    device_moves,
    device_registration,
    devices,
    dock,
    dock_officers,
    dockings,
    documents,
    gaps,
    handing_out,
    health,
    holds,
    my_account,
    officers,
    overview,
    playing,
    programs,
    recording,
    recordings,
    settings_page,
    sign_in,
    statistics,
    stores,
    track,
    verification,
)
from recorder_sync.web.api import application
from recorder_sync.web.checks import Checks
from recorder_sync.web.desks import Desks
from recorder_sync.web.dock_feed import Feed
from recorder_sync.web.dock_sessions import OfficerSessions
from recorder_sync.web.looks import Looks
from recorder_sync.web.rendering import STATIC, page
from recorder_sync.web.safeguards import Safeguards
from recorder_sync.web.visits import (
    FormRefused,
    NotAllowed,
    NotSignedIn,
    checked_form,
    desks_of,
    session_in,
)

_WITH_SESSION: tuple[APIRouter, ...] = (
    overview.router,
    recordings.router,
    playing.router,
    handing_out.router,
    recording.router,
    track.router,
    alerts.router,
    deadlines.router,
    deferrals.router,
    gaps.router,
    documents.router,
    cases.router,
    holds.router,
    calendar.router,
    dockings.router,
    stores.router,
    verification.router,
    custody.router,
    device_moves.router,
    device_registration.router,
    devices.router,
    statistics.router,
    settings_page.router,
    about.router,
    accounts.router,
    my_account.router,
    officers.router,
    programs.router,
    audit.router,
)
"""Pages of the console; whatever is posted to them carries the session's token."""

_CHECKING_THEMSELVES: tuple[APIRouter, ...] = (documents.uploading,)
"""Large forms, which look for the session's token while they are received."""

_WITHOUT_SESSION: tuple[APIRouter, ...] = (
    *(sign_in.router, health.router),
    *(dock.router, dock_officers.router),
)

_NOT_FOUND = T("Check the number, or search for it. What you may not see is not shown.")

_log = Log()


class _Kept(StaticFiles):
    """Files whose address changes with their content: browsers may keep them."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers["cache-control"] = "public, max-age=31536000, immutable"
        return answer


def build(desks: Desks, previews: PreviewMaker, checks: Checks) -> FastAPI:
    """Return the whole service, working with these desks and what is done beside the pages."""
    app = FastAPI(
        title="recorder-sync",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[Middleware(Safeguards, settings=desks.settings().web)],
    )
    app.state.desks, app.state.previews, app.state.checks = desks, previews, checks
    app.state.looks = Looks()
    app.state.feed, app.state.officers = Feed(desks), OfficerSessions()
    app.state.running, app.state.gaps = Running(), KeptGaps()
    app.state.samples = BackgroundChecks()
    app.mount("/api/v1", application.build(desks), name="api")
    app.mount("/static", _Kept(directory=STATIC), name="static")
    app.state.receiving = documents.receiving_at_once()
    for router in (*_WITHOUT_SESSION, *_CHECKING_THEMSELVES):
        app.include_router(router)
    for router in _WITH_SESSION:
        app.include_router(router, dependencies=[Depends(checked_form)])
    _answer_errors(app)
    return app


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(NotSignedIn)
    async def not_signed_in(request: Request, _error: NotSignedIn) -> Response:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        after = wanted if request.method == "GET" else "/"
        return RedirectResponse(f"/sign-in?next={quote(after, safe='')}", 303)

    @app.exception_handler(NotAllowed)
    async def not_allowed(request: Request, _error: NotAllowed) -> Response:
        return _problem(
            request,
            403,
            T("You may not see or do this."),
            T("Ask somebody whose duty it is, or the administrator for another role."),
        )

    @app.exception_handler(FormRefused)
    async def form_refused(request: Request, _error: FormRefused) -> Response:
        return _problem(
            request,
            403,
            T("This form is too old, or was not made here. Nothing was changed."),
            T("Go back, load the page again, and send it once more."),
        )

    @app.exception_handler(RequestValidationError)
    async def not_valid(request: Request, error: RequestValidationError) -> Response:
        fields = ", ".join(sorted({str(one["loc"][-1]) for one in error.errors()}))
        return _problem(
            request,
            422,
            T("Something in the form or the address will not do: {fields}.", fields=fields),
            T("Go back and fill it in again."),
        )

    @app.exception_handler(HTTPException)
    async def by_code(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith("/api/"):  # such as a path with a newline in it
            return application.problem(404, "There is no such path.", "See /api/v1/openapi.json")
        text = (
            T("There is no such page.")
            if error.status_code == 404
            else T("The request was refused.")
        )
        await run_in_threadpool(_recognise, request)
        return _problem(request, error.status_code, text, None)

    @app.exception_handler(RecorderSyncError)
    async def of_ours(request: Request, error: RecorderSyncError) -> Response:
        if isinstance(
            error, NotFound
        ):  # its own hint may tell what is out of reach from what is not
            return _problem(request, 404, error.text, _NOT_FOUND)
        code = 400
        if not isinstance(error, UsageProblem):
            code = 503
            _log.error("a page failed", path=request.url.path, why=str(error))
        return _problem(request, code, error.text, error.hint)

    @app.exception_handler(sqlite3.DatabaseError)
    async def of_catalogue(request: Request, error: sqlite3.DatabaseError) -> Response:
        return await of_ours(request, explain(error))

    @app.exception_handler(OSError)
    async def of_system(request: Request, error: OSError) -> Response:
        return await of_ours(request, refused(error))

    @app.exception_handler(OverflowError)
    async def beyond(request: Request, _error: OverflowError) -> Response:
        return await of_ours(request, beyond_everything())

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        _log.exception("a page failed", path=request.url.path, error=repr(error))
        text, hint = defect(error)
        return _problem(request, 500, text, hint)


def _recognise(request: Request) -> None:
    """Keep the side bar for somebody who is signed in, where no page was reached that asked."""
    if getattr(request.state, "account", None) is None:
        with desks_of(request).lent() as desk:
            session = session_in(request, desk)
        if session is not None:
            request.state.account, request.state.csrf = session.account, session.csrf


def _problem(request: Request, code: int, text: Text, hint: Text | None) -> Response:
    return page(request, "problem.html", {"code": code, "text": text, "hint": hint}, code=code)
