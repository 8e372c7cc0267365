"""`recorder-sync officers`: who may carry a device, by certificate number."""

from pathlib import Path
from typing import Annotated

import typer

from recorder_sync.catalogue import ledger
from recorder_sync.cli.screen import messages, print_json, table
from recorder_sync.cli.session import station_of, writing_station_of
from recorder_sync.cli.typed import Json, named
from recorder_sync.csv_files import Columns, read_rows, write_rows
from recorder_sync.custodian.registration import register_officers
from recorder_sync.language import T, tr
from recorder_sync.model import Officer

app = typer.Typer()

_COLUMNS = Columns("cert_no", ("name", "unit"))


@app.command("add", help=tr("Register an officer, or change the entry."))
def add(
    context: typer.Context,
    cert_no: Annotated[str, typer.Argument(help=tr("Certificate number."))],
    name: Annotated[str | None, typer.Option(help=tr("Name."))] = None,
    unit: Annotated[str | None, typer.Option(help=tr("Unit."))] = None,
) -> None:
    with writing_station_of(context) as station:
        register_officers(station, [Officer(named(cert_no), name, unit)])
        messages.print(T("Officer {number} is registered.", number=cert_no).shown, markup=False)


@app.command("list", help=tr("List officers."))
def list_(context: typer.Context, json: Json = False) -> None:
    with station_of(context) as station:
        found = list(ledger.officers(station.catalogue))
        if json:
            print_json(
                {
                    "officers": [
                        {"cert_no": o.cert_no, "name": o.name, "unit": o.unit} for o in found
                    ]
                }
            )
            return
        table(
            [tr("Certificate"), tr("Name"), tr("Unit")],
            ((o.cert_no, o.name, o.unit) for o in found),
        )


@app.command("import", help=tr("Import officers from CSV: cert_no, name, unit."))
def import_(context: typer.Context, file: Annotated[Path, typer.Argument()]) -> None:
    with writing_station_of(context) as station:
        rows = read_rows(file, _COLUMNS)
        found = [Officer(row.key, row.cells["name"], row.cells["unit"]) for row in rows]
        register_officers(station, found)
        messages.print(T("{count} officer(s) registered.", count=len(rows)).shown)


@app.command("export", help=tr("Write the officers as CSV to a new file, or - for the screen."))
def export(context: typer.Context, file: Annotated[str, typer.Argument(metavar="FILE|-")]) -> None:
    with station_of(context) as station:
        found = ledger.officers(station.catalogue)
        write_rows(file, _COLUMNS, ((o.cert_no, o.name, o.unit) for o in found))
