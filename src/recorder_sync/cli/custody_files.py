"""`recorder-sync custody consistency` and `check`: files that prove something, and their check.

A check needs no station and no configuration: whoever is given a file and has the verifier
key runs it anywhere.
"""

import json as json_format
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from recorder_sync.cli.given_files import (
    document_in,
    key_or_text,
    no_verifier,
    text_of_file,
    verifier_in,
)
from recorder_sync.cli.new_file import refuse_place, write_new
from recorder_sync.cli.screen import answers, messages, print_json
from recorder_sync.cli.session import station_of
from recorder_sync.cli.witnessing import signed_now
from recorder_sync.custody import consistency as consistency_file
from recorder_sync.custody import proof as proof_file
from recorder_sync.custody.checkpoint import Verifier
from recorder_sync.custody.checkpoints import Checkpoints, Signed
from recorder_sync.custody.unfit import reason
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T, Text, tr
from recorder_sync.witnessing.making import checkpoints_of

_Json = Annotated[bool, typer.Option("--json", help=tr("Print JSON."))]
_Note = "SIZE|FILE"


def consistency(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar=_Note, help=tr("The older checkpoint."))],
    new: Annotated[str, typer.Argument(metavar=_Note, help=tr("The newer checkpoint."))],
    to: Annotated[Path | None, typer.Option(help=tr("File to write; otherwise printed."))] = None,
) -> None:
    with station_of(context) as station:
        if to is not None:
            refuse_place(to, station.settings)
        checkpoints = checkpoints_of(station.settings)
        signed_now(station.settings, checkpoints)
        older, newer = _note(checkpoints, old), _note(checkpoints, new)
        document = consistency_file.prove_consistency(checkpoints, older, newer)
    write_document(document, to, T("The proof is in {path}.", path=to or "-"))


def check(
    file: Annotated[Path, typer.Argument(help=tr("A proof or consistency file."))],
    verifier: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|KEY", help=tr("The verifier key that the station handed out, or a file.")
        ),
    ] = None,
    json: _Json = False,
) -> None:
    document = document_in(file)
    trusted = verifier_in(key_or_text(verifier), verifier) if verifier else _own(document, file)
    why = _problem(document, trusted)
    if json:
        print_json(
            {
                "holds": why is None,
                "format": document.get("format"),
                "verifier": str(trusted),
                "trusted": "given" if verifier else "the file itself",
                "why": why.english if why else None,
            }
        )
    elif why is None:
        text = T("It holds, to whoever trusts the key {key}.", key=str(trusted))
        answers.print("[bold green]✔[/] " + escape(text.shown), soft_wrap=True)
    else:
        text = T("It does not hold: {why}.", why=why)
        answers.print("[bold red]✘[/] " + escape(text.shown), soft_wrap=True)
    if verifier is None:
        messages.print(
            T(
                "The verifier key was taken from the file itself. That shows that the file fits "
                "together, not who made it: anybody can make such a file with a key of their own. "
                "Give the key that you were handed by the station with --verifier."
            ).shown
        )
    if why is not None:
        raise typer.Exit(1)


def write_document(document: Mapping[str, Any], to: Path | None, done: Text) -> None:
    """Write one JSON document to a file, or print it. Raises MissingPart."""
    text = json_format.dumps(document, ensure_ascii=False, indent=2)
    if to is None:
        typer.echo(text)
        return
    write_new(to, text + "\n")
    messages.print(done.shown, markup=False)


def _note(checkpoints: Checkpoints, named: str) -> Signed:
    """Return the kept checkpoint of a size, or the one in a file."""
    if named.isdecimal():
        if (kept := checkpoints.of_size(int(named))) is not None:
            return kept
        raise NotFound(
            T("There is no checkpoint of {size} entries.", size=named),
            T("The names of the files in {path} are the sizes.", path="custody/checkpoints"),
        )
    note = text_of_file(named)
    try:
        return Signed(checkpoints.succession().opened(note), note)
    except ValueError as error:
        raise UsageProblem(
            T("{path} is no checkpoint of this station: {why}.", path=named, why=reason(error)),
            T("Name the size of a kept checkpoint, or a file with a signed note."),
        ) from error


def _problem(document: dict[str, Any], trusted: Verifier) -> Text | None:
    try:
        if document["format"] == proof_file.FORMAT:
            return proof_file.problem_of(document, trusted)
        if consistency_file.is_consistent(document, trusted):
            return None
    except ValueError as error:
        return reason(error)
    return T("the new checkpoint's log does not begin with the old one's")


def _own(document: dict[str, Any], file: Path) -> Verifier:
    try:
        return Verifier.parse(str(document.get("verifier")))
    except ValueError as error:
        raise no_verifier(file, error) from error
