"""`recorder-sync ingest`: take in a mounted card or a folder now."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from recorder_sync.cli.intake_display import observer_for, show_report
from recorder_sync.cli.screen import print_json
from recorder_sync.cli.session import on_stop_signals, station_of
from recorder_sync.description import as_json
from recorder_sync.errors import Stopped
from recorder_sync.ingest.intake import Request, take_in
from recorder_sync.ingest.lanes import Stop
from recorder_sync.ingest.report import Report
from recorder_sync.language import tr
from recorder_sync.media.describer import Describer
from recorder_sync.model import ItemOutcome
from recorder_sync.station import Station


def ingest(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(readable=False, help=tr("Folder the card is mounted at."))
    ],
    device: Annotated[str | None, typer.Option(help=tr("Device number."))] = None,
    officer: Annotated[str | None, typer.Option(help=tr("Officer's certificate number."))] = None,
    case: Annotated[str | None, typer.Option(help=tr("Case number."))] = None,
    port: Annotated[str | None, typer.Option(help=tr("Port the device is plugged into."))] = None,
    json: Annotated[bool, typer.Option("--json", help=tr("Print JSON."))] = False,
) -> None:
    request = Request(path, *(_given(value) for value in (device, officer, case, port)))
    with station_of(context) as station:
        report = take_in_shown(station, request, quiet=json)
        if json:
            print_json(report_json(report))
        else:
            show_report(report, station.settings)
    if report.needs_person:
        raise typer.Exit(1)


def take_in_shown(station: Station, request: Request, *, quiet: bool) -> Report:
    """Take in a card with its progress shown; a signal ends it cleanly.

    Raises Stopped after a signal, when what was under way is sealed or discarded.
    """
    stop = Stop()
    with (
        on_stop_signals(stop.request) as received,
        Describer(station.settings.media) as describer,
        observer_for(station.settings, quiet=quiet and not sys.stderr.isatty()) as observer,
    ):
        report = take_in(station, request, describer, observer, stop)
    if received:
        raise Stopped(received[0])
    return report


def report_json(report: Report) -> dict[str, object]:
    """Return the report as other programs rely on it."""
    storage = report.storage
    return {
        "docking": report.docking,
        "device": report.identity.device,
        "identity": {
            "source": report.identity.source.value if report.identity.source else None,
            "state": report.identity.state.value,
        },
        "battery": None,
        "storage": (
            {"total": storage.total, "used": storage.used, "free": storage.free}
            if storage
            else None
        ),
        "clock_offset_s": None,
        "inventory": len(report.items),
        "sealed": len(report.sealed),
        "already_sealed": len(report.of(ItemOutcome.ALREADY_SEALED)),
        "failed": len(report.of(ItemOutcome.FAILED)),
        "late": len(report.late),
        "skipped": [
            {
                "path": item.path.text,
                "path_base64": item.path.base64,
                "reason": item.skipped.english,
            }
            for item in report.items
            if item.skipped
        ],
        "recordings": [as_json(recording) for recording in report.sealed],
        "failures": [
            {
                "path": outcome.path.text,
                "path_base64": outcome.path.base64,
                "error": outcome.failure.text.english,
                "hint": outcome.failure.hint.english if outcome.failure.hint else None,
            }
            for outcome in report.of(ItemOutcome.FAILED)
            if outcome.failure
        ],
    }


def _given(value: str | None) -> str | None:
    """Take an empty option for an absent one."""
    return value.strip() or None if value else None
