"""Legal holds in the console (Art. 25): what is held, and putting under hold and releasing.

A case is released as a whole by who sees everything alone: its hold keeps recordings of others
too. What is set and released goes on record by the same functions as the command's.
"""

from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.catalogue import cases, holds, holds_seen
from recorder_sync.catalogue.seen_by import visible
from recorder_sync.custodian.holding import hold, release
from recorder_sync.rules.access import Permission, Reach
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import NotAllowed, Visit, visitor

router = APIRouter(prefix="/holds")

Seeing = Annotated[
    Visit, Depends(visitor(Permission.SEE_RECORDINGS, Permission.SEE_CASES), scope="function")
]
Holding = Annotated[
    Visit,
    Depends(
        visitor(Permission.SEE_RECORDINGS, Permission.SEE_CASES, Permission.HOLD),
        scope="function",
    ),
]

_SEE_OTHER = 303
_LISTED = 50


class Doing(StrEnum):
    HOLD = "hold"
    RELEASE = "release"


Do = Annotated[Doing, Form()]
Reason = Annotated[str, Form(max_length=2000)]


@router.get("")
def standing(
    request: Request, visit: Seeing, after: Annotated[int | None, Query(ge=0, le=2**62)] = None
) -> Response:
    db, scope = visit.station.catalogue, visit.account.scope
    found = holds_seen.page(db, scope, after, _LISTED)
    return page(
        request,
        "holds/list.html",
        {
            "found": found.found,
            "recordings": holds.count_held(db) if scope.reach is Reach.ALL else None,
            "newest": "/holds" if after is not None else None,
            "following": f"/holds?after={found.next}" if found.next is not None else None,
        },
    )


@router.post("/recordings/{identifier}")
def of_recording(visit: Holding, identifier: str, do: Do, reason: Reason = "") -> Response:
    """Put one recording under hold, or release it."""
    found = visible(visit.station.catalogue, identifier, visit.account.scope).recording
    work = hold if do is Doing.HOLD else release
    work(visit.station, [found.id], [], reason, visit.account.name)
    return RedirectResponse(f"/recordings/{found.id}#hold", _SEE_OTHER)


@router.post("/cases/{number:path}")
def of_case(visit: Holding, number: str, do: Do, reason: Reason = "") -> Response:
    """Put a whole case under hold, or release it."""
    found = cases.seen_case(visit.station.catalogue, number, visit.account.scope).case
    if do is Doing.RELEASE and not may_release_cases(visit):
        raise NotAllowed
    work = hold if do is Doing.HOLD else release
    work(visit.station, [], [found.number], reason, visit.account.name)
    return RedirectResponse(f"/cases/{quote(found.number)}#hold", _SEE_OTHER)


def may_release_cases(visit: Visit) -> bool:
    """Tell whether somebody may release whole cases."""
    return visit.may(Permission.HOLD) and visit.account.scope.reach is Reach.ALL
