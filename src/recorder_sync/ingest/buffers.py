"""Memory for copying: page-aligned buffers, made once and used again.

Direct I/O wants page-aligned memory (open(2)), and touching fresh memory costs more
processor time than the copy itself. A recording that is alone on the machine runs through
a ring of buffers, which several threads work on; with more recordings than the processors
have room for, each has one buffer, so that sixteen cameras need little more memory
than one.
"""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, LifoQueue

from recorder_sync.direct_io import CHUNK, free

RING = 6
"""Buffers in a ring."""

ALONE = 1 << 20
"""Bytes in the one buffer of a recording without a ring: there may be many of them."""


class Buffers:
    """The buffers of this process, lent to one copy at a time."""

    def __init__(self) -> None:
        processors = len(os.sched_getaffinity(0))
        self._rings: LifoQueue[list[mmap.mmap]] = LifoQueue()
        self._unmade: LifoQueue[None] = LifoQueue()
        for _ in range(max(1, min(2, processors // 2))):
            self._unmade.put(None)
        self._singles: LifoQueue[mmap.mmap] = LifoQueue()

    def close(self) -> None:
        """Free what nobody has borrowed."""
        for queue in (self._rings, self._singles):
            with suppress(Empty):
                while lent := queue.get_nowait():
                    for buffer in lent if isinstance(lent, list) else [lent]:
                        free(buffer)

    @contextmanager
    def for_large(self) -> Iterator[list[mmap.mmap]]:
        """Lend a ring of RING buffers, or one buffer when other recordings have the rings."""
        ring = self._ring()
        if ring is None:
            with self.single() as buffer:
                yield [buffer]
            return
        try:
            yield ring
        finally:
            self._rings.put(ring)

    @contextmanager
    def single(self) -> Iterator[mmap.mmap]:
        """Lend one buffer."""
        try:
            buffer = self._singles.get_nowait()
        except Empty:
            buffer = mmap.mmap(-1, ALONE)
        try:
            yield buffer
        finally:
            self._singles.put(buffer)

    def _ring(self) -> list[mmap.mmap] | None:
        with suppress(Empty):
            return self._rings.get_nowait()
        with suppress(Empty):
            self._unmade.get_nowait()
            return [_in_one_page() for _ in range(RING)]
        return None


def _in_one_page() -> mmap.mmap:
    """Return memory for one CHUNK, as one large page where the kernel has it (madvise(2)).

    For direct I/O the kernel looks at every page, which costs more than starting the I/O.
    """
    buffer = mmap.mmap(-1, CHUNK, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel without large pages
        buffer.madvise(mmap.MADV_HUGEPAGE)
    return buffer
