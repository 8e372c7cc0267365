"""Holds what is on the evidence disk against the seals: files, descriptions, lists, extras.

A folder is reached without following a link. What is sealed while this goes on is nobody's
finding: something that looks wrong is looked at again in the sealing turn, with what the
catalogue says then.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from blake3 import blake3
from sqlite_utils.db import Database

from recorder_sync.errors import os_reason
from recorder_sync.ingest.readback import read_back
from recorder_sync.inspection.findings import Finding, FindingKind
from recorder_sync.inspection.pace import Pace
from recorder_sync.language import T
from recorder_sync.model import CardPath
from recorder_sync.protection import Protection, is_immutable, measured
from recorder_sync.rules.documents import is_document
from recorder_sync.station import Station
from recorder_sync.stores.evidence import (
    B3SUMS,
    SHA256SUMS,
    EvidenceFolder,
)

_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_ELSE = frozenset({errno.ELOOP, errno.EINVAL, errno.ENXIO, errno.EISDIR, errno.ENOTDIR})
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Seal:
    """What the files of one recording should be."""

    id: str
    folder: str
    path: str
    """Below the evidence folder."""
    size: int
    blake3: str
    sha256: str
    description_blake3: str
    description_sha256: str
    protection: str | None
    """As it was sealed; None: it is not on record."""
    fs_verity: str | None
    """The digest by which the kernel vouched for it when it was sealed; None: by none."""
    custody_seq: int | None
    """Number of the seal in the custody log; None: it has none."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


COLUMNS = ", ".join(Seal.__slots__)
"""Of a table that holds seals."""

_OF_DOCUMENTS = "select {} from documents".format(
    COLUMNS.replace("folder", "rtrim(rtrim(path, replace(path, '/', '')), '/') as folder")
)
"""Documents of cases are sealed as recordings are."""


class RecordingFiles:
    """Checks the files of recordings, one after the other."""

    def __init__(self, evidence: EvidenceFolder, pace: Pace, buffer: memoryview) -> None:
        """`buffer` is page-aligned."""
        self._evidence = evidence
        self._pace = pace
        self._buffer = buffer
        self.size = 0
        """Bytes of recordings that were re-read."""
        self.unlike_lists: list[tuple[str, str, list[Seal]]] = []
        """Digest lists, by folder and name, that are not what these recordings make of them."""

    def check(
        self, seals: Iterator[Seal], reads_body: Callable[[Seal], bool], *, lists: bool
    ) -> Iterator[tuple[Seal, list[Finding]]]:
        """Yield each recording with what is wrong with its files. Raises Stopping.

        The bodies of those that `reads_body` picks are re-read, round the page cache. `lists`
        says that these are all recordings, so that the digest lists can be looked at.
        """
        for folder, group in groupby(seals, key=attrgetter("folder")):
            yield from self._folder(folder, list(group), reads_body, lists)

    def _folder(
        self, folder: str, group: list[Seal], reads_body: Callable[[Seal], bool], lists: bool
    ) -> Iterator[tuple[Seal, list[Finding]]]:
        if lists:
            self.unlike_lists += (
                (folder, name, group)
                for name in (B3SUMS, SHA256SUMS)
                if _list_finding(self._evidence, folder, name, group) is not None
            )
        inside = iter(group)
        try:
            with self._evidence.folder(folder) as opened:
                _ask_for_descriptions(opened, group)
                for seal in inside:
                    self._pace.step()
                    yield seal, self._files(opened, seal, reads_body(seal))
        except OSError as error:
            for seal in inside:
                yield seal, [_problem(error, seal.path, seal.id), _no_description(error, seal)]

    def _files(self, folder: int, seal: Seal, read_body: bool) -> list[Finding]:
        found: list[Finding] = []
        name = seal.name
        try:
            with _regular(name, folder) as (handle, state):
                found += self._body(handle, state, seal, read_body)
        except OSError as error:
            found.append(_problem(error, seal.path, seal.id))
        try:
            with _regular(name + ".json", folder) as (handle, state):
                found += self._description(handle, state, seal, read_body)
        except OSError as error:
            found.append(_no_description(error, seal))
        return found

    def _body(
        self, handle: int, state: os.stat_result, seal: Seal, read_body: bool
    ) -> Iterator[Finding]:
        same = state.st_size == seal.size
        if read_body:
            read = read_back(
                handle,
                self._buffer,
                on_device=True,
                advanced=self._pace.took,
                between=self._pace.step,
            )
            self.size += read.size
            same = (read.blake3, read.size) == (seal.blake3, seal.size)
        if not same:
            text = T("its content is not what was sealed")
            yield Finding(FindingKind.CHANGED, seal.path, text, seal.id)
        yield from _protection(handle, state.st_mode, seal, seal.path)
        if seal.fs_verity is not None:
            yield from _verity(seal, measured(handle))

    def _description(
        self, handle: int, state: os.stat_result, seal: Seal, on_device: bool
    ) -> Iterator[Finding]:
        if on_device:
            digest = read_back(handle, self._buffer, on_device=True).blake3
        else:
            digest = blake3(os.pread(handle, state.st_size + 1, 0)).hexdigest()
        path = seal.path + ".json"
        if digest != seal.description_blake3:
            text = T("the description is not what was sealed")
            yield Finding(FindingKind.DESCRIPTION_CHANGED, path, text, seal.id)
        yield from _protection(handle, state.st_mode, seal, path)


def _protection(handle: int, mode: int, seal: Seal, path: str) -> Iterator[Finding]:
    if mode & _WRITABLE:
        text = T("it can be written to: its mode is {mode}", mode=f"{stat.S_IMODE(mode):04o}")
        yield Finding(FindingKind.UNPROTECTED, path, text, seal.id)
    if seal.protection == Protection.IMMUTABLE and not is_immutable(handle):
        text = T("it is not immutable any more")
        yield Finding(FindingKind.UNPROTECTED, path, text, seal.id)


def _verity(seal: Seal, now: str | None) -> Iterator[Finding]:
    """Hold the digest of the seal against that by which the kernel vouches for the file now."""
    if now is None:
        text = T("the kernel does not check any more what is read of it: its fs-verity is gone")
        yield Finding(FindingKind.UNPROTECTED, seal.path, text, seal.id)
    elif now != seal.fs_verity:
        text = T("it is another file than was sealed: its fs-verity digest is {digest}", digest=now)
        yield Finding(FindingKind.CHANGED, seal.path, text, seal.id)


def _ask_for_descriptions(folder: int, group: list[Seal]) -> None:
    """Have the kernel read a folder's descriptions at once: one by one they take twice as long.

    What cannot be opened is found when it is looked at.
    """
    for seal in group:
        with suppress(OSError):
            handle = os.open(seal.name + ".json", _FLAGS, dir_fd=folder)
            try:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(handle)


@contextmanager
def _regular(name: str, folder: int) -> Iterator[tuple[int, os.stat_result]]:
    """Open a file for reading; a pipe or device in its place is an error, and never waits."""
    handle = os.open(name, _FLAGS, dir_fd=folder)
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        yield handle, state
    finally:
        os.close(handle)


def _problem(error: OSError, path: str, identifier: str) -> Finding:
    if error.errno == errno.ENOENT:
        return Finding(FindingKind.MISSING, path, T("the file is missing"), identifier)
    if error.errno in _ELSE:
        return Finding(
            FindingKind.CHANGED, path, T("something else stands in its place"), identifier
        )
    return Finding(
        FindingKind.UNREADABLE,
        path,
        T("it cannot be read: {why}", why=os_reason(error)),
        identifier,
    )


def _no_description(error: OSError, seal: Seal) -> Finding:
    path = seal.path + ".json"
    if error.errno == errno.ENOENT:
        text = T("the description is missing")
        return Finding(FindingKind.DESCRIPTION_MISSING, path, text, seal.id)
    return _problem(error, path, seal.id)


def seals_by_folder(db: Database) -> Iterator[Seal]:
    """Yield what the table `sealed` holds, and the documents."""
    both = f"select {COLUMNS} from sealed union all {_OF_DOCUMENTS}"
    for row in db.execute(f"{both} order by folder, path"):
        yield Seal(*row)


def seal_of(db: Database, identifier: str) -> Seal | None:
    select = _OF_DOCUMENTS if is_document(identifier) else f"select {COLUMNS} from sealed"
    row = db.execute(f"{select} where id = ?", [identifier]).fetchone()
    return Seal(*row) if row else None


def extras_and_lists(
    station: Station, db: Database, lists: list[tuple[str, str, list[Seal]]], pace: Pace
) -> list[Finding]:
    """Return the files that nobody sealed, and of `lists` those that are not as they should be.

    `db` has the table `sealed`. Raises Stopping.
    """
    extras = list(_extras(station.evidence, db, pace))
    if not extras and not lists:
        return []
    found = []
    with station.evidence.sealing_turn():
        for relative in extras:
            if os.path.lexists(station.evidence.absolute(relative)) and not _is_sealed_now(
                station.catalogue, relative
            ):
                text = T("nothing of this name was sealed")
                found.append(Finding(FindingKind.EXTRA, _shown(relative), text))
        for folder, name, inside in lists:
            known = {seal.path: seal for seal in inside}
            for seal in _sealed_now(station.catalogue, folder):
                known.setdefault(seal.path, seal)
            again = _list_finding(station.evidence, folder, name, list(known.values()))
            if again is not None:
                found.append(again)
    return found


def _extras(evidence: EvidenceFolder, db: Database, pace: Pace) -> Iterator[str]:
    current, expected = None, set[str]()
    for relative in evidence.names():
        folder, _, name = relative.rpartition("/")
        if folder != current:
            pace.step()
            current, expected = folder, _names(db, folder)
        if name not in expected:
            yield relative


def _names(db: Database, folder: str) -> set[str]:
    if "\0" in folder or any("\ud800" <= c <= "\udfff" for c in folder):
        return set()  # no folder of ours: its name is no text
    paths = [row[0] for row in db.execute("select path from sealed where folder = ?", [folder])]
    paths += (seal.path for seal in _documents_in(db, folder))
    names = [path.rpartition("/")[2] for path in paths]
    lists = (B3SUMS, SHA256SUMS) if names else ()
    return {*names, *(f"{name}.json" for name in names), *lists}


def _is_sealed_now(catalogue: Database, relative: str) -> bool:
    """Tell whether it was sealed since the catalogue was looked at."""
    folder, _, name = relative.rpartition("/")
    if any("\ud800" <= c <= "\udfff" for c in relative):
        return False
    if name in (B3SUMS, SHA256SUMS):
        return any(True for _ in _sealed_now(catalogue, folder))
    paths = [relative, relative.removesuffix(".json")]
    query = (
        "select 1 from recordings where path in (?, ?) and state = 'sealed'"
        " union all select 1 from documents where path in (?, ?)"
    )
    return catalogue.execute(query, [*paths, *paths]).fetchone() is not None


def _sealed_now(catalogue: Database, folder: str) -> Iterator[Seal]:
    columns = COLUMNS.replace("folder", "? as folder")
    for unknown in ("protection", "fs_verity"):
        columns = columns.replace(unknown, f"null as {unknown}")
    rows: Any = catalogue.execute(
        f"select {columns} from recordings"
        " where path >= ? and path < ? and state = 'sealed' order by path",
        [folder, f"{folder}/", f"{folder}0"],
    )
    for row in rows:
        yield Seal(*row)
    yield from _documents_in(catalogue, folder)


def _documents_in(db: Database, folder: str) -> Iterator[Seal]:
    query = f"{_OF_DOCUMENTS} where path >= ? and path < ? order by path"
    for row in db.execute(query, [f"{folder}/", f"{folder}0"]):
        seal = Seal(*row)
        if seal.folder == folder:
            yield seal


def _list_finding(
    evidence: EvidenceFolder, folder: str, name: str, inside: list[Seal]
) -> Finding | None:
    relative = f"{folder}/{name}"
    lines = [""]
    for seal in inside:
        file = seal.name
        if name == B3SUMS:
            lines += (f"{seal.blake3}  {file}", f"{seal.description_blake3}  {file}.json")
        else:
            lines += (f"{seal.sha256}  {file}", f"{seal.description_sha256}  {file}.json")
    try:
        with evidence.folder(folder) as opened, _regular(name, opened) as (handle, state):
            found = os.read(handle, state.st_size + 1)
    except OSError as error:
        why = T("the digest list cannot be read: {why}", why=os_reason(error))
        return Finding(FindingKind.LIST_DIFFERS, relative, why)
    if sorted(found.split(b"\n")) == sorted(line.encode() for line in lines):
        return None
    return Finding(FindingKind.LIST_DIFFERS, relative, T("the digest list is not what was sealed"))


def _shown(path: str) -> str:
    return CardPath(os.fsencode(path)).shown
