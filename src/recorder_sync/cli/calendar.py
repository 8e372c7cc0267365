"""`recorder-sync calendar`: shifts, and the enforcement that a recording should show."""

from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated

import typer

from recorder_sync.catalogue import calendar as catalogue
from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind
from recorder_sync.cli.screen import messages, print_json, table
from recorder_sync.cli.session import read_time, station_of
from recorder_sync.cli.typed import By, Json, named, person
from recorder_sync.custodian.calendar_csv import read_calendar
from recorder_sync.custodian.duty import enter_calendar, explain
from recorder_sync.device_json import Names, officer_json, officer_names
from recorder_sync.language import T, tr
from recorder_sync.rules.coverage import NoRecordingReason
from recorder_sync.timestamps import iso

app = typer.Typer()

_SHOWN = timedelta(days=30)


@app.command(
    "import",
    help=tr("Import from CSV: id, kind, begins, ends, officer, device, case, in_full."),
)
def import_(context: typer.Context, file: Annotated[Path, typer.Argument()], by: By = None) -> None:
    with station_of(context) as station:
        found = read_calendar(station, file)
        changed = enter_calendar(station, found, person(by, station))
        said = T(
            "{count} line(s) read, {changed} new or changed.", count=len(found), changed=changed
        )
        messages.print(said.shown)


@app.command("list", help=tr("List the calendar, from thirty days ago on."))
def list_(
    context: typer.Context,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help=tr("What ends at this time or later."))
    ] = None,
    kind: Annotated[CalendarKind | None, typer.Option(help=tr("Only these."))] = None,
    json: Json = False,
) -> None:
    with station_of(context) as station:
        db, zone = station.catalogue, station.settings.station.zone
        from_then = read_time(since, station.settings) if since else station.now() - _SHOWN
        found = catalogue.entries(db, from_then, kind)
        names = officer_names(db)
        if json:
            print_json({"calendar": [_json(one, names) for one in found]})
            return
        table(
            [
                *(tr("Id"), tr("Kind"), tr("Time"), tr("Officer")),
                *(tr("Device"), tr("Case"), tr("In full"), tr("Not recorded")),
            ],
            (
                (
                    *(one.id, tr(one.kind.value), _time(one, zone)),
                    (names.get(one.officer) or one.officer) if one.officer else None,
                    *(one.device, one.case, tr("yes") if one.in_full else None, _why(one)),
                )
                for one in found
            ),
            whole=(0, 1, 2),
        )


@app.command("explain", help=tr("Give the reason why an enforcement was not recorded."))
def explain_(
    context: typer.Context,
    entry: Annotated[str, typer.Argument(metavar="ID", help=tr("Id in the calendar."))],
    reason: Annotated[NoRecordingReason, typer.Option(help=tr("Why nothing was recorded."))],
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help=tr("More about it; needed for `other`."))
    ] = None,
    by: By = None,
) -> None:
    with station_of(context) as station:
        found = explain(station, named(entry), reason, note, person(by, station))
        said = T("{id} was not recorded: {why}.", id=found.id, why=_why(found))
        messages.print(said.shown, markup=False)


def _time(one: CalendarEntry, zone: tzinfo) -> str:
    """Return from when to when, local time; the day of the end only where it is another."""
    begins, ends = one.begins.astimezone(zone), one.ends.astimezone(zone)
    is_one_day = begins.date() == ends.date()
    return f"{begins:%Y-%m-%d %H:%M}–{ends:%H:%M}" if is_one_day else _days(begins, ends)


def _days(begins: datetime, ends: datetime) -> str:
    form = "%m-%d %H:%M" if begins.year == ends.year else "%Y-%m-%d %H:%M"
    return f"{begins:%Y-%m-%d %H:%M} – {ends:{form}}"


def _why(one: CalendarEntry) -> str | None:
    if one.reason is None:
        return None
    reason = tr(one.reason.value)
    return f"{reason} ({one.reason_note})" if one.reason_note else reason


def _json(one: CalendarEntry, names: Names) -> dict[str, object]:
    return {
        "id": one.id,
        "kind": one.kind.value,
        "begins": iso(one.begins),
        "ends": iso(one.ends),
        "officer": officer_json(one.officer, names),
        "device": one.device,
        "case": one.case,
        "in_full": one.in_full,
        "reason": one.reason.value if one.reason else None,
        "reason_note": one.reason_note,
        "explained_by": one.explained_by,
    }
