"""Drop folders: recordings of fixed cameras, put into a folder by somebody else's program.

watchdog (inotify) tells at once when a writer on this machine closes a file or moves one
in. It sees nothing of what another machine writes to a network file system, loses events
when too many come, and has no word for what was there before. So each folder is also
scanned, by our own walk rather than watchdog's PollingObserver: that one polls
instead of listening, and reads follow where links lead.

Each folder has a thread of its own: one on a network disk that hangs stops no other.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.inotify import InotifyObserver

from recorder_sync.config import DropFolder
from recorder_sync.dock import folder_scan
from recorder_sync.dock.arrivals import Arrivals, Change, by_device
from recorder_sync.journal import Log
from recorder_sync.model import CardPath

GATHER_S = 2.0
"""Files that become complete within so many seconds are handed on together."""

_LEAST_SCAN_S = 1.0
_MOST_SCAN_S = 30.0
_SCAN_SHARE = 20
"""A scan comes at the earliest after so many times as long as the last one took."""
_END_WAIT_S = 2.0
_HEARD = [
    FileClosedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]

_log = Log()


@dataclass(frozen=True, slots=True)
class Batch:
    """Files of one device that became complete together."""

    folder: DropFolder
    device: str | None
    """Device number; None where the folder does not tell it."""
    root: Path
    files: tuple[CardPath, ...]
    """Below the root."""


class DropFolders:
    """Watches drop folders from its making until `stop`.

    A file is handed on once in this run; one that changes later (another size or time) is
    handed on again. A folder may be missing, vanish and come back at any time.
    """

    def __init__(
        self,
        folders: Sequence[DropFolder],
        gather_s: float = GATHER_S,
        least_scan_s: float = _LEAST_SCAN_S,
    ) -> None:
        self._batches: SimpleQueue[Batch | None] = SimpleQueue()
        self._watched = [
            _Watched(folder, gather_s, least_scan_s, self._batches.put) for folder in folders
        ]

    def batches(self) -> Iterator[Batch]:
        """Yield what becomes complete, until `stop`."""
        while (batch := self._batches.get()) is not None:
            yield batch

    def wait_for_first_look(self, within_s: float) -> bool:
        """Wait until every folder was looked at once, or found missing; tell whether it was."""
        until = time.monotonic() + within_s
        return all(
            watched.was_looked_at.wait(max(0.0, until - time.monotonic()))
            for watched in self._watched
        )

    def missing(self) -> list[DropFolder]:
        """Return the folders that were not there, or could not be read, at the last look."""
        return [watched.folder for watched in self._watched if watched.is_missing]

    def stop(self) -> None:
        """End `batches`; what was not yielded is found again at the next start."""
        for watched in self._watched:
            watched.stop()
        self._batches.put(None)
        for watched in self._watched:
            watched.join()


class _Watched:
    """One drop folder and the thread that watches it."""

    def __init__(
        self,
        folder: DropFolder,
        gather_s: float,
        least_scan_s: float,
        hand_on: Callable[[Batch], None],
    ) -> None:
        self.folder = folder
        self.is_missing = False
        self.was_looked_at = Event()
        self._gather_s = gather_s
        self._pause_s = least_scan_s
        self._scan_s = min(max(folder.settle_s, least_scan_s), _MOST_SCAN_S)
        self._hand_on = hand_on
        self._arrivals = Arrivals(folder.settle_s)
        self._news = _News()
        self._listening: _Listening | None = None
        self._next_scan = self._earliest_scan = 0.0
        self._complained: set[str] = set()
        self._stopping = Event()
        self._thread = Thread(target=self._watch, name=f"folder {folder.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._news.wake()

    def join(self) -> None:
        """Wait for the thread, unless a file system holds it up: then it is left behind."""
        self._thread.join(_END_WAIT_S)

    def _watch(self) -> None:
        ready: list[CardPath] = []
        hand_on_at = 0.0
        try:
            while not self._stopping.is_set():
                now = time.monotonic()
                self._refresh(now)
                self.was_looked_at.set()
                complete = self._arrivals.complete()
                if complete and not ready:
                    hand_on_at = now + self._gather_s
                ready += complete
                if ready and now >= hand_on_at:
                    self._hand(ready)
                    ready = []
                until = [self._next_scan, self._arrivals.next_due(), hand_on_at if ready else None]
                next_at = min(at for at in until if at is not None)
                self._news.wait(max(0.0, next_at - time.monotonic()))
        finally:
            self._stop_listening()

    def _hand(self, paths: list[CardPath]) -> None:
        folder = self.folder
        found = by_device(dict.fromkeys(paths), folder.device, folder.device_folders)
        for device, files in found.items():
            self._hand_on(Batch(folder, device, folder.path, tuple(sorted(files))))

    def _refresh(self, now: float) -> None:
        """Look at what changed, and at everything when it is time to."""
        changes, has_new_folders = self._news.take()
        try:
            with folder_scan.opened(self.folder.path) as root:
                for path, change in changes.items():
                    self._arrivals.seen(path, folder_scan.look(root, path), now, change)
                if has_new_folders:
                    self._next_scan = min(self._next_scan, self._earliest_scan)
                if now >= self._next_scan:
                    self._listen(root)
                    self._scan(root, now)
                for path in self._arrivals.due(now):
                    self._arrivals.seen(path, folder_scan.look(root, path), now)
        except OSError as error:
            self._stop_listening()
            self._arrivals.seen_all({}, now)
            self._next_scan = now + self._scan_s
            self.is_missing = True
            self._complain(error)
        else:
            if self.is_missing:
                self._complained.clear()
            self.is_missing = False

    def _scan(self, root: int, now: float) -> None:
        begun = time.monotonic()
        self._arrivals.seen_all(folder_scan.scan(root, self._complain_of), now)
        took = time.monotonic() - begun
        self._earliest_scan = now + max(self._pause_s, _SCAN_SHARE * took)
        self._next_scan = max(now + self._scan_s, self._earliest_scan)

    def _listen(self, root: int) -> None:
        """Listen to the folder that is there now; scans go on where that is refused."""
        state = os.fstat(root)
        identity = state.st_dev, state.st_ino
        if self._listening and self._listening.is_to(identity):
            return
        self._stop_listening()
        try:
            self._listening = _Listening(self.folder.path, identity, self._news)
        except OSError as error:
            self._complain(error)

    def _stop_listening(self) -> None:
        if self._listening:
            self._listening.stop()
            self._listening = None

    def _complain_of(self, path: CardPath, error: OSError) -> None:
        self._complain(OSError(error.errno, error.strerror, path.shown))

    def _complain(self, error: OSError) -> None:
        """Write to the log, once for each thing until the folder comes back."""
        if str(error) not in self._complained:
            self._complained.add(str(error))
            _log.warning("drop folder", folder=self.folder.name, why=str(error))


class _News:
    """What the system said since it was last asked; the last word about a file counts."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._changes: dict[CardPath, Change] = {}
        self._has_new_folders = False
        self._awake = Event()

    def tell(self, path: CardPath, change: Change) -> None:
        with self._lock:
            self._changes[path] = change
        if change is Change.CLOSED:  # a write alone is no reason to look
            self._awake.set()

    def tell_of_folders(self) -> None:
        with self._lock:
            self._has_new_folders = True
        self._awake.set()

    def wake(self) -> None:
        self._awake.set()

    def wait(self, at_most_s: float) -> None:
        self._awake.wait(at_most_s)

    def take(self) -> tuple[dict[CardPath, Change], bool]:
        """Return the changes, and whether folders came, moved or went."""
        self._awake.clear()
        with self._lock:
            taken = self._changes, self._has_new_folders
            self._changes, self._has_new_folders = {}, False
        return taken


class _Listening(FileSystemEventHandler):
    """An inotify watch over a folder and all below it. Raises OSError when made."""

    def __init__(self, root: Path, identity: tuple[int, int], news: _News) -> None:
        # Resolved, because a watch on a link would be one on the link itself.
        resolved = os.path.realpath(root)
        self._root = os.fsencode(resolved).rstrip(b"/") + b"/"
        self._identity = identity
        self._news = news
        self._observer = InotifyObserver(generate_full_events=True)
        try:
            self._observer.start()
            self._observer.schedule(self, resolved, recursive=True, event_filter=_HEARD)
        except OSError:
            self.stop()
            raise

    def is_to(self, identity: tuple[int, int]) -> bool:
        """Tell whether it still listens, and to this folder."""
        alive = any(emitter.is_alive() for emitter in self._observer.emitters)
        return alive and identity == self._identity

    def stop(self) -> None:
        with suppress(RuntimeError):  # it was never started
            self._observer.stop()
            self._observer.join()

    def on_any_event(self, event: FileSystemEvent) -> None:
        match event:
            case DirCreatedEvent() | DirMovedEvent() | DirDeletedEvent():
                self._news.tell_of_folders()
            case FileMovedEvent():
                self._tell(event.dest_path, Change.CLOSED)
            case FileClosedEvent():
                self._tell(event.src_path, Change.CLOSED)
            case FileModifiedEvent():
                self._tell(event.src_path, Change.WRITTEN)

    def _tell(self, path: bytes | str, change: Change) -> None:
        raw = os.fsencode(path)
        if raw.startswith(self._root):
            self._news.tell(CardPath(raw.removeprefix(self._root)), change)
