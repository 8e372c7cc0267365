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

from recorder_sync.catalogue.recordings import Intent
from recorder_sync.model import Digests
from recorder_sync.protection import Protection
from recorder_sync.stores.evidence import (
    EvidenceFolder,
    exists,
    move_into_place,
    read_only_file,
)

_THREADS = 3
"""Threads that wait for the disk."""

_TOGETHER = 32
"""Descriptions that are synced by one of them, and open until then."""


def folders_of(intent: Intent) -> tuple[str, str]:
    """Return the folders, below the evidence folder, of the final place and of the copy."""
    return intent.recording.path.rpartition("/")[0], intent.part.rpartition("/")[0]


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

    def place(self, group: Sequence[Intent]) -> list[tuple[Intent, OSError | None]]:
        """Move copies to their places and write their descriptions beside them, synced.

        This thread goes on while a few others wait for the disk.
        """
        results: list[tuple[Intent, OSError | None]] = []
        syncing: deque[Future[list[tuple[Intent, OSError | None]]]] = deque()
        with ThreadPoolExecutor(_THREADS) as pool:
            for at in range(0, len(group), _TOGETHER):
                written: list[tuple[Intent, int]] = []
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

    def _place(self, intent: Intent) -> int:
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

    def take_back(self, intent: Intent) -> None:
        """Undo what was done for one recording; the card still has it.

        What is in its place without having been moved there is not ours to remove.
        """
        part, final = _names(intent)
        if self._source is not None:
            with suppress(FileNotFoundError):
                os.unlink(part, dir_fd=self._source)
        if final in self._ours:
            self._evidence.clear_away((final, final + ".json"), self._target)

    def complete(self, placed: Sequence[Intent]) -> dict[str, Protection]:
        """List, protect and sync what was placed; the names of a docking's folder too.

        Returns what protects each recording, by id.
        """
        if not placed:
            self._evidence.remove_empty(self._name)
            return {}
        digests: dict[str, Digests] = {}
        for intent in placed:
            _, final = _names(intent)
            digests[final] = intent.recording.digests
            digests[final + ".json"] = intent.description
        self._evidence.list_digests(self._target, digests, perhaps_listed=self._interrupted)
        protections = {
            name: self._evidence.protect(name, self._target).protection for name in digests
        }
        os.fsync(self._target)
        if self._source is not None:
            os.fsync(self._source)
        return {intent.recording.id: protections[_names(intent)[1]] for intent in placed}


def _synced(written: Sequence[tuple[Intent, int]]) -> list[tuple[Intent, OSError | None]]:
    """Sync and close descriptions; return what came of each."""
    results: list[tuple[Intent, OSError | None]] = []
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


def _names(intent: Intent) -> tuple[str, str]:
    return intent.part.rpartition("/")[2], intent.recording.path.rpartition("/")[2]
