"""Recordings in a store: which of them are there, and their files brought back into place.

A file is read from the store, hashed, synced and read back from the disk before it takes its
place, with its description and its line in the digest lists, as when it was sealed. What is
in its place already is left alone, so a run that was cut off goes on with what is missing.
The description is the sealed one: from the store or, where that lost it, from the custody log.
"""

import fcntl
import hashlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from blake3 import blake3
from sqlite_utils.db import Database

from recorder_sync.catalogue.recordings import Intent
from recorder_sync.description import as_json, as_text, from_json
from recorder_sync.durable import write_all
from recorder_sync.errors import CustodyProblem, MissingPart
from recorder_sync.forward.destination import Destination
from recorder_sync.ingest.buffers import page_aligned
from recorder_sync.ingest.medium import file_system_of, has_device
from recorder_sync.ingest.placing import Day
from recorder_sync.ingest.readback import read_back
from recorder_sync.language import T, Text
from recorder_sync.model import Digests, Recording
from recorder_sync.rules.layout import station_key
from recorder_sync.station import Station
from recorder_sync.stores.evidence import B3SUMS, INCOMING, SHA256SUMS, exists
from recorder_sync.stores.store import Store, StoreProblem, Trouble

_PART = f"{INCOMING}/from-store"
_TOGETHER = 32
"""Recordings that are put in place together."""

_MOST_NAMED = 10
_MOST_PROBLEMS = 100


@dataclass(slots=True)
class Fetched:
    """What came of bringing files back."""

    fetched: int = 0
    already_here: int = 0
    failed: int = 0
    problems: list[Text] = field(default_factory=list)
    """The first hundred."""

    def name(self, problem: Text) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A sealed recording, by the custody log."""

    recording: Recording
    description: Digests
    text: str
    """Its description, as the log has it."""
    fingerprint: bytes
    key: str
    version: str | None


class StoredRecordings:
    """The recordings of one station in one store."""

    def __init__(self, station: Station, store: Store, destination: Destination) -> None:
        self._station = station
        self._store = store
        self._destination = destination

    def missing(self, check: Callable[[], None]) -> Iterator[Text]:
        """Yield what the store lacks of the recordings that it has confirmed, and what it has
        that no seal of the log tells of.

        Only names are looked at. `check` is called now and then and may raise. Raises
        StoreProblem.
        """
        there = Database(sqlite3.connect(""))
        try:
            there.execute("create table there (key text primary key) without rowid")
            there.execute("create table wanted (key text primary key, store text) without rowid")
            keys = ((key,) for key in self._keys(check))
            there.conn.executemany("insert or ignore into there values (?)", keys)
            there.conn.executemany(
                "insert or ignore into wanted values (?, ?)", self._expected_keys(check)
            )
            yield from _named(
                there,
                "select key from wanted where store is not null"
                " and key not in (select key from there) order by key",
                lambda key: T("{store}: {key} is missing.", store=self._store.name, key=key),
            )
            if self._own_prefix():
                yield from _named(
                    there,
                    "select key from there where key not in (select key from wanted)"
                    " and key like '%.json' order by key",
                    lambda key: T(
                        "{store}: {key} is of a recording that the custody log there has no seal "
                        "of: it was sealed after the log was sent last.",
                        store=self._store.name,
                        key=key,
                    ),
                )
        finally:
            there.close()

    def _keys(self, check: Callable[[], None]) -> Iterator[str]:
        records = station_key("x", "").partition("/")[0] + "/"
        for key in self._store.keys(self._own_prefix()):
            check()
            if not key.startswith(records):
                yield key

    def _expected_keys(self, check: Callable[[], None]) -> Iterator[tuple[str, str | None]]:
        """Yield the keys of all recordings and their descriptions; of those that the store has
        not confirmed, without the store's name."""
        for row in self._rows():
            check()
            key = row["key"] or self._destination.key_of(self._sealed(row).recording)
            of = row["key"] and self._store.name
            yield key, of
            yield f"{key}.json", of

    def _own_prefix(self) -> str:
        """Return what all keys of this station begin with, where its layout has that."""
        settings = self._station.settings
        stores = {one.name: one for one in settings.stores}
        layout = stores[self._store.name].layout
        if not layout.startswith("{station}/"):
            return ""
        return station_key(settings.station.id, "").partition("/")[2]

    def bring_back(self, advanced: Callable[[int], None], check: Callable[[], None]) -> Fetched:
        """Bring every file back that is not here; `advanced` is told of the bytes.

        `check` is called now and then, and may raise to break off. Raises StoreProblem where
        the store itself fails, CustodyProblem, MissingPart or OSError.
        """
        result = Fetched()
        with self._part_folder() as parts:
            for folder, found in groupby(self._rows(), key=_folder_of):
                rows = list(found)
                unfinished = self._unfinished(folder, rows)
                group: list[Mapping[str, Any]] = []
                for row in rows:
                    check()
                    if self._is_here(row["path"]):
                        result.already_here += 1
                        advanced(row["size"])
                        if row["id"] not in unfinished:
                            continue
                    group.append(row)
                    if len(group) == _TOGETHER:
                        self._bring_group(folder, group, parts, result, advanced, check)
                        group = []
                self._bring_group(folder, group, parts, result, advanced, check)
        self._station.evidence.remove_empty(_PART)
        return result

    def any_here(self) -> bool:
        """Tell whether the file of any recording is here."""
        return any(self._is_here(row["path"]) for row in self._rows())

    def size_missing(self) -> tuple[int, int]:
        """Return the bytes of all recordings, and of those whose file is not here."""
        whole = missing = 0
        for row in self._rows():
            whole += row["size"]
            missing += 0 if self._is_here(row["path"]) else row["size"]
        return whole, missing

    def _bring_group(
        self,
        folder: str,
        rows: Sequence[Mapping[str, Any]],
        parts: Path,
        result: Fetched,
        advanced: Callable[[int], None],
        check: Callable[[], None],
    ) -> None:
        evidence = self._station.evidence
        intents = []
        for row in rows:
            one = self._sealed(row)
            part = parts / one.recording.id
            try:
                if not self._is_here(row["path"]):
                    self._fetch(one, part, advanced, check)
                    result.fetched += 1
                text, problem = self._description(one)
            except StoreProblem as problem_:
                if problem_.trouble is not Trouble.OBJECT:
                    raise
                result.failed += 1
                result.name(problem_.text)
                part.unlink(missing_ok=True)
                continue
            if problem is not None:
                result.name(problem)
            intents.append(
                Intent(
                    one.recording,
                    as_json(one.recording),
                    text,
                    one.description,
                    one.fingerprint,
                    f"{_PART}/{part.name}",
                )
            )
        if not intents:
            return
        with evidence.sealing_turn(), ExitStack() as stack:
            day = Day(evidence, folder, _PART, stack, interrupted=True)
            placed = []
            for intent, error in day.place(intents):
                if error is not None:
                    raise evidence.unusable(error)
                placed.append(intent)
            day.complete(placed)

    def _unfinished(self, folder: str, rows: Sequence[Mapping[str, Any]]) -> set[str]:
        """Return those of a folder that a run which was cut off moved into place, and neither
        listed nor protected."""
        try:
            with self._station.evidence.folder(folder) as opened:
                listed = [_listed(name, opened) for name in (B3SUMS, SHA256SUMS)]
                return {
                    row["id"]
                    for row in rows
                    for name in (str(row["path"]).rpartition("/")[2],)
                    for file in (name, f"{name}.json")
                    if not all(file in names for names in listed) or _is_writable(file, opened)
                }
        except FileNotFoundError:
            return set()

    def _fetch(
        self,
        one: _Wanted,
        part: Path,
        advanced: Callable[[int], None],
        check: Callable[[], None],
    ) -> None:
        """Write a recording as the store gives it back, and prove it is the sealed one."""
        recording, size = one.recording, 0
        found, other = blake3(), hashlib.sha256()
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        try:
            for data in self._store.read(one.key, one.version):
                check()
                size += len(data)
                if size > recording.size:
                    raise self._unlike(one)
                found.update(data)
                other.update(data)
                write_all(handle, data)
                advanced(len(data))
            os.fsync(handle)
            digests = recording.digests
            if (size, found.hexdigest(), other.hexdigest()) != (
                recording.size,
                digests.blake3,
                digests.sha256,
            ):
                raise self._unlike(one)
            with page_aligned() as buffer:
                read = read_back(handle, buffer, has_device(file_system_of(part)), between=check)
            if read.blake3 != digests.blake3:
                raise MissingPart(
                    T("What was written to {path} reads back differently.", path=part),
                    T("Check the evidence disk; it may be failing."),
                )
        finally:
            os.close(handle)

    def _unlike(self, one: _Wanted) -> StoreProblem:
        return StoreProblem(
            Trouble.OBJECT,
            T("{store}: {key} is not what was sealed.", store=self._store.name, key=one.key),
        )

    def _description(self, one: _Wanted) -> tuple[str, Text | None]:
        """Return the sealed description, and what is wrong with that of the store."""
        key, problem = f"{one.key}.json", None
        try:
            found = b"".join(self._store.read(key))
            if blake3(found).hexdigest() == one.description.blake3:
                return found.decode(), None
            problem = T("{store}: {key} is not what was sealed.", store=self._store.name, key=key)
        except StoreProblem as error:
            if error.trouble is not Trouble.OBJECT:
                raise
            problem = error.text
        if blake3(one.text.encode()).hexdigest() == one.description.blake3:
            return one.text, problem
        raise StoreProblem(Trouble.OBJECT, problem)

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield all sealed recordings by path, with what this store has confirmed of them."""
        db = self._station.catalogue
        query = (
            "select r.id, r.path, r.size, r.custody_seq, c.key, c.version from recordings r"
            " left join copies c on c.recording = r.id and c.store = ?"
            " where r.state = 'sealed' and r.path > ? order by r.path limit 1000"
        )
        after = ""
        while rows := list(db.query(query, [self._store.name, after])):
            yield from rows
            after = rows[-1]["path"]

    def _sealed(self, row: Mapping[str, Any]) -> _Wanted:
        """Return a recording as it was sealed, from its entry in the log."""
        entry = next(self._station.custody.entries(row["custody_seq"]), None)
        if entry is None or entry.deed.subject != row["id"]:
            raise CustodyProblem(
                T("The custody log has no seal of the recording {id}.", id=row["id"]),
                T("Run: recorder-sync catalogue rebuild"),
            )
        facts = entry.deed.facts
        recording = from_json(facts["recording"])
        return _Wanted(
            recording,
            Digests(facts["description_blake3"], facts["description_sha256"]),
            as_text(as_json(recording)),
            bytes.fromhex(facts["fingerprint"]),
            row["key"] or self._destination.key_of(recording),
            row["version"],
        )

    def _is_here(self, path: str) -> bool:
        """Tell whether a recording is in its place, described and read-only."""
        folder, _, name = path.rpartition("/")
        try:
            with self._station.evidence.folder(folder) as opened:
                return exists(name, opened) and exists(f"{name}.json", opened)
        except FileNotFoundError:
            return False

    @contextmanager
    def _part_folder(self) -> Iterator[Path]:
        """Hold the folder of what is being fetched; nobody takes it for a dead docking's."""
        with self._station.evidence.folder(_PART, make=True) as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield self._station.evidence.absolute(_PART)


def _listed(name: str, folder: int) -> set[str]:
    """Return the files in a digest list of an open folder."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return set()
    with os.fdopen(handle, "rb") as file:
        return {os.fsdecode(line[66:]) for line in file.read().split(b"\n")}


def _is_writable(name: str, folder: int) -> bool:
    try:
        state = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return bool(state.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


def _folder_of(row: Mapping[str, Any]) -> str:
    return str(row["path"]).rpartition("/")[0]


def _named(db: Database, query: str, say: Callable[[str], Text]) -> Iterator[Text]:
    """Yield what is said of the first few keys, and how many there are more."""
    found = db.execute(query)
    for (key,) in found.fetchmany(_MOST_NAMED):
        yield say(key)
    if more := sum(1 for _ in found):
        yield T("and {count} more of this kind", count=more)
