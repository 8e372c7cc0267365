"""The dock on a terminal: one row per port, live from the status file."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text as Styled

from recorder_sync.cli.screen import answers
from recorder_sync.config import Configuration
from recorder_sync.dock.live_status import STALE_S, Status, has_more_to_read, read_status
from recorder_sync.language import T, chosen_language, tr
from recorder_sync.printable import printable
from recorder_sync.rules.docking import Stay
from recorder_sync.shown import amount, local, span
from recorder_sync.timestamps import moment

_LOOK_S = 0.5

_STYLE = {
    Stay.COPYING: "bold cyan",
    Stay.VERIFYING: "bold cyan",
    Stay.SAFE: "bold black on green",
    Stay.SAFE_WITH_PROBLEMS: "bold black on green",
    Stay.HELD: "bold black on yellow",
    Stay.NEEDS_CUSTODIAN: "bold white on red",
    Stay.REMOVED_EARLY: "bold white on red",
}
_FOR_A_PERSON = frozenset({Stay.SAFE_WITH_PROBLEMS, Stay.HELD, Stay.NEEDS_CUSTODIAN})
"""States whose lines stay when the screen is too low for all."""

_GAP = 1
_NARROWEST = 8
_INDENT = 2


def watch(settings: Configuration) -> None:
    """Show the ports until Ctrl-C."""
    console = answers.console
    with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
        while True:
            height = console.height if console.is_terminal else None
            live.update(
                ports_screen(read_status(settings.paths.runtime), settings, height), refresh=True
            )
            time.sleep(_LOOK_S)


def ports_screen(
    status: Status | None, settings: Configuration, height: int | None = None
) -> Group:
    """Return the whole screen for one status, kept within `height` lines if possible."""
    if status is None:
        return Group(
            Styled(tr("The dock service does not run."), style="bold red"),
            Styled(tr("Start it: systemctl start recorder-sync-dock")),
        )
    zone = settings.station.zone
    at = moment(status["at"])
    lines: list[Styled | PortsTable] = [
        Styled(f"{status['station']}   {local(at, zone)}", style="bold"),
        Styled(),
    ]
    age_s = time.time() - at.timestamp()
    if age_s > STALE_S:
        lines.append(
            Styled(
                T("No sign of life from the dock for {seconds} s.", seconds=int(age_s)).shown,
                style="bold white on red",
            )
        )
    if status["configuration_problem"]:
        lines.append(Styled(printable(status["configuration_problem"]), style="bold red"))
    if not status["ports"]:
        lines.append(Styled(tr("No device is plugged in."), style="dim"))
    else:
        left = None if height is None else height - len(lines)
        lines.append(PortsTable(status["ports"], left))
    return Group(*lines)


@dataclass(frozen=True, slots=True)
class PortsTable:
    """One row per port; below it, over the whole width, what a person should know."""

    ports: list[Status]
    height: int | None = None
    """Lines there are; when all does not fit, lines that nobody has to act on go."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        whole = list(self._lines(options.max_width, is_short=False))
        if self.height is not None:
            needed = sum(len(console.render_lines(one, options)) for one in whole)
            if needed > self.height:
                whole = list(self._lines(options.max_width, is_short=True))
        yield from whole

    def _lines(self, width: int, *, is_short: bool) -> Iterator[RenderableType]:
        names = (
            *(tr("Port"), " " + tr("State"), tr("Device"), tr("Officer")),
            *(tr("Recordings"), tr("Battery"), tr("Free")),
        )
        header = [Styled(name, style="bold") for name in names]
        rows = [_cells(port) for port in self.ports]
        widths = _widths([header, *rows], width)
        yield _row(header, widths)
        for port, cells in zip(self.ports, rows, strict=True):
            yield _row(cells, widths)
            if is_short and Stay(port["state"]) not in _FOR_A_PERSON:
                continue
            for below in _below(port):
                yield Padding(below, (0, 0, 0, _INDENT))


def _widths(rows: list[list[Styled]], width: int) -> list[int]:
    """Return the columns' widths; where it is narrow, long names give way, never the state."""
    wanted = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
    too_wide = sum(wanted) + _GAP * len(wanted) - width
    for column in (3, 2, 0):  # officer, device, port
        given = max(0, min(too_wide, wanted[column] - _NARROWEST))
        wanted[column] -= given
        too_wide -= given
    return wanted


def _row(cells: list[Styled], widths: list[int]) -> Table:
    drawn = Table.grid(padding=(0, _GAP, 0, 0))
    for width in widths:
        drawn.add_column(width=width, overflow="fold")
    drawn.add_row(*cells)
    return drawn


def _cells(port: Status) -> list[Styled]:
    recordings = port["recordings"]
    battery = (port["health"] or {}).get("battery")
    storage = (port["health"] or {}).get("storage")
    return [
        Styled(printable(port["port"]), style="bold"),
        _state(port),
        Styled(printable(port["device"] or port["model"] or port["usb"] or "—")),
        Styled(printable(port["officer"] or "—")),
        Styled(f"{recordings['done']}/{recordings['total']}" if recordings["total"] else "—"),
        Styled(f"{battery['percent']} %" if battery else "—"),
        Styled(
            f"{100 * storage['free'] // storage['total']} %"
            if storage and storage["total"]
            else "—"
        ),
    ]


def _state(port: Status) -> Styled:
    state = Stay(port["state"])
    word, style = tr(state.value), _STYLE.get(state, "")
    if port["waits_for_turn"]:
        word, style = tr("waiting for its turn"), ""
    elif has_more_to_read(port):
        word, style = tr("do not take it yet"), "bold black on yellow"
    return Styled(f" {word} ", style=style)


def _below(port: Status) -> Iterator[RenderableType]:
    is_moving = Stay(port["state"]) in {Stay.COPYING, Stay.VERIFYING}
    if is_moving and port["bytes"]["total"] and not port["waits_for_turn"]:
        yield _progress(port)
    language = chosen_language().value
    if has_more_to_read(port):
        yield Styled(tr("This card is sealed; another one of the device is not yet."))
    elif port["message"]:
        yield Styled(printable(port["message"][language]))
    if port["hint"]:
        yield Styled(f"→ {printable(port['hint'][language])}")
    if port["not_ready"]:
        why = tr("; ").join(printable(text[language]).rstrip(".") for text in port["not_ready"])
        yield Styled(T("Not to go out again yet: {why}", why=why).shown, style="yellow")


def _progress(port: Status) -> Table:
    size, left = port["bytes"]["total"], port["left_s"]
    done = port["bytes"]["copied"] if port["state"] == "copying" else port["bytes"]["read_back"]
    said = [f"{amount(done)} / {amount(size)}"]
    if port["rate"]:
        said.append(f"{amount(port['rate'])}/s")
    if left is not None:
        said.append(T("{left} left", left=span(left)).shown)
    drawn = Table.grid(padding=(0, 2, 0, 0), expand=True)
    drawn.add_column(ratio=1)
    drawn.add_column(no_wrap=True)
    drawn.add_row(ProgressBar(total=size, completed=done), "  ".join(said))
    return drawn
