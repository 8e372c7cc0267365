"""Brings files of recordings and documents back from a store, to where they were sealed.

A file is read from the store, hashed, synced and read back from the disk before it takes its
place, with its description and its line in the digest lists, as when it was sealed. What is
in its place already is left alone, so a run that was cut off goes on with what is missing.
The description is the sealed one: from the store or, where that lost it, from the custody log.
"""

import fcntl
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from blake3 import blake3

from recorder_sync.direct_io import page_aligned
from recorder_sync.durable import LARGEST_SMALL, write_all
from recorder_sync.errors import MissingPart
from recorder_sync.from_store.wanted import Row, StoredFiles, Wanted, is_here
from recorder_sync.ingest.medium import file_system_of, has_device
from recorder_sync.ingest.placing import Day
from recorder_sync.ingest.readback import read_back
from recorder_sync.language import T, Text
from recorder_sync.model import Digests
from recorder_sync.stores.evidence import B3SUMS, INCOMING, SHA256SUMS, exists
from recorder_sync.stores.store import StoreProblem, Trouble

_PARTS = f"{INCOMING}/from-store"
_TOGETHER = 32
"""Files that are put in place together."""

_MOST_PROBLEMS = 100


@dataclass(slots=True)
class Fetched:
    """What came of it."""

    fetched: int = 0
    already_here: int = 0
    failed: int = 0
    problems: list[Text] = field(default_factory=list)
    """The first hundred."""

    def name(self, problem: Text) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A file that was fetched, to be put in its place."""

    id: str
    path: str
    part: str
    digests: Digests
    text: str
    description: Digests


class Fetching:
    """One run that brings back what is not here."""

    def __init__(
        self,
        stored: StoredFiles,
        advanced: Callable[[int], None],
        check: Callable[[], None],
    ) -> None:
        """`advanced` is told of the bytes; `check` is called now and then, and may raise."""
        self._stored = stored
        self._store = stored.store
        self._evidence = stored.station.evidence
        self._advanced = advanced
        self._check = check
        self._result = Fetched()

    def run(self) -> Fetched:
        """Bring everything back. Raises StoreProblem where the store itself fails,
        CustodyProblem, MissingPart or OSError."""
        with self._part_folder() as parts:
            for folder, found in groupby(self._stored.rows(), key=_folder_of):
                todo = list(self._todo(folder, list(found)))
                for at in range(0, len(todo), _TOGETHER):
                    self._bring(folder, todo[at : at + _TOGETHER], parts)
        self._evidence.remove_empty(_PARTS)
        return self._result

    def _todo(self, folder: str, rows: Sequence[Row]) -> Iterator[Row]:
        """Yield what is not here, or was put there by a run that got no further."""
        unfinished = self._unfinished(folder, rows)
        for row in rows:
            self._check()
            is_in_place = is_here(self._evidence, row)
            if is_in_place:
                self._result.already_here += 1
                self._advanced(row["size"])
            if not is_in_place or row["id"] in unfinished:
                yield row

    def _unfinished(self, folder: str, rows: Sequence[Row]) -> set[str]:
        """Return the ids of a folder's files that are not described, listed and protected."""
        try:
            with self._evidence.folder(folder) as opened:
                listed = [_listed(name, opened) for name in (B3SUMS, SHA256SUMS)]
                return {
                    row["id"]
                    for row in rows
                    for name in (str(row["path"]).rpartition("/")[2],)
                    for file in (name, f"{name}.json")
                    if not all(file in names for names in listed)
                    or not exists(file, opened)
                    or _is_writable(file, opened)
                }
        except FileNotFoundError:
            return set()

    def _bring(self, folder: str, rows: Sequence[Row], parts: Path) -> None:
        intents = [intent for row in rows if (intent := self._intent(row, parts)) is not None]
        if not intents:
            return
        with self._evidence.sealing_turn(), ExitStack() as stack:
            day = Day(self._evidence, folder, _PARTS, stack, interrupted=True)
            for _, error in day.place(intents):
                if error is not None:
                    raise error
            day.complete(intents)

    def _intent(self, row: Row, parts: Path) -> _Fetched | None:
        """Fetch one file, unless it is here; None: the store has not what was sealed."""
        one = self._stored.wanted(row)
        part = parts / one.id
        try:
            if not is_here(self._evidence, row):
                self._fetch(one, part)
                self._result.fetched += 1
            text = self._description(one)
        except StoreProblem as problem:
            if problem.trouble is not Trouble.OBJECT:
                raise
            self._result.failed += 1
            self._result.name(problem.text)
            part.unlink(missing_ok=True)
            return None
        return _Fetched(
            one.id, one.path, f"{_PARTS}/{part.name}", one.digests, text, one.description
        )

    def _fetch(self, one: Wanted, part: Path) -> None:
        """Write a file as the store gives it back, and prove it is the sealed one."""
        digests, size = one.digests, 0
        found, other = blake3(), hashlib.sha256()
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        try:
            for data in self._store.read(one.key, one.version):
                self._check()
                size += len(data)
                if size > one.size:
                    raise self._unlike(one.key)
                found.update(data)
                other.update(data)
                write_all(handle, data)
                self._advanced(len(data))
            os.fsync(handle)
            read = size, found.hexdigest(), other.hexdigest()
            if read != (one.size, digests.blake3, digests.sha256):
                raise self._unlike(one.key)
            self._read_back(handle, part, digests.blake3)
        finally:
            os.close(handle)

    def _read_back(self, handle: int, part: Path, digest: str) -> None:
        with page_aligned() as buffer:
            on_device = has_device(file_system_of(part))
            read = read_back(handle, buffer, on_device, between=self._check)
        if read.blake3 != digest:
            raise MissingPart(
                T("What was written to {path} reads back differently.", path=part),
                T("Check the evidence disk; it may be failing."),
            )

    def _description(self, one: Wanted) -> str:
        """Return the sealed description; what is wrong with that of the store is named."""
        try:
            return self._stored_description(one)
        except StoreProblem as problem:
            if problem.trouble is not Trouble.OBJECT:
                raise
            if blake3(one.text.encode()).hexdigest() != one.description.blake3:
                raise  # an entry of an older version, of which another text was made
            self._result.name(problem.text)
            return one.text

    def _stored_description(self, one: Wanted) -> str:
        key = f"{one.key}.json"
        found = b""
        for data in self._store.read(key):
            found += data
            if len(found) > LARGEST_SMALL:
                break
        if blake3(found).hexdigest() != one.description.blake3:
            raise self._unlike(key)
        return found.decode()

    def _unlike(self, key: str) -> StoreProblem:
        return StoreProblem(
            Trouble.OBJECT,
            T("{store}: {key} is not what was sealed.", store=self._store.name, key=key),
        )

    @contextmanager
    def _part_folder(self) -> Iterator[Path]:
        """Hold the folder of what is being fetched; nobody takes it for a dead docking's."""
        with self._evidence.folder(_PARTS, make=True) as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield self._evidence.absolute(_PARTS)


def _folder_of(row: Row) -> str:
    return str(row["path"]).rpartition("/")[0]


def _listed(name: str, folder: int) -> set[str]:
    """Return the files in a digest list of an open folder."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return set()
    with os.fdopen(handle, "rb") as file:
        return {os.fsdecode(line[66:]) for line in file.read().split(b"\n")}


def _is_writable(name: str, folder: int) -> bool:
    state = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return bool(state.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
