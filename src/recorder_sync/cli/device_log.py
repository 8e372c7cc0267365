"""`recorder-sync devices log`: all that happened to one device, on one time line."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from recorder_sync.catalogue import device_events, dockings
from recorder_sync.catalogue.dockings import Docking
from recorder_sync.cli.dockings import docking_json
from recorder_sync.cli.screen import messages, print_json, table
from recorder_sync.cli.session import station_of
from recorder_sync.cli.typed import Json, named
from recorder_sync.custodian.standing import standing_of
from recorder_sync.device_json import Names, officer_json, officer_names
from recorder_sync.language import T, tr
from recorder_sync.model import Health, ItemOutcome
from recorder_sync.rules.whereabouts import DeviceEvent, Happening
from recorder_sync.shown import local
from recorder_sync.timestamps import iso

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class _Line:
    time: datetime
    happened: DeviceEvent | Docking


@app.command("log", help=tr("Show what happened to a device, newest first."))
def log(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help=tr("Device number."))],
    limit: Annotated[int, typer.Option(min=1, max=10_000, help=tr("At most so many rows."))] = 200,
    json: Json = False,
) -> None:
    with station_of(context) as station:
        db = station.catalogue
        device = standing_of(db, named(number)).device
        lines = [
            *(_Line(event.time, event) for event in device_events.events_of(db, device.number)),
            *(
                _Line(docking.started_at, docking)
                for docking in dockings.list_dockings(db, device.number, limit)
            ),
        ]
        newest = sorted(lines, key=lambda line: line.time, reverse=True)[:limit]
        names = officer_names(db)
        if json:
            print_json(
                {"device": device.number, "log": [_line_json(line, names) for line in newest]}
            )
            return
        if not newest:
            messages.print(tr("Nothing happened to it yet."))
            return
        zone = station.settings.station.zone
        table(
            [tr("Time"), tr("What"), tr("Details")],
            ((local(line.time, zone), *_words(line.happened, names)) for line in newest),
            whole=(0, 1),
        )


def _line_json(line: _Line, names: Names) -> dict[str, object]:
    happened = line.happened
    if isinstance(happened, Docking):
        return {"time": iso(line.time), "what": "docking", **docking_json(happened)}
    return {
        "time": iso(line.time),
        "what": happened.what.value,
        "officer": officer_json(happened.officer, names),
        "text": happened.text,
        "override": happened.override,
        "not_ready": list(happened.not_ready),
        "actor": happened.actor,
        "custody_seq": happened.custody_seq,
    }


def _words(happened: DeviceEvent | Docking, names: Names) -> tuple[str, str]:
    if isinstance(happened, Docking):
        return tr("docked"), tr("; ").join([_recordings(happened), *_readings(happened)])
    what = {
        Happening.ISSUED: tr("issued"),
        Happening.RETURNED: tr("returned"),
        Happening.FAULT: tr("fault"),
        Happening.REPAIRED: tr("repaired"),
        Happening.RETIRED: tr("retired"),
        Happening.LOST: tr("lost"),
        Happening.FOUND: tr("found"),
    }[happened.what]
    details = [
        (names.get(happened.officer) or happened.officer) if happened.officer else None,
        tr(happened.text) if happened.text else None,
        _override(happened),
    ]
    return what, tr("; ").join(detail for detail in details if detail)


def _override(issued: DeviceEvent) -> str | None:
    if issued.override is None:
        return None
    if issued.not_ready:
        return T("although not ready: {why}", why=issued.override).shown
    return T("reason: {why}", why=issued.override).shown


def _recordings(docking: Docking) -> str:
    counts = docking.counts
    return T(
        "port {port}: {sealed} sealed, {earlier} sealed earlier, {failed} failed, {missing} not in",
        port=docking.port or "—",
        sealed=counts.get(ItemOutcome.SEALED, 0),
        earlier=counts.get(ItemOutcome.ALREADY_SEALED, 0),
        failed=counts.get(ItemOutcome.FAILED, 0),
        missing=counts.get("missing", 0),
    ).shown


def _readings(docking: Docking) -> list[str]:
    """Say what was measured; what was not is left out."""
    health = docking.health or Health()
    storage = health.storage or docking.storage
    found = []
    if health.battery:
        found.append(T("battery {percent} %", percent=health.battery.percent).shown)
    if storage and storage.total > 0:
        found.append(T("{percent} % free", percent=storage.free * 100 // storage.total).shown)
    if health.clock:
        found.append(T("clock {seconds} s off", seconds=health.clock.seconds).shown)
    if health.read_errors:
        found.append(T("{count} read error(s)", count=health.read_errors).shown)
    return found
