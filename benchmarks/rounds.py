"""Alternating rounds: every way once in each, by turns, in fresh folders that stay.

A comparison is paired: the ratio of two ways is taken within each round, and the median
of these ratios counts, so that an hour in which the disk is slower weighs on both.

Copies are removed only when space gets short, and at the end: ext4 is slow at making files
for minutes after many were removed.
"""

import os
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cards import Cards
from measured_process import Measured
from page_cache import PageCache
from steps import Step, steps
from ways import PRODUCT, Station, Way, copy

_PAUSE_S = 2.0
_AFTER_REMOVAL_S = 10.0
_SPARE = 4 << 30
"""Bytes that stay free; the product itself keeps 1 GiB free."""

GIB = 1 << 30
Tell = Callable[[str], None]


def floor_of(way: Way) -> Way:
    """Return the floor of what a way of the product does."""
    return Way.FLOOR if way is Way.UNREAD else Way.FLOOR_READ


@dataclass(frozen=True, slots=True)
class Idle:
    """Runs of the product with nothing to copy: its output in a pipe, and on a terminal.

    What is beyond one of them is held against the median: a sample that falls into the start of a
    process counts it twice, and would hide as much of what is measured.
    """

    in_pipe: Sequence[Measured]
    on_terminal: Sequence[Measured]

    def quiet(self, memory: Callable[[Measured], int]) -> int:
        return round(statistics.median(map(memory, self.in_pipe)))

    def live(self, memory: Callable[[Measured], int]) -> int:
        return round(statistics.median(map(memory, self.on_terminal)))


class Series:
    """What was measured with one set of cards, by way, in the order of the rounds."""

    def __init__(self, cards: Cards) -> None:
        self.cards = cards
        self.runs: dict[Way, list[Measured]] = {}
        self.steps: list[list[Step]] = []
        """Of each verified run, where they were asked for."""

    def wall(self, way: Way) -> float:
        return statistics.median(run.wall_s for run in self.runs[way])

    def cpu_per_gib(self, way: Way) -> float:
        return statistics.median(run.cpu_s for run in self.runs[way]) / self.cards.size * GIB

    def times(self, way: Way, other: Way) -> float:
        """Return how many times longer `way` takes than `other`: the paired median."""
        pairs = zip(self.runs[way], self.runs[other], strict=True)
        return statistics.median(one.wall_s / two.wall_s for one, two in pairs)

    def times_floor(self, way: Way) -> float:
        """Return processor time as a multiple of the floor's: the paired median."""
        pairs = zip(self.runs[way], self.runs[floor_of(way)], strict=True)
        return statistics.median(one.cpu_s / two.cpu_s for one, two in pairs)

    def memory_beyond(self, idle: Idle, memory: Callable[[Measured], int]) -> int:
        """Return how far the product went beyond the idle process in any run, in bytes.

        On a terminal it is compared with the idle process on a terminal.
        """
        return max(
            memory(run) - (idle.live(memory) if way is Way.LIVE else idle.quiet(memory))
            for way in PRODUCT & set(self.runs)
            for run in self.runs[way]
        )


class Workshop:
    """Makes the rounds in one folder of a real disk."""

    def __init__(self, folder: Path, rounds: int, ffprobe: str, tell: Tell) -> None:
        self.folder = folder
        self.rounds = rounds
        self.ffprobe = ffprobe
        """The program that describes recordings for the product."""
        self.tell = tell
        self._copies = folder / "copies"
        self._copies.mkdir()
        self._page_cache = PageCache(folder)
        self._number = 0

    def fresh(self) -> Path:
        """Return the path of a folder that is not there yet."""
        self._number += 1
        return self.last

    @property
    def last(self) -> Path:
        """The folder of the latest copy."""
        return self._copies / f"{self._number:04d}"

    def measure(
        self,
        cards: Cards,
        ways: Sequence[Way],
        *,
        once: Sequence[Way] = (),
        with_steps: bool = False,
    ) -> Series:
        """Copy the cards every way in every round; the order turns. `once`: first round only."""
        series = Series(cards)
        for number in range(self.rounds):
            turn = number % len(ways)
            for way in (*ways[turn:], *ways[:turn], *(() if number else once)):
                done = self.measure_once(cards, way)
                if with_steps and way is Way.VERIFIED:
                    series.steps.append(steps(Station(self.last, self.ffprobe), done))
                series.runs.setdefault(way, []).append(done)
            os.sync()
            time.sleep(_PAUSE_S)
        return series

    def measure_once(self, cards: Cards, way: Way) -> Measured:
        self.make_room(cards.size)
        done = copy(cards, way, self.fresh(), self._page_cache, self.ffprobe)
        self.tell(f"  {cards.name}, {way}: {done.wall_s:.2f} s, {done.cpu_s:.2f} s of processor")
        return done

    def make_room(self, size: int) -> None:
        """Remove what earlier runs left, when the next one would not fit."""
        if shutil.disk_usage(self.folder).free >= size + _SPARE:
            return
        for done in self._copies.iterdir():
            shutil.rmtree(done)
        os.sync()
        time.sleep(_AFTER_REMOVAL_S)
