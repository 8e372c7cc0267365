"""The tray: documents that were handed in at the console and wait to be sealed.

    <state>/handed-in/<token>.part      while it is received
    <state>/handed-in/<token>.file      all of it, on stable storage
    <state>/handed-in/<token>.json      what was said of it; from here on it is handed in

The process that has the network may not write evidence, so the one that may does the sealing.
A file without its note belongs to a process that died, or to a browser that went away: whoever
receives one holds a lock on it, which the kernel takes from the dead.
"""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blake3 import blake3

from recorder_sync.catalogue.alert_facts import text_facts, text_of
from recorder_sync.durable import make_folders, replace_synced, sync_folder, write_all
from recorder_sync.errors import DocumentFailure, MissingPart, os_reason
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.model import CardPath
from recorder_sync.rules.documents import DocumentKind, Given, document_id
from recorder_sync.rules.stage import Stage
from recorder_sync.timestamps import iso, moment

FOLDER = "handed-in"

_log = Log()


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A document in the tray."""

    token: str
    given: Given
    actor: str
    """Who acts, as the custody log names them."""
    blake3: str
    size: int
    problem: Text | None = None
    """Why it could not be sealed so far."""

    @property
    def id(self) -> str:
        """The id that it gets."""
        return document_id(self.given.case, self.blake3)


class Receiving:
    """A document that is being received."""

    def __init__(self, part: Path, handle: int) -> None:
        self._part = part
        self._handle = handle
        self._digest = blake3()
        self.size = 0
        self.is_complete = False

    def write(self, data: bytes) -> None:
        """Write the next bytes. Raises DocumentFailure."""
        try:
            write_all(self._handle, data)
        except OSError as error:
            raise _not_received(error) from error
        self._digest.update(data)
        self.size += len(data)

    def head(self, count: int) -> bytes:
        """Return its first bytes."""
        return os.pread(self._handle, count, 0)

    def as_handed_in(self, given: Given, actor: str) -> HandedIn:
        """Return what it is in the tray, once it is complete."""
        return HandedIn(self._part.stem, given, actor, self._digest.hexdigest(), self.size)

    def complete(self, given: Given, actor: str) -> HandedIn:
        """Put it into the tray, on stable storage. Raises DocumentFailure."""
        handed_in = self.as_handed_in(given, actor)
        try:
            os.fsync(self._handle)
            self._part.rename(self._part.with_suffix(".file"))
            sync_folder(self._part.parent)
            _write_note(self._part.parent, handed_in)
        except OSError as error:
            raise _not_received(error) from error
        self.is_complete = True
        return handed_in


class Tray:
    """The folder of the tray. Its files are nobody's evidence yet."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER
        self._named: set[str] = set()
        """Notes that were named already, because they cannot be read."""

    @contextmanager
    def receiving(self, size: int, reserve: int) -> Iterator[Receiving]:
        """Hold a new file open; what is not completed in the block is removed.

        `size` is what is expected, and `reserve` stays free on the disk, in bytes. Raises
        DocumentFailure or MissingPart.
        """
        try:
            make_folders(self._folder)
            room = os.statvfs(self._folder)
            if size + reserve > room.f_bavail * room.f_frsize:
                raise MissingPart(
                    T("The disk of the state folder has too little room for the document."),
                    T("Make room there, then hand the document in again."),
                )
            part = self._folder / f"{secrets.token_hex(12)}.part"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(part, flags, 0o640)
        except OSError as error:
            raise _not_received(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            received = Receiving(part, handle)
            try:
                yield received
            finally:
                if not received.is_complete:
                    for ending in (".json", ".json.new", ".part", ".file"):  # the note goes first
                        part.with_suffix(ending).unlink(missing_ok=True)
        finally:
            os.close(handle)

    def waiting(self) -> list[HandedIn]:
        """Return what waits to be sealed, in the order in which it was handed in."""
        with suppress(FileNotFoundError):
            notes = [self._read(path) for path in self._folder.glob("*.json")]
            return sorted((one for one in notes if one), key=lambda one: (one.given.at, one.token))
        return []

    def is_empty(self) -> bool:
        try:
            with os.scandir(self._folder) as inside:
                return next(inside, None) is None
        except FileNotFoundError:
            return True

    @contextmanager
    def taken(self, one: HandedIn) -> Iterator[int | None]:
        """Hold a file of the tray open; None where somebody else seals it just now, or has."""
        path = self._file(one)
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
                return
            yield handle if path.exists() else None
        finally:
            os.close(handle)

    def remove(self, one: HandedIn) -> None:
        """Take out what is sealed. The note goes first: without it the file is nobody's."""
        self._note(one).unlink(missing_ok=True)
        sync_folder(self._folder)
        self._file(one).unlink(missing_ok=True)

    def note_problem(self, one: HandedIn, problem: Text) -> None:
        """Write beside it why it cannot be sealed so far."""
        if one.problem != problem:
            facts = {**_facts(one), "problem": text_facts(problem)}
            replace_synced(self._note(one), json.dumps(facts).encode())

    def clear(self) -> None:
        """Remove what was never handed in as a whole, and notes that were never written to their
        end, where nobody is at it just now."""
        for path in self._folder.glob("*"):
            token, _, kind = path.name.partition(".")
            if kind in ("part", "file") and not self._is_noted(token):
                with _free(path) as is_free:
                    if is_free and not self._is_noted(token):
                        path.unlink(missing_ok=True)
            elif kind == "json.new":
                with _free(self._folder / f"{token}.file") as is_free:
                    if is_free:
                        path.unlink(missing_ok=True)

    def _is_noted(self, token: str) -> bool:
        return (self._folder / f"{token}.json").exists()

    def _note(self, one: HandedIn) -> Path:
        return self._folder / f"{one.token}.json"

    def _file(self, one: HandedIn) -> Path:
        return self._folder / f"{one.token}.file"

    def _read(self, path: Path) -> HandedIn | None:
        try:
            return _handed_in(path.stem, json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None  # it has just been sealed
        except (OSError, ValueError, KeyError, TypeError) as error:
            if path.name not in self._named:  # it keeps no other document waiting
                self._named.add(path.name)
                _log.error("a note of the tray cannot be read", path=str(path), why=repr(error))
            return None


@contextmanager
def _free(path: Path) -> Iterator[bool]:
    """Hold a file of the tray, or find that somebody else does; one that is gone is nobody's."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)


def _write_note(folder: Path, one: HandedIn) -> None:
    replace_synced(folder / f"{one.token}.json", json.dumps(_facts(one)).encode())


def _facts(one: HandedIn) -> dict[str, Any]:
    given = one.given
    return {
        "case": given.case,
        "title": given.title,
        "kind": given.kind.value,
        "number": given.number,
        "stage": given.stage.value if given.stage else None,
        "item": given.item,
        "name": base64.b64encode(given.name.raw).decode(),
        "by": given.by,
        "at": iso(given.at),
        "actor": one.actor,
        "blake3": one.blake3,
        "size": one.size,
        "problem": text_facts(one.problem) if one.problem else None,
    }


def _handed_in(token: str, facts: dict[str, Any]) -> HandedIn:
    given = Given(
        case=facts["case"],
        title=facts["title"],
        kind=DocumentKind(facts["kind"]),
        name=CardPath(base64.b64decode(facts["name"])),
        by=facts["by"],
        at=moment(facts["at"]),
        number=facts["number"],
        stage=Stage(facts["stage"]) if facts["stage"] else None,
        item=facts["item"],
    )
    problem = text_of(facts["problem"]) if facts["problem"] else None
    return HandedIn(token, given, facts["actor"], facts["blake3"], facts["size"], problem)


def _not_received(error: OSError) -> DocumentFailure:
    return DocumentFailure(
        T("The document could not be received: {why}.", why=os_reason(error)),
        T("Check the disk of the state folder, then hand it in again."),
    )
