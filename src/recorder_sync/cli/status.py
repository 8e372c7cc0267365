"""`recorder-sync status`: how the station stands."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape

from recorder_sync.catalogue import alerts, dockings, recordings, uploads, verified
from recorder_sync.catalogue.alerts import RecordedAlert, worst_first
from recorder_sync.catalogue.uploads import Queue
from recorder_sync.cli.dock_screen import PortsTable
from recorder_sync.cli.dock_screen import watch as watch_ports
from recorder_sync.cli.dockings import docking_json, result_words
from recorder_sync.cli.screen import answers, facts, print_json, table
from recorder_sync.cli.session import settings_of, station_of
from recorder_sync.dock.live_status import Status, read_status
from recorder_sync.ingest.medium import file_system_of, has_device
from recorder_sync.language import T, tr
from recorder_sync.rules.matter import Severity
from recorder_sync.shown import amount, local
from recorder_sync.timestamps import iso, iso_or_none

_DOCKINGS = 5
_ALERTS = 10


def status(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help=tr("Print JSON."))] = False,
    watch: Annotated[bool, typer.Option("--watch", help=tr("Show the ports, live."))] = False,
) -> None:
    if watch:
        watch_ports(settings_of(context))
        return
    with station_of(context) as station:
        settings = station.settings
        in_force = station.evidence.protection_in_force()
        file_system = file_system_of(station.evidence.root)
        proves = settings.ingest.read_back and has_device(file_system)
        free = station.evidence.free_bytes()
        sealed, late = recordings.count_sealed(station.catalogue)
        size = recordings.size_sealed(station.catalogue)
        unfinished = len(recordings.intents(station.catalogue))
        newest = dockings.list_dockings(station.catalogue, None, _DOCKINGS)
        entries = station.custody.size()
        live = read_status(settings.paths.runtime)
        matters = worst_first(alerts.live(station.catalogue))
        re_read = verified.standing(station.catalogue)
        stores = [
            (one.name, uploads.queue_of(station.catalogue, one.name)) for one in settings.stores
        ]
        if json:
            print_json(
                {
                    "station": settings.station.id,
                    "evidence": {
                        "path": str(station.evidence.root),
                        "file_system": file_system,
                        "free": free,
                        "protection": in_force.protection.value,
                        "fs_verity": in_force.verity.value,
                        "read_back_proves_medium": proves,
                    },
                    "recordings": {
                        "sealed": sealed,
                        "bytes": size,
                        "late": late,
                        "unfinished": unfinished,
                    },
                    "verification": {
                        "oldest": iso_or_none(re_read.oldest),
                        "never": re_read.never,
                    },
                    "stores": [
                        {"name": name, "waiting": queue.waiting, "failed": queue.failed}
                        for name, queue in stores
                    ],
                    "custody_entries": entries,
                    "service": "running" if live else "not-running",
                    "ports": live["ports"] if live else [],
                    "alerts": [_alert_json(alert) for alert in matters],
                    "alerts_by_severity": {
                        severity.value: _count(matters, severity) for severity in Severity
                    },
                    "dockings": [docking_json(docking) for docking in newest],
                }
            )
            return
        facts(
            [
                (tr("Station"), settings.station.id),
                (tr("Evidence"), f"{station.evidence.root} ({file_system})"),
                (tr("Free"), amount(free)),
                (tr("Protection"), tr(in_force.protection.value)),
                ("fs-verity", tr(in_force.verity.value)),
                (tr("Read-back"), tr("proves the medium") if proves else tr("proves nothing here")),
                (tr("Sealed"), f"{sealed} ({amount(size)})"),
                (tr("Late"), late),
                (tr("Unfinished"), unfinished),
                (tr("Oldest re-reading"), local(re_read.oldest, settings.station.zone)),
                (tr("Never re-read"), re_read.never),
                *((f"{tr('Store')} {name}", _queue_words(queue)) for name, queue in stores),
                (tr("Custody entries"), entries),
                (tr("Dock service"), tr("running") if live else tr("not running")),
                *_pages(live),
                (tr("Open alerts"), _counted(matters)),
            ]
        )
        if live and live["ports"]:
            answers.print()
            answers.print(PortsTable(live["ports"]))
        for alert in matters[:_ALERTS]:
            when = local(alert.since, settings.station.zone)
            severity = escape(tr(alert.severity.value))
            number = escape(f"{tr('Alert')} {alert.number}")
            said = escape(alert.text.shown)
            answers.print(f"\n[bold red]●[/] {number}  {when}  {severity}  {said}")
            answers.print(f"  → {escape(alert.hint.shown)}")
        if newest:
            answers.print()
            table(
                [tr("Docking"), tr("Device"), tr("Begun"), tr("Result")],
                (
                    (
                        d.id,
                        d.identity.device,
                        local(d.started_at, settings.station.zone),
                        result_words(d),
                    )
                    for d in newest
                ),
            )


def _pages(live: Status | None) -> list[tuple[str, str]]:
    """Say where the daemon serves the pages, or why it does not, where it should."""
    web = live.get("web") if live else None
    if not web:
        return []
    said = web["address"] or T("not served: {why}", why=web["problem"]).shown
    return [(tr("Web pages"), said)]


def _counted(alerts: Sequence[RecordedAlert]) -> str:
    """Say how many there are, and of which severity, the worst first."""
    counts = {severity: _count(alerts, severity) for severity in reversed(Severity)}
    told = [f"{count} {tr(severity.value)}" for severity, count in counts.items() if count]
    return f"{len(alerts)} ({tr(', ').join(told)})" if told else "0"


def _count(alerts: Sequence[RecordedAlert], severity: Severity) -> int:
    return sum(1 for one in alerts if one.severity is severity)


def _queue_words(queue: Queue) -> str:
    text = T(
        "{waiting} waiting, {failed} failed, {confirmed} confirmed",
        waiting=queue.waiting,
        failed=queue.failed,
        confirmed=queue.confirmed,
    )
    return text.shown


def _alert_json(alert: RecordedAlert) -> dict[str, object]:
    return {
        "number": alert.number,
        "state": alert.state.value,
        "severity": alert.severity.value,
        "since": iso(alert.since),
        "due": iso_or_none(alert.due),
        "kind": alert.kind.value,
        "device": alert.device,
        "docking": alert.docking,
        "text": alert.text.english,
        "hint": alert.hint.english,
        "raised_at": iso(alert.raised_at),
    }
