"""`recorder-sync cases`: cases with party and cause, and when they were closed."""

from pathlib import Path
from typing import Annotated

import typer

from recorder_sync.catalogue import ledger
from recorder_sync.cli import case_documents
from recorder_sync.cli.screen import facts, messages, print_json, table
from recorder_sync.cli.session import read_time, station_of, writing_station_of
from recorder_sync.cli.typed import Json, named
from recorder_sync.csv_files import write_rows
from recorder_sync.custodian.case_list import COLUMNS, read_cases
from recorder_sync.custodian.registration import (
    classify_case,
    close_case,
    no_such_case,
    register_cases,
)
from recorder_sync.language import T, tr
from recorder_sync.model import Case
from recorder_sync.rules.access import Secrecy

app = typer.Typer()
app.add_typer(
    case_documents.app,
    name="documents",
    help=tr("Documents of a case (Art. 10 to 15)."),
    no_args_is_help=True,
)


@app.command("add", help=tr("Register a case, or change its entry."))
def add(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help=tr("Case number."))],
    party: Annotated[str | None, typer.Option(help=tr("Party."))] = None,
    cause: Annotated[str | None, typer.Option(help=tr("Cause."))] = None,
) -> None:
    with writing_station_of(context) as station:
        register_cases(station, [Case(named(number), party, cause)])
        messages.print(T("Case {number} is registered.", number=number).shown, markup=False)


@app.command("list", help=tr("List cases."))
def list_(context: typer.Context, json: Json = False) -> None:
    with station_of(context) as station:
        found = list(ledger.cases(station.catalogue))
        if json:
            print_json({"cases": [_case_json(one) for one in found]})
            return
        table(
            [tr("Case"), tr("Party"), tr("Cause"), tr("Closed")],
            ((c.number, c.party, c.cause, c.closed_on) for c in found),
        )


@app.command("show", help=tr("Show one case."))
def show(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help=tr("Case number."))],
    json: Json = False,
) -> None:
    with station_of(context) as station:
        found = ledger.case(station.catalogue, number)
        if found is None:
            raise no_such_case(number)
        if json:
            print_json(_case_json(found))
            return
        facts(
            [
                (tr("Case"), found.number),
                (tr("Party"), found.party),
                (tr("Cause"), found.cause),
                (tr("Closed"), found.closed_on),
                (tr("Secrecy"), tr(found.secrecy.value)),
            ]
        )


@app.command("close", help=tr("Enter the day on which a case was closed."))
def close(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help=tr("Case number."))],
    on: Annotated[str | None, typer.Option(help=tr("The day; today by default."))] = None,
) -> None:
    with writing_station_of(context) as station:
        zone = station.settings.station.zone
        moment = station.now() if on is None else read_time(on, station.settings)
        day = moment.astimezone(zone).date()
        close_case(station, named(number), day)
        messages.print(
            T("Case {number} was closed on {day}.", number=number, day=day).shown, markup=False
        )


@app.command("classify", help=tr("Enter how secret a case and its recordings are."))
def classify(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help=tr("Case number."))],
    secrecy: Annotated[Secrecy, typer.Argument(help=tr("Secrecy class."))],
) -> None:
    with writing_station_of(context) as station:
        classify_case(station, named(number), secrecy)
        messages.print(
            T("Case {number}: {secrecy}.", number=number, secrecy=tr(secrecy.value)).shown,
            markup=False,
        )


@app.command("import", help=tr("Import cases from CSV: number, party, cause, closed_on."))
def import_(context: typer.Context, file: Annotated[Path, typer.Argument()]) -> None:
    with writing_station_of(context) as station:
        found = read_cases(file)
        register_cases(station, found)
        messages.print(T("{count} case(s) registered.", count=len(found)).shown)


@app.command("export", help=tr("Write the cases as CSV to a new file, or - for the screen."))
def export(context: typer.Context, file: Annotated[str, typer.Argument(metavar="FILE|-")]) -> None:
    with station_of(context) as station:
        found = ledger.cases(station.catalogue)
        write_rows(
            file,
            COLUMNS,
            (
                (c.number, c.party, c.cause, c.closed_on.isoformat() if c.closed_on else None)
                for c in found
            ),
        )


def _case_json(case: Case) -> dict[str, object]:
    return {
        "number": case.number,
        "party": case.party,
        "cause": case.cause,
        "closed_on": case.closed_on.isoformat() if case.closed_on else None,
        "secrecy": case.secrecy.value,
    }
