"""Memory for copying: page-aligned buffers, made once and used again.

Direct I/O wants page-aligned memory (open(2)), and touching fresh memory costs more
processor time than the copy itself. A recording that is alone on the machine runs through
a ring of buffers, which several threads work on; with more recordings than the processors
have room for, each has one buffer, so that sixteen cameras need little more memory
than one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from mmap import mmap
from queue import Empty, LifoQueue

from recorder_sync.direct_io import CHUNK, aligned_memory, free

RING = 6
"""Buffers in a ring."""

ALONE = CHUNK // 2
"""Bytes in the one buffer of a recording without a ring: there may be many of them."""


class Buffers:
    """The buffers of this process, lent to one copy at a time."""

    def __init__(self) -> None:
        processors = len(os.sched_getaffinity(0))
        self._rings: LifoQueue[list[memoryview]] = LifoQueue()
        self._unmade: LifoQueue[None] = LifoQueue()
        for _ in range(max(1, min(2, processors // 2))):
            self._unmade.put(None)
        self._singles: LifoQueue[memoryview] = LifoQueue()
        self._made: list[mmap] = []

    def close(self) -> None:
        """Free all memory, as soon as nobody has it borrowed."""
        for queue in (self._rings, self._singles):
            with suppress(Empty):
                while lent := queue.get_nowait():
                    for buffer in lent if isinstance(lent, list) else [lent]:
                        buffer.release()
        for memory in self._made:
            free(memory)

    @contextmanager
    def for_large(self) -> Iterator[list[memoryview]]:
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
    def single(self) -> Iterator[memoryview]:
        """Lend one buffer."""
        try:
            buffer = self._singles.get_nowait()
        except Empty:
            buffer, *others = self._new(ALONE)
            for other in others:
                self._singles.put(other)
        try:
            yield buffer
        finally:
            self._singles.put(buffer)

    def _ring(self) -> list[memoryview] | None:
        with suppress(Empty):
            return self._rings.get_nowait()
        with suppress(Empty):
            self._unmade.get_nowait()
            return [buffer for _ in range(RING) for buffer in self._new(CHUNK)]
        return None

    def _new(self, size: int) -> list[memoryview]:
        """Make buffers of a size; those of ALONE bytes share a large page."""
        memory = aligned_memory()
        self._made.append(memory)
        return [memoryview(memory)[at : at + size] for at in range(0, CHUNK, size)]
