"""`recorder-sync ingest`: take in a mounted card or a folder now."""

import sqlite3
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from recorder_sync.catalogue.database import TAKING_IN_KIB, explain
from recorder_sync.catalogue.recordings import sealed_by_id
from recorder_sync.cli.intake_display import display_for
from recorder_sync.cli.screen import answers, print_error, print_json
from recorder_sync.cli.session import on_stop_signals, station_of
from recorder_sync.config import Configuration
from recorder_sync.description import as_json
from recorder_sync.errors import RecorderSyncError, Stopped, UsageProblem, error_json, refused
from recorder_sync.ingest.capacity import Capacity, capacity_of
from recorder_sync.ingest.intake import Request, take_in
from recorder_sync.ingest.progress import Observer
from recorder_sync.ingest.report import Report
from recorder_sync.ingest.stopping import Stop
from recorder_sync.language import T, tr
from recorder_sync.model import ItemOutcome
from recorder_sync.station import Station, open_station


def ingest(
    context: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            readable=False,
            help=tr("Folder the card is mounted at; several cards are taken in at once."),
        ),
    ],
    device: Annotated[str | None, typer.Option(help=tr("Device number."))] = None,
    officer: Annotated[str | None, typer.Option(help=tr("Officer's certificate number."))] = None,
    case: Annotated[str | None, typer.Option(help=tr("Case number."))] = None,
    port: Annotated[str | None, typer.Option(help=tr("Port the device is plugged into."))] = None,
    json: Annotated[bool, typer.Option("--json", help=tr("Print JSON."))] = False,
) -> None:
    given = [_given(value) for value in (device, officer, case, port)]
    requests = [
        Request(path, device=given[0], officer=given[1], case=given[2], port=given[3])
        for path in dict.fromkeys(paths)
    ]
    if len(requests) > 1 and (given[0] or given[3]):
        raise UsageProblem(
            T("Several cards cannot be of one device or on one port."),
            T("Leave --device and --port out, or take the cards in one by one."),
        )
    with station_of(context) as station:
        results = take_in_shown(station, requests, quiet=json)
        reports = [one for one in results if isinstance(one, Report)]
        problems = [one for one in results if isinstance(one, RecorderSyncError)]
        if len(requests) == 1:
            if problems:
                raise problems[0]
            if json:
                print_json(report_json(reports[0], station))
            else:
                from recorder_sync.cli.intake_report import show_report

                show_report(reports[0], station)
        else:
            _show_all(requests, results, station, json)
    if problems:
        raise typer.Exit(max(problem.exit_code for problem in problems))
    if any(report.needs_person for report in reports):
        raise typer.Exit(1)


def _show_all(
    requests: Sequence[Request],
    results: Sequence[Report | RecorderSyncError],
    station: Station,
    json: bool,
) -> None:
    if json:
        shown = [
            report_json(one, station)
            if isinstance(one, Report)
            else {"path": str(request.path), **error_json(one)}
            for request, one in zip(requests, results, strict=True)
        ]
        print_json({"dockings": shown})
        return
    from recorder_sync.cli.intake_report import show_report

    for request, one in zip(requests, results, strict=True):
        answers.print(f"── {request.path}", markup=False)
        if isinstance(one, Report):
            show_report(one, station)
        else:
            print_error(one, as_json=False)


def take_in_shown(
    station: Station, requests: Sequence[Request], *, quiet: bool
) -> list[Report | RecorderSyncError]:
    """Take in cards at the same time with their progress shown; a signal ends it cleanly.

    Returns a report, or why there is none, for each card in order. Raises Stopped after a
    signal, when what was under way is sealed, kept or discarded.
    """
    stop = Stop()
    quiet = quiet and not sys.stderr.isatty()
    with (
        on_stop_signals(stop.request) as received,
        capacity_of(station.settings) as capacity,
        display_for(station.settings, quiet=quiet) as display,
        ThreadPoolExecutor(len(requests), thread_name_prefix="card") as cards,
    ):
        names = _names(requests)
        own = [station, *(None for _ in requests[1:])]
        started = [
            cards.submit(
                _take_in_one, station.settings, its, request, capacity, display.card(name), stop
            )
            for its, request, name in zip(own, requests, names, strict=True)
        ]
        results = [one.result() for one in started]
    if received:
        raise Stopped(received[0])
    return results


def _take_in_one(
    settings: Configuration,
    station: Station | None,
    request: Request,
    capacity: Capacity,
    observer: Observer,
    stop: Stop,
) -> Report | RecorderSyncError:
    """Take in one card; its problem is not the others'.

    Without a `station` that is free, another connection to it is opened.
    """
    try:
        if station is not None:
            return take_in(station, request, capacity, observer, stop)
        station = open_station(settings, TAKING_IN_KIB)
        try:
            return take_in(station, request, capacity, observer, stop)
        finally:
            station.catalogue.close()
    except RecorderSyncError as error:
        return error
    except OSError as error:
        return refused(error)
    except sqlite3.DatabaseError as error:
        return explain(error)


def _names(requests: Sequence[Request]) -> list[str | None]:
    """Return what tells the cards apart: nothing for one, else as little of the path as does."""
    if len(requests) == 1:
        return [None]
    short = [request.path.name for request in requests]
    if len(set(short)) == len(short):
        return [*short]
    return [str(request.path) for request in requests]


def report_json(report: Report, station: Station) -> dict[str, object]:
    """Return the report as other programs rely on it. Raises NotFound."""
    storage = report.storage
    sealed = sealed_by_id(station.catalogue, [recording.id for recording in report.sealed])
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
        "recordings": [as_json(recording) for recording in sealed],
        "failures": [
            {
                "path": outcome.path.text,
                "path_base64": outcome.path.base64,
                "error": outcome.failure.text.english,
                "hint": outcome.failure.hint.english if outcome.failure.hint else None,
                "salvage": outcome.recording.id if outcome.recording else None,
            }
            for outcome in report.of(ItemOutcome.FAILED)
            if outcome.failure
        ],
    }


def _given(value: str | None) -> str | None:
    """Take an empty option for an absent one."""
    return value.strip() or None if value else None
