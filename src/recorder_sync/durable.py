"""Files and names that survive a power cut.

Data is on stable storage after fsync of the file, a name after fsync of its folder
(fsync(2)). An fsync that failed is never tried again: the kernel may have dropped the
pages and would report success (https://lwn.net/Articles/752063/).
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from recorder_sync.errors import NotRegular

LARGEST_SMALL = 64 << 20
"""Bytes of a file that is read as a whole."""

READ_ONLY = 0o440
"""Mode of a sealed file."""


def sync_folder(folder: Path) -> None:
    """Put the names in `folder` on stable storage. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_all(handle: int, data: bytes) -> None:
    """Write all of `data`; a short write goes on where it stopped. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def write_synced(path: Path, data: bytes, mode: int = 0o640) -> None:
    """Write a new file, synced. Its name is not: sync the folder when all are written.

    What stands there is removed, never written through: it may be a link to something else.
    """
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path, flags, mode)
    try:
        write_all(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_synced(path: Path, data: bytes, mode: int = 0o640) -> None:
    """Put a file there, whole or not at all, name and all synced. Raises OSError.

    Only one process may do so at a time for one path.
    """
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    write_synced(beside, data, mode)
    beside.rename(path)
    sync_folder(path.parent)


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; a pipe or a link in its place is an error, and never waits.

    Raises OSError.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotRegular(path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def open_for_writing(path: Path, flags: int = 0, mode: int = 0o640) -> int:
    """Open a file to be written, and return its descriptor; it is made with `flags` O_CREAT.

    A pipe or a link in its place is an error, and never waits. Raises OSError.
    """
    safely = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(path, os.O_WRONLY | flags | safely, mode)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotRegular(path)
    return handle


def read_regular(path: Path) -> bytes:
    """Return what a small file holds, opened as `open_regular` does.

    Raises OSError, also for a file that is larger than any key, note or list of them.
    """
    with open_regular(path) as file:
        found = file.read(LARGEST_SMALL + 1)
    if len(found) > LARGEST_SMALL:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return found


def make_folders(folder: Path, mode: int = 0o750) -> None:
    """Make `folder` and what is missing above it, each name synced. Raises OSError."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        try:
            one.mkdir(mode=mode)
        except FileExistsError:
            if not one.is_dir():
                raise
        sync_folder(one.parent)


@contextmanager
def exclusive(path: Path | str, folder: int | None = None) -> Iterator[None]:
    """Hold the lock file `path`; waits for whoever holds it. Raises OSError.

    `folder` is the open folder that it is in.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path, flags, 0o640, dir_fd=folder)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold the lock file `path` where nobody else does; yield whether. Waits for nobody.

    The kernel takes the lock from a process that dies. Raises OSError.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path, flags, 0o640)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
