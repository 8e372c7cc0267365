"""Reads and writes round the page cache (O_DIRECT, open(2)), and the memory that this needs."""

import errno
import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 2 << 20
"""Bytes in one buffer; a multiple of every block size, as direct I/O wants."""


@contextmanager
def page_aligned() -> Iterator[mmap.mmap]:
    """Hold one buffer of its own."""
    buffer = mmap.mmap(-1, CHUNK)
    try:
        yield buffer
    finally:
        free(buffer)


def free(buffer: mmap.mmap) -> None:
    """Give the memory of a buffer back."""
    # An error on its way up still holds views of it: then it is freed with them.
    with suppress(BufferError):
        buffer.close()


def whole_pages(size: int) -> int:
    """Return the size rounded up to whole pages."""
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def prefer_direct(handle: int) -> bool:
    """Go round the page cache where the file system allows it; tell whether it does."""
    flags = fcntl.fcntl(handle, fcntl.F_GETFL)
    if flags & os.O_DIRECT:
        return True
    try:
        fcntl.fcntl(handle, fcntl.F_SETFL, flags | os.O_DIRECT)
        return True
    except OSError as error:
        if error.errno == errno.EINVAL:
            return False
        raise
