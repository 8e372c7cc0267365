"""Cameras that come and go at the demo's dock, until somebody ends it.

The first minute shows what a duty room sees in a month: several at once, one that nobody
knows, one that is pulled out too early and comes back, one with footage of the day before
yesterday. Then it goes on, ever slower, so that a demo left alone fills no disk.
"""

import random
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from recorder_sync.demo.clips import Clip, record
from recorder_sync.demo.office import HOLDERS, STRANGER, Holder
from recorder_sync.demo.simulated_dock import Camera, SimulatedDock

_SHOWN_S = 45.0
"""Seconds for which a camera that is safe stays, so that somebody can touch its tile."""
_MOST_RECORDINGS = 240
_LEFT_FREE = 512 << 20
"""Bytes of the disk: below them nobody records any more."""

PORTS = tuple(f"1-1.{number}" for number in range(1, 9))


@dataclass(slots=True)
class _Carried:
    """A camera in somebody's hands."""

    camera: Camera
    holder: Holder | None
    docked_at: float | None = None
    port: str | None = None
    stays_s: float = _SHOWN_S


@dataclass(slots=True)
class Comings:
    """Plugs in and pulls out. Times in seconds since the beginning."""

    dock: SimulatedDock
    folder: Path
    clips: list[Clip]
    zone: tzinfo
    now: Callable[[], datetime]
    end: threading.Event = field(default_factory=threading.Event)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    _made: int = 0
    _at: float = 0.0

    def live(self) -> None:
        """Have cameras come and go until `end` is set."""
        out = [self._carried(holder) for holder in HOLDERS]
        self._shoot(out[3], hours=30.0)  # its 24 hours are over (Art. 21)
        stranger = _Carried(
            Camera(self.folder / "stranger", STRANGER, "UNKNOWN", "BodyCam X9"), None
        )
        self._clip(stranger, "MAH00001.MP4", 2.0)
        docked: list[_Carried] = []
        hasty = out[1]
        steps: dict[float, Callable[[], None]] = {
            1.0: lambda: self._dock(out[0], docked),
            3.0: lambda: self._dock(hasty, docked),
            5.0: lambda: self._dock(out[2], docked),
            8.0: lambda: self._pull(hasty, docked),
            11.0: lambda: self._dock(stranger, docked, stays_s=150.0),
            16.0: lambda: self._dock(out[3], docked),
            24.0: lambda: self._dock(out[4], docked),
            38.0: lambda: self._dock(hasty, docked),
        }
        for at, step in steps.items():
            if self.end.wait(max(0.0, at - self._at)):
                return
            self._at = at
            step()
        self._go_on([*out, stranger], docked)

    def _go_on(self, everybody: list[_Carried], docked: list[_Carried]) -> None:
        while not self.end.wait(3.0):
            self._at += 3.0
            for one in list(docked):
                if one.docked_at is not None and self._at - one.docked_at > one.stays_s:
                    self._pull(one, docked)
            free = shutil.disk_usage(self.folder).free
            is_quiet = self._made > _MOST_RECORDINGS or free < _LEFT_FREE
            rest = [one for one in everybody if one not in docked]
            if rest and len(docked) < 6 and self.chance.random() < (0.02 if is_quiet else 0.3):
                one = self.chance.choice(rest)
                if not is_quiet:
                    self._shoot(one, hours=self.chance.uniform(0.5, 3.0))
                self._dock(one, docked)

    def _carried(self, holder: Holder) -> _Carried:
        one = _Carried(
            Camera(
                self.folder / holder.device,
                holder.usb,
                battery=self.chance.choice((97, 88, 92, 84, 91, 34)),
                used=self.chance.uniform(0.05, 0.6),
            ),
            holder,
        )
        self._shoot(one, hours=self.chance.uniform(1.0, 5.0))
        return one

    def _shoot(self, one: _Carried, hours: float) -> None:
        """Have the holder record an action of some clips that began so many hours ago."""
        if one.holder is None:
            return
        at = hours
        for _ in range(self.chance.randint(2, 4)):
            start = (self.now() - timedelta(hours=at)).astimezone(self.zone)
            name = f"DCAM_{one.holder.device}_{one.holder.officer}_{start:%Y%m%d_%H%M%S}.mp4"
            self._clip(one, f"DCIM/{name}", at)
            at -= self.chance.choice((0.02, 0.03, 0.12))

    def _clip(self, one: _Carried, name: str, hours: float) -> None:
        start = (self.now() - timedelta(hours=hours)).astimezone(self.zone)
        record(self.chance.choice(self.clips), one.camera.card / name, start)
        self._made += 1

    def _dock(self, one: _Carried, docked: list[_Carried], stays_s: float = _SHOWN_S) -> None:
        taken = {other.port for other in docked}
        one.port = next(port for port in PORTS if port not in taken)
        one.docked_at, one.stays_s = self._at, stays_s + self.chance.uniform(0.0, 20.0)
        docked.append(one)
        self.dock.plug(one.camera, one.port)

    def _pull(self, one: _Carried, docked: list[_Carried]) -> None:
        docked.remove(one)
        one.docked_at = one.port = None
        self.dock.unplug(one.camera)
