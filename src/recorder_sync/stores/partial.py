"""Writes an object as a partial file that a later try goes on with.

What is there already is compared with the source byte by byte: the source is read from its
start anyhow, to be hashed. From the first chunk that differs on, all is written again. Each
stretch is put on the disk before the next: what a power cut leaves is worth resuming, and
the memory of a small computer is not filled with what a slow share has yet to take.
"""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import suppress

from blake3 import blake3

from recorder_sync.direct_io import page_aligned, prefer_direct
from recorder_sync.durable import write_all
from recorder_sync.language import T
from recorder_sync.stores.store import (
    Course,
    Outgoing,
    Source,
    SourceChanged,
    StoreProblem,
    Trouble,
)

CHUNK = 1 << 20
_STRETCH = 64 << 20
"""Bytes after which what was written is put on the disk."""

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


def write_partial(
    name: str, folder: int, item: Outgoing, source: Callable[[], Source], course: Course
) -> None:
    """Have the whole object, synced, in a file of the open folder.

    Raises OSError, StoreProblem where somebody else writes it at this moment, and what the
    source and the course raise. The file stays for the next try, but for one whose sync
    failed: the kernel may have dropped what it could not write.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(name, flags, 0o640, dir_fd=folder)
    try:
        _take_turn(handle, name, folder, item.key)
        size = _fill(handle, source(), course)
        if size != item.size:
            raise SourceChanged(
                T("{key} has {size} bytes, not the {sealed} that it was sealed with.",
                  key=item.key, size=size, sealed=item.size)
            )  # fmt: skip
        os.ftruncate(handle, size)
        _sync(handle)
    except OSError as error:
        if error.errno == errno.EIO:
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
        raise
    except SourceChanged:
        os.unlink(name, dir_fd=folder)
        raise
    finally:
        os.close(handle)


def same_object(handle: int, item: Outgoing, source: Callable[[], Source]) -> bool:
    """Tell whether an open file holds this object. Raises OSError and what the source raises."""
    if os.fstat(handle).st_size != item.size:
        return False
    if item.digests is None:
        origin = source()
        is_same = all(origin.read(len(chunk)) == chunk for chunk in from_device(handle))
        return is_same and not origin.read(1)
    digest = blake3()
    for chunk in from_device(handle):
        digest.update(chunk)
    return digest.hexdigest() == item.digests.blake3


def from_device(handle: int) -> Iterator[bytes]:
    """Yield a file's bytes, round the page cache where that can be. Raises OSError."""
    if not prefer_direct(handle):
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    at = 0
    with page_aligned() as buffer:
        while count := os.preadv(handle, [buffer], at):
            yield bytes(buffer[:count])
            at += count
            if count % os.sysconf("SC_PAGESIZE"):  # the end: no direct read may begin there
                return


def _take_turn(handle: int, name: str, folder: int, key: str) -> None:
    """Refuse what another process or station is writing, or has just finished."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        there = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if os.path.samestat(there, os.fstat(handle)):
            return
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return
        raise
    raise StoreProblem(Trouble.OBJECT, T("{key} is being written by somebody else.", key=key))


def _fill(handle: int, source: Source, course: Course) -> int:
    """Bring the file to what the source gives; return the source's size."""
    at = synced = 0
    is_same = True
    while chunk := source.read(CHUNK):
        if is_same and os.pread(handle, len(chunk), at) != chunk:
            is_same = False
            os.ftruncate(handle, at)
            os.lseek(handle, at, os.SEEK_SET)
        if not is_same:
            write_all(handle, chunk)
        at += len(chunk)
        course.sent(len(chunk))
        if at - synced >= _STRETCH:
            _sync(handle)
            os.posix_fadvise(handle, synced, at - synced, os.POSIX_FADV_DONTNEED)
            synced = at
    return at


def _sync(handle: int) -> None:
    """Put a file on the disk. A sync that failed is reported as EIO, whatever it said."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(errno.EIO, os.strerror(errno.EIO)) from error
