"""`recorder-sync verify`: is everything as it was sealed?"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from recorder_sync.catalogue import ledger, recordings, verified
from recorder_sync.cli.screen import messages, print_json
from recorder_sync.cli.session import on_stop_signals, read_time, station_of
from recorder_sync.cli.verify_screen import show
from recorder_sync.custodian.registration import no_such_case
from recorder_sync.errors import CustodyProblem, RecorderSyncError, UsageProblem
from recorder_sync.ingest.recovery import recover
from recorder_sync.ingest.stopping import Stop
from recorder_sync.inspection.alarm import Alarm
from recorder_sync.inspection.pace import Pace, step_back
from recorder_sync.inspection.verification import Scope, Verification
from recorder_sync.inspection.verification import verify as verify_evidence
from recorder_sync.language import T, tr
from recorder_sync.station import Station
from recorder_sync.timestamps import iso


def verify(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help=tr("All (the default)."))] = False,
    since: Annotated[str | None, typer.Option(help=tr("Sealed since (local time)."))] = None,
    sample: Annotated[int | None, typer.Option(min=1, help=tr("So many, at random."))] = None,
    case: Annotated[str | None, typer.Option(help=tr("The recordings of one case."))] = None,
    metadata: Annotated[
        bool, typer.Option("--metadata", help=tr("All but the recordings' content."))
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help=tr("Do not go on where the last one was cut off."))
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=0.001, metavar="MB/S", help=tr("Re-read so many MB a second at most.")),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help=tr("Print JSON."))] = False,
) -> None:
    parts = sum(value is not None for value in (since, sample, case))
    _refuse_what_does_not_go_together(parts, everything, metadata, anew, rate)
    stop = Stop()
    with station_of(context) as station, on_stop_signals(stop.request) as signals:
        with suppress(CustodyProblem):  # a log that is broken is what the verification names
            recover(station)
        step_back()
        if case is not None and not _is_known(station, case):
            raise no_such_case(case)
        scope = Scope(
            since=read_time(since, station.settings) if since else None, sample=sample, case=case
        )
        anew = anew or _is_too_old(station)
        with (
            _progress(station, scope, shown=not json) as (progress, task),
            _alarm(station) as alarm,
        ):
            result = verify_evidence(
                station,
                scope,
                lambda _path, size: progress.advance(task, size),
                bodies=not metadata,
                anew=anew,
                pace=Pace(int(rate * 1_000_000) if rate else None, stop),
                found=alarm.sound,
            )
        if json:
            print_json(_json(result))
        else:
            show(result, station.settings.station.zone, scope, bodies=not metadata)
    if signals:
        raise typer.Exit(128 + signals[0])
    if result.findings:
        raise typer.Exit(1)


def _refuse_what_does_not_go_together(
    parts: int, everything: bool, metadata: bool, anew: bool, rate: float | None
) -> None:
    """Refuse what would be ignored. `parts` counts the options that choose a part."""
    if parts + everything > 1:
        raise UsageProblem(
            T("Only one of --all, --since, --sample and --case can be given."), T("Choose one.")
        )
    if metadata and rate is not None:
        raise UsageProblem(
            T("--metadata re-reads nothing, so --rate has nothing to slow down."),
            T("Give one of them."),
        )
    if anew and (parts or metadata):
        raise UsageProblem(
            T("Only a verification of everything, content included, goes on or begins anew."),
            T("Leave --anew out: a part, and --metadata, always begin anew."),
        )


def _is_known(station: Station, case: str) -> bool:
    """Tell whether a case is in the ledger, or a recording says it is of that case."""
    db = station.catalogue
    return ledger.case(db, case) is not None or bool(recordings.sealed_ids(db, case=case))


@contextmanager
def _alarm(station: Station) -> Iterator[Alarm]:
    """Make alerts of what is found; say why where the log is too broken for one."""
    unheard: list[RecorderSyncError] = []
    alarm = Alarm(station, unheard.append)
    try:
        yield alarm
    finally:
        alarm.sound_the_others()
        if unheard:
            messages.print(
                "[bold yellow]![/] "
                + escape(
                    T(
                        "No alert could be put on record, so status does not show this: {why} "
                        "Tell the custodian yourself.",
                        why=unheard[0].text,
                    ).shown
                )
            )


def _is_too_old(station: Station) -> bool:
    """Tell whether what was re-read before the last one was cut off should be re-read anyway."""
    began = verified.under_way(station.catalogue)
    days = timedelta(days=station.settings.verification.days)
    return began is not None and station.now() - began > days


@contextmanager
def _progress(station: Station, scope: Scope, *, shown: bool) -> Iterator[tuple[Progress, TaskID]]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=messages.console,
        transient=True,
        disable=not shown or not messages.console.is_terminal,
    ) as progress:
        size = recordings.size_sealed(station.catalogue) if scope.is_everything else None
        yield progress, progress.add_task(tr("Verifying"), total=size)


def _json(result: Verification) -> dict[str, object]:
    return {
        "checked": result.checked,
        "bytes": result.size,
        "complete": result.complete,
        "began_at": iso(result.began_at) if result.began_at else None,
        "re_read_earlier": result.earlier,
        "not_read_again": result.skipped,
        "only_in_store": result.elsewhere,
        "findings": [
            {
                "kind": f.kind.value,
                "path": f.path,
                "recording": f.recording,
                "text": f.text.english,
                "row": asdict(f.row) if f.row else None,
            }
            for f in result.findings
        ],
    }
