"""Brings memory into the state that it has on a computer that has been up for a while.

There, memory that no program needs holds pages of files, and a copy takes the place of what was
read longest ago. In a virtual machine, what is free may not be there at all: its host takes free
memory back, and each page of it costs much more when it is used for the first time. `cp`, which
needs a page for every page that it copies, then takes two to five times as long as otherwise, and
whatever goes round the page cache looks better than it is.
"""

import os
from pathlib import Path

import psutil

_LEFT_FREE = 384 << 20
"""Bytes: below about a quarter of a GiB the kernel itself begins to make room."""

_BLOCK = 4 << 20
_SIZE = 1 << 40
"""Bytes: many times the memory, so that its start is forgotten when its end was read."""


class PageCache:
    """Fills what is free with pages of a file that takes no room on the disk."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "empty"
        with self._file.open("xb") as file:
            file.truncate(_SIZE)
        self._at = 0
        """Up to here it was read: what is still in the page cache takes no more room."""

    def fill(self) -> None:
        """Leave little memory free."""
        free = psutil.virtual_memory().free
        with self._file.open("rb", buffering=0) as file:
            block = bytearray(_BLOCK)
            for _ in range(free // _BLOCK):
                if psutil.virtual_memory().free < _LEFT_FREE:
                    return
                os.preadv(file.fileno(), [block], self._at)
                self._at = (self._at + _BLOCK) % _SIZE


def drop_from_page_cache(path: Path) -> None:
    """Have a file read from the disk the next time."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)
