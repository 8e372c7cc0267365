"""The overview: what needs me now, and what came in today."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from recorder_sync.catalogue import alert_search, deferrals, disk_samples, today, verified
from recorder_sync.catalogue.alert_search import AlertSearch, names_of
from recorder_sync.dock.live_status import read_status
from recorder_sync.errors import MissingPart
from recorder_sync.forward.standing import StoreStanding, standings
from recorder_sync.model import AlertKind
from recorder_sync.rules.access import Permission, Reach
from recorder_sync.rules.forecast import DiskSample, full_at
from recorder_sync.rules.reconcile import AlertState
from recorder_sync.web.deadlines import deadlines_for
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter()

SignedIn = Annotated[Visit, Depends(visitor(), scope="function")]

_ALERTS = 6
_DEADLINES = 6
_LATELY = timedelta(days=7)
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class EvidenceDisk:
    used: int
    free: int
    """Until what has to stay free is reached."""
    full_at: datetime | None
    """None: it does not get fuller, or nobody knows yet."""

    @property
    def percent(self) -> int:
        return round(100 * self.used / max(1, self.used + self.free))


@router.get("/")
def overview(request: Request, visit: SignedIn) -> Response:
    return page(request, "overview/page.html", _values(request, visit))


@router.get("/overview/now")
def overview_now(request: Request, visit: SignedIn) -> Response:
    """Return the part of the overview that renews itself."""
    return page(request, "overview/now.html", _values(request, visit))


def _values(request: Request, visit: Visit) -> dict[str, Any]:
    station, scope = visit.station, visit.account.scope
    db, now = station.catalogue, station.now()
    sees_station = visit.may(Permission.SEE_STATION)
    values: dict[str, Any] = {
        "now": now,
        "sees_station": sees_station,
        "sees_evidence": visit.may(Permission.SEE_RECORDINGS) and scope.reach is not Reach.NONE,
        "may_approve": visit.may(Permission.APPROVE_DEFERRAL),
        "lead": visit.settings.watch_limits.lead,
        "deadlines": [],
        "late": 0,
        "names": {},
        "stores": [],
        "unsorted": 0,
        "mine": 0,
        "waiting": 0,
    }
    if sees_station or values["sees_evidence"]:
        running = deadlines_for(request, visit)
        values["deadlines"] = running[:_DEADLINES]
        values["late"] = sum(one.due < now for one in running)
        values["waiting"] = deferrals.waiting(db, scope)
        values["today"] = today.came_in(db, scope, _midnight(visit))
    if scope.reach is Reach.ALL:
        values["unsorted"] = today.without_officer(db)
    if visit.account.officer is not None:
        values["mine"] = today.without_case(db, visit.account.officer, now - _LATELY)
    alerts = alert_search.page(db, AlertSearch(limit=_ALERTS), scope).found
    values |= {
        "alerts": alerts,
        "counts": alert_search.live_by_severity(db, scope),
        "names": names_of(db, [one.officer for one in (*alerts, *values["deadlines"])]),
    }
    if sees_station:
        values |= _of_station(visit)
    return values


def _of_station(visit: Visit) -> dict[str, Any]:
    station, scope = visit.station, visit.account.scope
    db = station.catalogue
    stores: list[StoreStanding] = standings(station)
    return {
        "held": today.held_now(db, scope),
        "most": today.MOST_COUNTED,
        "stores": stores,
        "verified": verified.oldest(db),
        "findings": len(
            alert_search.page(
                db,
                AlertSearch(state=AlertState.OPEN, kind=AlertKind.VERIFICATION_FINDING),
                scope,
            ).found
        ),
        "days": visit.settings.verification.days,
        "disk": _disk(visit),
        "ports": _ports(visit),
    }


def _disk(visit: Visit) -> EvidenceDisk | None:
    """Return how full the evidence disk is; None where it cannot be asked."""
    settings = visit.settings
    folder = settings.paths.evidence
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    reserve = settings.ingest.reserve_mib * _MIB
    now = visit.station.now()
    samples = [
        *disk_samples.samples(visit.station.catalogue, str(folder)),
        DiskSample(now, usage.used),
    ]
    capacity = max(1, usage.used + usage.free - reserve)
    return EvidenceDisk(usage.used, max(0, usage.free - reserve), full_at(samples, capacity))


def _ports(visit: Visit) -> list[dict[str, Any]] | None:
    """Return the live ports; None where the dock service does not run."""
    try:
        status = read_status(visit.settings.paths.runtime)
    except MissingPart:
        return None
    return None if status is None else list(status["ports"])


def _midnight(visit: Visit) -> datetime:
    zone = visit.settings.station.zone
    day = visit.station.now().astimezone(zone).date()
    return datetime.combine(day, time(), zone).astimezone(UTC)
