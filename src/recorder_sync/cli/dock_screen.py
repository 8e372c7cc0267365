"""The dock on a terminal: one row per port, live from the status file."""

import json
import time
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text as Styled

from recorder_sync.cli.screen import amount, answers, local, span
from recorder_sync.config import Configuration
from recorder_sync.dock.board import FILE_NAME
from recorder_sync.errors import MissingPart
from recorder_sync.language import T, chosen_language, tr
from recorder_sync.printable import printable
from recorder_sync.rules.docking import Stay
from recorder_sync.timestamps import moment

_LOOK_S = 0.5
_STALE_S = 15.0
"""Seconds without a new status after which the daemon is not to be relied on."""

_STYLE = {
    Stay.GREETED: "cyan",
    Stay.HELD: "bold yellow",
    Stay.COPYING: "cyan",
    Stay.VERIFYING: "cyan",
    Stay.SAFE: "bold green",
    Stay.SAFE_WITH_PROBLEMS: "bold green",
    Stay.NEEDS_CUSTODIAN: "bold red",
}

Status = dict[str, Any]


def read_status(settings: Configuration) -> Status | None:
    """Return the daemon's live status, or None when no daemon runs."""
    path = settings.paths.runtime / FILE_NAME
    try:
        found: Status = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except PermissionError:
        raise MissingPart(
            T("The live status {path} may not be read.", path=path),
            T("Run the command as root, or as a member of the group recorder-sync."),
        ) from None
    return found if Path(f"/proc/{found['pid']}").exists() else None


def watch(settings: Configuration) -> None:
    """Show the ports until Ctrl-C."""
    with Live(console=answers, screen=answers.is_terminal, auto_refresh=False) as live:
        while True:
            live.update(ports_screen(read_status(settings), settings), refresh=True)
            time.sleep(_LOOK_S)


def ports_screen(status: Status | None, settings: Configuration) -> Group:
    """Return the whole screen for one status."""
    if status is None:
        return Group(
            Styled(tr("The dock service does not run."), style="bold red"),
            Styled(tr("Start it: systemctl start recorder-sync-dock")),
        )
    zone = settings.station.zone
    at = moment(status["at"])
    lines: list[Styled | Table] = [
        Styled(f"{status['station']}   {local(at, zone)}", style="bold"),
        Styled(),
    ]
    age_s = time.time() - at.timestamp()
    if age_s > _STALE_S:
        lines.append(
            Styled(
                T("No sign of life from the dock for {seconds} s.", seconds=int(age_s)).shown,
                style="bold red",
            )
        )
    if status["configuration_problem"]:
        lines.append(Styled(printable(status["configuration_problem"]), style="bold red"))
    if not status["ports"]:
        lines.append(Styled(tr("No device is plugged in."), style="dim"))
    else:
        lines.append(ports_table(status["ports"]))
    return Group(*lines)


def ports_table(ports: list[Status]) -> Table:
    """Return one row per port, with a line below it for what a person should do."""
    drawn = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for name, ratio in (
        (tr("Port"), 1),
        (tr("Device"), 1),
        (tr("Officer"), 1),
        (tr("State"), 2),
        (tr("Recordings"), 1),
        (tr("Progress"), 2),
        (tr("Battery"), 1),
        (tr("Free"), 1),
    ):
        drawn.add_column(name, ratio=ratio, overflow="fold")
    for port in ports:
        drawn.add_row(*_cells(port))
        for said in (port["message"], port["hint"], *port["not_ready"]):
            if said:
                text = printable(said[chosen_language().value])
                drawn.add_row("", "", "", Styled(text, style="dim"))
    return drawn


def _cells(port: Status) -> tuple[str | Styled | ProgressBar | Group, ...]:
    state = Stay(port["state"])
    recordings = port["recordings"]
    battery = (port["health"] or {}).get("battery")
    storage = (port["health"] or {}).get("storage")
    return (
        escape(port["port"]),
        escape(printable(port["device"] or port["model"] or port["usb"] or "—")),
        escape(printable(port["officer"] or "—")),
        Styled(tr(_waiting(port) or state.value), style=_STYLE.get(state, "")),
        f"{recordings['done']}/{recordings['total']}" if recordings["total"] else "—",
        _progress(port),
        f"{battery['percent']} %" if battery else "—",
        f"{100 * storage['free'] // storage['total']} %" if storage and storage["total"] else "—",
    )


def _waiting(port: Status) -> str | None:
    return "waiting for its turn" if port["waits_for_turn"] else None


def _progress(port: Status) -> str | Group:
    size, left = port["bytes"]["total"], port["left_s"]
    if Stay(port["state"]) not in {Stay.COPYING, Stay.VERIFYING} or not size:
        return "—"
    done = port["bytes"]["copied"] if port["state"] == "copying" else port["bytes"]["read_back"]
    said = f"{amount(done)} / {amount(size)}"
    if port["rate"]:
        said += f"  {amount(port['rate'])}/s"
    if left is not None:
        said += f"  {span(left)}"
    return Group(ProgressBar(total=size, completed=done), Styled(said, style="dim"))
