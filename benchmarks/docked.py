"""Many cameras docked at one station, each read at a limited rate, for minutes.

Every card is a sparse image on a loop device, mounted read-only and held to the rate by
a control group in which the product runs. The rate of a camera is what its device has
read from the first byte to the last, divided by the time between: what a card waits
while its copy is read back or described, counts against it.

The evidence would not fit the disk, so sealed recordings are removed behind the product
while it runs (evidence is not immutable here). Therefore the disk has a little less to do
than a station's: blocks are used again, and what is removed need not be kept in order; but
it has also the removing to do. The clips are zeros for the most part, which costs the
product what other bytes cost, but a disk that compresses would be faster with them.
Memory and processor time are those of the product's processes alone: reading a card over
USB and a file system such as exFAT costs the kernel time that nobody counts here.
"""

import os
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from images import attached, make_card_image, make_empty_image, mounted
from measured_process import Measured
from rounds import Workshop
from throttle import throttle
from ways import Station, floor

_SAMPLE_S = 0.2
_MEMORY_SAMPLE_S = 0.5
_REAP_EVERY_S = 2.0
_SECTOR = 512
_FLOOR_CLIPS = 2


@dataclass(frozen=True, slots=True)
class Plan:
    cameras: int
    bytes_per_s: int
    seconds: float
    clip_size: int
    evidence_image: bool
    """Whether evidence goes to a sparse image that is as large as all cards together."""

    @property
    def clips(self) -> int:
        """Clips on each card."""
        return max(1, round(self.bytes_per_s * self.seconds / self.clip_size))

    @property
    def room(self) -> int:
        """Bytes that have to be free: the product asks for room for a whole card."""
        return self.clips * self.clip_size + 2 * self.cameras * self.clip_size


@dataclass(slots=True)
class Reading:
    """What one camera's device has been read."""

    device: Path
    before: int = 0
    first: tuple[float, int] | None = None
    last: tuple[float, int] | None = None
    longest_pause_s: float = 0.0

    @property
    def bytes_per_s(self) -> float:
        if self.first is None or self.last is None or self.last[0] <= self.first[0]:
            return 0.0
        return (self.last[1] - self.first[1]) / (self.last[0] - self.first[0])

    def counter(self) -> int:
        fields = (Path("/sys/block") / self.device.name / "stat").read_text().split()
        return int(fields[2]) * _SECTOR

    def note(self, now: float, count: int) -> None:
        if self.last is None or self.first is None:
            if count > self.before:
                self.first = self.last = (now, count)
        elif count > self.last[1]:
            self.longest_pause_s = max(self.longest_pause_s, now - self.last[0])
            self.last = (now, count)


@dataclass(frozen=True, slots=True)
class Docked:
    """What was measured."""

    plan: Plan
    run: Measured
    readings: Sequence[Reading]
    floor: Measured
    floor_size: int
    removed: int = field(default=0)

    @property
    def size(self) -> int:
        return self.plan.cameras * self.plan.clips * self.plan.clip_size

    @property
    def share_of_machine(self) -> float:
        return self.run.cpu_s / self.run.wall_s / (os.cpu_count() or 1)

    @property
    def times_floor(self) -> float:
        return (self.run.cpu_s / self.size) / (self.floor.cpu_s / self.floor_size)


def dock(plan: Plan, workshop: Workshop) -> Docked:
    """Take in all cameras at once and measure. Raises Unavailable, or OSError from a tool."""
    workshop.make_room(plan.room)
    folder = workshop.fresh()
    folder.mkdir()
    with ExitStack() as stack:
        held = stack.enter_context(throttle())
        cards: list[Path] = []
        readings: list[Reading] = []
        for camera in range(plan.cameras):
            image = folder / f"card-{camera + 1:02d}.img"
            make_card_image(image, 200 + camera, plan.clips, plan.clip_size)
            device = stack.enter_context(attached(image, read_only=True))
            point = image.with_suffix("")
            cards.append(stack.enter_context(mounted(device, point, "ro,noload,noatime")))
            held.limit(device, plan.bytes_per_s)
            readings.append(Reading(device))
        rate = held.check(_clips(cards[0])[0], plan.bytes_per_s)
        workshop.tell(f"  the limit holds: {rate / 1e6:.1f} MB/s in a trial")
        some = _clips(cards[0])[:_FLOOR_CLIPS]
        least = floor(some, _made(folder / "floor"), read_back=True)
        evidence = _evidence(plan, folder, stack)
        station = Station(folder, workshop.ffprobe, evidence=evidence)
        watch, reaper = _Watch(readings), _Reaper(station)
        try:
            run = station.ingest(cards, inside=held.inside, sample_s=_MEMORY_SAMPLE_S)
        finally:
            watch.stop()
            reaper.stop()
        station.check_sealed(plan.cameras * plan.clips)
        return Docked(plan, run, readings, least, len(some) * plan.clip_size, reaper.removed)


def _clips(card: Path) -> list[Path]:
    return sorted((card / "DCIM").iterdir())


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _evidence(plan: Plan, folder: Path, stack: ExitStack) -> Path:
    place = folder / "evidence"
    if plan.evidence_image:
        image = folder / "evidence.img"
        make_empty_image(image, plan.cameras * plan.clips * plan.clip_size + (16 << 30))
        device = stack.enter_context(attached(image, read_only=False))
        stack.enter_context(mounted(device, place, "noatime,discard"))
        return _made(place / "sealed")
    return place


class _Repeated(threading.Thread):
    """Does something again and again until it is stopped, and once more then."""

    def __init__(self, every_s: float) -> None:
        super().__init__(daemon=True)
        self._every_s = every_s
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(self._every_s):
            self.do()

    def stop(self) -> None:
        self._end.set()
        self.join()
        self.do()

    def do(self) -> None:
        raise NotImplementedError


class _Watch(_Repeated):
    """Reads the devices' counters."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        super().__init__(_SAMPLE_S)
        self._readings = readings
        for reading in readings:
            reading.before = reading.counter()
        self.start()

    def do(self) -> None:
        for reading in self._readings:
            reading.note(time.perf_counter(), reading.counter())


class _Reaper(_Repeated):
    """Removes what is sealed, so that the disk does not fill up."""

    def __init__(self, station: Station) -> None:
        super().__init__(_REAP_EVERY_S)
        self.removed = 0
        self._station = station
        self._done: set[str] = set()
        self.start()

    def do(self) -> None:
        for path in set(_sealed(self._station)) - self._done:
            self._done.add(path)
            with suppress(FileNotFoundError):
                (self._station.evidence / path).unlink()
                self.removed += 1


def _sealed(station: Station) -> list[str]:
    """Return what is sealed; before the first docking there is no catalogue yet."""
    try:
        return station.sealed()
    except Exception:  # noqa: BLE001
        return []
