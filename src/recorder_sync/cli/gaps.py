"""`recorder-sync gaps`: interruptions within an action, and why they were (Art. 20)."""

from datetime import timedelta
from typing import Annotated

import typer

from recorder_sync.cli.screen import answers, messages, print_json, table
from recorder_sync.cli.session import read_time, station_of
from recorder_sync.cli.typed import By, Json, named, person
from recorder_sync.custodian.interruptions import (
    Interruption,
    explain_by_voice,
    explain_in_writing,
    interruptions,
)
from recorder_sync.device_json import Names, officer_json, officer_names
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T, tr
from recorder_sync.shown import local, span
from recorder_sync.timestamps import iso

app = typer.Typer()

_SHOWN = timedelta(days=30)


@app.command("list", help=tr("List interruptions that nobody explained; 1: there are some."))
def list_(
    context: typer.Context,
    device: Annotated[str | None, typer.Option(help=tr("Device number."))] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help=tr("Since when; thirty days by default."))
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help=tr("Also those that are explained."))
    ] = False,
    json: Json = False,
) -> None:
    with station_of(context) as station:
        from_then = read_time(since, station.settings) if since else station.now() - _SHOWN
        found = interruptions(station, device, from_then)
        shown = [one for one in found if everything or not one.is_explained]
        names = officer_names(station.catalogue)
        if json:
            print_json({"gaps": [_json(one, names) for one in shown]})
        elif not shown:
            answers.print(
                tr("No interruption is on record.")
                if everything
                else tr("No interruption is without an explanation.")
            )
        else:
            zone = station.settings.station.zone
            table(
                [
                    *(tr("Resumed with"), tr("Device"), tr("From"), tr("Until"), tr("Length")),
                    *(tr("Officer"), tr("Explained")),
                ],
                (
                    (
                        *(one.gap.after, one.action.device),
                        *(local(one.gap.begins, zone), local(one.gap.ends, zone)),
                        span((one.gap.ends - one.gap.begins).total_seconds()),
                        _officer(one, names),
                        tr("yes") if one.is_explained else tr("no"),
                    )
                    for one in shown
                ),
            )
    raise typer.Exit(0 if all(one.is_explained for one in found) else 1)


@app.command("explain", help=tr("Say where it is explained by voice, or what two officers wrote."))
def explain(
    context: typer.Context,
    after: Annotated[
        str,
        typer.Argument(metavar="ID", help=tr("The recording with which it was resumed.")),
    ],
    second: Annotated[
        float | None, typer.Option(min=0, help=tr("By voice: at this second of the recording."))
    ] = None,
    recording: Annotated[
        str | None,
        typer.Option(metavar="ID", help=tr("By voice, in a later recording: which one.")),
    ] = None,
    officer: Annotated[
        list[str] | None,
        typer.Option(help=tr("In writing: certificate number of a signer; two of them.")),
    ] = None,
    text: Annotated[str | None, typer.Option(help=tr("In writing: what they wrote."))] = None,
    by: By = None,
) -> None:
    is_spoken, is_written = second is not None, officer is not None or text is not None
    if is_spoken == is_written or (recording is not None and not is_spoken):
        raise UsageProblem(
            T("An interruption is explained by voice or in writing."),
            T("Give --second, or --officer twice and --text."),
        )
    with station_of(context) as station:
        who = person(by, station)
        if second is not None:
            explain_by_voice(station, named(after), second, recording, who)
        else:
            signers = [named(one) for one in officer or ()]
            explain_in_writing(station, named(after), signers, text or "", who)
        messages.print(tr("The explanation is on record."))


def _officer(one: Interruption, names: Names) -> str | None:
    found = one.action.pieces[0].officer
    return (names.get(found) or found) if found else None


def _json(one: Interruption, names: Names) -> dict[str, object]:
    action, gap = one.action, one.gap
    return {
        "device": action.device,
        "before": gap.before,
        "after": gap.after,
        "begins": iso(gap.begins),
        "ends": iso(gap.ends),
        "seconds": (gap.ends - gap.begins).total_seconds(),
        "officer": officer_json(action.pieces[0].officer, names),
        "case": action.pieces[0].case,
        "explained": one.is_explained,
    }
