"""`recorder-sync custody`: the custody log, its checkpoints and proofs."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from recorder_sync.catalogue import recordings
from recorder_sync.cli import witnessing
from recorder_sync.cli.screen import facts, local, messages, print_json, table
from recorder_sync.cli.session import station_of
from recorder_sync.cli.witnessing import notes_of_file, signed_now
from recorder_sync.custody.log import Act, Entry
from recorder_sync.custody.proof import prove
from recorder_sync.description import as_json
from recorder_sync.errors import MissingPart, NotFound, os_reason
from recorder_sync.language import T, tr
from recorder_sync.timestamps import iso
from recorder_sync.witnessing.making import checkpoints_of, notes_elsewhere

app = typer.Typer()

_Json = Annotated[bool, typer.Option("--json", help=tr("Print JSON."))]


app.command("witness", help=tr("Cosign the logs of other stations: be their witness."))(
    witnessing.witness
)
app.command("request", help=tr("Write a request for a witness that has no network here."))(
    witnessing.request
)
app.command("cosigned", help=tr("Take in what a witness has answered."))(witnessing.cosigned)


@app.command("checkpoint", help=tr("Sign the log as it is now."))
def checkpoint(context: typer.Context, json: _Json = False) -> None:
    with station_of(context) as station:
        checkpoints = checkpoints_of(station.settings)
        signed = signed_now(station.settings, checkpoints)
        if json:
            verifier = str(checkpoints.verifier())
            size = signed.checkpoint.size
            print_json({"size": size, "checkpoint": signed.note, "verifier": verifier})
            return
        typer.echo(signed.note, nl=False)


@app.command("verify", help=tr("Check every entry, and the log against every checkpoint."))
def verify(
    context: typer.Context,
    against: Annotated[
        list[Path] | None,
        typer.Option(help=tr("Also against the checkpoints in this file: of a stick, of a mail.")),
    ] = None,
    json: _Json = False,
) -> None:
    with station_of(context) as station:
        checkpoints = checkpoints_of(station.settings)
        elsewhere = notes_elsewhere(station.settings)
        for path in against or ():
            elsewhere += notes_of_file(path, station.settings)
        count = checkpoints.check(elsewhere)
        size = checkpoints.tree.size
        if json:
            print_json({"entries": size, "checkpoints": count, "elsewhere": len(elsewhere)})
            return
        facts(
            [
                (tr("Custody entries"), size),
                (tr("Checkpoints"), count),
                (tr("Checkpoints elsewhere"), len(elsewhere)),
                (tr("Verifier key"), str(checkpoints.verifier())),
            ]
        )
        messages.print(T("The custody log is whole, as every checkpoint says.").shown)


@app.command("prove", help=tr("Write one file that proves the sealing of a recording."))
def prove_(
    context: typer.Context,
    recording: Annotated[str, typer.Argument(metavar="ID", help=tr("Id, or its start."))],
    to: Annotated[Path | None, typer.Option(help=tr("File to write; otherwise printed."))] = None,
) -> None:
    with station_of(context) as station:
        found = recordings.recording(station.catalogue, recording)
        number = found.custody_seq
        if number is None:
            raise NotFound(
                T("The recording {id} has no seal in the custody log yet.", id=found.recording.id),
                T("Run the command again when the docking has ended."),
            )
        deed = station.deed(Act.EXPORT, found.recording.id, {"what": "proof"})
        station.custody.append([deed])
        checkpoints = checkpoints_of(station.settings)
        signed_now(station.settings, checkpoints)
        proof = prove(station.custody, checkpoints, number)
        text = json_format.dumps(
            {**proof, "recording": as_json(found.recording)}, ensure_ascii=False, indent=2
        )
    if to is None:
        typer.echo(text)
        return
    try:
        to.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise MissingPart(
            T("{path} cannot be written: {why}.", path=to, why=os_reason(error)),
            T("Check the name and the rights."),
        ) from error
    messages.print(T("The proof is in {path}.", path=to).shown, markup=False)


@app.command("log", help=tr("Show entries, newest first."))
def log(
    context: typer.Context,
    subject: Annotated[
        str | None, typer.Option(help=tr("Only of this recording, docking or device."))
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help=tr("At most so many rows."))] = 50,
    json: _Json = False,
) -> None:
    with station_of(context) as station:
        entries = [
            entry
            for entry in station.custody.entries()
            if subject is None or entry.deed.subject.startswith(subject)
        ][-limit:][::-1]
        if json:
            print_json({"entries": [_entry_json(entry) for entry in entries]})
            return
        zone = station.settings.station.zone
        table(
            [tr("Number"), tr("Time"), tr("Actor"), tr("Act"), tr("Subject")],
            (
                (e.seq, local(e.deed.time, zone), e.deed.actor, tr(e.deed.act), e.deed.subject)
                for e in entries
            ),
        )


def _entry_json(entry: Entry) -> dict[str, object]:
    deed = entry.deed
    return {
        "seq": entry.seq,
        "time": iso(deed.time),
        "actor": deed.actor,
        "act": deed.act.value,
        "subject": deed.subject,
        "facts": deed.facts,
        "leaf": entry.leaf,
    }
