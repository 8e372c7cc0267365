"""Programs of the office, for the administrator: tokens of the API, and who is told of events."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.access import keeping, tokens
from recorder_sync.access.tokens import LONGEST_DAYS, NewToken
from recorder_sync.errors import RecorderSyncError
from recorder_sync.rules.access import ApiScope, Permission, Secrecy
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor
from recorder_sync.webhooks.place import standing_of

router = APIRouter()

_Keeper = Annotated[Visit, Depends(visitor(Permission.KEEP_PEOPLE), scope="function")]


@router.get("/programs")
def programs(request: Request, visit: _Keeper, done: str = "") -> Response:
    return _programs(request, visit, None, NewToken("", frozenset()), done)


@router.post("/programs")
def make(
    request: Request,
    visit: _Keeper,
    name: Annotated[str, Form(max_length=200)] = "",
    scope: Annotated[list[ApiScope] | None, Form()] = None,
    cleared: Annotated[list[Secrecy] | None, Form()] = None,
    days: Annotated[int, Form(ge=1, le=LONGEST_DAYS)] = 365,
) -> Response:
    wanted = NewToken(name.strip(), frozenset(scope or ()), frozenset(cleared or ()), days)
    try:
        token = keeping.make_token(visit.station, visit.desk.accounts, wanted)
    except RecorderSyncError as problem:
        return _programs(request, visit, problem, wanted, "")
    return page(request, "programs/token.html", {"wanted": wanted, "token": token})


@router.post("/programs/{name}/revoke")
def revoke(visit: _Keeper, name: str) -> Response:
    keeping.revoke_token(visit.station, visit.desk.accounts, name)
    return RedirectResponse("/programs?done=revoked", 303)


def _programs(
    request: Request,
    visit: Visit,
    problem: RecorderSyncError | None,
    wanted: NewToken,
    done: str,
) -> Response:
    settings = visit.settings
    values = {
        "tokens": tokens.every(visit.desk.accounts),
        "hooks": [
            (hook, standing_of(settings.paths.state, hook.name)) for hook in settings.webhooks
        ],
        "scopes": list(ApiScope),
        "classes": [one for one in Secrecy if one is not Secrecy.NONE],
        "now": visit.station.now(),
        "problem": problem,
        "wanted": wanted,
        "done": done,
    }
    return page(request, "programs/list.html", values, code=400 if problem else 200)
