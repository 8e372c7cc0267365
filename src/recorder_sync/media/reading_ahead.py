"""Has the disk read the ends of many photos at once, instead of one after the other.

A photo's headers are at its start, and its end mark is at its end; a copy that was just made
is on the disk only. Asked for one by one, each waits for the disk twice (posix_fadvise(2)).
Runs in the confined process only.
"""

import os
from collections.abc import Sequence
from contextlib import suppress

_END = 1 << 16
"""Bytes of each end: most that is looked at (`containers.py`)."""


def read_ahead(paths: Sequence[bytes]) -> None:
    """Begin to read both ends of these files. What cannot be opened is met again later."""
    for path in paths:
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                size = os.fstat(handle).st_size
                if size <= 2 * _END:
                    os.posix_fadvise(handle, 0, size, os.POSIX_FADV_WILLNEED)
                else:
                    os.posix_fadvise(handle, 0, _END, os.POSIX_FADV_WILLNEED)
                    os.posix_fadvise(handle, size - _END, _END, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(handle)
