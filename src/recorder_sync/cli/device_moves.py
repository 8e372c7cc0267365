"""`recorder-sync devices issue`, `return`, `fault`, `repair`, `retire`, `lost`, `found`."""

from typing import Annotated

import typer

from recorder_sync.catalogue import ledger
from recorder_sync.cli.device_report import unknown_words
from recorder_sync.cli.screen import messages
from recorder_sync.cli.session import writing_station_of
from recorder_sync.cli.typed import named
from recorder_sync.custodian import moves
from recorder_sync.language import T, Text, tr
from recorder_sync.rules.whereabouts import Happening

app = typer.Typer()

_Number = Annotated[str, typer.Argument(help=tr("Device number."))]


@app.command("issue", help=tr("Give a device out to an officer, if it is ready."))
def issue(
    context: typer.Context,
    number: _Number,
    officer: Annotated[str, typer.Option(help=tr("Certificate number of the officer."))],
    override: Annotated[
        str | None,
        typer.Option(
            metavar="REASON", help=tr("Why it goes out although it is not ready; put on record.")
        ),
    ] = None,
) -> None:
    with writing_station_of(context) as station:
        who = named(officer)
        verdict = moves.issue(station, named(number), who, override)
        known = ledger.officer(station.catalogue, who)
        name = (known.name if known else None) or who
        _say(T("Device {number} is issued to {officer}.", number=named(number), officer=name))
        for finding in verdict.reasons:
            messages.print(f"  · {finding.text.shown}", markup=False)
        if verdict.unknown:
            messages.print(f"  · {unknown_words(verdict)}", markup=False)


@app.command("return", help=tr("Take a device back into store."))
def return_(context: typer.Context, number: _Number) -> None:
    with writing_station_of(context) as station:
        moves.enter(station, named(number), Happening.RETURNED)
        _say(T("Device {number} is back in store.", number=named(number)))


@app.command("fault", help=tr("Report a fault; the device stays in until it is repaired."))
def fault(
    context: typer.Context,
    number: _Number,
    what: Annotated[str, typer.Option(metavar="TEXT", help=tr("What is wrong."))],
) -> None:
    with writing_station_of(context) as station:
        moves.enter(station, named(number), Happening.FAULT, what)
        _say(T("The fault of device {number} is on record.", number=named(number)))


@app.command("repair", help=tr("Enter a repair or maintenance; it closes the open faults."))
def repair(
    context: typer.Context,
    number: _Number,
    what: Annotated[str, typer.Option(metavar="TEXT", help=tr("What was done, and by whom."))],
) -> None:
    with writing_station_of(context) as station:
        moves.enter(station, named(number), Happening.REPAIRED, what)
        _say(T("The repair of device {number} is on record.", number=named(number)))


@app.command("retire", help=tr("Take a device out of use for good."))
def retire(
    context: typer.Context,
    number: _Number,
    reason: Annotated[str, typer.Option(help=tr("Why."))],
) -> None:
    with writing_station_of(context) as station:
        moves.enter(station, named(number), Happening.RETIRED, reason)
        _say(T("Device {number} is retired.", number=named(number)))


@app.command("lost", help=tr("Put on record that a device is lost."))
def lost(
    context: typer.Context,
    number: _Number,
    reason: Annotated[str, typer.Option(help=tr("How, as far as it is known."))],
) -> None:
    with writing_station_of(context) as station:
        moves.enter(station, named(number), Happening.LOST, reason)
        _say(T("Device {number} is on record as lost.", number=named(number)))


@app.command("found", help=tr("Put on record that a lost device is back in store."))
def found(
    context: typer.Context,
    number: _Number,
    reason: Annotated[str | None, typer.Option(help=tr("How it was found."))] = None,
) -> None:
    with writing_station_of(context) as station:
        moves.enter(station, named(number), Happening.FOUND, reason)
        _say(T("Device {number} is back in store.", number=named(number)))


def _say(text: Text) -> None:
    messages.print(text.shown, markup=False)
