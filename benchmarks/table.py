"""The table of targets: what was asked, what was measured, and whether it was met.

Every processor time stands beside the floor of the same cards on the same machine, because
it differs between machines and days.
"""

import io
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from measured_process import Measured
from rich.console import Console
from rich.table import Table
from rounds import Idle, Series, floor_of
from ways import PRODUCT, Way

MIB = 1 << 20
_COLUMNS = ("work", "against", "target", "measured", "beside the floor", "met")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table."""

    work: str
    against: str
    target: str
    measured: str
    met: bool | None
    """None: it could not be measured, and `measured` says why."""
    floor: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        met = {True: "yes", False: "MISSED", None: "not measured"}[self.met]
        return (self.work, self.against, self.target, self.measured, self.floor, met)


def at_most(series: Series, way: Way, *, times: float, work: str) -> Line:
    """Judge a way of the product that may take some multiple of the time of `cp`."""
    ratio = series.times(way, Way.COPY)
    target = f"at most {times:g} x its time"
    return Line(
        work, Way.COPY, target, _against(series, way, Way.COPY), ratio <= times, _floor(series, way)
    )


def processor_time(
    series: Series, way: Way, *, times_floor: float, cpu_per_gib: float, work: str
) -> list[Line]:
    """Judge processor time twice: beside the floor of the same rounds, and as it is.

    The absolute target was set on a day when this machine's floor was lower than it is on
    others; where the floor alone is beyond it, no program can meet it, and it is said.
    """
    cpu, ratio = series.cpu_per_gib(way), series.times_floor(way)
    least = series.cpu_per_gib(floor_of(way))
    measured = f"{ratio:.2f} x: {cpu:.2f} CPU-s per GiB to {least:.2f}"
    beside = Line(work, "floor", f"at most {times_floor:g} x", measured, ratio <= times_floor)
    unreachable = f"; the floor alone takes {least:.2f}" if least > cpu_per_gib else ""
    absolute = Line(
        work,
        "-",
        f"at most {cpu_per_gib:g} CPU-s per GiB",
        f"{cpu:.2f} CPU-s per GiB{unreachable}",
        cpu <= cpu_per_gib,
    )
    return [beside, absolute]


def at_most_times(series: Series, other: Way, *, times: float, work: str) -> Line:
    """Judge the verified intake, which may take some multiple of the time of another way."""
    ratio = series.times(Way.VERIFIED, other)
    measured = _against(series, Way.VERIFIED, other)
    target = f"at most {times:g} x its time"
    return Line(work, other, target, measured, ratio <= times, _floor(series, Way.VERIFIED))


def times_faster(series: Series, other: Way, *, times: float, work: str) -> Line:
    """Judge the verified intake, which is to be faster than another way."""
    ratio = series.times(other, Way.VERIFIED)
    measured = f"{ratio:.2f} times faster: {_seconds(series, Way.VERIFIED, other)}"
    target = f"at least {times:g} times faster"
    return Line(work, other, target, measured, ratio >= times, _floor(series, Way.VERIFIED))


def silence(all_series: Iterable[Series], most_s: float) -> Line:
    """Judge the longest time without a sign of life, in any run of the product."""
    runs = [r for s in all_series for way in PRODUCT & set(s.runs) for r in s.runs[way]]
    longest = max(run.silence_s for run in runs)
    measured = f"{longest:.2f} s"
    return Line("silence, any card", "-", f"below {most_s:g} s", measured, longest < most_s)


def memory(
    idle: Idle,
    all_series: Iterable[Series],
    most_beyond_mib: float,
    many: int | None,
    most_many_mib: float,
) -> list[Line]:
    """Judge memory: of each single card beyond the idle process, and of many cards in all.

    A card is judged by everything, the libraries of an ffprobe included; beside it stands
    what the processes have of their own.
    """
    series = tuple(all_series)
    everything = {s.cards.name: s.memory_beyond(idle, _everything) for s in series}
    own = {s.cards.name: s.memory_beyond(idle, _own) for s in series}
    shown = "; ".join(
        f"{name}: {everything[name] / MIB:.1f}, {own[name] / MIB:.1f} without pages of files"
        for name in everything
    )
    one = Line(
        "memory, any size, one camera",
        "idle process",
        f"at most {most_beyond_mib:g} MiB beyond it",
        f"{shown} MiB beyond {idle.quiet(_everything) / MIB:.1f}, {idle.quiet(_own) / MIB:.1f}",
        max(everything.values()) <= most_beyond_mib * MIB,
    )
    work, target = "memory, 16 cameras", f"below {most_many_mib:g} MiB in all"
    if many is None:
        return [one, Line(work, "-", target, "several cards were not taken in", None)]
    return [one, Line(work, "-", target, f"{many / MIB:.1f} MiB", many < most_many_mib * MIB)]


def _everything(run: Measured) -> int:
    return run.peak_pss


def _own(run: Measured) -> int:
    return run.peak_own


def seconds_and_floor(series: Series) -> Table:
    """Return everything that was measured with one set of cards."""
    columns = ("median s", "min", "max", "x cp", "MB/s", "CPU s/GiB", "x floor", "MiB", "silence")
    drawn = Table(series.cards.name, *columns, box=None)
    for column in drawn.columns[1:]:
        column.justify = "right"
    for way, runs in series.runs.items():
        paired = len(runs) == len(series.runs.get(Way.COPY, ()))
        product = way in PRODUCT
        has_floor = product and len(runs) == len(series.runs.get(Way.FLOOR_READ, ()))
        wall = series.wall(way)
        drawn.add_row(
            way,
            f"{wall:.2f}",
            f"{min(run.wall_s for run in runs):.2f}",
            f"{max(run.wall_s for run in runs):.2f}",
            f"{series.times(way, Way.COPY):.2f}" if paired else "",
            f"{series.cards.size / wall / 1e6:.0f}",
            f"{series.cpu_per_gib(way):.2f}",
            f"{series.times_floor(way):.2f}" if has_floor else "",
            f"{max(run.peak_pss for run in runs) / MIB:.0f}" if product else "",
            f"{max(run.silence_s for run in runs):.2f}" if product else "",
        )
    return drawn


def step_times(series: Series) -> Table:
    """Return the steps of the verified runs: medians."""
    drawn = Table(f"steps of {series.cards.name}", "from s", "to s", "ms each", box=None)
    for column in drawn.columns[1:]:
        column.justify = "right"
    for same in zip(*series.steps, strict=True):
        each = [step.each_ms for step in same if step.each_ms is not None]
        drawn.add_row(
            same[0].name,
            f"{statistics.median(step.begin_s for step in same):.2f}",
            f"{statistics.median(step.end_s for step in same):.2f}",
            f"{statistics.median(each):.1f}" if each else "",
        )
    return drawn


def targets(lines: Sequence[Line]) -> Table:
    """Return the table of targets."""
    drawn = Table(*_COLUMNS, box=None, padding=(0, 2, 1, 0))
    for line in lines:
        style = {True: "", False: "bold red", None: "yellow"}[line.met]
        drawn.add_row(*line.cells, style=style)
    return drawn


def missed(line: Line) -> str:
    """Say plainly that a target was missed, with the figure and the floor."""
    beside = f" ({line.floor})" if line.floor else ""
    return f"MISSED: {line.work}, against {line.against}: {line.measured}{beside}; {line.target}"


def write_markdown(path: Path, lines: Sequence[Line], details: Sequence[Table]) -> None:
    """Write the table of targets and everything else that was measured as Markdown."""
    parts = [_markdown(_COLUMNS, [line.cells for line in lines])]
    for table in details:
        headings = [str(column.header) for column in table.columns]
        rows = zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True)
        parts.append(_markdown(headings, rows))
    path.write_text("\n".join(parts))


def _markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO()
    for cells in (headings, ["---"] * len(headings), *rows):
        escaped = (cell.replace("|", r"\|") for cell in cells)
        written.write(f"| {' | '.join(escaped)} |\n")
    return written.getvalue()


def _against(series: Series, way: Way, other: Way) -> str:
    cpu = f"{series.cpu_per_gib(way):.2f} CPU-s per GiB"
    return f"{series.times(way, other):.2f} x: {_seconds(series, way, other)}; {cpu}"


def _seconds(series: Series, way: Way, other: Way) -> str:
    return f"{series.wall(way):.2f} s to {series.wall(other):.2f} s"


def _floor(series: Series, way: Way) -> str:
    floor = floor_of(way)
    least, times = series.cpu_per_gib(floor), series.times_floor(way)
    return f"{times:.2f} x the floor of {least:.2f} CPU-s per GiB ({series.wall(floor):.2f} s)"


screen = Console(width=140, highlight=False)
