"""The rows of the table: what each needs to be measured, and its target.

Rows share what is measured: the cards of two large clips serve five of them.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import table
from cards import Cards, make_clips, make_photos, shared_among
from docked import Docked, Plan, dock
from measured_process import Measured, run_measured
from page_cache import drop_from_page_cache
from rich.table import Table
from rounds import GIB, Idle, Series, Workshop
from table import MIB, Line, screen
from throttle import Unavailable
from ways import PROGRAM, RunFailed, Station, Way, checked, takes_many_cards

_FLOORS = (Way.FLOOR, Way.FLOOR_READ)
_CLIPS = {
    "clips-unread": (Way.COPY, Way.UNREAD),
    "clips": (Way.COPY, Way.VERIFIED),
    "clips-rsync": (Way.RSYNC, Way.VERIFIED),
    "clips-rclone": (Way.RCLONE, Way.VERIFIED),
    "clips-digests": (Way.DIGESTS, Way.VERIFIED),
}
ROWS = ("start", "photos", "many-clips", *_CLIPS, "cameras", "docked", "memory", "silence")
_VERSIONS_PER_RUN = 3
_TIMES_FLOOR = 1.15
"""Processor time beside reading, both digests and writing (and reading back) alone."""
_FAST_SAMPLE_S = 0.01


@dataclass(frozen=True, slots=True)
class Sizes:
    clip_size: int = 1 << 30
    many_clips: int = 200
    many_clip_size: int = 20 << 20
    photos: int = 5000
    known: int = 500
    """Files of the card that is sealed already."""
    cameras: tuple[int, ...] = (1, 4, 16)
    cameras_clip_size: int = 256 << 20
    docked: Plan = field(default_factory=lambda: Plan(16, 30_000_000, 600, 512 << 20, False))


class Benchmark:
    """Measures what the wanted rows need, once, and judges them."""

    def __init__(self, workshop: Workshop, sizes: Sizes, wanted: Sequence[str]) -> None:
        self._workshop = workshop
        self._sizes = sizes
        self._wanted = set(wanted)
        self._series: dict[str, Series] = {}
        self._idle: Idle | None = None
        self._many_peaks: list[int] = []
        self._takes_many = takes_many_cards()
        self.lines: list[Line] = []
        self.details: list[Table] = []
        self.failures: list[str] = []

    def run(self) -> None:
        """Measure; what makes many files comes before anything is removed."""
        parts: tuple[tuple[set[str], Callable[[], None]], ...] = (
            ({"start", "memory"}, self._start),
            ({"photos", "memory", "silence"}, self._photos),
            ({"many-clips", "memory", "silence"}, self._many_clips),
            ({*_CLIPS, "memory", "silence"}, self._clips),
            ({"cameras", "memory"}, self._cameras),
            ({"docked"}, self._docked),
            ({"memory"}, self._memory),
            ({"silence"}, self._silence),
        )
        for names, part in parts:
            if names & self._wanted:
                try:
                    part()
                except RunFailed as error:
                    self.failures.append(f"FAILED: {', '.join(sorted(names))}: {error}")
                    screen.print(self.failures[-1], style="bold red")

    def _start(self) -> None:
        """Start of the program, and a card on which there is nothing new."""
        card = make_photos(self._workshop.folder / "known", self._sizes.known, camera=33)
        folder = self._workshop.fresh()
        folder.mkdir()
        station = Station(folder, self._workshop.ffprobe)
        station.ingest(card.folders)
        station.check_sealed(card.files)
        versions: list[Measured] = []
        again: list[Measured] = []
        live: list[Measured] = []
        for _ in range(self._workshop.rounds):
            for _ in range(_VERSIONS_PER_RUN):
                versions.append(checked(run_measured([PROGRAM, "--version"])))
            for file in card.all_files:
                drop_from_page_cache(file)
            again.append(station.ingest(card.folders, sample_s=_FAST_SAMPLE_S))
            live.append(station.ingest(card.folders, terminal=True, sample_s=_FAST_SAMPLE_S))
        self._idle = Idle(again, live)
        if "start" in self._wanted:
            self._note(_timed("`recorder-sync --version`", versions, 0.150))
            self._note(_timed(f"`ingest` of a sealed card, {card.files} files", again, 1.0))

    def _photos(self) -> None:
        card = make_photos(self._workshop.folder / "photos", self._sizes.photos)
        series = self._measure("photos", card, {"photos": (Way.COPY,)}, with_steps=True)
        self.details.append(table.step_times(series))
        screen.print(self.details[-1])
        if "photos" in self._wanted:
            work = f"{card.name}, verified, described, in the catalogue"
            self._note(table.at_most(series, Way.VERIFIED, times=3.5, work=work))

    def _many_clips(self) -> None:
        sizes = self._sizes
        path = self._workshop.folder / "many-clips"
        card = make_clips(path, sizes.many_clips, sizes.many_clip_size)
        series = self._measure("many-clips", card, {"many-clips": (Way.COPY,)})
        if "many-clips" in self._wanted:
            work = f"{card.name}, verified"
            self._note(table.at_most(series, Way.VERIFIED, times=2.0, work=work))

    def _clips(self) -> None:
        card = make_clips(self._workshop.folder / "clips", 2, self._sizes.clip_size)
        series = self._measure("clips", card, _CLIPS)
        work = f"{card.name}, verified"
        unread = f"{card.name}, read-back switched off"
        judges: dict[str, Callable[[], Line]] = {
            "clips-unread": lambda: table.at_most(series, Way.UNREAD, times=1.1, work=unread),
            "clips": lambda: table.at_most(series, Way.VERIFIED, times=1.9, work=work),
            "clips-rsync": lambda: table.at_most_times(series, Way.RSYNC, times=1.3, work=work),
            "clips-rclone": lambda: table.times_faster(series, Way.RCLONE, times=2.5, work=work),
            "clips-digests": lambda: table.times_faster(series, Way.DIGESTS, times=2.5, work=work),
        }
        for name, judge in judges.items():
            if name in self._wanted:
                self._note(judge())
        for name, way, cpu, what in (
            ("clips-unread", Way.UNREAD, 1.0, unread),
            ("clips", Way.VERIFIED, 1.3, work),
        ):
            if name in self._wanted:
                for line in table.processor_time(
                    series, way, times_floor=_TIMES_FLOOR, cpu_per_gib=cpu, work=what
                ):
                    self._note(line)

    def _measure(
        self,
        name: str,
        card: Cards,
        rows: Mapping[str, tuple[Way, ...]],
        *,
        with_steps: bool = False,
    ) -> Series:
        """Measure the ways that the wanted rows need, and show everything."""
        ways = {Way.VERIFIED: None, **dict.fromkeys(_FLOORS)}
        for row, needed in rows.items():
            if row in self._wanted:
                ways |= dict.fromkeys(needed)
        # On a terminal the display differs, not the work: once is enough.
        once = (Way.LIVE,) if self._wanted & {"silence", "memory"} else ()
        series = self._workshop.measure(card, tuple(ways), once=once, with_steps=with_steps)
        self._series[name] = series
        self.details.append(table.seconds_and_floor(series))
        screen.print(self.details[-1])
        return series

    def _cameras(self) -> None:
        """Let 1, 4 and 16 cameras bring the same clips, and look at processor time."""
        sizes = self._sizes
        folder = self._workshop.folder / "cameras"
        clips = make_clips(folder / "clips", max(sizes.cameras), sizes.cameras_clip_size)
        numbers = sizes.cameras if self._takes_many else sizes.cameras[:1]
        shares = {n: shared_among(folder / str(n), clips, n) for n in numbers}
        runs: dict[int, list[Measured]] = {n: [] for n in numbers}
        floors: list[Measured] = []
        for number in range(self._workshop.rounds):
            turn = number % len(numbers)
            for n in (*numbers[turn:], *numbers[:turn]):
                alone = self._workshop.measure_once(shares[n], Way.VERIFIED)
                runs[n].append(alone)
            floors.append(self._workshop.measure_once(shares[numbers[0]], Way.FLOOR_READ))
        many = max(numbers)
        if many >= 16:
            self._many_peaks.append(max(run.peak_pss for run in runs[many]))
        if "cameras" in self._wanted:
            self._note(_growth(runs, floors, clips.size, self._takes_many))

    def _docked(self) -> None:
        plan = self._sizes.docked
        work = f"{plan.cameras} cameras at {plan.bytes_per_s / 1e6:g} MB/s each, verified"
        work += f", {plan.seconds / 60:g} min"
        target = "each within 5 % of its limit; below 35 % of the processors"
        try:
            if plan.cameras > 1 and not self._takes_many:
                raise Unavailable("the command takes the path of one card only")
            done = dock(plan, self._workshop)
        except (Unavailable, OSError) as error:
            self._note(Line(work, "-", target, f"{error}", None))
            return
        if plan.cameras >= 16:
            self._many_peaks.append(done.run.peak_pss)
        self.details.append(_readings(done))
        screen.print(self.details[-1])
        self._note(_judge_docked(done, work, target))

    def _memory(self) -> None:
        if not self._series or self._idle is None:
            raise RunFailed("there is nothing to compare")
        many = max(self._many_peaks, default=None)
        for line in table.memory(self._idle, self._series.values(), 45, many, 150):
            self._note(line)

    def _silence(self) -> None:
        if not self._series:
            raise RunFailed("there is nothing to look at")
        self._note(table.silence(self._series.values(), 1.0))

    def _note(self, line: Line) -> None:
        self.lines.append(line)
        screen.print(f"{line.work}: {line.measured}", style="bold")


def _timed(work: str, runs: Sequence[Measured], most_s: float) -> Line:
    median = statistics.median(run.wall_s for run in runs)
    spread = f"{min(r.wall_s for r in runs) * 1000:.0f} to {max(r.wall_s for r in runs) * 1000:.0f}"
    measured = f"{median * 1000:.0f} ms ({spread})"
    return Line(work, "-", f"below {most_s * 1000:.0f} ms", measured, median < most_s)


def _growth(
    runs: dict[int, list[Measured]], floors: Sequence[Measured], size: int, takes_many: bool
) -> Line:
    """Judge how processor time grows with the number of cameras: paired medians."""
    first, *others = runs
    work = f"cameras, unthrottled: {', '.join(map(str, runs))}, {size / GIB:g} GiB in all"
    target = "CPU-s per GiB grow by less than 15 %"
    per_gib = {n: statistics.median(r.cpu_s for r in runs[n]) / size * GIB for n in runs}
    growth = [
        statistics.median(
            many.cpu_s / one.cpu_s for many, one in zip(runs[n], runs[first], strict=True)
        )
        for n in others
    ]
    seconds = " / ".join(f"{statistics.median(r.wall_s for r in runs[n]):.2f}" for n in runs)
    shown = " / ".join(f"{value:.2f}" for value in per_gib.values())
    measured = f"{shown} CPU-s per GiB; {seconds} s"
    least = statistics.median(f.cpu_s for f in floors) / size * GIB
    beside = " / ".join(f"{value / least:.2f}" for value in per_gib.values())
    beside += f" x the floor of {least:.2f} CPU-s per GiB"
    if not takes_many:
        return Line(work, "-", target, f"the path of one card only: {measured}", None, beside)
    grown = (max(growth, default=1.0) - 1) * 100
    return Line(work, "-", target, f"{grown:+.0f} %: {measured}", grown < 15, beside)


def _judge_docked(done: Docked, work: str, target: str) -> Line:
    rates = [reading.bytes_per_s / 1e6 for reading in done.readings]
    slowest = min(rates) * 1e6 / done.plan.bytes_per_s
    cpu = done.run.cpu_s / done.size * GIB
    measured = (
        f"slowest {min(rates):.1f}, fastest {max(rates):.1f} MB/s; {done.share_of_machine:.0%} of "
        f"the processors, {cpu:.2f} CPU-s per GiB; {done.run.peak_pss / MIB:.0f} MiB; "
        f"{done.run.wall_s:.0f} s"
    )
    met = slowest >= 0.95 and done.share_of_machine < 0.35
    return Line(work, "-", target, measured, met, f"{done.times_floor:.2f} x the floor")


def _readings(done: Docked) -> Table:
    drawn = Table("camera", "MB/s", "of its limit", "longest pause s", box=None)
    for number, reading in enumerate(done.readings):
        drawn.add_row(
            str(number + 1),
            f"{reading.bytes_per_s / 1e6:.2f}",
            f"{reading.bytes_per_s / done.plan.bytes_per_s:.1%}",
            f"{reading.longest_pause_s:.1f}",
        )
    return drawn
