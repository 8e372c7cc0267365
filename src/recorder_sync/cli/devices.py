"""`recorder-sync devices`: the device ledger, and where each device is now."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from recorder_sync.catalogue import dockings, ledger
from recorder_sync.cli import device_log, device_moves
from recorder_sync.cli.device_report import verdict_words, where_words
from recorder_sync.cli.screen import facts, messages, print_json, table
from recorder_sync.cli.session import station_of, writing_station_of
from recorder_sync.cli.typed import Json, named
from recorder_sync.csv_files import Columns, Row, bad_row, read_rows, write_rows
from recorder_sync.custodian.registration import DeviceEntry, register_devices
from recorder_sync.custodian.standing import check, standing_of, standings
from recorder_sync.device_json import device_json, officer_names, verdict_json
from recorder_sync.errors import SharedIdentity, UsageProblem
from recorder_sync.language import T, Text, tr
from recorder_sync.model import Device, Health, UsbIdentity
from recorder_sync.shown import local
from recorder_sync.station import Station

app = typer.Typer()

_COLUMNS = Columns(
    "number",
    ("kind", "maker", "model", "officer", "custodian", "features", "usb", "fs_uuids"),
)
_Number = Annotated[str, typer.Argument(help=tr("Device number."))]
_Officer = Annotated[
    str | None, typer.Option(help=tr("Certificate number of the officer it is given to."))
]
_Features = Annotated[
    list[str] | None,
    typer.Option(help=tr("What it can do, such as night vision; may be given several times.")),
]
_Usb = Annotated[
    str | None,
    typer.Option(metavar="VID:PID:SERIAL", help=tr("USB vendor, product and serial.")),
]
_Cards = Annotated[
    list[str] | None,
    typer.Option(
        metavar="UUID",
        help=tr("UUID of its memory's or card's file system; added to those it has."),
    ),
]
_ForgetUsb = Annotated[
    bool, typer.Option("--forget-usb", help=tr("It has this USB identity no more."))
]
_ForgetCards = Annotated[
    list[str] | None, typer.Option(metavar="UUID", help=tr("It has this card no more."))
]
_SeenAt = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        help=tr("Fill in USB identity, card, maker and model from what was seen there."),
    ),
]


@app.command(
    "add",
    help=tr(
        "Register a device, or change its entry. What is not given keeps its value; an empty "
        'text ("") clears it.'
    ),
)
def add(
    context: typer.Context,
    number: _Number,
    kind: Annotated[str | None, typer.Option(help=tr("Kind, such as body camera."))] = None,
    maker: Annotated[str | None, typer.Option(help=tr("Maker."))] = None,
    model: Annotated[str | None, typer.Option(help=tr("Model."))] = None,
    officer: _Officer = None,
    custodian: Annotated[str | None, typer.Option(help=tr("Who keeps it (Art. 22)."))] = None,
    feature: _Features = None,
    usb: _Usb = None,
    fs_uuid: _Cards = None,
    forget_usb: _ForgetUsb = False,
    forget_fs_uuid: _ForgetCards = None,
    docking: _SeenAt = None,
) -> None:
    with writing_station_of(context) as station:
        entry = DeviceEntry(
            number=named(number),
            kind=kind,
            maker=maker,
            model=model,
            officer=officer,
            custodian=custodian,
            features=_several(";".join(feature)) if feature else None,
            usb=_usb(usb) if usb else None,
            forget_usb=forget_usb,
            fs_uuids=_texts(fs_uuid or ()),
            forget_fs_uuids=_texts(forget_fs_uuid or ()),
        )
        if docking is not None:
            entry = _as_seen(station, entry, docking)
        (device,) = register_devices(station, [entry])
        messages.print(
            T("Device {number} is registered.", number=device.number).shown, markup=False
        )


def _as_seen(station: Station, entry: DeviceEntry, docking: str) -> DeviceEntry:
    """Fill in what was seen at a docking; what is given or known already goes before it."""
    seen = dockings.docking(station.catalogue, docking)
    if seen.usb is None and seen.fs_uuid is None:
        raise UsageProblem(
            T("At docking {id} neither a USB identity nor a card was seen.", id=seen.id),
            T("Give --usb or --fs-uuid, or register it without."),
        )
    known = ledger.device(station.catalogue, entry.number) or Device(entry.number)
    health = seen.health or Health()
    maker, model = health.maker, health.model
    return replace(
        entry,
        maker=maker if entry.maker is None and known.maker is None else entry.maker,
        model=model if entry.model is None and known.model is None else entry.model,
        usb=entry.usb or seen.usb,
        fs_uuids=(*entry.fs_uuids, *([seen.fs_uuid] if seen.fs_uuid else [])),
    )


def _usb(text: str) -> UsbIdentity:
    vendor, colon, rest = text.strip().partition(":")
    product, second_colon, serial = rest.partition(":")
    try:
        return UsbIdentity.parse(f"{vendor.lower()}{colon}{product.lower()}{second_colon}{serial}")
    except ValueError:
        raise UsageProblem(
            _no_usb_identity(text), T("Give vendor:product:serial, such as 0781:5581:4C530001.")
        ) from None


def _no_usb_identity(text: str) -> Text:
    return T("{text} is no USB identity.", text=text)


def _texts(given: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.strip() for text in given if text.strip())


@app.command("list", help=tr("List devices, registered or only seen on a card."))
def list_(context: typer.Context, json: Json = False) -> None:
    with station_of(context) as station:
        found = standings(station.catalogue)
        names = officer_names(station.catalogue)
        if json:
            print_json({"devices": [device_json(one, names) for one in found]})
            return
        zone = station.settings.station.zone
        table(
            [tr("Device"), tr("Where"), tr("Kind"), tr("Maker"), tr("Model"), tr("Officer")],
            (
                (
                    one.device.number,
                    where_words(one, names, zone),
                    one.device.kind,
                    one.device.maker,
                    one.device.model,
                    one.device.officer,
                )
                for one in found
            ),
        )


@app.command("show", help=tr("Show one device: its entry, where it is, whether it may go out."))
def show(context: typer.Context, number: _Number, json: Json = False) -> None:
    with station_of(context) as station:
        found = standing_of(station.catalogue, named(number))
        names = officer_names(station.catalogue)
        verdict, measured = check(station.catalogue, found, station.settings.readiness)
        if json:
            readiness = verdict_json(verdict, measured)
            print_json({**device_json(found, names), "readiness": readiness})
            return
        device, zone = found.device, station.settings.station.zone
        facts(
            [
                (tr("Device"), device.number),
                (tr("Where"), where_words(found, names, zone)),
                (tr("Going out"), verdict_words(verdict)),
                (tr("Measured"), local(measured.started_at if measured else None, zone)),
                (tr("Kind"), device.kind),
                (tr("Maker"), device.maker),
                (tr("Model"), device.model),
                (tr("Officer"), device.officer),
                (tr("Custodian"), device.custodian),
                (tr("Features"), "; ".join(device.features) or None),
                (tr("USB identity"), device.usb),
                (tr("Cards"), "; ".join(device.fs_uuids) or None),
                (tr("Registered"), local(device.registered_at, zone) or tr("only seen")),
            ]
        )


@app.command(
    "import",
    help=tr(
        "Import devices from CSV: number, kind, maker, model, officer, custodian, features, usb, "
        "fs_uuids. An empty cell keeps what is there; several values stand with a semicolon."
    ),
)
def import_(context: typer.Context, file: Annotated[Path, typer.Argument()]) -> None:
    with writing_station_of(context) as station:
        rows = read_rows(file, _COLUMNS)
        entries = [_entry(file, row) for row in rows]
        try:
            register_devices(station, entries)
        except SharedIdentity as error:
            lines = {row.key: row.line for row in rows}
            raise bad_row(file, lines[error.device], error.text) from error
        messages.print(T("{count} device(s) registered.", count=len(rows)).shown)


def _entry(file: Path, row: Row) -> DeviceEntry:
    cells = row.cells
    usb = cells["usb"]
    try:
        identity = _usb(usb) if usb else None
    except UsageProblem:
        raise bad_row(file, row.line, _no_usb_identity(usb or "")) from None
    return DeviceEntry(
        number=row.key,
        kind=cells["kind"],
        maker=cells["maker"],
        model=cells["model"],
        officer=cells["officer"],
        custodian=cells["custodian"],
        features=_several(cells["features"]) or None,
        usb=identity,
        fs_uuids=_several(cells["fs_uuids"]),
    )


def _several(cell: str | None) -> tuple[str, ...]:
    return _texts((cell or "").replace("；", ";").split(";"))


@app.command(
    "export", help=tr("Write the registered devices as CSV to a new file, or - for the screen.")
)
def export(context: typer.Context, file: Annotated[str, typer.Argument(metavar="FILE|-")]) -> None:
    with station_of(context) as station:
        write_rows(
            file,
            _COLUMNS,
            (
                (
                    d.number,
                    d.kind,
                    d.maker,
                    d.model,
                    d.officer,
                    d.custodian,
                    ";".join(d.features),
                    str(d.usb) if d.usb else None,
                    ";".join(d.fs_uuids),
                )
                for d in ledger.registered_devices(station.catalogue).values()
            ),
        )


app.add_typer(device_moves.app)
app.add_typer(device_log.app)
