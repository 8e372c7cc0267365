"""Copies one file off the card: one read, two digests, on stable storage at the end.

Bytes go round the page cache on both sides where the file systems allow it: reading
hundreds of gigabytes through it would cost more processor time than the digests, and
push everything else out of memory. A large file runs through a ring of buffers, with
this thread reading and computing BLAKE3, one thread writing and one computing SHA-256,
so the slowest of the three sets the pace, not their sum. A file of one buffer is copied
in this thread alone.

A source that is not the same after the copy as before it was not copied whole, and is
refused. An fsync that fails is final.
"""

import errno
import fcntl
import hashlib
import mmap
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue

from blake3 import blake3

from recorder_sync.errors import RecordingFailure, os_reason
from recorder_sync.ingest.readback import CHUNK, prefer_direct
from recorder_sync.ingest.volume import Stamp, stamp
from recorder_sync.language import T
from recorder_sync.model import Digests

RING = 6
"""Buffers of CHUNK bytes in the ring of a large file."""

SAMPLE = 4096
"""Bytes at the start and at the end of a file that make its fingerprint."""


class WriteFailed(RecordingFailure):
    """The evidence disk did not take the copy; the card is not to blame."""


class SourceChanged(RecordingFailure):
    """The file changed while it was read; trying again may find it at rest."""


@dataclass(frozen=True, slots=True)
class Copied:
    size: int
    digests: Digests
    fingerprint: bytes


def fingerprint(head: bytes, tail: bytes) -> bytes:
    """Return a digest of the first and last SAMPLE bytes of a file.

    With path, size and time it knows a recording again without reading its body.
    """
    return blake3(head + tail).digest(16)


def fingerprint_of(handle: int) -> bytes:
    """Read and return an open file's fingerprint. Raises OSError."""
    size = os.fstat(handle).st_size
    return fingerprint(os.pread(handle, SAMPLE, 0), os.pread(handle, SAMPLE, max(0, size - SAMPLE)))


def copy(
    source: int,
    target: int,
    expected: Stamp,
    buffers: list[mmap.mmap],
    advanced: Callable[[int], None],
    stop: Callable[[], None],
) -> Copied:
    """Copy the open file `source` to the new open file `target` and sync it.

    `expected` is the file's state in the inventory. `buffers` are mmaps of CHUNK bytes:
    one for a small file, RING for a large one. `advanced` is told the bytes of each
    chunk; `stop` is called before each and may raise.

    Raises SourceChanged, WriteFailed, or OSError from the source; the target is then
    worthless.
    """
    _check_unchanged(source, expected)
    prefer_direct(source)
    os.posix_fadvise(source, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    writer = _Writer(target)
    digests = _Digesting(expected.size)
    small = expected.size < CHUNK
    work = _copy_small if small or len(buffers) < RING else _copy_large
    work(source, writer, digests, buffers, advanced, stop)
    if digests.size != expected.size:
        raise _changed()
    _check_unchanged(source, expected)
    writer.finish(digests.size)
    os.posix_fadvise(source, 0, 0, os.POSIX_FADV_DONTNEED)
    return digests.result()


@contextmanager
def ring_of_buffers(count: int) -> Iterator[list[mmap.mmap]]:
    """Hold `count` page-aligned buffers."""
    buffers = [mmap.mmap(-1, CHUNK) for _ in range(count)]
    try:
        yield buffers
    finally:
        for buffer in buffers:
            # An error on its way up still holds views of it: then it is freed with them.
            with suppress(BufferError):
                buffer.close()


class _Digesting:
    """The digests, and the first and last bytes, of what was read."""

    def __init__(self, expected_size: int) -> None:
        self.size = 0
        self._expected = expected_size
        self._blake3 = blake3()
        self._sha256 = hashlib.sha256()
        self._head = b""
        self._tail = b""

    def first(self, data: memoryview) -> None:
        """What the reading thread computes."""
        if not self.size:
            self._head = bytes(data[:SAMPLE])
        self._tail = (self._tail + bytes(data[-SAMPLE:]))[-SAMPLE:]
        self.size += len(data)
        self._blake3.update(data)

    def second(self, data: memoryview) -> None:
        """What may run beside it, in the same order."""
        self._sha256.update(data)

    def result(self) -> Copied:
        return Copied(
            self.size,
            Digests(self._blake3.hexdigest(), self._sha256.hexdigest()),
            fingerprint(self._head, self._tail),
        )


class _Writer:
    """Writes whole chunks, direct where it can; the padding of the last is cut off."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._direct = prefer_direct(target)
        self._at = 0

    def write(self, buffer: mmap.mmap, count: int) -> None:
        try:
            self._write(buffer, count)
        except OSError as error:
            raise not_written(error) from error

    def finish(self, size: int) -> None:
        try:
            os.ftruncate(self._target, size)
            os.fsync(self._target)
        except OSError as error:
            raise not_written(error) from error

    def _write(self, buffer: mmap.mmap, count: int) -> None:
        view = memoryview(buffer)
        padded = count
        if self._direct and count % mmap.PAGESIZE:
            padded = -(-count // mmap.PAGESIZE) * mmap.PAGESIZE
            view[count:padded] = bytes(padded - count)
        done = 0
        while done < padded:
            done += self._pwrite(view[done:padded], self._at + done)
        self._at += count

    def _pwrite(self, data: memoryview, at: int) -> int:
        try:
            return os.pwrite(self._target, data, at)
        except OSError as error:
            if error.errno != errno.EINVAL or not self._direct:
                raise
            _forget_direct(self._target)
            self._direct = False
            return os.pwrite(self._target, data, at)


def _copy_small(
    source: int,
    writer: _Writer,
    digests: _Digesting,
    buffers: list[mmap.mmap],
    advanced: Callable[[int], None],
    stop: Callable[[], None],
) -> None:
    buffer = buffers[0]
    view = memoryview(buffer)
    at = 0
    while True:
        stop()
        count = _fill(source, view, at)
        digests.first(view[:count])
        digests.second(view[:count])
        if count:
            writer.write(buffer, count)
            at += count
            advanced(count)
        if count < CHUNK:
            return


def _copy_large(
    source: int,
    writer: _Writer,
    digests: _Digesting,
    buffers: list[mmap.mmap],
    advanced: Callable[[int], None],
    stop: Callable[[], None],
) -> None:
    ring = _Ring(buffers)
    write = ring.beside("write", writer.write)
    digest = ring.beside("sha256", lambda buffer, n: digests.second(memoryview(buffer)[:n]))
    try:
        at = 0
        while True:
            stop()
            buffer = ring.next_free()
            view = memoryview(buffer)
            count = _fill(source, view, at)
            digests.first(view[:count])
            if count:
                ring.hand_over(buffer, count)
                at += count
                advanced(count)
            if count < CHUNK:
                break
    finally:
        ring.end()
        write.join()
        digest.join()
    ring.raise_failure()


class _Ring:
    """Buffers that go from the reader to every thread beside it, and back."""

    def __init__(self, buffers: list[mmap.mmap]) -> None:
        self._free: SimpleQueue[mmap.mmap] = SimpleQueue()
        for buffer in buffers:
            self._free.put(buffer)
        self._queues: list[SimpleQueue[tuple[mmap.mmap, int] | None]] = []
        self._pending: dict[int, int] = {}
        self._lock = threading.Lock()
        self._failure: Exception | None = None

    def beside(self, name: str, work: Callable[[mmap.mmap, int], None]) -> threading.Thread:
        """Start a thread that does `work` on every buffer handed over, in order."""
        queue: SimpleQueue[tuple[mmap.mmap, int] | None] = SimpleQueue()
        self._queues.append(queue)

        def run() -> None:
            while (handed := queue.get()) is not None:
                try:
                    if self._failure is None:
                        work(*handed)
                except Exception as error:  # noqa: BLE001 - raised again by the reader
                    self._failure = error
                self._done_with(handed[0])

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def next_free(self) -> mmap.mmap:
        buffer = self._free.get()
        self.raise_failure()
        return buffer

    def hand_over(self, buffer: mmap.mmap, count: int) -> None:
        self._pending[id(buffer)] = len(self._queues)
        for queue in self._queues:
            queue.put((buffer, count))

    def end(self) -> None:
        for queue in self._queues:
            queue.put(None)

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _done_with(self, buffer: mmap.mmap) -> None:
        with self._lock:
            self._pending[id(buffer)] -= 1
            if self._pending[id(buffer)]:
                return
        self._free.put(buffer)


def _fill(source: int, view: memoryview, at: int) -> int:
    """Fill the buffer from the source; less than a buffer means the end of the file."""
    filled = 0
    while filled < CHUNK:
        try:
            count = os.preadv(source, [view[filled:]], at + filled)
        except OSError as error:
            if error.errno != errno.EINVAL or not _is_direct(source):
                raise
            _forget_direct(source)
            continue
        if count == 0:
            break
        filled += count
        if filled % mmap.PAGESIZE and _is_direct(source):
            _forget_direct(source)  # the end of the file, or a device with odd blocks
    return filled


def _is_direct(handle: int) -> bool:
    return bool(fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_DIRECT)


def _forget_direct(handle: int) -> None:
    fcntl.fcntl(handle, fcntl.F_SETFL, fcntl.fcntl(handle, fcntl.F_GETFL) & ~os.O_DIRECT)


def _check_unchanged(source: int, expected: Stamp) -> None:
    if stamp(source) != expected:
        raise _changed()


def not_written(error: OSError) -> WriteFailed:
    """Return the failure that an error of the evidence disk means."""
    return WriteFailed(
        T("The evidence disk did not take the copy: {why}.", why=os_reason(error)),
        T("Check the evidence disk and its free space, then take the card in again."),
    )


def _changed() -> SourceChanged:
    return SourceChanged(
        T("It changed while it was read: the device is still writing it."),
        T("Stop the recording, leave the device docked, and take it in again."),
    )
