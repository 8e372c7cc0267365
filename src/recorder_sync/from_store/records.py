"""Reads the records of one station out of a store, as `forward/records.py` put them there.

What comes from a store is not believed: every line of the custody log is held against the one
before it while it is written down, and an object that does not go on where the last one ended
is named. Whether it is the station's log at all, checkpoints and keys tell (`log.py`).
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from recorder_sync.custody.entry import FIRST_PREVIOUS, link_of
from recorder_sync.custody.log import SEGMENT_ENTRIES
from recorder_sync.durable import LARGEST_SMALL, make_folders, sync_folder
from recorder_sync.errors import CustodyProblem
from recorder_sync.language import T, Text
from recorder_sync.rules.layout import station_key
from recorder_sync.stores.store import Store

_PIECE = re.compile(r"(\d{20})-(\d{20})\.jsonl")
_NOTE = re.compile(r"\d{20}")
_WITNESSED = re.compile(r"(\d{20})-(\d+)(\.tsr)?")
_BYTES = re.compile(r"(\d{20})-(\d{20})")
_TORN = re.compile(r"\d{20}\.torn-\d+-\d+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of the custody log in the store, from entry `first` up to `end`."""

    first: int
    end: int
    key: str


class StoredRecords:
    """What a store has of one station's records. Methods raise StoreProblem."""

    def __init__(self, store: Store, station: str) -> None:
        self._store = store
        self._prefix = station_key(station, "")

    def pieces(self) -> list[Piece]:
        """Return the pieces of the log that follow each other.

        Raises CustodyProblem where one is missing between two others.
        """
        found = []
        for name, key in self._names("custody/log/"):
            if match := _PIECE.fullmatch(name):
                found.append(Piece(int(match[1]), int(match[2]), key))
        chosen: list[Piece] = []
        end = 0
        for piece in sorted(found, key=lambda one: (one.first, -one.end)):
            if piece.first > end:
                raise self._unfit(
                    T(
                        "{store}: the entries {first} to {last} of the custody log are missing.",
                        store=self._store.name,
                        first=end,
                        last=piece.first - 1,
                    )
                )
            if piece.end > end:
                chosen.append(piece)
                end = piece.end
        return chosen

    def lay_down(self, folder: Path) -> int:
        """Write the log as segments into a folder, synced; return how many entries it has.

        Raises CustodyProblem for the first object that is not what it was, or OSError.
        """
        make_folders(folder)
        written = 0
        with ExitStack() as stack:
            segment: BinaryIO | None = None
            for number, line in self._lines():
                if number % SEGMENT_ENTRIES == 0:
                    segment = stack.enter_context((folder / f"{number:020d}.jsonl").open("wb"))
                    stack.callback(_sync, segment)
                assert segment is not None
                segment.write(line + b"\n")
                written = number + 1
        sync_folder(folder)
        return written

    def last_line(self) -> tuple[int, bytes] | None:
        """Return the number and line of the last entry that the store has; None: it has none.

        Raises CustodyProblem.
        """
        pieces = self.pieces()
        if not pieces:
            return None
        lines = self.read(pieces[-1].key).split(b"\n")[:-1]
        number = link_of(lines[-1])[0] if lines else None
        if number != pieces[-1].end - 1:
            raise self._changed(pieces[-1], pieces[-1].end - 1)
        return pieces[-1].end - 1, lines[-1]

    def notes(self) -> Iterator[tuple[int, str, str]]:
        """Yield the checkpoints: of how many entries by their name, their key, and the note."""
        for name, key in self._names("custody/checkpoints/"):
            if _NOTE.fullmatch(name):
                yield int(name), key, self.read(key).decode("utf-8", "replace")

    def verifier_keys(self) -> list[str]:
        """Return the lines of every file of verifier keys, each once."""
        lines: dict[str, None] = {}
        for _, key in self._names("custody/keys/"):
            lines.update(dict.fromkeys(self.read(key).decode("utf-8", "replace").splitlines()))
        return list(lines)

    def witnessed(self) -> dict[str, bytes]:
        """Return cosigned notes and time stamps, by the name of their file at the station.

        Of several under one name the longest counts: a note gets longer with each cosignature.
        """
        longest: dict[str, tuple[int, str]] = {}
        for name, key in self._names("custody/witnessed/"):
            if match := _WITNESSED.fullmatch(name):
                file = f"{match[1]}{match[3] or ''}"
                longest[file] = max(longest.get(file, (0, "")), (int(match[2]), key))
        return {file: self.read(key) for file, (_, key) in sorted(longest.items())}

    def delivered(self) -> bytes:
        """Return the list of where checkpoints were kept, as far as it is there without a gap."""
        found = b""
        for name, key in self._names("custody/delivered/"):
            match = _BYTES.fullmatch(name)
            if match and int(match[1]) == len(found):
                found += self.read(key)
        return found

    def torn(self) -> dict[str, bytes]:
        """Return what was set aside of lines that a power cut tore, by file name."""
        names = self._names("custody/torn/")
        return {name: self.read(key) for name, key in names if _TORN.fullmatch(name)}

    def read(self, key: str) -> bytes:
        """Return a small object. Raises CustodyProblem for one larger than any record."""
        parts, size = [], 0
        for part in self._store.read(key):
            size += len(part)
            if size > LARGEST_SMALL:
                raise self._unfit(
                    T("{store}: {key} is larger than any record.", store=self._store.name, key=key)
                )
            parts.append(part)
        return b"".join(parts)

    def _names(self, below: str) -> Iterator[tuple[str, str]]:
        prefix = f"{self._prefix}{below}"
        for key in self._store.keys(prefix):
            yield key.removeprefix(prefix), key

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the number and line of every entry, each held against the one before it."""
        expected, previous = 0, FIRST_PREVIOUS.encode()
        for piece in self.pieces():
            content = self.read(piece.key)
            for line in content.split(b"\n")[:-1]:
                number, link = link_of(line)
                if number is not None and number < expected and piece.first < expected:
                    continue  # the piece before it has it too
                if (number, link) != (expected, previous):
                    raise self._changed(piece, expected)
                yield expected, line
                expected, previous = expected + 1, hashlib.sha256(b"\0" + line).hexdigest().encode()
            if expected != piece.end or not content.endswith(b"\n"):
                raise self._changed(piece, expected)

    def _changed(self, piece: Piece, entry: int) -> CustodyProblem:
        return self._unfit(
            T(
                "{store}: {key} is not what was sent: entry {entry} does not follow the one "
                "before it.",
                store=self._store.name,
                key=piece.key,
                entry=entry,
            )
        )

    def _unfit(self, text: Text) -> CustodyProblem:
        return CustodyProblem(
            text,
            T(
                "Nothing was brought back. Keep the store as it is, and try another store, or "
                "the backup of the custody log."
            ),
        )


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
