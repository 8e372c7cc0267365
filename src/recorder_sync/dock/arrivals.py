"""When a file in a drop folder is complete. No I/O, no clock: both are told.

Two things tell it: the system's word that a writer closed the file or moved it in, and
that its size and time stay the same. The system speaks only of writers on this machine;
of a file that another machine writes over the network, the second is all there is.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from recorder_sync.ingest.volume import Stamp
from recorder_sync.model import CardPath

LOST_CLOSE_S = 600.0
"""A file that somebody seemed to write is complete when it rests so long: its closing can
have gone unseen, and a recording taken early is taken again, one never taken is lost."""

_TEMPORARY = re.compile(
    r"\..*|~.*|.*~|.*\.(part|partial|tmp|temp|filepart|crdownload)", re.I | re.S
)


class Change(Enum):
    """What the system says happened to a file."""

    WRITTEN = auto()
    CLOSED = auto()
    """Closed after writing, or moved in."""


@dataclass(slots=True)
class _File:
    stamp: Stamp
    since: float
    """When it was first seen so, in seconds of a steady clock."""
    last: float
    """When it was last seen so."""
    is_closed: bool = False
    is_being_written: bool = False


class Arrivals:
    """The files of one drop folder, until each is handed on."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._waiting: dict[CardPath, _File] = {}
        self._handed: dict[CardPath, Stamp] = {}

    def seen(
        self, path: CardPath, stamp: Stamp | None, at: float, change: Change | None = None
    ) -> None:
        """Take what a look at a file found at the time `at`, and what the system said before.

        `stamp` is None for a file that is not there.
        """
        if is_temporary(path):
            return
        if stamp is None or self._handed.get(path) == stamp:
            self._waiting.pop(path, None)
            return
        file = self._waiting.get(path)
        if file is None:
            file = self._waiting[path] = _File(stamp, at, at)
        elif file.stamp != stamp:
            # What changed without a word is written by somebody that the system does not see.
            file.stamp, file.since, file.is_closed = stamp, at, False
        file.last = at
        if change is not None:
            file.is_closed = change is Change.CLOSED
            file.is_being_written = change is Change.WRITTEN

    def seen_all(self, found: Mapping[CardPath, Stamp], at: float) -> None:
        """Take a look at the whole folder: what is not found is not there."""
        for path in self._waiting.keys() - found.keys():
            self.seen(path, None, at)
        for path, stamp in found.items():
            self.seen(path, stamp, at)

    def next_due(self) -> float | None:
        """Return when a closed file has rested long enough; None where none waits."""
        return min(
            (f.since + self._settle_s for f in self._waiting.values() if f.is_closed), default=None
        )

    def due(self, at: float) -> list[CardPath]:
        """Return the closed files that are complete if they are still as they were."""
        return [
            path
            for path, file in self._waiting.items()
            if file.is_closed and at - file.since >= self._settle_s
        ]

    def complete(self) -> list[CardPath]:
        """Return, once, the files that are complete by what was seen, by name."""
        done = sorted(path for path, file in self._waiting.items() if self._is_complete(file))
        for path in done:
            self._handed[path] = self._waiting.pop(path).stamp
        return done

    def _is_complete(self, file: _File) -> bool:
        rested = file.last - file.since
        if file.is_closed:
            return rested >= self._settle_s
        if file.stamp.size == 0 or rested <= 0:
            return False  # somebody may be about to write it
        return rested >= (
            max(self._settle_s, LOST_CLOSE_S) if file.is_being_written else self._settle_s
        )


def is_temporary(path: CardPath) -> bool:
    """Tell whether a name, or that of a folder above it, is that of something unfinished."""
    return any(_TEMPORARY.fullmatch(part) for part in path.text.split("/"))


def device_of(path: CardPath, device: str | None, by_folder: bool) -> str | None:
    """Return the number of the device that a drop folder's file is from, None if unknown."""
    folder, slash, _ = path.raw.partition(b"/")
    if by_folder and slash and CardPath(folder).base64 is None:
        return CardPath(folder).text
    return device


def by_device(
    paths: Collection[CardPath], device: str | None, by_folder: bool
) -> dict[str | None, list[CardPath]]:
    """Return the files of each device."""
    found: dict[str | None, list[CardPath]] = {}
    for path in paths:
        found.setdefault(device_of(path, device, by_folder), []).append(path)
    return found
