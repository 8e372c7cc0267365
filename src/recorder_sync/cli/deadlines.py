"""`recorder-sync deadlines`: what has to be stored, docked or shown, and how long there is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from recorder_sync.cli.screen import answers, print_json
from recorder_sync.cli.session import station_of
from recorder_sync.language import T, tr
from recorder_sync.printable import printable
from recorder_sync.rules.watch_limits import WatchLimits
from recorder_sync.shown import local
from recorder_sync.station import Station
from recorder_sync.timestamps import iso
from recorder_sync.watching.deadlines import RunningDeadline, What, running_deadlines
from recorder_sync.watching.source import Look

app = typer.Typer()

_BAR = 16
_WIDE = 100
"""Columns of a terminal that has room for bars beside the names."""
_SHOWN = 200
_WORDS = {
    What.RECORDING: T("recording"),
    What.DEVICE: T("device"),
    What.ENFORCEMENT: T("enforcement"),
}


@app.callback()
def deadlines() -> None:
    """Limits that run."""


@app.command("list", help=tr("List what has to be stored, docked or shown, most urgent first."))
def list_(
    context: typer.Context,
    device: Annotated[str | None, typer.Option(help=tr("Only of this device."))] = None,
    officer: Annotated[str | None, typer.Option(help=tr("Only of this officer."))] = None,
    overdue: Annotated[
        bool, typer.Option("--overdue", help=tr("Only where the limit has passed."))
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help=tr("At most so many."))] = _SHOWN,
    json: Annotated[bool, typer.Option("--json", help=tr("Print JSON."))] = False,
) -> None:
    with station_of(context) as station:
        now = station.now()
        found = [
            one
            for one in running_deadlines(Look(station, now))
            if device in {None, one.device}
            and officer in {None, one.officer}
            and not (overdue and one.due >= now)
        ]
        late = sum(one.due < now for one in found)
        if json:
            print_json(
                {
                    "count": len(found),
                    "overdue": late,
                    "deadlines": [_json(one, now) for one in found[:limit]],
                }
            )
        elif found:
            _print(station, found[:limit], now, len(found))
        else:
            answers.print(tr("No limit has passed.") if overdue else tr("No limit runs."))
    if late:
        raise typer.Exit(1)


def _json(one: RunningDeadline, now: datetime) -> dict[str, object]:
    return {
        "what": one.what.value,
        "name": one.name,
        "device": one.device,
        "officer": one.officer,
        "docking": one.docking,
        "due": iso(one.due),
        "left_s": round(one.left(now).total_seconds(), 3),
        "overdue": one.due < now,
        "why": one.why.value if one.why else None,
        "deferral": one.deferral,
    }


def _print(station: Station, found: Sequence[RunningDeadline], now: datetime, count: int) -> None:
    settings = station.settings
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    bar = [""] if answers.console.width >= _WIDE else []
    for name in (tr("Due"), tr("Left"), *bar, tr("What"), tr("Device"), tr("Officer")):
        drawn.add_column(name, no_wrap=name != tr("What"), overflow="fold")
    for one in found:
        style = _style(one, now, settings.watch_limits)
        name = f"{tr(_WORDS[one.what].template)} {printable(one.name)}"
        name += f"  [{tr(one.why.value)}]" if one.why else ""
        drawn.add_row(
            local(one.due, settings.station.zone),
            f"[{style}]{_left(one.left(now))}[/]",
            *([_bar(one, now, style)] if bar else []),
            escape(name),
            escape(printable(one.device or "—")),
            escape(printable(one.officer or "—")),
        )
    answers.print(drawn)
    if count > len(found):
        answers.print(T("{count} more.", count=count - len(found)).shown)


def _bar(one: RunningDeadline, now: datetime, style: str) -> ProgressBar:
    """Draw how much of the time is over."""
    whole = max(1.0, one.within.total_seconds())
    gone = min(whole, max(0.0, whole - one.left(now).total_seconds()))
    return ProgressBar(whole, gone, _BAR, complete_style=style, finished_style=style)


def _style(one: RunningDeadline, now: datetime, limits: WatchLimits) -> str:
    left = one.left(now)
    if left < timedelta():
        return "bold red"
    return "yellow" if left <= limits.lead else "green"


def _left(left: timedelta) -> str:
    """Return a length of time, with a minus where it is over."""
    minutes = int(abs(left).total_seconds()) // 60
    sign = "-" if left < timedelta() else ""
    days, hours = divmod(minutes // 60, 24)
    if days:
        return T("{days} d {hours} h", days=f"{sign}{days}", hours=hours).shown
    return f"{sign}{hours}:{minutes % 60:02d}"
