"""`recorder-sync custody`: the custody log, its checkpoints and proofs."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from recorder_sync.catalogue import dockings
from recorder_sync.catalogue.sealed_files import sealed_file
from recorder_sync.cli import witnessing
from recorder_sync.cli.custody_files import check, consistency, write_document
from recorder_sync.cli.new_file import refuse_place
from recorder_sync.cli.screen import facts, messages, print_json, table
from recorder_sync.cli.session import station_of
from recorder_sync.cli.witnessing import notes_of_file, signed_now
from recorder_sync.custody.log import Entry
from recorder_sync.inspection.sealing_proof import sealing_proof
from recorder_sync.language import T, tr
from recorder_sync.shown import local
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
        if count or elsewhere:
            messages.print(T("The custody log is whole, as every checkpoint says.").shown)
            return
        messages.print(
            T("The links of the custody log hold. No checkpoint vouches for them yet.").shown
        )
        hint = T("Make one, and keep it elsewhere too: recorder-sync custody checkpoint")
        messages.print(f"  → {escape(hint.shown)}")


@app.command("prove", help=tr("Write one file that proves the sealing of a recording."))
def prove_(
    context: typer.Context,
    recording: Annotated[
        str,
        typer.Argument(metavar="ID", help=tr("Id of a recording, or its start; or of a document.")),
    ],
    to: Annotated[Path | None, typer.Option(help=tr("File to write; otherwise printed."))] = None,
) -> None:
    with station_of(context) as station:
        if to is not None:
            refuse_place(to, station.settings)
        found = sealed_file(station.catalogue, recording)
        settings = station.settings
        checkpoints = checkpoints_of(settings)
        proof = sealing_proof(
            station, checkpoints, found, lambda: signed_now(settings, checkpoints)
        )
    write_document(proof, to, T("The proof is in {path}.", path=to or "-"))


@app.command("rotate-key", help=tr("Sign with a new key from now on; the old one is destroyed."))
def rotate_key(context: typer.Context, json: _Json = False) -> None:
    with station_of(context) as station:
        checkpoints = checkpoints_of(station.settings)
        signed_now(station.settings, checkpoints)
        rotation = checkpoints.rotate(station.deed)
        signed_now(station.settings, checkpoints)
    if json:
        print_json({"number": rotation.number, "old": str(rotation.old), "new": str(rotation.new)})
        return
    facts(
        [
            (tr("Custody entry"), rotation.number),
            (tr("Old verifier key"), str(rotation.old)),
            (tr("Verifier key"), str(rotation.new)),
        ]
    )
    messages.print(
        T(
            "Hand the new verifier key out to all who have the old one, and have each witness "
            "trust it (custody witness --trust): whoever knows only the old key cannot tell that "
            "it was given up. Copy the new signing-key.pem to its safe place, and make a backup."
        ).shown
    )


app.command("consistency", help=tr("Prove that the log only grew between two checkpoints."))(
    consistency
)
app.command("check", help=tr("Tell whether a proof or consistency file holds; needs no station."))(
    check
)


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
        of_device = dockings.about_device(station.catalogue, subject) if subject else frozenset()
        found = (
            entry
            for entry in station.custody.newest_first()
            if subject is None
            or entry.deed.subject.startswith(subject)
            or entry.deed.subject in of_device
        )
        entries = list(islice(found, limit))
        if json:
            print_json({"entries": [_entry_json(entry) for entry in entries]})
            return
        if subject and not entries:
            text = T(
                "No entry is about {subject}. Give the whole number of a device, or the beginning "
                "of the id of a recording or docking (recordings list, dockings list).",
                subject=subject,
            )
            messages.print(escape(text.shown))
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
