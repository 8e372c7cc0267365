"""What a power cut may leave of a disk, made from the log of what was written to it.

A disk may keep writes in a cache of its own until it is told to flush. So a cut leaves
what the last completed flush covers, and of the writes after it any part, in units of
one sector. What had been reported by then was a promise: the image must keep it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.faults.events import Event, Kind
from tests.faults.loop import mounted_image
from tests.faults.sparse import copy_sparsely

_SECTOR = 512

Piece = tuple[int, bytes]
"""Where on the disk, and what."""


def reported(log: Sequence[Event]) -> bytes:
    """Return all that was reported in a log."""
    return b"".join(event.data for event in log if event.kind is Kind.REPORT)


@dataclass(frozen=True)
class CrashImage:
    """One state in which a disk may be found after a power cut.

    It can be saved or mounted until the next one is taken from the iterator.
    """

    events: int
    """How many events of the log had happened."""
    reported: bytes
    """What had been reported at the latest moment at which this could be left."""
    what: str
    """In words: which part of the writes is there."""
    _base: Path
    _pieces: tuple[Piece, ...]
    _options: str

    def save(self, path: Path) -> None:
        """Write the image to a file."""
        copy_sparsely(self._base, path)
        _apply(path, self._pieces)

    @contextmanager
    def mounted(self, where: Path) -> Iterator[Path]:
        """Mount a copy of the image read-write, as the next start would; yield where."""
        copy = self._base.with_name("crashed")
        self.save(copy)
        try:
            with mounted_image(copy, where, self._options):
                yield where
        finally:
            copy.unlink()


def crash_images(
    base: Path,
    log: Sequence[Event],
    folder: Path,
    *,
    seeds: Sequence[int] = (),
    options: str = "rw",
) -> Iterator[CrashImage]:
    """Yield the states a power cut could leave at each moment of a log that began at `base`.

    For every moment: all writes so far. With seeds, also for each seed a random part of
    the writes since the last flush, some of them torn; and once for every flush, none of
    the writes that came after the one before. A state is yielded once, with all that was
    reported while it lasted: earlier reports promise less.
    """
    current, flushed = folder / "current", folder / "flushed"
    copy_sparsely(base, current)
    copy_sparsely(base, flushed)
    pending: list[Piece] = []
    said = b""

    def state(at: int, what: str, base: Path, pieces: Sequence[Piece] = ()) -> CrashImage:
        return CrashImage(at, said, what, base, tuple(pieces), options)

    for at, event in enumerate([*log, None]):
        if event and event.kind is Kind.REPORT:
            said += event.data
            continue
        if event and event.failed:
            continue
        if event is None or event.kind is not Kind.FLUSH:
            yield state(at, "every write so far", current)
        if pending:
            for seed in seeds:
                kept, what = _part(pending, Random(f"{seed} {at}"))
                yield state(at, f"seed {seed}: {what}", flushed, kept)
        if seeds and pending and (event is None or event.kind is Kind.FLUSH):
            yield state(at, f"none of {len(pending)} writes since the flush", flushed)
        if event is None:
            return
        if event.kind is Kind.FLUSH:
            _apply(flushed, pending)
            pending.clear()
        else:
            piece = event.offset, event.data
            _apply(current, [piece])
            if event.kind is Kind.FLIP:  # the medium itself: no cache could lose it
                _apply(flushed, [piece])
            else:
                pending.append(piece)


def _apply(image: Path, pieces: Sequence[Piece]) -> None:
    handle = os.open(image, os.O_WRONLY)
    try:
        for offset, data in pieces:
            os.pwrite(handle, data, offset)
    finally:
        os.close(handle)


def _part(pending: Sequence[Piece], random: Random) -> tuple[list[Piece], str]:
    """Choose what of some writes is kept, and say it."""
    kept: list[Piece] = []
    fates = random.choices(("whole", "torn", "lost"), (2, 1, 1), k=len(pending))
    for (offset, data), fate in zip(pending, fates, strict=True):
        if fate == "whole":
            kept.append((offset, data))
        elif fate == "torn":
            for at in range(0, len(data), _SECTOR):
                if random.random() < 0.5:
                    kept.append((offset + at, data[at : at + _SECTOR]))
    return kept, ", ".join(f"{fates.count(fate)} {fate}" for fate in ("whole", "torn", "lost"))
