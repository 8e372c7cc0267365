"""Two ways to read a file: through the page cache, and round it."""

import mmap
import os
from collections.abc import Callable
from pathlib import Path

Reader = Callable[[Path, int, int], bytes]
"""Reads so many bytes of a file from an offset, in one system call."""


def read_cached(path: Path, size: int, offset: int = 0) -> bytes:
    """Read as every program does."""
    return _read(path, size, offset, os.O_RDONLY)


def read_direct(path: Path, size: int, offset: int = 0) -> bytes:
    """Read from the device itself; size and offset are whole blocks."""
    return _read(path, size, offset, os.O_RDONLY | os.O_DIRECT)


def _read(path: Path, size: int, offset: int, flags: int) -> bytes:
    handle = os.open(path, flags)
    try:
        with mmap.mmap(-1, size) as buffer:  # a page boundary, as O_DIRECT wants it
            return buffer[: os.preadv(handle, [buffer], offset)]
    finally:
        os.close(handle)
