"""What can be read of a recording that cannot be read as a whole.

A bad sector costs one recording, not the card, and not all of the recording either: what
is readable is copied to its place, what is not is zeros, and a map says which is which.
Such a copy is never the recording: it is sealed beside it, flagged, and the recording
counts as failed until a reader is found that reads all of it.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from mmap import PAGESIZE

from recorder_sync.errors import RecordingFailure
from recorder_sync.language import T
from recorder_sync.model import Range

_BLOCK = 64 << 10
_LIMIT_S = 600.0
"""Seconds after which the rest of a recording counts as unreadable: a dying card can take
half a minute for every sector."""


def salvaged(
    source: int,
    size: int,
    view: memoryview,
    check_present: Callable[[], None],
    between: Callable[[], None],
) -> Iterator[tuple[int, list[Range]]]:
    """Fill `view` again and again with the open file's bytes, zeros where it has none.

    Yields how many bytes are in it, and which ranges of the file among them could not be
    read. Raises what `check_present` raises when the card is gone, and `between` at a
    request to stop.
    """
    until = time.monotonic() + _LIMIT_S
    for at in range(0, size, len(view)):
        count = min(len(view), size - at)
        missing: list[Range] = []
        for block in _parts(at, count, _BLOCK):
            between()
            inside = view[block.offset - at : block.end - at]
            if time.monotonic() > until:
                missing.append(_blank(inside, block))
            elif not _reads(source, inside, block.offset):
                check_present()
                for page in _parts(block.offset, block.length, PAGESIZE):
                    inside = view[page.offset - at : page.end - at]
                    if not _reads(source, inside, page.offset):
                        missing.append(_blank(inside, page))
        yield count, missing


def merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Return the same ranges in order, those that touch or overlap joined."""
    joined: list[Range] = []
    for one in sorted(ranges):
        if joined and one.offset <= joined[-1].end:
            before = joined.pop()
            joined.append(Range(before.offset, max(before.end, one.end) - before.offset))
        else:
            joined.append(one)
    return tuple(joined)


def partly_readable(
    missing: tuple[Range, ...], size: int, why: RecordingFailure
) -> RecordingFailure:
    """Say that a recording is not in, and that a salvage copy of it is."""
    return RecordingFailure(
        T(
            "{text} All but {missing} of {size} bytes is kept as a salvage copy, "
            "which is not the whole recording.",
            text=why.text,
            missing=sum(one.length for one in missing),
            size=size,
        ),
        why.hint,
    )


def _parts(offset: int, length: int, step: int) -> Iterator[Range]:
    for at in range(offset, offset + length, step):
        yield Range(at, min(step, offset + length - at))


def _reads(source: int, view: memoryview, at: int) -> bool:
    filled = 0
    while filled < len(view):
        try:
            count = os.preadv(source, [view[filled:]], at + filled)
        except OSError:
            return False
        if count == 0:
            return False
        filled += count
    return True


def _blank(view: memoryview, where: Range) -> Range:
    view[:] = bytes(len(view))
    return where
