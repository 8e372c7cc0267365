"""What a person sees of `catalogue rebuild --from-store`."""

from collections.abc import Iterator
from contextlib import contextmanager

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

from recorder_sync.cli.given_files import key_or_text, verifier_in
from recorder_sync.cli.screen import answers, messages, print_json
from recorder_sync.cli.session import on_stop_signals
from recorder_sync.config import Configuration
from recorder_sync.errors import Stopped
from recorder_sync.from_store import rebuilding
from recorder_sync.from_store.fetching import Fetched
from recorder_sync.from_store.rebuilding import MadeAnew, make_anew
from recorder_sync.language import T, tr


def rebuild_from_store(
    settings: Configuration, name: str, verifier: str | None, *, with_recordings: bool, json: bool
) -> None:
    """Make the station anew and tell what came of it; ends with 1 where a person has to look."""
    trusted = None if verifier is None else verifier_in(key_or_text(verifier), verifier)
    with _progress(shown=not json) as progress:
        made = make_anew(settings, name, trusted, progress, with_recordings=with_recordings)
    if json:
        print_json(_facts(made, name))
    else:
        _tell(made, name)
    if made.problems:
        raise typer.Exit(1)


@contextmanager
def _progress(*, shown: bool) -> Iterator[rebuilding.Progress]:
    """Show how much is fetched; Ctrl-C and SIGTERM break it off between two pieces."""
    with (
        on_stop_signals(lambda: None) as received,
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=messages.console,
            transient=True,
            disable=not shown or not messages.console.is_terminal,
        ) as bar,
    ):
        task = bar.add_task(tr("Fetching"), total=None)

        def check() -> None:
            if received:
                raise Stopped(received[0])

        yield rebuilding.Progress(
            sized=lambda size: bar.update(task, total=size),
            advanced=lambda size: bar.advance(task, size),
            check=check,
        )


def _facts(made: MadeAnew, name: str) -> dict[str, object]:
    brought, rebuilt = made.brought, made.rebuilt
    return {
        "recordings": rebuilt.recordings,
        "dockings": rebuilt.dockings,
        "kept": str(rebuilt.kept) if rebuilt.kept else None,
        "store": name,
        "custody": {
            "entries": brought.entries,
            "vouched": brought.vouched,
            "verifier": str(brought.verifier),
            "trusted": brought.trusted,
        }
        if brought
        else None,
        "files": _counts(made.fetched),
        "documents": _counts(made.documents),
        "problems": [problem.english for problem in made.problems],
    }


def _counts(fetched: Fetched | None) -> dict[str, int] | None:
    if fetched is None:
        return None
    return {
        "fetched": fetched.fetched,
        "already_here": fetched.already_here,
        "failed": fetched.failed,
    }


def _tell(made: MadeAnew, name: str) -> None:
    brought, fetched = made.brought, made.fetched
    if brought is not None:
        text = T(
            "Brought back from {store}: {entries} entries of the custody log; a checkpoint "
            "vouches for {vouched} of them.",
            store=name,
            entries=brought.entries,
            vouched=brought.vouched,
        )
        answers.print(text.shown, markup=False)
    answers.print(
        T(
            "Rebuilt: {recordings} recording(s), {dockings} docking(s).",
            recordings=made.rebuilt.recordings,
            dockings=made.rebuilt.dockings,
        ).shown
    )
    if fetched is not None:
        text = T(
            "Fetched {fetched} recording(s); {here} were here already, {failed} failed.",
            fetched=fetched.fetched,
            here=fetched.already_here,
            failed=fetched.failed,
        )
        answers.print(text.shown)
        _tell_of_documents(made.documents)
    elif made.rebuilt.recordings:
        text = T(
            "The recordings themselves are in store {store} only. To fetch them: recorder-sync "
            "catalogue rebuild --from-store {store} --with-recordings",
            store=name,
        )
        messages.print(text.shown, markup=False)
    if brought is not None and brought.trusted == "store":
        messages.print(
            T(
                "The key that vouches for the log came from the store too: compare it with the "
                "one that was handed out: {verifier}",
                verifier=brought.verifier,
            ).shown,
            markup=False,
        )
    if made.rebuilt.kept:
        kept = T("The old file is kept as {path}.", path=made.rebuilt.kept)
        answers.print(kept.shown, markup=False)
    for problem in made.problems:
        answers.print(f"[bold red]✘[/] {escape(problem.shown)}")


def _tell_of_documents(fetched: Fetched | None) -> None:
    if fetched is None or not (fetched.fetched or fetched.already_here or fetched.failed):
        return
    text = T(
        "Fetched {fetched} document(s); {here} were here already, {failed} failed.",
        fetched=fetched.fetched,
        here=fetched.already_here,
        failed=fetched.failed,
    )
    answers.print(text.shown)
