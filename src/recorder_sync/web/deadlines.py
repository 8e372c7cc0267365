"""Deadlines: what has to be stored, docked or shown, and how long there is (Art. 21)."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from recorder_sync.catalogue.alert_search import names_of
from recorder_sync.catalogue.seen_by import mine
from recorder_sync.errors import RecorderSyncError
from recorder_sync.ingest.stopping import Stop, Stopping
from recorder_sync.journal import Log
from recorder_sync.rules.access import Permission, Reach
from recorder_sync.watching.deadlines import Running, RunningDeadline, What
from recorder_sync.watching.source import Look
from recorder_sync.web.desks import Desks
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor_of_any

router = APIRouter()

Seeing = Annotated[
    Visit,
    Depends(visitor_of_any(Permission.SEE_STATION, Permission.SEE_RECORDINGS), scope="function"),
]

_SHOWN = 100

_log = Log()


@dataclass(frozen=True, slots=True)
class Group:
    """Limits of one device or officer."""

    name: str | None
    count: int
    overdue: int
    next: datetime


def deadlines_for(request: Request, visit: Visit) -> list[RunningDeadline]:
    """Return the limits that run within the scope of a visit, the most urgent first."""
    station, scope = visit.station, visit.account.scope
    running: Running = request.app.state.running
    found = running.deadlines(Look(station, station.now()))
    if scope.reach is Reach.NONE:
        return [one for one in found if one.what is What.DEVICE]
    whom = mine(station.catalogue, scope)
    return [one for one in found if whom.concerns(one.officer, one.device)]


def read_ahead(desks: Desks, running: Running, stop: Stop) -> None:
    """Read the limits that run once, so that the first page after a start need not wait for it."""
    try:
        with desks.lent() as desk:
            running.deadlines(Look(desk.station, desk.station.now(), stop.check))
    except Stopping:
        pass  # the service ends
    except (RecorderSyncError, sqlite3.DatabaseError, OSError, ValueError) as error:
        # The pages that need them say so to whoever opens one.
        _log.warning("the limits that run cannot be read", why=str(error))


@router.get("/deadlines")
def deadlines(
    request: Request,
    visit: Seeing,
    what: Annotated[str, Query()] = "",
    device: Annotated[str, Query(max_length=100)] = "",
    officer: Annotated[str, Query(max_length=100)] = "",
    overdue: Annotated[bool, Query()] = False,
    skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    now = visit.station.now()
    every = deadlines_for(request, visit)
    kind = What(what) if what in set(What) else None
    found = [
        one
        for one in every
        if kind in {None, one.what}
        and (not device or one.device == device)
        and (not officer or one.officer == officer)
        and not (overdue and one.due >= now)
    ]
    limits = visit.settings.watch_limits
    shown = found[skip : skip + _SHOWN]
    return page(
        request,
        "duties/deadlines.html",
        {
            "shown": shown,
            "count": len(found),
            "late": sum(one.due < now for one in every),
            "soon": sum(now <= one.due <= now + limits.lead for one in every),
            "every": len(every),
            "by_device": _groups(((one.device, one) for one in every), now),
            "by_officer": _groups(((one.officer, one) for one in every), now),
            "names": names_of(visit.station.catalogue, (one.officer for one in every)),
            "what": kind,
            "whats": list(What),
            "device": device,
            "officer": officer,
            "overdue": overdue,
            "lead": limits.lead,
            "next": skip + _SHOWN if len(found) > skip + _SHOWN else None,
            "skip": skip,
            "now": now,
            "may_ask": visit.may(Permission.ASK_DEFERRAL),
        },
    )


def _groups(found: Iterable[tuple[str | None, RunningDeadline]], now: datetime) -> list[Group]:
    """Return the groups, the one with the most urgent limit first."""
    of: dict[str | None, list[RunningDeadline]] = {}
    for name, one in found:
        of.setdefault(name, []).append(one)
    groups = [
        Group(name, len(some), sum(one.due < now for one in some), min(one.due for one in some))
        for name, some in of.items()
    ]
    return sorted(groups, key=lambda group: group.next)
