"""One segment file of the custody log: lines read forward, backward, and from any number on.

A line that has no newline yet is torn, or being written just now: it is no entry. The lines
stand in the order of their numbers, so the place of one is found by halving the file, with
a dozen short reads, and no index that could be lost or lie. Whoever reads on from there
checks every link, as if the segment had been read from its start.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from recorder_sync.durable import open_for_writing, open_regular, sync_folder

_NEAR = 1 << 16
"""Bytes that are read line by line: halving them further costs more than it saves."""


def lines(segment: Path, first: int = 0) -> Iterator[bytes]:
    """Yield the whole lines from entry `first` on, and perhaps a few before it.

    Raises OSError, or ValueError for a line on the way that has no number.
    """
    with open_regular(segment) as file:
        if first > int(segment.stem):
            file.seek(_place(file, first))
        for line in file:
            if not line.endswith(b"\n"):
                return  # torn, or being written just now: the rest of it is no entry
            yield line[:-1]


def lines_backwards(segment: Path) -> Iterator[bytes]:
    """Yield the whole lines, the last one first. Raises OSError."""
    with open_regular(segment) as file:
        at = file.seek(0, os.SEEK_END)
        pieces: list[bytes] = []
        """Of the line that begins before `at`, the last piece first."""
        is_whole = False
        while at > 0:
            block = min(_NEAR, at)
            at -= block
            file.seek(at)
            first, *others = file.read(block).split(b"\n")
            if others:
                if is_whole:
                    yield b"".join([others[-1], *reversed(pieces)])
                is_whole = True
                yield from reversed(others[:-1])
                pieces = []
            pieces.append(first)
        if is_whole:
            yield b"".join(reversed(pieces))


def last_line(segment: Path) -> bytes | None:
    """Return the last whole line, setting a torn one aside first. Raises OSError."""
    with open_regular(segment) as file:
        size = os.fstat(file.fileno()).st_size
        block = _NEAR
        while True:
            start = max(0, size - block)
            file.seek(start)
            tail = file.read(size - start)
            whole, newline, torn = tail.rpartition(b"\n")
            if start == 0 or whole.count(b"\n") >= 1:
                break
            block *= 4
    if torn:
        _set_aside(segment, torn, size - len(torn))
    if not newline:
        return None
    return whole.rpartition(b"\n")[2]


def _place(file: BinaryIO, number: int) -> int:
    """Return where a line starts that is at or shortly before that of entry `number`."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while high - low > _NEAR:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()
        start = file.tell()
        line = file.readline()
        if start >= high or not line.endswith(b"\n") or _number(line) > number:
            high = middle
        else:
            low = start
    return low


def _number(line: bytes) -> int:
    try:
        found = json.loads(line)["seq"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"a line has no number: {error}") from None
    if not isinstance(found, int):
        raise ValueError("a line has no number")
    return found


def _set_aside(segment: Path, torn: bytes, whole_size: int) -> None:
    """Keep the torn bytes beside the log and cut them off the segment."""
    times = len(list(segment.parent.glob(f"{segment.stem}.torn-*")))
    beside = segment.with_suffix(f".torn-{times}-{whole_size}")
    with beside.open("xb") as file:
        file.write(torn)
        file.flush()
        os.fsync(file.fileno())
    handle = open_for_writing(segment)
    try:
        os.ftruncate(handle, whole_size)
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(segment.parent)
