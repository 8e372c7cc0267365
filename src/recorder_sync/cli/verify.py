"""`recorder-sync verify`: is everything as it was sealed?"""

from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from recorder_sync.catalogue import recordings
from recorder_sync.cli.screen import amount, answers, messages, print_json
from recorder_sync.cli.session import read_time, station_of
from recorder_sync.errors import UsageProblem
from recorder_sync.ingest.recovery import recover
from recorder_sync.inspection.verification import Scope, Verification
from recorder_sync.inspection.verification import verify as verify_evidence
from recorder_sync.language import T, tr


def verify(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help=tr("All (the default)."))] = False,
    since: Annotated[str | None, typer.Option(help=tr("Sealed since (local time)."))] = None,
    sample: Annotated[int | None, typer.Option(min=1, help=tr("So many, at random."))] = None,
    case: Annotated[str | None, typer.Option(help=tr("The recordings of one case."))] = None,
    json: Annotated[bool, typer.Option("--json", help=tr("Print JSON."))] = False,
) -> None:
    chosen = sum(value is not None for value in (since, sample, case)) + everything
    if chosen > 1:
        raise UsageProblem(
            T("Only one of --all, --since, --sample and --case can be given."), T("Choose one.")
        )
    with station_of(context) as station:
        recover(station)
        scope = Scope(
            since=read_time(since, station.settings) if since else None, sample=sample, case=case
        )
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=messages,
            transient=True,
            disable=json or not messages.is_terminal,
        ) as progress:
            task = progress.add_task(
                tr("Verifying"),
                total=recordings.size_sealed(station.catalogue) if scope.is_everything else None,
            )
            result = verify_evidence(
                station, scope, lambda _path, size: progress.advance(task, size)
            )
    if json:
        print_json(_json(result))
    else:
        _show(result, everything=scope.is_everything)
    if result.findings:
        raise typer.Exit(1)


def _json(result: Verification) -> dict[str, object]:
    return {
        "checked": result.checked,
        "bytes": result.size,
        "findings": [
            {
                "kind": f.kind.value,
                "path": f.path,
                "recording": f.recording,
                "text": f.text.english,
            }
            for f in result.findings
        ],
    }


def _show(result: Verification, *, everything: bool) -> None:
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
        return
    if everything:
        text = T(
            "{checked} recording(s), {size}: whole, and nothing added or missing.",
            checked=result.checked,
            size=amount(result.size),
        )
    else:
        text = T(
            "{checked} recording(s), {size}: as they were sealed.",
            checked=result.checked,
            size=amount(result.size),
        )
    answers.print("[bold green]✔[/] " + escape(text.shown))
