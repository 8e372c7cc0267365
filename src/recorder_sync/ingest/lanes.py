"""Copies, reads back and describes many recordings at once.

Small recordings go through several lanes, because each waits for the disk and for
ffprobe; large ones go one after the other through a ring of buffers, because a card
reads fastest in sequence.
"""

import errno
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from queue import LifoQueue, SimpleQueue

from recorder_sync.config import Ingest as IngestSettings
from recorder_sync.errors import RecordingFailure, VolumeGone, os_reason
from recorder_sync.ingest.engine import (
    RING,
    Copied,
    SourceChanged,
    copy,
    not_written,
    ring_of_buffers,
)
from recorder_sync.ingest.inventory import Item
from recorder_sync.ingest.progress import Observer
from recorder_sync.ingest.readback import CHUNK, ReadBack, file_system_of, has_device, read_back
from recorder_sync.ingest.volume import Stamp, Volume, stamp
from recorder_sync.language import T, Text
from recorder_sync.media.describer import Describer
from recorder_sync.model import Media

_ATTEMPTS = 3
"""How often a file that changes while it is read is tried."""

_PAUSE_S = 1.0
"""Seconds a device gets to finish writing between two attempts."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A copy on stable storage, read back and described."""

    item: Item
    part: Path
    copied: Copied
    read_back: ReadBack
    media: Media
    mtime_ns: int
    """The source's time when it was copied."""


@dataclass(frozen=True, slots=True)
class Failed:
    item: Item
    failure: RecordingFailure


class Stop:
    """A request to stop, made once by a signal and looked at before every chunk."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def request(self) -> None:
        self._event.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        self._event.wait(seconds)

    def check(self) -> None:
        if self.requested:
            raise _Stopping


class _Stopping(Exception):
    """Leaves a copy in the middle; its partial is discarded."""


class Lanes:
    """Copies from one volume into one incoming folder."""

    def __init__(
        self,
        volume: Volume,
        incoming: Path,
        settings: IngestSettings,
        describer: Describer,
        observer: Observer,
        stop: Stop,
    ) -> None:
        self._volume = volume
        self._incoming = incoming
        self._settings = settings
        self._describer = describer
        self._observer = observer
        self._stop = stop
        self._on_device = has_device(file_system_of(incoming))
        self._gone = threading.Event()

    def run(self, items: Sequence[Item]) -> Iterator[list[Verified | Failed]]:
        """Yield what is done, as it gets done, in groups.

        A stop request ends it early: what is done is yielded, the rest is not.
        """
        with ExitStack() as stack:
            buffers: LifoQueue[list[mmap]] = LifoQueue()
            rings: LifoQueue[list[mmap]] = LifoQueue()
            small = [i for i in items if i.size < CHUNK]
            large = [i for i in items if i.size >= CHUNK]
            for _ in range(min(self._settings.lanes, len(small))):
                buffers.put(stack.enter_context(ring_of_buffers(1)))
            if large:
                rings.put(stack.enter_context(ring_of_buffers(RING)))
            lanes = stack.enter_context(ThreadPoolExecutor(self._settings.lanes))
            single = stack.enter_context(ThreadPoolExecutor(1))
            done: SimpleQueue[Verified | Failed | Exception | None] = SimpleQueue()
            for number, item in enumerate(items):
                is_large = item.size >= CHUNK
                pool, free = (single, rings) if is_large else (lanes, buffers)
                pool.submit(self._report, done, number, item, free)
            try:
                yield from _groups(done, len(items))
            finally:
                for pool in (lanes, single):
                    pool.shutdown(cancel_futures=True)

    def _report(
        self,
        done: SimpleQueue[Verified | Failed | Exception | None],
        number: int,
        item: Item,
        buffers: LifoQueue[list[mmap]],
    ) -> None:
        """Take one recording and hand over what came of it, or the error nobody expected."""
        try:
            done.put(self._take(number, item, buffers))
        except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
            done.put(error)

    def _take(
        self, number: int, item: Item, buffers: LifoQueue[list[mmap]]
    ) -> Verified | Failed | None:
        """Take one recording to the point where it can be sealed; None when stopping."""
        ring = buffers.get()
        part = self._incoming / f"{number}.part"
        try:
            if self._gone.is_set():
                self._volume.check_present()
            return self._verified(item, part, ring)
        except _Stopping:
            part.unlink(missing_ok=True)
            return None
        except RecordingFailure as failure:
            if isinstance(failure, VolumeGone):
                self._gone.set()
            part.unlink(missing_ok=True)
            return Failed(item, failure)
        finally:
            buffers.put(ring)

    def _verified(self, item: Item, part: Path, ring: list[mmap]) -> Verified:
        for attempt in range(1, _ATTEMPTS + 1):
            self._stop.check()
            try:
                copied, source = self._copied(item, part, ring, first=attempt == 1)
                break
            except SourceChanged:
                part.unlink(missing_ok=True)
                if attempt == _ATTEMPTS:
                    raise
                self._stop.wait(_PAUSE_S)
        proof = self._read_back(item, part, copied, ring[0])
        self._stop.check()
        media = self._describer.describe(os.fsencode(part), item.kind)
        return Verified(item, part, copied, proof, media, source.mtime_ns)

    def _copied(
        self, item: Item, part: Path, ring: list[mmap], *, first: bool
    ) -> tuple[Copied, Stamp]:
        expected = Stamp(item.size, item.mtime_ns)
        try:
            with self._volume.file(item.path) as source, _new_file(part) as target:
                if not first:  # it changed before: take it as it is by now
                    expected = stamp(source)
                self._observer.started(item.path, expected.size)
                copied = copy(
                    source,
                    target,
                    expected,
                    ring,
                    lambda count: self._observer.copied(item.path, count),
                    self._stop.check,
                )
        except OSError as error:
            self._volume.check_present()
            raise _explained(error) from error
        return copied, expected

    def _read_back(self, item: Item, part: Path, copied: Copied, buffer: mmap) -> ReadBack:
        if not self._settings.read_back:
            return ReadBack.OFF
        try:
            handle = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                read = read_back(
                    handle,
                    buffer,
                    self._on_device,
                    lambda count: self._observer.read_back(item.path, count),
                )
            finally:
                os.close(handle)
        except OSError as error:
            raise _bad_medium(os_reason(error)) from error
        if (read.blake3, read.size) != (copied.digests.blake3, copied.size):
            raise _bad_medium(T("other bytes came back than were written"))
        return read.proof


def _groups(
    done: SimpleQueue[Verified | Failed | Exception | None], count: int
) -> Iterator[list[Verified | Failed]]:
    """Yield `count` results, each time all that are there, waiting for at least one."""
    while count:
        group = [done.get()]
        while not done.empty():
            group.append(done.get())
        count -= len(group)
        results = []
        for one in group:
            if isinstance(one, Exception):
                raise one
            if one is not None:
                results.append(one)
        yield results


@contextmanager
def _new_file(path: Path) -> Iterator[int]:
    """Make a file and hold it open for writing. Raises WriteFailed."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise not_written(error) from error
    try:
        yield handle
    finally:
        os.close(handle)


def _explained(error: OSError) -> RecordingFailure:
    """Say what an error of the card means, and what to do."""
    match error.errno:
        case errno.ENOENT:
            return RecordingFailure(
                T("It disappeared from the card after the inventory."),
                T("Ask the officer whether it was deleted on the device; the inventory proves it."),
            )
        case errno.EACCES | errno.EPERM:
            return RecordingFailure(
                T("It may not be read: {why}.", why=os_reason(error)),
                T("Run the command as a user who may read the card."),
            )
        case _:
            return RecordingFailure(
                T("It cannot be read from the card: {why}.", why=os_reason(error)),
                T("Leave it on the card, try another reader, and report the fault."),
            )


def _bad_medium(why: Text) -> RecordingFailure:
    return RecordingFailure(
        T("The copy on the evidence disk is not good: {why}.", why=why),
        T("The recording stays on the card. Have the evidence disk checked before going on."),
    )
