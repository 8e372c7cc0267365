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

from recorder_sync.catalogue import recordings, verified
from recorder_sync.cli.screen import amount, answers, local, messages, print_json
from recorder_sync.cli.session import on_stop_signals, read_time, station_of
from recorder_sync.errors import CustodyProblem, UsageProblem
from recorder_sync.ingest.recovery import recover
from recorder_sync.ingest.stopping import Stop
from recorder_sync.inspection.pace import Pace, step_back
from recorder_sync.inspection.verification import Scope, Verification
from recorder_sync.inspection.verification import verify as verify_evidence
from recorder_sync.language import T, Text, tr
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
    chosen = sum(value is not None for value in (since, sample, case)) + everything
    if chosen > 1:
        raise UsageProblem(
            T("Only one of --all, --since, --sample and --case can be given."), T("Choose one.")
        )
    stop = Stop()
    with station_of(context) as station, on_stop_signals(stop.request) as signals:
        with suppress(CustodyProblem):  # a log that is broken is what the verification names
            recover(station)
        step_back()
        scope = Scope(
            since=read_time(since, station.settings) if since else None, sample=sample, case=case
        )
        anew = anew or _is_too_old(station)
        with _progress(station, scope, shown=not json) as (progress, task):
            result = verify_evidence(
                station,
                scope,
                lambda _path, size: progress.advance(task, size),
                bodies=not metadata,
                anew=anew,
                pace=Pace(int(rate * 1_000_000) if rate else None, stop),
            )
        if json:
            print_json(_json(result))
        else:
            _show(station, result, everything=scope.is_everything, bodies=not metadata)
    if signals:
        raise typer.Exit(128 + signals[0])
    if result.findings:
        raise typer.Exit(1)


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
        console=messages,
        transient=True,
        disable=not shown or not messages.is_terminal,
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


def _show(station: Station, result: Verification, *, everything: bool, bodies: bool) -> None:
    if result.earlier and result.began_at:
        messages.print(
            T(
                "Went on with the verification begun at {time}: {count} recording(s) had been "
                "re-read. --anew begins again.",
                time=local(result.began_at, station.settings.station.zone),
                count=result.earlier,
            ).shown
        )
    for finding in result.findings:
        answers.print(
            f"[bold red]✘ {tr(finding.kind.value)}[/]  {escape(finding.path)}: "
            f"{escape(finding.text.shown)}"
        )
    if result.findings:
        answers.print(
            T(
                "{checked} recording(s) verified, {findings} finding(s). Touch nothing; tell the "
                "custodian, and keep this output.",
                checked=result.checked,
                findings=len(result.findings),
            ).shown
        )
    if not result.complete:
        messages.print(
            T(
                "Stopped after {checked} recording(s). Run the same command again; of everything, "
                "it goes on where it stopped.",
                checked=result.checked,
            ).shown
        )
    elif not result.findings:
        answers.print("[bold green]✔[/] " + escape(_whole(result, everything, bodies).shown))


def _whole(result: Verification, everything: bool, bodies: bool) -> Text:
    if not bodies:
        return T(
            "{checked} recording(s): descriptions, sizes, protection, lists, catalogue and custody "
            "log are as they were sealed. Their content was not read.",
            checked=result.checked,
        )
    if everything:
        return T(
            "{checked} recording(s), {size}: whole, and nothing added or missing.",
            checked=result.checked,
            size=amount(result.size),
        )
    return T(
        "{checked} recording(s), {size}: as they were sealed.",
        checked=result.checked,
        size=amount(result.size),
    )
