"""`recorder-sync alerts`: what somebody must handle, who is on it, and what became of it."""

from typing import Annotated

import typer

from recorder_sync.alert_json import alert_json
from recorder_sync.alerts.life import life_of, life_words
from recorder_sync.alerts.record import acknowledge, resolve
from recorder_sync.catalogue import alerts as catalogue
from recorder_sync.catalogue.alerts import RecordedAlert, worst_first
from recorder_sync.cli.alert_channels import channels, try_channels
from recorder_sync.cli.alert_report import (
    due_words,
    item_rows,
    life_json,
    next_commands,
    who_words,
)
from recorder_sync.cli.screen import answers, facts, messages, print_json, table
from recorder_sync.cli.session import station_of
from recorder_sync.cli.typed import By, Json, person
from recorder_sync.device_json import officer_names
from recorder_sync.language import T, tr
from recorder_sync.rules.reconcile import AlertState
from recorder_sync.shown import local
from recorder_sync.station import Station
from recorder_sync.time_left import length

app = typer.Typer()
app.command("channels", help=tr("How the channels fare that messages go out by."))(channels)
app.command("test", help=tr("Send a test message by each channel, and say what it answered."))(
    try_channels
)

_LARGEST = 2**63 - 1
"""The largest number that the catalogue can be asked for."""
_Number = Annotated[
    int,
    typer.Argument(min=0, max=_LARGEST, metavar="NUMBER", help=tr("Number of the alert.")),
]


@app.command("list", help=tr("List what is not resolved, the worst first; 1: something is open."))
def list_(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help=tr("Also what is resolved, the newest."))
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help=tr("At most so many rows with --all."))
    ] = 200,
    json: Json = False,
) -> None:
    with station_of(context) as station:
        db, now = station.catalogue, station.now()
        live = catalogue.live(db)
        found = worst_first(catalogue.newest(db, limit) if everything else live)
        is_open = any(one.state is AlertState.OPEN for one in live)
        if json:
            names = officer_names(db)
            print_json({"alerts": [alert_json(one, names) for one in found]})
        elif not found:
            messages.print(tr("No alert is open."))
        else:
            table(
                [
                    *(tr("Number"), tr("Severity"), tr("Since"), tr("Limit")),
                    *(tr("Who is on it"), tr("What")),
                ],
                (
                    (
                        *(one.number, tr(one.severity.value), length(now - one.since)),
                        *(due_words(one, now), who_words(one), one.text.shown),
                    )
                    for one in found
                ),
                whole=(0, 1, 2, 3),
            )
    raise typer.Exit(1 if is_open else 0)


@app.command("show", help=tr("Show one alert: its list, its whole life, and what to do."))
def show(context: typer.Context, number: _Number, json: Json = False) -> None:
    with station_of(context) as station:
        one = catalogue.alert(station.catalogue, number)
        life = life_of(one, station.custody)
        if json:
            shown = alert_json(one, officer_names(station.catalogue))
            print_json({**shown, "life": [life_json(entry) for entry in life]})
            return
        facts(_facts(station, one))
        zone = station.settings.station.zone
        if one.items:
            answers.print()
            table([tr("Of these"), tr("From"), tr("Until")], item_rows(one.items, zone))
        answers.print()
        table(
            [tr("Time"), tr("What"), tr("Details"), tr("By")],
            ((local(e.deed.time, zone), *life_words(e), e.deed.actor) for e in life),
            whole=(0, 1),
        )
        if commands := next_commands(one):
            answers.print()
            answers.print(T("What to do: {hint}", hint=one.hint).shown, markup=False)
            for command in commands:
                answers.print(f"  {command}", markup=False, soft_wrap=True)


@app.command("ack", help=tr("Put on record that somebody is on it."))
def ack(
    context: typer.Context,
    number: _Number,
    by: By = None,
    note: Annotated[str | None, typer.Option(metavar="TEXT", help=tr("What is done."))] = None,
) -> None:
    with station_of(context) as station:
        who = person(by, station)
        acknowledge(station, number, who, note.strip() or None if note else None)
        _say(T("{who} is on alert {number}.", who=who, number=number).shown)


@app.command("resolve", help=tr("Put on record that it is dealt with, and how."))
def resolve_(
    context: typer.Context,
    number: _Number,
    note: Annotated[str, typer.Option(metavar="TEXT", help=tr("What was done."))],
    by: By = None,
) -> None:
    with station_of(context) as station:
        resolve(station, number, person(by, station), note)
        _say(T("Alert {number} is resolved.", number=number).shown)


def _facts(station: Station, one: RecordedAlert) -> list[tuple[str, object]]:
    zone, now = station.settings.station.zone, station.now()
    names = officer_names(station.catalogue)
    due = f"{local(one.due, zone)} ({due_words(one, now) or '—'})" if one.due else None
    officer = f"{names.get(one.officer) or '—'} ({one.officer})" if one.officer else None
    of_it = [
        (tr("Device"), one.device),
        (tr("Officer"), officer),
        (tr("Case"), one.case),
        (tr("Recording"), one.recording),
        (tr("Docking"), one.docking),
    ]
    return [
        (tr("Alert"), one.number),
        (tr("What"), one.text.shown),
        (tr("Severity"), tr(one.severity.value)),
        (tr("Since"), f"{local(one.since, zone)} ({length(now - one.since)})"),
        (tr("Limit"), due),
        (tr("Who is on it"), who_words(one)),
        *(pair for pair in of_it if pair[1] is not None),
        (tr("Count"), one.count),
    ]


def _say(text: str) -> None:
    messages.print(text, markup=False)
