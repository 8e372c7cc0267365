"""`recorder-sync devices`, `officers`, `cases`: what the custodian registers."""

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.database import transaction
from recorder_sync.cli.screen import facts, local, messages, print_json, table
from recorder_sync.cli.session import station_of
from recorder_sync.custody.log import Act
from recorder_sync.errors import MissingPart, NotFound, UsageProblem, os_reason
from recorder_sync.language import T, tr
from recorder_sync.model import Case, Device, Officer
from recorder_sync.station import Station
from recorder_sync.timestamps import iso, iso_or_none

devices = typer.Typer()
officers = typer.Typer()
cases = typer.Typer()

_Json = Annotated[bool, typer.Option("--json", help=tr("Print JSON."))]


@devices.command("add", help=tr("Register a device, or change its entry."))
def add_device(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help=tr("Device number."))],
    kind: Annotated[str | None, typer.Option(help=tr("Kind, such as body camera."))] = None,
    maker: Annotated[str | None, typer.Option(help=tr("Maker."))] = None,
    model: Annotated[str | None, typer.Option(help=tr("Model."))] = None,
    officer: Annotated[
        str | None, typer.Option(help=tr("Certificate number of the officer it is given to."))
    ] = None,
) -> None:
    with station_of(context) as station:
        number = _named(number)
        facts_ = {"kind": kind, "maker": maker, "model": model, "officer": officer}
        _enter(
            station,
            f"device:{number}",
            facts_,
            lambda at: ledger.register_device(
                station.catalogue, Device(number, kind, maker, model, officer, at)
            ),
        )
        messages.print(T("Device {number} is registered.", number=number).shown, markup=False)


@devices.command("list", help=tr("List devices, registered or only seen on a card."))
def list_devices(context: typer.Context, json: _Json = False) -> None:
    with station_of(context) as station:
        found = list(ledger.devices(station.catalogue))
        if json:
            print_json(
                {
                    "devices": [
                        {
                            "number": d.number,
                            "kind": d.kind,
                            "maker": d.maker,
                            "model": d.model,
                            "officer": d.officer,
                            "registered_at": iso_or_none(d.registered_at),
                        }
                        for d in found
                    ]
                }
            )
            return
        zone = station.settings.station.zone
        table(
            [tr("Device"), tr("Kind"), tr("Maker"), tr("Model"), tr("Officer"), tr("Registered")],
            (
                (
                    d.number,
                    d.kind,
                    d.maker,
                    d.model,
                    d.officer,
                    local(d.registered_at, zone) or tr("only seen"),
                )
                for d in found
            ),
        )


@officers.command("add", help=tr("Register an officer, or change the entry."))
def add_officer(
    context: typer.Context,
    cert_no: Annotated[str, typer.Argument(help=tr("Certificate number."))],
    name: Annotated[str | None, typer.Option(help=tr("Name."))] = None,
    unit: Annotated[str | None, typer.Option(help=tr("Unit."))] = None,
) -> None:
    with station_of(context) as station:
        _register_officer(station, Officer(_named(cert_no), name, unit))
        messages.print(T("Officer {number} is registered.", number=cert_no).shown, markup=False)


@officers.command("list", help=tr("List officers."))
def list_officers(context: typer.Context, json: _Json = False) -> None:
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


@officers.command("import", help=tr("Import officers from CSV: cert_no, name, unit."))
def import_officers(context: typer.Context, file: Annotated[Path, typer.Argument()]) -> None:
    with station_of(context) as station:
        rows = _rows(file, "cert_no", ("name", "unit"))
        for row in rows:
            _register_officer(station, Officer(row["cert_no"] or "", row["name"], row["unit"]))
        messages.print(T("{count} officer(s) registered.", count=len(rows)).shown)


@cases.command("add", help=tr("Register a case, or change its entry."))
def add_case(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help=tr("Case number."))],
    party: Annotated[str | None, typer.Option(help=tr("Party."))] = None,
    cause: Annotated[str | None, typer.Option(help=tr("Cause."))] = None,
) -> None:
    with station_of(context) as station:
        _register_case(station, Case(_named(number), party, cause))
        messages.print(T("Case {number} is registered.", number=number).shown, markup=False)


@cases.command("list", help=tr("List cases."))
def list_cases(context: typer.Context, json: _Json = False) -> None:
    with station_of(context) as station:
        found = list(ledger.cases(station.catalogue))
        if json:
            print_json({"cases": [_case_json(one) for one in found]})
            return
        table([tr("Case"), tr("Party"), tr("Cause")], ((c.number, c.party, c.cause) for c in found))


@cases.command("show", help=tr("Show one case."))
def show_case(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help=tr("Case number."))],
    json: _Json = False,
) -> None:
    with station_of(context) as station:
        found = ledger.case(station.catalogue, number)
        if found is None:
            raise NotFound(
                T("There is no case {number}.", number=number),
                T("recorder-sync cases list shows them."),
            )
        if json:
            print_json(_case_json(found))
            return
        facts([(tr("Case"), found.number), (tr("Party"), found.party), (tr("Cause"), found.cause)])


@cases.command("import", help=tr("Import cases from CSV: number, party, cause."))
def import_cases(context: typer.Context, file: Annotated[Path, typer.Argument()]) -> None:
    with station_of(context) as station:
        rows = _rows(file, "number", ("party", "cause"))
        for row in rows:
            _register_case(station, Case(row["number"] or "", row["party"], row["cause"]))
        messages.print(T("{count} case(s) registered.", count=len(rows)).shown)


def _case_json(case: Case) -> dict[str, object]:
    return {"number": case.number, "party": case.party, "cause": case.cause}


def _register_officer(station: Station, officer: Officer) -> None:
    _enter(
        station,
        f"officer:{officer.cert_no}",
        {"name": officer.name, "unit": officer.unit},
        lambda at: ledger.register_officer(station.catalogue, officer, iso(at)),
    )


def _register_case(station: Station, case: Case) -> None:
    _enter(
        station,
        f"case:{case.number}",
        {"party": case.party, "cause": case.cause},
        lambda at: ledger.register_case(station.catalogue, case, iso(at)),
    )


def _enter(
    station: Station,
    subject: str,
    what: dict[str, str | None],
    write: Callable[[datetime], None],
) -> None:
    """Put an entry of the ledger on record, then in the catalogue with the same time."""
    deed = station.deed(Act.LEDGER, subject, what)
    station.custody.append([deed])
    with transaction(station.catalogue):
        write(deed.time)


def _named(text: str) -> str:
    if not text.strip():
        raise UsageProblem(T("A number is empty."), T("Give a number."))
    return text.strip()


def _rows(file: Path, key: str, others: tuple[str, ...]) -> list[dict[str, str | None]]:
    """Read a CSV file whole, in UTF-8 or GB 18030, before anything is registered."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise MissingPart(
            T("{path} cannot be read: {why}.", path=file, why=os_reason(error)),
            T("Check the name and the rights."),
        ) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    reader = csv.DictReader(text.splitlines())
    if key not in (reader.fieldnames or ()):
        raise UsageProblem(
            T("{path} has no column {column}.", path=file, column=key),
            T("The first line names the columns: {columns}.", columns=", ".join((key, *others))),
        )
    rows = []
    for number, row in enumerate(reader, start=2):
        cleaned = {name: (row.get(name) or "").strip() or None for name in (key, *others)}
        if cleaned[key] is None:
            raise UsageProblem(
                T("{path} line {line}: {column} is empty.", path=file, line=number, column=key),
                T("Mend the line; nothing was registered."),
            )
        rows.append(cleaned)
    return rows
