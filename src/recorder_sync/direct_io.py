"""Reads and writes round the page cache (O_DIRECT, open(2)), and the memory that this needs.

For each of them the kernel looks at every page of that memory. Where it has large pages
(madvise(2)), a buffer is one of them: a read of a GiB then takes half the processor time.
"""

import errno
import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 2 << 20
"""Bytes in one buffer; a multiple of every block size, as direct I/O wants."""


@contextmanager
def page_aligned(size: int = CHUNK) -> Iterator[memoryview]:
    """Hold one buffer of its own."""
    memory = aligned_memory(size)
    try:
        with memoryview(memory) as buffer:
            yield buffer
    finally:
        free(memory)


def aligned_memory(size: int = CHUNK) -> mmap.mmap:
    """Return new memory; that of a whole chunk is one large page where the kernel has it."""
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if size >= CHUNK:
        with suppress(OSError):  # a kernel without large pages
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def free(memory: mmap.mmap) -> None:
    """Give memory back."""
    # An error on its way up still holds views of it: then it is freed with them.
    with suppress(BufferError):
        memory.close()


def whole_pages(size: int) -> int:
    """Return the size rounded up to whole pages."""
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def prefer_direct(handle: int, flags: int | None = None) -> bool:
    """Go round the page cache where the file system allows it; tell whether it does.

    `flags` are the status flags of the open file (F_SETFL, fcntl(2)), where they are known.
    """
    if flags is None:
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


def through_cache(handle: int) -> None:
    """Read and write through the page cache from now on. Raises OSError."""
    flags = fcntl.fcntl(handle, fcntl.F_GETFL)
    fcntl.fcntl(handle, fcntl.F_SETFL, flags & ~os.O_DIRECT)


def read_any(handle: int, into: memoryview, at: int) -> int:
    """Read a file into whatever memory there is; return how many bytes. Raises OSError.

    What direct reading does not take (EINVAL: the end of a file, memory that is not aligned) is
    read through the page cache, and so is all that follows.
    """
    try:
        return os.preadv(handle, [into], at)
    except OSError as error:
        if error.errno != errno.EINVAL or not fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_DIRECT:
            raise
    through_cache(handle)
    return os.preadv(handle, [into], at)
