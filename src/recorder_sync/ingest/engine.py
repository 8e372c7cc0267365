"""Copies recordings off the card: one read, all digests, on stable storage at the end.

Bytes go round the page cache on both sides where the file systems allow it: reading
hundreds of gigabytes through it would cost more processor time than the digests, and
push everything else out of memory. A recording that is alone runs through a ring of
buffers, with this thread reading and computing BLAKE3, one thread writing and one for
each other digest, so the slowest sets the pace, not their sum; SHA-256 of two recordings
is computed at once where the processor can (`pairs.py`). Where more recordings are
under way than the processors have room for, each is copied in its own thread alone.

A source that is not the same after the copy as before it was not copied whole, and is
refused. A sync that fails is final.
"""

import errno
import hashlib
import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from blake3 import blake3

from recorder_sync.direct_io import prefer_direct, through_cache, whole_pages
from recorder_sync.durable import READ_ONLY
from recorder_sync.errors import RecordingFailure, os_reason
from recorder_sync.ingest.buffers import is_ring
from recorder_sync.ingest.pairs import Pairs
from recorder_sync.ingest.ring import Ring
from recorder_sync.ingest.sha256_pair import Sha256
from recorder_sync.ingest.source import Source, changed
from recorder_sync.language import T
from recorder_sync.model import Digests

SAMPLE = 4096
"""Bytes at the start and at the end of a file that make its fingerprint."""

MARK_EVERY = 256 << 20
"""Bytes between two marks of a long copy."""


class WriteFailed(RecordingFailure):
    """The evidence disk did not take the copy; the card is not to blame."""


@dataclass(frozen=True, slots=True)
class Copied:
    size: int
    digests: Digests
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a copy is on stable storage, and the BLAKE3 digest of that much."""

    length: int
    blake3: str


def fingerprint(head: bytes, tail: bytes) -> bytes:
    """Return a digest of the first and last SAMPLE bytes of a file.

    With path, size and time it knows a recording again without reading its body.
    """
    return blake3(head + tail).digest(16)


def fingerprint_of(handle: int) -> bytes:
    """Read and return an open file's fingerprint. Raises OSError."""
    size = os.fstat(handle).st_size
    return fingerprint(os.pread(handle, SAMPLE, 0), os.pread(handle, SAMPLE, max(0, size - SAMPLE)))


class Digest(Protocol):
    def update(self, data: memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


class Digesting:
    """The digests, and the first and last bytes, of what was read."""

    def __init__(self, names: Sequence[str], *, in_pairs: bool = False) -> None:
        """`in_pairs`: SHA-256 can be computed together with that of another recording."""
        self.size = 0
        self.others: dict[str, Digest] = {
            name: Sha256() if in_pairs and name == Sha256.name else hashlib.new(name)
            for name in names
            if name != "blake3"
        }
        """Those that may be computed beside BLAKE3, by a thread of their own."""
        self._blake3 = blake3()
        self._head = b""
        self._tail = b""

    def first(self, data: memoryview) -> None:
        """Take the next bytes: size, BLAKE3, first and last bytes."""
        if not self.size:
            self._head = bytes(data[:SAMPLE])
        self._tail = (self._tail + bytes(data[-SAMPLE:]))[-SAMPLE:]
        self.size += len(data)
        self._blake3.update(data)

    def all(self, data: memoryview) -> None:
        """Take the next bytes, for every digest."""
        self.first(data)
        for other in self.others.values():
            other.update(data)

    @property
    def blake3(self) -> str:
        return self._blake3.hexdigest()

    def result(self) -> Copied:
        sm3 = self.others.get("sm3")
        return Copied(
            self.size,
            Digests(
                self.blake3, self.others["sha256"].hexdigest(), sm3.hexdigest() if sm3 else None
            ),
            fingerprint(self._head, self._tail),
        )


class Writer:
    """Writes a new file, whole chunks, direct where it can; padding is cut off at the end."""

    def __init__(self, target: int) -> None:
        """`target` was opened without any status flags."""
        self._target = target
        self._direct = prefer_direct(target, 0)

    @property
    def flags(self) -> int:
        """Status flags of the target by now (F_SETFL, fcntl(2))."""
        return os.O_DIRECT if self._direct else 0

    def write(self, buffer: memoryview, count: int, at: int) -> None:
        """Write the first `count` bytes of a buffer at `at`. Raises WriteFailed."""
        padded = count
        if self._direct and count % mmap.PAGESIZE:
            padded = whole_pages(count)
            buffer[count:padded] = bytes(padded - count)
        done = 0
        with _to_disk():
            while done < padded:
                done += self._pwrite(buffer[done:padded], at + done)
            if padded != count:
                os.ftruncate(self._target, at + count)

    def sync(self) -> None:
        """Put the file on stable storage. Raises WriteFailed: then it is worthless."""
        with _to_disk():
            os.fsync(self._target)

    def start_over(self) -> None:
        """Throw away what was written. Raises WriteFailed."""
        with _to_disk():
            os.ftruncate(self._target, 0)

    def close_to_writing(self) -> None:
        """Make the file read-only. Raises WriteFailed."""
        with _to_disk():
            os.fchmod(self._target, READ_ONLY)

    def _pwrite(self, data: memoryview, at: int) -> int:
        try:
            return os.pwrite(self._target, data, at)
        except OSError as error:
            if error.errno != errno.EINVAL or not self._direct:
                raise
            through_cache(self._target)
            self._direct = False
            return os.pwrite(self._target, data, at)


class Copy:
    """One recording on its way to the evidence disk, perhaps begun at an earlier docking."""

    def __init__(
        self,
        source: Source,
        writer: Writer,
        digesting: Digesting,
        advanced: Callable[[int], None],
        between: Callable[[], None],
        mark: Callable[[Mark], None],
        pairs: Pairs | None = None,
    ) -> None:
        """`digesting` has taken what is copied already; `pairs` if it is `in_pairs`.

        `advanced` is told the bytes of each chunk; `between` is called before each and may
        raise; `mark` is told now and then how far the copy is on stable storage, and once
        more when it is given up.
        """
        self._source = source
        self._writer = writer
        self._digesting = digesting
        self._advanced = advanced
        self._between = between
        self._mark = mark
        self._pairs = pairs
        self._marked = digesting.size

    def run(self, buffers: list[memoryview]) -> Copied:
        """Copy the rest and sync it.

        Raises SourceChanged, WriteFailed, OSError from the source, or what `between` raises.
        """
        os.posix_fadvise(self._source.handle, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        if is_ring(buffers):
            self._through(Ring(buffers))
        else:
            self._alone(buffers[0])
        if self._digesting.size != self._source.expected.size:
            raise changed()
        self._source.check_unchanged()
        self._writer.sync()
        os.posix_fadvise(self._source.handle, 0, 0, os.POSIX_FADV_DONTNEED)
        return self._digesting.result()

    def _alone(self, buffer: memoryview) -> None:
        try:
            while True:
                self._between()
                at = self._digesting.size
                count = self._source.fill(buffer, at)
                if count:
                    self._writer.write(buffer, count, at)
                    self._digesting.all(buffer[:count])
                    self._advanced(count)
                if count < len(buffer):
                    return
                self._mark_when_due()
        except WriteFailed:
            raise
        except Exception:
            self._mark_now()
            raise

    def _through(self, ring: Ring) -> None:
        written = self._digesting.size

        def write(buffer: memoryview, count: int) -> None:
            nonlocal written
            self._writer.write(buffer, count, written)
            written += count

        ring.beside("write", write)
        try:
            with ExitStack() as stack:
                for name, digest in self._digesting.others.items():
                    if self._pairs is not None and isinstance(digest, Sha256):
                        ring.meet_others(stack.enter_context(self._pairs.lane(digest)))
                    else:
                        ring.beside(name, partial(_digest, digest))
                stack.callback(ring.end)
                self._feed(ring)
                ring.drain()
        except WriteFailed:
            raise
        except Exception:
            ring.raise_failure()
            self._mark_now()
            raise

    def _feed(self, ring: Ring) -> None:
        while True:
            self._between()
            buffer = ring.next_free()
            try:
                count = self._source.fill(buffer, self._digesting.size)
            except BaseException:
                ring.give_back(buffer)
                raise
            if count == 0:
                ring.give_back(buffer)
                return
            self._digesting.first(buffer[:count])
            ring.hand_over(buffer, count)
            self._advanced(count)
            if count < len(buffer):
                return
            if self._is_mark_due():
                ring.drain()
                self._mark_now()

    def _mark_when_due(self) -> None:
        if self._is_mark_due():
            self._mark_now()

    def _is_mark_due(self) -> bool:
        return self._digesting.size - self._marked >= MARK_EVERY

    def _mark_now(self) -> None:
        """Sync what is written, and say how much that is; nobody may be told before."""
        self._marked = self._digesting.size
        if self._marked % mmap.PAGESIZE == 0:
            self._writer.sync()
            self._mark(Mark(self._marked, self._digesting.blake3))


def _digest(digest: Digest, buffer: memoryview, count: int) -> None:
    digest.update(buffer[:count])


@contextmanager
def _to_disk() -> Iterator[None]:
    """Turn an error of the evidence disk into what it means."""
    try:
        yield
    except OSError as error:
        raise not_written(error) from error


def not_written(error: OSError) -> WriteFailed:
    """Return the failure that an error of the evidence disk means."""
    return WriteFailed(
        T("The evidence disk did not take the copy: {why}.", why=os_reason(error)),
        T("Check the evidence disk and its free space, then take the card in again."),
    )
