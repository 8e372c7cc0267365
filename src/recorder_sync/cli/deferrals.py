"""`recorder-sync deferrals`: work from which nobody can be back in time (Art. 21)."""

from datetime import tzinfo
from typing import Annotated

import typer

from recorder_sync.catalogue import deferrals as catalogue
from recorder_sync.catalogue.deferrals import RecordedDeferral
from recorder_sync.cli.screen import messages, print_json, table
from recorder_sync.cli.session import read_time, station_of
from recorder_sync.cli.typed import By, Json, named, person
from recorder_sync.custodian import deferring
from recorder_sync.custodian.deferring import Wanted, is_back_dated, standing
from recorder_sync.device_json import Names, officer_json, officer_names
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T, tr
from recorder_sync.rules.deadline import Deferral, DeferralReason
from recorder_sync.shown import minute
from recorder_sync.station import Station
from recorder_sync.timestamps import iso, iso_or_none

app = typer.Typer()

_Id = Annotated[str, typer.Argument(metavar="ID", help=tr("Id of the deferral."))]
_Approver = Annotated[str, typer.Option(metavar="NAME", help=tr("Who approved it."))]
_At = Annotated[str | None, typer.Option(metavar="TIME", help=tr("When; now by default."))]


@app.command("add", help=tr("Put a deferral on record. It counts once it is approved."))
def add(
    context: typer.Context,
    reason: Annotated[DeferralReason, typer.Option(help=tr("The work it is for."))],
    begins: Annotated[str, typer.Option(metavar="TIME", help=tr("From when."))],
    expected: Annotated[str, typer.Option(metavar="TIME", help=tr("The return as planned."))],
    device: Annotated[str | None, typer.Option(help=tr("Device number."))] = None,
    officer: Annotated[str | None, typer.Option(help=tr("Officer's certificate number."))] = None,
    approver: Annotated[
        str | None, typer.Option(metavar="NAME", help=tr("Who approved it, if somebody did."))
    ] = None,
    approved_at: Annotated[
        str | None, typer.Option(metavar="TIME", help=tr("When; now by default."))
    ] = None,
    note: Annotated[str | None, typer.Option(metavar="TEXT", help=tr("More about it."))] = None,
    by: By = None,
    json: Json = False,
) -> None:
    with station_of(context) as station:
        settings = station.settings
        wanted = Wanted(
            reason,
            read_time(begins, settings),
            read_time(expected, settings),
            named(device) if device is not None else None,
            named(officer) if officer is not None else None,
            _approving(approver) if approver is not None else None,
            read_time(approved_at, settings) if approved_at is not None else None,
            note.strip() or None if note else None,
        )
        _done(station, deferring.add(station, wanted, person(by, station)), json)


@app.command("approve", help=tr("Put on record who approved a deferral."))
def approve(
    context: typer.Context,
    deferral: _Id,
    approver: _Approver,
    at: _At = None,
    by: By = None,
    json: Json = False,
) -> None:
    with station_of(context) as station:
        when = read_time(at, station.settings) if at is not None else None
        who = person(by, station)
        found = deferring.approve(station, named(deferral), _approving(approver), when, who)
        _done(station, found, json)


@app.command("return", help=tr("Put the real return on record; the hours run from it."))
def return_(
    context: typer.Context, deferral: _Id, at: _At = None, by: By = None, json: Json = False
) -> None:
    with station_of(context) as station:
        when = read_time(at, station.settings) if at is not None else None
        found = deferring.enter_return(station, named(deferral), when, person(by, station))
        _done(station, found, json)


@app.command("list", help=tr("List deferrals, the newest first; 1: one waits for approval."))
def list_(context: typer.Context, json: Json = False) -> None:
    with station_of(context) as station:
        found = catalogue.recorded(station.catalogue)[::-1]
        names = officer_names(station.catalogue)
        if json:
            print_json({"deferrals": [_json(one, station, names) for one in found]})
        else:
            zone = station.settings.station.zone
            table(
                [
                    *(tr("Deferral"), tr("Reason"), tr("Device"), tr("Officer"), tr("From")),
                    *(tr("Return"), tr("Approved"), tr("State")),
                ],
                (
                    (
                        *(one.deferral.id, tr(one.deferral.reason.value), one.deferral.device),
                        _officer(one.deferral, names),
                        minute(one.deferral.begins, zone),
                        minute(one.deferral.back_at, zone),
                        _approved(one.deferral, zone),
                        standing(one.deferral, station.settings.watch_limits).shown,
                    )
                    for one in found
                ),
                whole=(0, 4, 5),
            )
    raise typer.Exit(0 if all(one.deferral.is_approved for one in found) else 1)


def _approving(approver: str) -> str:
    """Return who approved it. Raises UsageProblem for an empty name."""
    if not approver.strip():
        raise UsageProblem(T("Nobody is named who approved it."), T("Give --approver."))
    return approver.strip()


def _done(station: Station, one: RecordedDeferral, as_json: bool) -> None:
    names = officer_names(station.catalogue)
    if as_json:
        print_json(_json(one, station, names))
        return
    said = T(
        "Deferral {id}: {state}.",
        id=one.deferral.id,
        state=standing(one.deferral, station.settings.watch_limits),
    ).shown
    messages.print(said, markup=False)
    if not one.deferral.is_approved:
        name = tr("NAME")
        command = f"recorder-sync deferrals approve {one.deferral.id} --approver {name}"
        messages.print(T("It counts once it is approved: {command}", command=command).shown)


def _officer(one: Deferral, names: Names) -> str | None:
    return (names.get(one.officer) or one.officer) if one.officer else None


def _approved(one: Deferral, zone: tzinfo) -> str | None:
    if one.approver is None or one.approved_at is None:
        return None
    return f"{one.approver}, {minute(one.approved_at, zone)}"


def _json(one: RecordedDeferral, station: Station, names: Names) -> dict[str, object]:
    deferral = one.deferral
    return {
        "id": deferral.id,
        "reason": deferral.reason.value,
        "device": deferral.device,
        "officer": officer_json(deferral.officer, names),
        "begins": iso(deferral.begins),
        "expected": iso_or_none(deferral.expected),
        "returned_at": iso_or_none(deferral.returned_at),
        "approver": deferral.approver,
        "approved_at": iso_or_none(deferral.approved_at),
        "back_dated": is_back_dated(deferral, station.settings.watch_limits),
        "note": one.note,
        "entered_at": iso(deferral.entered_at),
        "entered_by": one.entered_by,
    }
