"""Copies of disk images that take no more room and time than what is in them."""

import os
from errno import ENXIO
from pathlib import Path


def copy_sparsely(source: Path, target: Path) -> None:
    """Copy only where there is data; an existing target is replaced."""
    with source.open("rb") as read, target.open("wb") as written:
        size = os.fstat(read.fileno()).st_size
        written.truncate(size)
        end = 0
        while end < size:
            try:
                start = os.lseek(read.fileno(), end, os.SEEK_DATA)
            except OSError as error:
                if error.errno == ENXIO:  # a hole until the end
                    return
                raise
            end = os.lseek(read.fileno(), start, os.SEEK_HOLE)
            _copy(read.fileno(), written.fileno(), start, end)


def _copy(source: int, target: int, start: int, end: int) -> None:
    while start < end:
        done = os.copy_file_range(source, target, end - start, start, start)
        if not done:
            return
        start += done
