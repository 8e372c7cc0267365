"""Puts verified copies in their places: moved, described, listed, protected, synced.

A folder is reached without following a link, and held open while a group is put into it.
Every step may have been done before, by a run that was cut off.
"""

import errno
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Protocol, TypeVar

from recorder_sync.direct_io import page_aligned
from recorder_sync.ingest.readback import read_back
from recorder_sync.model import Digests
from recorder_sync.protection import Protection
from recorder_sync.station import Station
from recorder_sync.stores.evidence import EvidenceFolder, exists, read_only_file
from recorder_sync.stores.no_replace import move_into_place

_THREADS = 3
"""Threads that wait for the disk."""

_TOGETHER = 32
"""Descriptions that are synced by one of them, and open until then."""


class Placeable(Protocol):
    """A recording or a document whose verified copy is to be moved to its place."""

    @property
    def id(self) -> str: ...
    @property
    def path(self) -> str:
        """Its place below the evidence folder."""

    @property
    def part(self) -> str:
        """The copy's path below the evidence folder."""

    @property
    def digests(self) -> Digests: ...
    @property
    def text(self) -> str:
        """The description file's text."""

    @property
    def description(self) -> Digests:
        """Of that text, in UTF-8."""


P = TypeVar("P", bound=Placeable)


def folders_of(intent: Placeable) -> tuple[str, str]:
    """Return the folders, below the evidence folder, of the final place and of the copy."""
    return intent.path.rpartition("/")[0], intent.part.rpartition("/")[0]


class Day:
    """The evidence folder of one day of a device, and the incoming folder of a docking."""

    def __init__(
        self,
        evidence: EvidenceFolder,
        target: str,
        source: str,
        stack: ExitStack,
        *,
        interrupted: bool,
    ) -> None:
        """`interrupted` says that a run was cut off, which may have moved what it had."""
        self._evidence = evidence
        self._name = target
        self._interrupted = interrupted
        self._ours: set[str] = set()
        """What is in its place by this run, or by the one that was cut off."""
        self._target = stack.enter_context(evidence.folder(target, make=True))
        self._source: int | None = None
        if source != target:
            with suppress(FileNotFoundError):  # a run that was cut off had moved all out of it
                self._source = stack.enter_context(evidence.folder(source))

    def place(self, group: Sequence[P]) -> list[tuple[P, OSError | None]]:
        """Move copies to their places and write their descriptions beside them, synced.

        This thread goes on while a few others wait for the disk.
        """
        results: list[tuple[P, OSError | None]] = []
        syncing: deque[Future[list[tuple[P, OSError | None]]]] = deque()
        with ThreadPoolExecutor(_THREADS) as pool:
            for at in range(0, len(group), _TOGETHER):
                written: list[tuple[P, int]] = []
                for intent in group[at : at + _TOGETHER]:
                    try:
                        written.append((intent, self._place(intent)))
                    except OSError as error:
                        results.append((intent, error))
                syncing.append(pool.submit(_synced, written))
                if len(syncing) > _THREADS + 1:
                    results += syncing.popleft().result()
            for one in syncing:
                results += one.result()
        return results

    def _place(self, intent: Placeable) -> int:
        """Move a copy to its place; return its description, open and yet to be synced."""
        part, final = _names(intent)
        self._move(part, final)
        return read_only_file(final + ".json", self._target, intent.text.encode())

    def _move(self, part: str, final: str) -> None:
        if self._source is not None and not (self._interrupted and not exists(part, self._source)):
            move_into_place(part, self._source, final, self._target)
        elif not (self._interrupted and exists(final, self._target)):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), part)
        self._ours.add(final)

    def take_back(self, intent: Placeable) -> None:
        """Undo what was done for one; the card still has it, or whoever handed it in.

        What is in its place without having been moved there is not ours to remove.
        """
        part, final = _names(intent)
        if self._source is not None:
            with suppress(FileNotFoundError):
                os.unlink(part, dir_fd=self._source)
        if final in self._ours:
            self._evidence.clear_away((final, final + ".json"), self._target)

    def complete(self, placed: Sequence[Placeable]) -> dict[str, Protection]:
        """List, protect and sync what was placed; the names of a docking's folder too.

        Returns what protects each, by id.
        """
        if not placed:
            self._evidence.remove_empty(self._name)
            return {}
        finals = [_names(intent)[1] for intent in placed]
        descriptions = [final + ".json" for final in finals]
        digests: dict[str, Digests] = {}
        for intent, final, description in zip(placed, finals, descriptions, strict=True):
            digests[final] = intent.digests
            digests[description] = intent.description
        self._evidence.list_digests(self._target, digests, perhaps_listed=self._interrupted)
        protections = {
            intent.id: self._evidence.protect(final, self._target).protection
            for intent, final in zip(placed, finals, strict=True)
        }
        if self._interrupted:
            for name in descriptions:
                self._evidence.protect(name, self._target)
        else:
            self._evidence.protect_alike(descriptions, self._target)
        os.fsync(self._target)
        if self._source is not None:
            os.fsync(self._source)
        return protections


def _synced(written: Sequence[tuple[P, int]]) -> list[tuple[P, OSError | None]]:
    """Sync and close descriptions; return what came of each."""
    results: list[tuple[P, OSError | None]] = []
    for _, handle in written:
        with suppress(OSError):  # advice; whether it is written is what the sync tells
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)  # begins to write it
    for intent, handle in written:
        try:
            os.fsync(handle)
        except OSError as error:
            results.append((intent, error))
        else:
            results.append((intent, None))
        finally:
            os.close(handle)
    return results


def _names(intent: Placeable) -> tuple[str, str]:
    return intent.part.rpartition("/")[2], intent.path.rpartition("/")[2]


def copy_is_whole(station: Station, intent: Placeable) -> bool:
    """Read a copy that a run left in its place, or on its way there; tell whether it is whole.

    Raises MissingPart.
    """
    for path in (intent.path, intent.part):
        folder, _, name = path.rpartition("/")
        try:
            with station.evidence.folder(folder) as opened, page_aligned() as buffer:
                handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=opened)
                try:
                    read = read_back(handle, buffer, on_device=True)
                finally:
                    os.close(handle)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in (errno.EIO, errno.ELOOP):
                raise station.evidence.unusable(error) from error
            continue  # a copy that cannot be read is not whole
        if read.blake3 == intent.digests.blake3:
            return True
    return False


def clear_away(station: Station, intent: Placeable) -> None:
    """Remove what a run that was cut off put in place of a copy that is not whole.

    It never stood in the custody log, and gets the same name again.
    """
    folder, _, final = intent.path.rpartition("/")
    with suppress(FileNotFoundError), station.evidence.folder(folder) as opened:
        station.evidence.clear_away((final, final + ".json"), opened)
    station.evidence.remove_empty(folder)
