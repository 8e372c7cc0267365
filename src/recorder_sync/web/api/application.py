"""The API, put together: its routes, and errors as JSON with what to do next."""

import sqlite3
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from recorder_sync import __version__
from recorder_sync.catalogue.database import explain
from recorder_sync.errors import (
    BadList,
    NotFound,
    RecorderSyncError,
    UsageProblem,
    beyond_everything,
    defect,
    error_json,
    refused,
)
from recorder_sync.journal import Log
from recorder_sync.web.api import cases, custody, documents, duties, recordings
from recorder_sync.web.api.callers import NotInScope, NotKnown
from recorder_sync.web.api.forms import Problem
from recorder_sync.web.api.once import KeyInUse
from recorder_sync.web.desks import Desks

_DESCRIPTION = """
What the console shows, for the office's other programs. A token is made by
`recorder-sync tokens add NAME --scope ...` and sent as `Authorization: Bearer TOKEN`.
Lists come in pages: `next` is the cursor of the next one, given back as `after`. A write that
carries an `Idempotency-Key` is done once, however often it is sent. Every look at a recording
is on record in the custody log before it is answered.
"""

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "It makes no sense; nothing was done."},
    401: {"model": Problem, "description": "There is no token, or it works no more."},
    403: {"model": Problem, "description": "The token does not allow this."},
    404: {"model": Problem, "description": "There is nothing by that name."},
    409: {"model": Problem, "description": "The idempotency key is in use."},
    422: {"model": Problem, "description": "A parameter or the body will not do."},
    429: {"model": Problem, "description": "Too many requests; see Retry-After."},
    503: {"model": Problem, "description": "The station cannot do this just now."},
}

_log = Log()


def build(desks: Desks) -> FastAPI:
    """Return the API, working with these desks; it has an OpenAPI document of its own."""
    api = FastAPI(
        title="recorder-sync",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        responses=_PROBLEMS,
    )
    api.state.desks = desks
    for router in (
        recordings.router,
        cases.router,
        documents.router,
        duties.router,
        custody.router,
    ):
        api.include_router(router)
    _answer_errors(api)
    return api


def _answer_errors(api: FastAPI) -> None:
    @api.exception_handler(NotKnown)
    async def not_known(_request: Request, _error: NotKnown) -> JSONResponse:
        answer = problem(401, "There is no token, or it works no more.", "Make one: docs/api.md")
        answer.headers["www-authenticate"] = "Bearer"
        return answer

    @api.exception_handler(NotInScope)
    async def not_in_scope(_request: Request, error: NotInScope) -> JSONResponse:
        return problem(
            403, f"The token does not have the scope {error.needed.value}.", "Make one that has it."
        )

    @api.exception_handler(KeyInUse)
    async def key_in_use(_request: Request, _error: KeyInUse) -> JSONResponse:
        return problem(
            409,
            "This Idempotency-Key came with another request, or its request is under way.",
            "Use a new key for every new request.",
        )

    @api.exception_handler(RequestValidationError)
    async def not_valid(_request: Request, error: RequestValidationError) -> JSONResponse:
        problems = [
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()
        ]
        return problem(422, "The request will not do.", "See /api/v1/openapi.json", problems)

    @api.exception_handler(HTTPException)
    async def by_code(_request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, str(error.detail), "See /api/v1/openapi.json")
        answer.headers.update(error.headers or {})
        return answer

    @api.exception_handler(RecorderSyncError)
    async def of_ours(request: Request, error: RecorderSyncError) -> JSONResponse:
        match error:
            case BadList():
                code = 422
            case NotFound():
                code = 404
            case UsageProblem():
                code = 400
            case _:
                code = 503
                _log.error("a request failed", path=request.url.path, why=str(error))
        return JSONResponse(error_json(error), code)

    @api.exception_handler(sqlite3.DatabaseError)
    async def of_catalogue(request: Request, error: sqlite3.DatabaseError) -> JSONResponse:
        return await of_ours(request, explain(error))

    @api.exception_handler(OSError)
    async def of_system(request: Request, error: OSError) -> JSONResponse:
        return await of_ours(request, refused(error))

    @api.exception_handler(OverflowError)
    async def beyond(request: Request, _error: OverflowError) -> JSONResponse:
        return await of_ours(request, beyond_everything())

    @api.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        _log.exception("a request failed", path=request.url.path, error=repr(error))
        text, hint = defect(error)
        return problem(500, text.english, hint.english)


def problem(code: int, error: str, hint: str, problems: list[str] | None = None) -> JSONResponse:
    """Return an answer that says what went wrong, in the form of every other."""
    return JSONResponse({"error": error, "problems": problems or [], "hint": hint}, code)
