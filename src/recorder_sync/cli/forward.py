"""`recorder-sync forward`: the daemon that has the network, and the queue that it works off."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from recorder_sync.catalogue.uploads import Upload
from recorder_sync.cli.options import Options
from recorder_sync.cli.screen import answers, messages, print_json, table
from recorder_sync.cli.session import station_of, writing_station_of
from recorder_sync.cli.typed import Json
from recorder_sync.config import Configuration, path_in_use
from recorder_sync.forward import standing as keeping
from recorder_sync.forward.standing import StoreStanding, standings
from recorder_sync.language import T, tr
from recorder_sync.shown import amount, local
from recorder_sync.time_left import length
from recorder_sync.timestamps import iso_or_none

app = typer.Typer(invoke_without_command=True)

_Stores = Annotated[
    list[str] | None, typer.Argument(metavar="[STORE]...", help=tr("Names of stores; none: all."))
]


@app.callback()
def forward(context: typer.Context) -> None:
    if context.invoked_subcommand is not None:
        return
    from recorder_sync.forward_service import ForwardService

    options = context.find_object(Options)
    assert options is not None
    code = ForwardService(path_in_use(options.config)).run()
    if code:
        raise typer.Exit(code)


@app.command("status", help=tr("Show what waits for each store, how fast it goes, what failed."))
def status(context: typer.Context, json: Json = False) -> None:
    with station_of(context) as station:
        found = standings(station, confirmed=True)
        if json:
            print_json({"stores": [_json(one) for one in found]})
        elif not found:
            messages.print(tr("The configuration names no store."))
        else:
            _show(found, station.settings)
    if any(one.needs_a_person for one in found):
        raise typer.Exit(1)


def _json(one: StoreStanding) -> dict[str, object]:
    state = one.state
    return {
        "name": one.name,
        "state": one.activity.value,
        "waiting": one.queue.waiting,
        "failed": one.queue.failed,
        "confirmed": one.queue.confirmed,
        "bytes_waiting": one.queue.bytes_waiting,
        "oldest_waiting": iso_or_none(one.queue.oldest),
        "rate": round(one.rate) if one.rate is not None else None,
        "left_s": one.left_s,
        "paused_at": iso_or_none(state.paused_at),
        "paused_by": state.paused_by,
        "failing_since": iso_or_none(state.failing_since),
        "trouble": state.trouble,
        "why": state.why.english if state.why else None,
        "hint": state.hint.english if state.hint else None,
        "legal_holds": {"can": one.can_hold, "wanted": one.held[0], "kept": one.held[1]},
        "documents": {
            "waiting": one.documents.waiting,
            "failed": one.documents.failed,
            "confirmed": one.documents.confirmed,
            "failures": [
                {
                    "document": failure.document,
                    "why": failure.why.english,
                    "hint": failure.hint.english if failure.hint else None,
                }
                for failure in one.documents.failures
            ],
        },
        "lock_failing_since": iso_or_none(state.lock_failing_since),
        "lock_why": state.lock_why.english if state.lock_why else None,
        "sending": [
            {"recording": upload.recording, "size": upload.size, "sent": sent}
            for upload, sent in one.sending
        ],
        "failures": [
            {
                "recording": upload.recording,
                "why": upload.why.english if upload.why else None,
                "hint": upload.hint.english if upload.hint else None,
            }
            for upload in one.failures
        ],
    }


def _show(found: Sequence[StoreStanding], settings: Configuration) -> None:
    zone = settings.station.zone
    table(
        [
            *(tr("Store"), tr("State"), tr("Waiting"), tr("Size"), tr("Failed"), tr("Confirmed")),
            *(tr("Rate"), tr("Time left"), tr("Waiting since")),
        ],
        (
            (
                *(
                    one.name,
                    tr(one.activity.value),
                    one.queue.waiting,
                    amount(one.queue.bytes_waiting),
                ),
                *(one.queue.failed, one.queue.confirmed),
                f"{amount(round(one.rate))}/s" if one.rate is not None else None,
                length(timedelta(seconds=one.left_s)) if one.left_s is not None else None,
                local(one.queue.oldest, zone),
            )
            for one in found
        ),
    )
    for one in found:
        if answers.console.is_terminal:
            for upload, sent in one.sending:
                answers.print(_bar(upload, sent))
        if one.state.paused_at is not None:
            text = T("{store} was paused by {who}.", store=one.name, who=one.state.paused_by)
            answers.print(escape(text.shown))
        _show_locks(one)
        _show_documents(one)
        if one.state.why is not None:
            answers.print(f"[bold red]✘[/] {escape(one.state.why.shown)}")
        if one.state.hint is not None:
            answers.print(f"  → {escape(one.state.hint.shown)}")
        for failure in one.failures:
            answers.print(f"[red]✘[/] {failure.recording}  {escape(_why(failure))}")


def _show_documents(one: StoreStanding) -> None:
    queue = one.documents
    if queue.waiting or queue.failed:
        text = T(
            "{store}: {waiting} document(s) wait, {failed} failed, {confirmed} are confirmed.",
            store=one.name,
            waiting=queue.waiting,
            failed=queue.failed,
            confirmed=queue.confirmed,
        )
        answers.print(escape(text.shown))
    for failure in queue.failures:
        answers.print(f"[red]✘[/] {failure.document}  {escape(failure.why.shown)}")


def _show_locks(one: StoreStanding) -> None:
    wanted, kept = one.held
    if wanted and not one.can_hold:
        text = T(
            "{store} cannot keep legal holds: {count} of its copies are under hold.",
            store=one.name,
            count=wanted,
        )
        answers.print(f"[yellow]![/] {escape(text.shown)}")
    elif wanted:
        text = T(
            "{store}: {kept} of {count} copies under legal hold are held there too.",
            store=one.name,
            kept=kept,
            count=wanted,
        )
        answers.print(escape(text.shown))
    if one.state.lock_why is not None:
        answers.print(f"[bold red]✘[/] {escape(one.state.lock_why.shown)}")
        if one.state.lock_hint is not None:
            answers.print(f"  → {escape(one.state.lock_hint.shown)}")


def _why(failure: Upload) -> str:
    return failure.why.shown if failure.why else "—"


def _bar(upload: Upload, sent: int) -> Table:
    drawn = Table.grid(padding=(0, 2, 0, 0), expand=True)
    drawn.add_column(no_wrap=True)
    drawn.add_column(ratio=1)
    drawn.add_column(no_wrap=True)
    bar = ProgressBar(total=max(1, upload.size), completed=sent)
    drawn.add_row(upload.recording, bar, f"{amount(sent)} / {amount(upload.size)}")
    return drawn


@app.command("retry", help=tr("Have what failed tried again at once."))
def retry(
    context: typer.Context,
    names: _Stores = None,
    recording: Annotated[
        str | None, typer.Option(metavar="ID", help=tr("Only this recording."))
    ] = None,
    json: Json = False,
) -> None:
    with writing_station_of(context) as station:
        count = keeping.retry(station, names, recording)
    if json:
        print_json({"recordings": count})
    else:
        messages.print(T("{count} recording(s) are tried again.", count=count).shown)


_Reason = Annotated[str | None, typer.Option(metavar="TEXT", help=tr("Why; it stays on record."))]


@app.command("pause", help=tr("Send nothing more to a store until it is resumed."))
def pause(
    context: typer.Context, names: _Stores = None, reason: _Reason = None, json: Json = False
) -> None:
    with writing_station_of(context) as station:
        changed = keeping.pause(station, names, reason)
    if json:
        print_json({"stores": changed})
    else:
        said = T("Paused: {stores}", stores=", ".join(changed) or "—")
        messages.print(said.shown, markup=False)


@app.command("resume", help=tr("Go on sending to a store that was paused."))
def resume(
    context: typer.Context, names: _Stores = None, reason: _Reason = None, json: Json = False
) -> None:
    with writing_station_of(context) as station:
        changed = keeping.resume(station, names, reason)
    if json:
        print_json({"stores": changed})
    else:
        said = T("Resumed: {stores}", stores=", ".join(changed) or "—")
        messages.print(said.shown, markup=False)
