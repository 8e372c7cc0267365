"""The bytes of one object on their way to a store: read once, and hashed again meanwhile.

Nothing is sent to its end that is not what was sealed: before the last bytes are given out,
the digest of all of them is compared with the seal. A file is opened by the path in the
catalogue, below the evidence folder, and no link on the way is followed.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from blake3 import blake3

from recorder_sync.direct_io import prefer_direct, read_any
from recorder_sync.durable import LARGEST_SMALL
from recorder_sync.forward.line import Halt, Line
from recorder_sync.language import T, Text
from recorder_sync.model import Digests
from recorder_sync.stores.evidence import EvidenceFolder
from recorder_sync.stores.store import Source, SourceChanged

_SLICE = 256 << 10
"""Bytes that are waited for at a time where the line is limited."""

_STEP = 2 << 20
"""Bytes that are read and hashed at a time where it is not."""

_FORGET = 8 << 20
"""Bytes after which the page cache is given back."""


class Reading:
    """A source that reads by `pull`, whatever is behind it."""

    def __init__(
        self,
        pull: Callable[[memoryview], int],
        size: int,
        digest: str,
        line: Line,
        halt: Halt,
        name: str,
    ) -> None:
        """`pull` fills memory with what comes next; `digest` is the BLAKE3 of all of it."""
        self._pull = pull
        self._size = size
        self._digest = digest
        self._line = line
        self._halt = halt
        self._name = name
        self._hash = blake3()
        self._read = 0

    def read(self, size: int) -> bytes:
        data = bytearray(min(size, self._size - self._read))
        with memoryview(data) as view:
            self.read_into(view)
        return bytes(data)

    def read_into(self, buffer: memoryview) -> int:
        wanted = min(len(buffer), self._size - self._read)
        at = 0
        while at < wanted:
            step = min(wanted - at, _STEP)
            if step > _SLICE and self._line.is_limited:
                step = _SLICE
            self._line.take(step, self._halt)
            with buffer[at : at + step] as part:
                count = self._pull(part)
                if not count:
                    raise self._changed(T("it is shorter than it was sealed"))
                with part[:count] as read:
                    self._hash.update(read)
            at += count
            self._read += count
        self._halt.check()
        if self._read == self._size:
            self._compare()
        return wanted

    def _compare(self) -> None:
        if self._pull(memoryview(bytearray(1))):
            raise self._changed(T("it is longer than it was sealed"))
        if self._hash.hexdigest() != self._digest:
            raise self._changed(T("its digest is not the sealed one"))

    def _changed(self, why: Text) -> SourceChanged:
        return SourceChanged(
            T("{file} is not what was sealed: {why}.", file=self._name, why=why),
            T("Touch nothing, and look: recorder-sync verify"),
        )


@contextmanager
def sources_of_file(
    evidence: EvidenceFolder, path: str, size: int, digest: str, line: Line, halt: Halt
) -> Iterator[Callable[[], Source]]:
    """Yield what opens a file of the evidence folder at its start, each time anew.

    It is open as long as the block lasts. Raises OSError, and SourceChanged for what is no
    file.
    """
    above, _, name = path.rpartition("/")
    with evidence.folder(above) as folder:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(name, flags, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise SourceChanged(T("{file} is not what was sealed: {why}.", file=path,
                                  why=T("it is no file")))  # fmt: skip
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        yield source_of_open(handle, size, digest, line, halt, path)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def small_file(evidence: EvidenceFolder, path: str, digests: Digests) -> bytes:
    """Return a small file of the evidence folder.

    Raises OSError, and SourceChanged where it is not as it was sealed.
    """
    above, _, name = path.rpartition("/")
    with evidence.folder(above) as folder:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(name, flags, dir_fd=folder)
    with os.fdopen(handle, "rb") as file:
        text = file.read(LARGEST_SMALL) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
    if blake3(text).hexdigest() != digests.blake3:
        raise SourceChanged(T("{file} is not what was sealed: {why}.", file=path,
                              why=T("its digest is not the sealed one")))  # fmt: skip
    return text


def source_of_open(
    handle: int, size: int, digest: str, line: Line, halt: Halt, name: str
) -> Callable[[], Source]:
    """Return what reads an open file from its start, each time anew."""
    return lambda: Reading(_pull_from(handle, size), size, digest, line, halt, name)


def _pull_from(handle: int, size: int) -> Callable[[memoryview], int]:
    """Return what reads on from the start of an open file; what was read leaves the page cache.

    A large file of `size` bytes is read round it where that can be: it takes the processor half
    as long.
    """
    at = forgotten = 0
    if size > _STEP:
        prefer_direct(handle)

    def pull(into: memoryview) -> int:
        nonlocal at, forgotten
        count = read_any(handle, into, at)
        at += count
        # Some read by way of it all the same (files with fs-verity), and say nothing.
        if at - forgotten >= _FORGET:
            os.posix_fadvise(handle, forgotten, at - forgotten, os.POSIX_FADV_DONTNEED)
            forgotten = at
        return count

    return pull


def source_of_bytes(content: bytes, name: str, line: Line, halt: Halt) -> Callable[[], Source]:
    """Return what opens bytes in memory as a source."""

    def opened() -> Source:
        at = 0

        def pull(into: memoryview) -> int:
            nonlocal at
            found = content[at : at + len(into)]
            into[: len(found)] = found
            at += len(found)
            return len(found)

        digest = blake3(content).hexdigest()
        return Reading(pull, len(content), digest, line, halt, name)

    return opened
