"""What goes to a store beside the recordings, so that the store alone can prove and rebuild.

    _stations/<station>/custody/log/<first>-<end>.jsonl   the lines of the custody log
    _stations/<station>/custody/checkpoints/<size>        the newest checkpoint of them
    _stations/<station>/custody/keys/<digest>             keys that checkpoints are checked with
    _stations/<station>/custody/witnessed/<size>-<bytes>  what others signed of a checkpoint
    _stations/<station>/custody/delivered/<first>-<end>   where checkpoints were kept, its bytes
    _stations/<station>/custody/torn/<name>               lines that a power cut tore
    _stations/<station>/catalogue/catalogue-<time>.db     the daily backups of the catalogue

Put one after another, the pieces of the log are its segments again. Nothing that is there
is ever written anew: a piece begins where the last one ended, which the store itself is asked
for. It ends where a checkpoint does, or, some minutes later, where the log did: so what no
checkpoint vouches for yet is in the store too. What is sent here is no entry of the log, or
sending would never end. Digest lists do not go along: the seals in the log have what they say.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from blake3 import blake3

from recorder_sync.durable import open_regular, read_regular
from recorder_sync.forward.carrier import NoCourse
from recorder_sync.forward.confirmation import send
from recorder_sync.forward.destination import Destination
from recorder_sync.forward.line import Halt, Line
from recorder_sync.forward.source import source_of_bytes, source_of_open
from recorder_sync.language import T
from recorder_sync.model import Digests
from recorder_sync.rules.layout import station_key
from recorder_sync.station import Station
from recorder_sync.stores.store import (
    Outgoing,
    Source,
    Store,
    StoreProblem,
    Trouble,
)

_PIECE_ENTRIES = 4096
_PIECE_BYTES = 1 << 20
_PIECE = re.compile(r"(\d{20})-(\d{20})\.jsonl")
_BYTES = re.compile(r"(\d{20})-(\d{20})")
_NOTE = re.compile(r"\d{20}")
_WITNESSED = re.compile(r"(\d{20})(\.tsr)?")
_OPEN_EVERY_S = 300.0
"""Seconds between two pieces that end before the next checkpoint."""
_DELIVERED_EVERY_S = 3600.0
_BACKUP = re.compile(r"catalogue-\d{8}T\d{6}\.db")
_READ = 1 << 20


class Records:
    """The records of one station on their way to one store."""

    def __init__(self, station: Station, destination: Destination, line: Line, halt: Halt) -> None:
        self._station = station
        self._destination = destination
        self._line = line
        self._halt = halt
        self._end: int | None = None
        """How many entries of the log the store has; None: it was not asked yet."""
        self._known: set[str] = set()
        """Keys that the store has confirmed."""
        self._open_at = self._delivered_at = float("-inf")
        self._asked_for_witnessed = False

    def send(self, store: Store) -> int:
        """Send what is new, and return how many objects that was.

        Raises StoreProblem, Interrupted, CustodyProblem, OSError.
        """
        return sum(1 for sent in self._everything(store) if sent)

    def _everything(self, store: Store) -> Iterator[bool]:
        custody = self._station.settings.paths.state / "custody"
        note = _newest(custody / "checkpoints", _NOTE)
        if note is not None:
            yield from self._pieces(store, int(note.name))
            name = f"custody/checkpoints/{note.name}"
            yield self._small(store, name, read_regular(note))
            yield from self._open_end(store)
        for path in sorted(custody.glob("verifier-key*")):
            content = read_regular(path)
            yield self._small(store, f"custody/keys/{blake3(content).hexdigest()[:32]}", content)
        yield from self._witnessed(store, custody)
        yield from self._delivered(store, custody / "delivered")
        for path in sorted(custody.glob("*.torn-*")):
            yield self._file(store, f"custody/torn/{path.name}", path)
        backup = _newest(self._station.settings.backup_folder, _BACKUP)
        if backup is not None:
            yield self._file(store, f"catalogue/{backup.name}", backup)

    def _pieces(self, store: Store, size: int) -> Iterator[bool]:
        """Send the lines of the log up to so many entries, which are on stable storage."""
        if self._end is None:
            self._end = self._end_there(store, "custody/log/", _PIECE)
        if self._end > self._station.custody.size():
            raise StoreProblem(
                Trouble.WRONG_PLACE,
                T(
                    "{store}: it has {there} entries of the custody log, more than are here.",
                    store=store.name,
                    there=self._end,
                ),
                T("The log was cut or put back from a backup. Keep both, and compare them."),
            )
        first, lines, held = self._end, [], 0
        for entry, line in self._station.custody.lines(first):
            if entry.seq >= size:
                break
            lines.append(line + b"\n")
            held += len(line) + 1
            is_full = len(lines) == _PIECE_ENTRIES or held >= _PIECE_BYTES
            if is_full or entry.seq == size - 1:
                end = entry.seq + 1
                name = f"custody/log/{first:020d}-{end:020d}.jsonl"
                yield self._small(store, name, b"".join(lines))
                self._end = first = end
                lines, held = [], 0
                self._halt.check()

    def _open_end(self, store: Store) -> Iterator[bool]:
        """Send what the log has beyond its newest checkpoint, not too often."""
        if time.monotonic() < self._open_at:
            return
        # Nothing may be there that a power cut takes from here.
        size = self._station.custody.sync()
        if size > (self._end or 0):
            yield from self._pieces(store, size)
            self._open_at = time.monotonic() + _OPEN_EVERY_S

    def _witnessed(self, store: Store, custody: Path) -> Iterator[bool]:
        """Send cosigned notes and time stamps, with the checkpoints that they are of.

        A note gets longer with each cosignature, and is another object then.
        """
        here = {}
        for path in (custody / "witnessed").glob("[0-9]*"):
            found = _WITNESSED.fullmatch(path.name)
            if found:
                name = f"custody/witnessed/{found[1]}-{path.stat().st_size}{found[2] or ''}"
                here[name] = path
        if here and not self._asked_for_witnessed:
            start = len(self._key(""))
            prefix = self._key("custody/witnessed/")
            self._known.update(key for key in store.keys(prefix) if key[start:] in here)
            self._asked_for_witnessed = True
        for name, path in sorted(here.items()):
            if self._key(name) in self._known:
                continue
            note = custody / "checkpoints" / path.name.removesuffix(".tsr")
            if note.exists():
                yield self._small(store, f"custody/checkpoints/{note.name}", read_regular(note))
            yield self._small(store, name, read_regular(path))

    def _delivered(self, store: Store, path: Path) -> Iterator[bool]:
        """Send what was added to the list of where checkpoints were kept."""
        if time.monotonic() < self._delivered_at or not path.exists():
            return
        content = read_regular(path)
        content = content[: content.rfind(b"\n") + 1]
        first = self._end_there(store, "custody/delivered/", _BYTES)
        if len(content) > first:
            name = f"custody/delivered/{first:020d}-{len(content):020d}"
            yield self._small(store, name, content[first:])
        self._delivered_at = time.monotonic() + _DELIVERED_EVERY_S

    def _end_there(self, store: Store, below: str, form: re.Pattern[str]) -> int:
        """Ask the store how much of something it has, piece after piece. Raises StoreProblem."""
        prefix = self._key(below)
        end = 0
        for key in store.keys(prefix):
            found = form.fullmatch(key.removeprefix(prefix))
            if found and int(found[1]) <= end:
                end = max(end, int(found[2]))
        return end

    def _small(self, store: Store, name: str, content: bytes) -> bool:
        source = source_of_bytes(content, name, self._line, self._halt)
        digests = Digests(blake3(content).hexdigest(), hashlib.sha256(content).hexdigest())
        return self._bring(store, name, len(content), digests, source)

    def _file(self, store: Store, name: str, path: Path) -> bool:
        if self._key(name) in self._known:
            return False
        with open_regular(path) as file:
            handle, one, other = file.fileno(), blake3(), hashlib.sha256()
            while part := file.read(_READ):
                self._halt.check()
                one.update(part)
                other.update(part)
            digests, size = Digests(one.hexdigest(), other.hexdigest()), file.tell()
            source = source_of_open(handle, size, digests.blake3, self._line, self._halt, name)
            return self._bring(store, name, size, digests, source)

    def _bring(
        self, store: Store, name: str, size: int, digests: Digests, source: Callable[[], Source]
    ) -> bool:
        """Have one object there; tell whether it had to be sent."""
        key = self._key(name)
        if key in self._known:
            return False
        item = Outgoing(key, size, digests, self._destination.lock_from(self._station.now()))
        is_there = store.look(key) is not None
        if not is_there:
            send(store, item, source, NoCourse(), lambda: True, self._halt.check)
        self._known.add(key)
        return not is_there

    def _key(self, name: str) -> str:
        return station_key(self._station.settings.station.id, name)


def _newest(folder: Path, name: re.Pattern[str]) -> Path | None:
    """Return the file whose name of this form comes last. Raises OSError."""
    if not folder.is_dir():
        return None
    found = [path for path in folder.iterdir() if name.fullmatch(path.name)]
    return max(found, key=lambda path: path.name, default=None)
