"""The device ledger, and the page of a device: where it is, how it fares, what happened to it.

Devices are no evidence, so who sees devices sees them all; a team leader those that the unit's
officers have or had.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from recorder_sync.catalogue import device_looks, ledger, stays
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.catalogue.device_looks import Look
from recorder_sync.catalogue.dockings import Docking
from recorder_sync.catalogue.seen_by import mine
from recorder_sync.custodian.history import history
from recorder_sync.custodian.standing import Standing, check, standing_of, standings
from recorder_sync.errors import NotFound
from recorder_sync.language import T, tr
from recorder_sync.model import Officer
from recorder_sync.rules.access import Permission, Reach
from recorder_sync.rules.device_matters import Checked
from recorder_sync.rules.whereabouts import DeviceEvent, Happening, State
from recorder_sync.timestamps import iso, moment
from recorder_sync.web.charts import Curve, curve
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter()

Seer = Annotated[Visit, Depends(visitor(Permission.SEE_DEVICES), scope="function")]

DOCKED = "docked"
ONLY_SEEN = "only-seen"
_PER_PAGE = 60
_OF_HISTORY = 40


@dataclass(frozen=True, slots=True)
class Row:
    standing: Standing
    look: Look | None
    where: str
    """A state of the ledger, `docked` or `only-seen`."""
    battery: str
    """A small line of the newest batteries; empty where fewer than two are known."""


@router.get("/devices")
def devices(
    request: Request,
    visit: Seer,
    q: Annotated[str, Query(max_length=100)] = "",
    where: str = "",
    after: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    db = visit.station.catalogue
    everything = seen_devices(visit)
    names = officers_by_number(visit)
    sought = q.strip().casefold()
    found = [
        one
        for one in everything
        if (not where or where in (where_of(one), _ledger_state(one)))
        and (not sought or sought in _words(one, names))
    ]
    rest = [one for one in found if one.device.number > after] if after else found
    shown = rest[:_PER_PAGE]
    given = {name: value for name, value in {"q": q, "where": where}.items() if value}
    following = {**given, "after": shown[-1].device.number} if len(rest) > _PER_PAGE else None
    values = {
        "rows": [_row(one, device_looks.look(db, one.device.number)) for one in shown],
        "names": names,
        "counts": _counts(everything),
        "total": len(everything),
        "q": q,
        "where": where,
        "first": f"/devices?{urlencode(given)}" if after else None,
        "following": f"/devices?{urlencode(following)}" if following else None,
    }
    return page(request, "devices/list.html", values)


def seen_devices(visit: Visit) -> list[Standing]:
    """Return how the devices stand that somebody may see, by number."""
    everything = standings(visit.station.catalogue)
    scope = visit.account.scope
    if scope.reach in (Reach.ALL, Reach.NONE):
        return everything
    reached = mine(visit.station.catalogue, scope).devices
    return [one for one in everything if one.device.number in reached]


def seen_device(visit: Visit, number: str) -> Standing:
    """Return how a device stands. Raises NotFound, also for one that is out of reach."""
    scope = visit.account.scope
    is_reached = scope.reach in (Reach.ALL, Reach.NONE) or (
        number in mine(visit.station.catalogue, scope).devices
    )
    if not is_reached or ledger.device(visit.station.catalogue, number) is None:
        raise NotFound(
            T("There is no device {number}.", number=number), T("The list of devices shows them.")
        )
    return standing_of(visit.station.catalogue, number)


def officers_by_number(visit: Visit) -> dict[str, Officer]:
    return {one.cert_no: one for one in ledger.officers(visit.station.catalogue)}


def address_of(number: str, more: str = "") -> str:
    return f"/devices/{quote(number)}{more}"


def where_of(one: Standing) -> str:
    if one.docked:
        return DOCKED
    return ONLY_SEEN if one.device.registered_at is None else one.where.state.value


def _ledger_state(one: Standing) -> str:
    return ONLY_SEEN if one.device.registered_at is None else one.where.state.value


def _counts(everything: Sequence[Standing]) -> dict[str, int]:
    names = (DOCKED, *(state.value for state in State), ONLY_SEEN)
    return {
        name: sum(name in (where_of(one), _ledger_state(one)) for one in everything)
        for name in names
    }


def _words(one: Standing, names: dict[str, Officer]) -> str:
    device = one.device
    holder = names.get(one.where.officer or "")
    said = (device.number, device.kind, device.maker, device.model, device.custodian)
    return " ".join([*filter(None, said), (holder.name or "") if holder else ""]).casefold()


def _row(one: Standing, look: Look | None) -> Row:
    batteries = look.batteries if look else ()
    line = ""
    if len(batteries) > 1:
        step = 60 / (len(batteries) - 1)
        line = " ".join(
            f"{round(2 + number * step, 1)},{round(18 - percent * 0.16, 1)}"
            for number, percent in enumerate(batteries)
        )
    return Row(one, look, where_of(one), line)


@router.get("/devices/{number:path}")
def device_page(
    request: Request, visit: Seer, number: str, before: str = "", done: str = ""
) -> Response:
    return _device(request, visit, number, _moment(before), done)


def _moment(text: str) -> datetime | None:
    try:
        return moment(text) if text else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    says: str
    curve: Curve
    rows: tuple[tuple[datetime, str], ...]
    """What it shows, the newest first."""


def _device(
    request: Request, visit: Visit, number: str, before: datetime | None, done: str
) -> Response:
    db, settings = visit.station.catalogue, visit.settings
    one = seen_device(visit, number)
    verdict, measured = check(db, one, settings.readiness)
    found = history(db, number, visit.account.scope, before, _OF_HISTORY)
    values = {
        "one": one,
        "device": one.device,
        "where": where_of(one),
        "names": officers_by_number(visit),
        "verdict": verdict,
        "measured": measured,
        "health": measured.health if measured else None,
        "storage": _storage(measured),
        "lines": [(line.at, kind_of(line.happened), line.happened) for line in found.lines],
        "older": address_of(number, f"?before={quote(iso(found.next))}") if found.next else None,
        "is_newest": before is None,
        "charts_of": _charts(visit, stays.checks(db, number)) if before is None else [],
        "done": done,
        "may_move": visit.may(Permission.MOVE_DEVICES),
        "allowed": {what.value for what in Happening if one.where.allows(what)},
        "base": base_address(request, visit),
    }
    return page(request, "devices/device.html", values)


def base_address(request: Request, visit: Visit) -> str:
    """Return what an address begins with that people reach these pages by."""
    return visit.settings.web.public_address or str(request.base_url).rstrip("/")


def _storage(measured: Docking | None) -> object:
    if measured is None:
        return None
    return (measured.health.storage if measured.health else None) or measured.storage


def kind_of(happened: object) -> str:
    """Return what a line of the history is, for the template."""
    match happened:
        case DeviceEvent():
            return "event"
        case Docking():
            return "docking"
        case RecordedAlert():
            return "alert"
    return "step"


def _charts(visit: Visit, checks: Sequence[Checked]) -> list[Chart]:
    """Return the charts of what dockings measured, where there are two values or more."""
    zone, limits = visit.settings.station.zone, visit.settings.readiness
    in_order = sorted(checks, key=lambda one: one.at)
    battery = [(c.at, float(c.health.battery.percent)) for c in in_order if c.health.battery]
    free = [
        (c.at, c.health.storage.free * 100 / c.health.storage.total)
        for c in in_order
        if c.health.storage and c.health.storage.total > 0
    ]
    clock = [(c.at, c.health.clock.seconds) for c in in_order if c.health.clock]
    wanted = (
        (
            tr("Battery when docked"),
            T("At least {least} % to go out.", least=limits.least_battery_percent).shown,
            battery,
            "%",
            (0.0, 100.0),
        ),
        (
            tr("Free space when docked"),
            T("At least {least} % to go out.", least=limits.least_free_percent).shown,
            free,
            "%",
            (0.0, 100.0),
        ),
        (
            tr("Clock, ahead of the station's"),
            T("At most {most} s either way to go out.", most=limits.most_clock_offset_s).shown,
            clock,
            "s",
            (-2.0, 2.0),
        ),
    )
    found = []
    for title, says, points, unit, (least, most) in wanted:
        if len(points) < 2:
            continue

        def in_words(value: float, unit: str = unit) -> str:
            return f"{value:.0f} {unit}"

        drawn = curve(points, zone, in_words, least=least, most=most)
        if drawn is not None:
            rows = tuple((at, in_words(value)) for at, value in reversed(points))
            found.append(Chart(title, says, drawn, rows))
    return found
