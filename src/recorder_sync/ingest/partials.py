"""Partial copies of large recordings, kept so that a copy goes on where it stopped.

    .incoming/<docking>/<n>.part, <n>.note      while the docking lasts
    .incoming/kept/<key>.part, <key>.note       until the same card comes back

A note says how much of a partial copy was on stable storage and the BLAKE3 digest that
the card's bytes had up to there. A partial copy without a note, and what it holds beyond
its note, proves nothing and is thrown away. The key names the device, the path, the size
and the time of the recording. Before a copy goes on, all that is kept of it is read from
the disk and must have the note's digest, and parts of it picked at random are read from
the card again and must be equal: another recording that happens to have the same path,
size and time is found out.
"""

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from mmap import PAGESIZE
from pathlib import Path

from blake3 import blake3

from recorder_sync.direct_io import page_aligned
from recorder_sync.durable import make_folders, sync_folder, write_synced
from recorder_sync.ingest.engine import Digesting, Mark
from recorder_sync.ingest.source import Source
from recorder_sync.model import CardPath

KEPT = "kept"
KEPT_FROM = 64 << 20
"""Bytes from which on a partial copy is worth keeping."""

_FRESH = ".fresh"
"""Ending of a note that is being written."""

_SAMPLES = 64
_SAMPLE = 64 << 10
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Note:
    key: str
    mark: Mark


def key_of(device: str | None, path: CardPath, size: int, mtime_ns: int) -> str:
    """Return the name under which a recording's partial copy is kept."""
    facts = b"\0".join([(device or "").encode(), str(size).encode(), str(mtime_ns).encode()])
    return blake3(facts + b"\0" + path.raw).hexdigest()[:32]


def write_note(part: Path, note: Note) -> None:
    """Put a note beside a partial copy, in one step. Raises OSError."""
    fresh = part.with_suffix(_FRESH)
    facts = {"key": note.key, "length": note.mark.length, "blake3": note.mark.blake3}
    write_synced(fresh, json.dumps(facts).encode())
    fresh.rename(part.with_suffix(".note"))
    sync_folder(part.parent)


class KeptPartials:
    """The partial copies that wait for their cards. Raises OSError."""

    def __init__(self, incoming: Path) -> None:
        self._folder = incoming / KEPT

    def fetch(self, key: str, part: Path) -> Mark | None:
        """Move the partial copy of this key to `part`; return its mark, or None.

        One whose note cannot be read is thrown away: its recording is copied anew.
        """
        kept = self._folder / f"{key}.part"
        if not kept.exists():
            return None
        note = _read_note(kept)
        if note is None or note.key != key:
            self._discard(kept)
            self._remove_if_empty()
            return None
        try:
            kept.rename(part)
        except FileNotFoundError:
            return None
        write_note(part, note)
        kept.with_suffix(".note").unlink(missing_ok=True)
        self._remove_if_empty()
        return note.mark

    def keep_from(self, docking: Path) -> None:
        """Keep what can be gone on with of a docking that is over."""
        for part in docking.glob("*.part"):
            note = _read_note(part)
            if note is None or part.stat().st_size < note.mark.length:
                continue
            make_folders(self._folder)
            kept = self._folder / f"{note.key}.part"
            part.rename(kept)
            write_note(kept, note)
        if self._folder.is_dir():
            sync_folder(self._folder)

    def size_of(self, keys: frozenset[str]) -> int:
        """Return how many bytes the partial copies of these keys hold already."""
        size = 0
        for part in self._parts():
            with suppress(FileNotFoundError):  # another card needed the room
                size += part.stat().st_size if part.stem in keys else 0
        return size

    def discard_older_than(self, days: int, now_s: float) -> None:
        """Throw away what waited too long for its card; `now_s` is seconds since 1970."""
        for part in self._parts():
            with suppress(FileNotFoundError):
                if now_s - part.stat().st_mtime > days * _DAY_S:
                    self._discard(part)
        self._remove_if_empty()

    def discard_all_but(self, keys: frozenset[str]) -> None:
        """Make room: throw away all partial copies but those of these keys."""
        for part in self._parts():
            if part.stem not in keys:
                self._discard(part)
        self._remove_if_empty()

    def _parts(self) -> Iterator[Path]:
        yield from list(self._folder.glob("*.part"))

    def _discard(self, part: Path) -> None:
        part.unlink(missing_ok=True)
        part.with_suffix(".note").unlink(missing_ok=True)

    def _remove_if_empty(self) -> None:
        for note in (*self._folder.glob("*.note"), *self._folder.glob(f"*{_FRESH}")):
            if not note.with_suffix(".part").exists():
                note.unlink(missing_ok=True)
        with suppress(OSError):  # another docking keeps one there, or has just begun to
            self._folder.rmdir()


def go_on(
    source: Source,
    target: int,
    mark: Mark,
    digesting: Digesting,
    buffer: memoryview,
    between: Callable[[], None],
) -> bool:
    """Take what is kept into the digests; tell whether the copy may go on from there.

    Raises OSError from the card, or what `between` raises.
    """
    if not PAGESIZE <= mark.length <= source.expected.size:
        return False
    try:
        os.ftruncate(target, mark.length)
        while digesting.size < mark.length:
            between()
            wanted = min(len(buffer), mark.length - digesting.size)
            count = os.preadv(target, [buffer[:wanted]], digesting.size)
            if count == 0:
                return False
            digesting.all(buffer[:count])
    except OSError:
        return False  # a disk that does not give back what it took keeps nothing
    return digesting.blake3 == mark.blake3 and _is_same(source, target, mark.length)


def _is_same(source: Source, target: int, length: int) -> bool:
    """Compare the kept bytes with the card's, at both ends and at places picked at random."""
    pages = max(1, (length - _SAMPLE) // PAGESIZE)
    places = [0, max(0, length - _SAMPLE) // PAGESIZE * PAGESIZE]
    places += [secrets.randbelow(pages) * PAGESIZE for _ in range(_SAMPLES)]
    with page_aligned() as ours, page_aligned() as cards:
        for at in places:
            wanted = min(_SAMPLE, length - at)
            kept = os.preadv(target, [ours[:wanted]], at)
            read = source.fill(cards[:wanted], at)
            if kept != wanted or read != wanted or ours[:wanted] != cards[:wanted]:
                return False
    return True


def _read_note(part: Path) -> Note | None:
    try:
        facts = json.loads(part.with_suffix(".note").read_bytes())
        return Note(str(facts["key"]), Mark(int(facts["length"]), str(facts["blake3"])))
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
