"""Reads a copy back from the device, and says honestly whether it was the device.

After a write and an fsync every page is still in memory: an ordinary read proves
nothing about the disk. O_DIRECT goes round the page cache (open(2)). Where a file
system refuses it, the cached pages are dropped (posix_fadvise(2)), and of every chunk the
kernel is asked first whether memory has any of it (`page_cache.py`): what it has did not
come from the device. A file system that lives in memory or behind a server or a user
program cannot prove anything here. What no read-back can see: a disk with a cache of
its own may answer from that.
"""

import mmap
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from blake3 import blake3

from recorder_sync.direct_io import prefer_direct, whole_pages
from recorder_sync.page_cache import may_be_in_memory


class ReadBack(StrEnum):
    """What the read-back of a copy proves."""

    DIRECT = "direct"
    """Read from the device, round the page cache."""
    UNCACHED = "uncached"
    """Read after the cached pages were dropped, and none answered from memory."""
    UNVERIFIED = "unverified"
    """Read, but perhaps from memory: the medium is not verified."""
    OFF = "off"
    """Not read back: switched off in the configuration."""

    @property
    def proves_medium(self) -> bool:
        return self in (ReadBack.DIRECT, ReadBack.UNCACHED)


@dataclass(frozen=True, slots=True)
class Read:
    blake3: str
    size: int
    proof: ReadBack


def read_back(
    handle: int,
    buffer: memoryview,
    on_device: bool,
    advanced: Callable[[int], None] = lambda _: None,
    between: Callable[[], None] = lambda: None,
    *,
    spare: memoryview | None = None,
    size: int | None = None,
    flags: int | None = None,
) -> Read:
    """Read the whole file and return its digest and what that proves.

    `buffer` is page-aligned (`buffers.py`); `on_device` is `has_device` (`medium.py`);
    `advanced` is told the bytes of each chunk; `between` is called before each and may
    raise. With a `spare` buffer of the same size, what is in the one is hashed while the
    other is filled. `size` is what the file should have, and `flags` are its status flags
    (F_SETFL, fcntl(2)), where they are known. Raises OSError.
    """
    direct = prefer_direct(handle, flags)
    if not direct:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_RANDOM)
    digest = blake3()
    if size is None:
        size = os.fstat(handle).st_size
    view = buffer[: whole_pages(size + 1)]
    other = spare if spare is not None and size >= len(buffer) else None
    at = 0
    from_memory = False
    with _taken_by(digest, beside=other is not None) as take:
        while True:
            between()
            if not direct and not from_memory:
                from_memory = may_be_in_memory(handle, at, min(len(view), size - at))
            count = _fill(handle, view, at)
            take(view[:count])
            at += count
            advanced(count)
            if count < len(view):
                break
            if other is not None:
                view, other = other, view
    if not on_device or (from_memory and not direct):
        proof = ReadBack.UNVERIFIED
    else:
        proof = ReadBack.DIRECT if direct else ReadBack.UNCACHED
    return Read(digest.hexdigest(), at, proof)


@contextmanager
def _taken_by(digest: blake3, *, beside: bool) -> Iterator[Callable[[memoryview], object]]:
    """Hold what takes the bytes that were read; at the end the digest has all of them.

    `beside` has another thread compute: bytes may be changed when the next ones are taken.
    """
    if not beside:
        yield digest.update
        return
    with ThreadPoolExecutor(1, thread_name_prefix="digest") as thread:
        under_way = thread.submit(digest.update, b"")

        def take(data: memoryview) -> None:
            nonlocal under_way
            under_way.result()
            under_way = thread.submit(digest.update, data)

        yield take
        under_way.result()


def _fill(handle: int, view: memoryview, at: int) -> int:
    filled = 0
    while filled < len(view):
        count = os.preadv(handle, [view[filled:]], at + filled)
        filled += count
        if count == 0 or filled % mmap.PAGESIZE:
            break  # only the end of a file is not a whole number of pages
    return filled
