"""`recorder-sync cases documents`: written records as evidence of a case (Art. 10 to 15)."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from recorder_sync.catalogue import documents, ledger
from recorder_sync.catalogue.copies import confirmed_by
from recorder_sync.catalogue.document_corrections import corrections_of, documents_json
from recorder_sync.catalogue.documents import SealedDocument
from recorder_sync.cli.custody_shown import entry_json, show_entries
from recorder_sync.cli.exporting import export_copies
from recorder_sync.cli.screen import answers, facts, messages, print_json, table
from recorder_sync.cli.session import on_stop_signals, station_of, writing_station_of
from recorder_sync.cli.typed import By, Json, named, person
from recorder_sync.custodian.documents import correct_document, hand_in
from recorder_sync.custodian.registration import no_such_case
from recorder_sync.custody.log import Act
from recorder_sync.document_json import corrected_in_words
from recorder_sync.errors import Stopped
from recorder_sync.ingest.recovery import recover
from recorder_sync.ingest.stopping import Stop, Stopping
from recorder_sync.language import T, tr
from recorder_sync.model import CardPath
from recorder_sync.on_record import put
from recorder_sync.rules.documents import Change, Clearable, DocumentKind, Given
from recorder_sync.rules.stage import Stage
from recorder_sync.shown import amount, local, minute
from recorder_sync.station import Station

app = typer.Typer()

_WIDE = 120
"""Columns of a terminal that have room for everything."""

_Document = Annotated[str, typer.Argument(metavar="ID", help=tr("Id of a document."))]
_Case = Annotated[str, typer.Argument(metavar="CASE", help=tr("Case number."))]


@app.command("add", help=tr("Seal a file as a document of a case; the file stays where it is."))
def add(
    context: typer.Context,
    case: _Case,
    file: Annotated[Path, typer.Argument(help=tr("PDF, scan or office file."))],
    title: Annotated[str, typer.Option(help=tr("What the document is called."))],
    kind: Annotated[DocumentKind, typer.Option(help=tr("What it is for (Art. 10)."))],
    number: Annotated[str | None, typer.Option(help=tr("Document number."))] = None,
    stage: Annotated[
        Stage | None, typer.Option(help=tr("Stage; by default the one that its kind is of."))
    ] = None,
    item: Annotated[
        str | None, typer.Option(help=tr("Item of the stage, such as 9.1 (Art. 6 to 9)."))
    ] = None,
    by: By = None,
    json: Json = False,
) -> None:
    stop = Stop()
    with writing_station_of(context) as station, on_stop_signals(stop.request) as received:
        recover(station)
        given = Given(
            case=named(case),
            title=title,
            kind=kind,
            name=CardPath(os.fsencode(file.name)),
            by=person(by, station),
            at=station.now(),
            number=number,
            stage=stage,
            item=item,
        )
        try:
            taken = hand_in(station, file, given, stop)
        except Stopping:
            raise Stopped(received[0]) from None
        if json:
            print_json({**_json(station, taken.sealed), "already_sealed": not taken.is_new})
            return
        sealed = taken.sealed.document
        said = (
            T("Sealed as {id}: {title}", id=sealed.id, title=sealed.given.title)
            if taken.is_new
            else T(
                "The case has this content already: {id}, {title}, handed in at {at} by {who}.",
                id=sealed.id,
                title=sealed.given.title,
                at=minute(sealed.given.at, station.settings.station.zone),
                who=sealed.given.by,
            )
        )
        messages.print(said.shown, markup=False)


@app.command("list", help=tr("List the documents of a case."))
def list_(context: typer.Context, case: _Case, json: Json = False) -> None:
    with station_of(context) as station:
        if ledger.case(station.catalogue, case) is None:
            raise no_such_case(case)
        found = documents.of_case(station.catalogue, case)
        if json:
            print_json({"documents": documents_json(station.catalogue, found)})
            return
        _show(found, station)


def _show(found: list[SealedDocument], station: Station) -> None:
    zone = station.settings.station.zone
    columns: list[tuple[str, Callable[[SealedDocument], object]]] = [
        (tr("ID"), lambda one: one.id),
        (tr("Title"), lambda one: one.document.given.title),
        (tr("Document number"), lambda one: one.document.given.number),
        (tr("Handed in"), lambda one: minute(one.document.given.at, zone)),
        (tr("By"), lambda one: one.document.given.by),
    ]
    if answers.console.width >= _WIDE:
        columns += [
            (tr("Kind"), lambda one: tr(one.document.given.kind.value)),
            (tr("Stage"), lambda one: one.document.given.stage and tr(one.document.given.stage)),
            (tr("Size"), lambda one: amount(one.document.size)),
            (tr("Recordings"), lambda one: one.recordings),
        ]
    table([heading for heading, _ in columns], ([value(o) for _, value in columns] for o in found))


@app.command("show", help=tr("Show one document: what was said of it, digests, custody."))
def show(context: typer.Context, document: _Document, json: Json = False) -> None:
    with station_of(context) as station:
        found = documents.document(station.catalogue, document)
        put(station, [station.deed(Act.VIEW, found.id, {"what": "description"})])
        history = [e for e in station.custody.entries() if e.deed.subject == found.id]
        if json:
            print_json({**_json(station, found), "custody": [entry_json(e) for e in history]})
            return
        facts(_facts(found, station))
        answers.print()
        show_entries(history, station)
        for one in corrections_of(station.catalogue, [found.id])[found.id]:
            for changed in corrected_in_words(one.facts):
                answers.print(f"#{one.custody_seq} {changed}", markup=False)


def _facts(found: SealedDocument, station: Station) -> list[tuple[str, object]]:
    zone, one = station.settings.station.zone, found.document
    given = one.given
    return [
        (tr("ID"), found.id),
        (tr("Case"), given.case),
        (tr("Title"), given.title),
        (tr("Kind"), tr(given.kind.value)),
        (tr("Document number"), given.number),
        (tr("Stage"), tr(given.stage.value) if given.stage else None),
        (tr("Item"), given.item),
        (tr("Handed in"), f"{local(given.at, zone)}, {given.by}"),
        (tr("File as handed in"), given.name.shown),
        (tr("Evidence file"), str(station.evidence.absolute(one.path))),
        (tr("Size"), f"{amount(one.size)} ({one.size})"),
        ("BLAKE3", one.digests.blake3),
        ("SHA-256", one.digests.sha256),
        *((("SM3", one.digests.sm3),) if one.digests.sm3 else ()),
        (tr("Sealed at"), local(one.sealed_at, zone)),
        (tr("Recordings"), found.recordings),
        *(
            (f"{tr('Store')} {name}", tr("confirmed"))
            for name in confirmed_by(station.catalogue, found.id)
        ),
    ]


@app.command("correct", help=tr("Correct what was said of a document; who and why is on record."))
def correct(
    context: typer.Context,
    document: _Document,
    reason: Annotated[str, typer.Option(help=tr("The reason."))],
    title: Annotated[str | None, typer.Option(help=tr("What the document is called."))] = None,
    kind: Annotated[DocumentKind | None, typer.Option(help=tr("What it is for (Art. 10)."))] = None,
    number: Annotated[str | None, typer.Option(help=tr("Document number."))] = None,
    stage: Annotated[Stage | None, typer.Option(help=tr("Stage of the enforcement."))] = None,
    item: Annotated[
        str | None, typer.Option(help=tr("Item of the stage, such as 9.1 (Art. 6 to 9)."))
    ] = None,
    clear: Annotated[
        list[Clearable] | None, typer.Option(help=tr("It has none, and was given one."))
    ] = None,
    by: By = None,
    json: Json = False,
) -> None:
    change = Change(title, kind, number, stage, item, frozenset(clear or ()))
    with writing_station_of(context) as station:
        done = correct_document(station, document, change, person(by, station), reason)
        if json:
            print_json(_json(station, done))
        else:
            facts(_facts(done, station)[:7])


@app.command("export", help=tr("Make a checkable copy in a new folder."))
def export(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help=tr("Ids of documents."))],
    to: Annotated[Path, typer.Option(help=tr("New folder for the copy."))],
    by: Annotated[str | None, typer.Option(help=tr("Who asked for the copy."))] = None,
    reason: Annotated[str | None, typer.Option(help=tr("The reason."))] = None,
    proof: Annotated[
        bool, typer.Option("--proof", help=tr("Put a proof of its sealing beside each copy."))
    ] = False,
    json: Json = False,
) -> None:
    with station_of(context) as station:
        wanted = {one: documents.document(station.catalogue, one) for one in ids}
        export_copies(station, list(wanted.values()), to, by, reason, proof=proof, json=json)


def _json(station: Station, one: SealedDocument) -> dict[str, object]:
    return documents_json(station.catalogue, [one])[0]
