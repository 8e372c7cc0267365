"""Memory for copying: page-aligned buffers, made once and used again.

Direct I/O wants page-aligned memory (open(2)), and touching fresh memory costs more
processor time than the copy itself. A recording that is alone on the machine runs through
a ring of buffers, which several threads work on; with more recordings than the processors
have room for, each has one buffer and no ring stays, so that sixteen cameras need little
more memory than one.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from mmap import mmap

from recorder_sync.direct_io import CHUNK, aligned_memory, free

RING = 4
"""Buffers in a ring."""

ALONE = CHUNK // 2
"""Bytes in the one buffer of a recording without a ring: there may be many of them, and two
share a large page."""


def is_ring(buffers: list[memoryview]) -> bool:
    """Tell whether a copy has a ring, and not one buffer alone."""
    return len(buffers) == RING


class Buffers:
    """The buffers of this process, lent to one copy at a time."""

    def __init__(self, *, for_pairs: bool = False) -> None:
        """`for_pairs`: two recordings share the thread for SHA-256, so both have a ring."""
        processors = len(os.sched_getaffinity(0))
        self._most_rings = max(1, min(2, processors if for_pairs else processors // 2))
        self._lock = threading.Lock()
        self._large = 0
        """Large recordings that have buffers just now."""
        self._chunks: list[mmap] = []
        """Memory of CHUNK bytes that nobody has."""
        self._singles: list[memoryview] = []
        self._memory: list[mmap] = []
        """What the single buffers are made of."""

    def close(self) -> None:
        """Free all memory, as soon as nobody has it borrowed."""
        for memory in self._chunks:
            free(memory)
        for buffer in self._singles:
            buffer.release()
        for memory in self._memory:
            free(memory)

    @contextmanager
    def for_large(self) -> Iterator[list[memoryview]]:
        """Lend a ring of RING buffers, or one buffer where other recordings are copied too."""
        with self._lock:
            has_room = self._large < self._most_rings
            self._large += 1
        try:
            if has_room:
                with self._lent(RING, lambda: self._large <= self._most_rings) as buffers:
                    yield buffers
            else:
                with self.single() as buffer:
                    yield [buffer]
        finally:
            with self._lock:
                self._large -= 1

    @contextmanager
    def single(self) -> Iterator[memoryview]:
        """Lend one buffer."""
        with self._lock:
            if not self._singles:
                memory = aligned_memory()
                self._memory.append(memory)
                self._singles += [memoryview(memory)[:ALONE], memoryview(memory)[ALONE:]]
            buffer = self._singles.pop()
        try:
            yield buffer
        finally:
            with self._lock:
                self._singles.append(buffer)

    @contextmanager
    def for_reading_back(self) -> Iterator[tuple[memoryview, memoryview]]:
        """Lend two buffers of CHUNK bytes: one is filled while the other is worked on."""
        with self._lent(2, lambda: True) as (one, other):
            yield one, other

    @contextmanager
    def _lent(self, count: int, stays: Callable[[], bool]) -> Iterator[list[memoryview]]:
        """Lend buffers of CHUNK bytes; `stays` tells at the end whether their memory does."""
        with self._lock:
            memory = [
                self._chunks.pop() if self._chunks else aligned_memory() for _ in range(count)
            ]
        buffers = [memoryview(one) for one in memory]
        try:
            yield buffers
        finally:
            for buffer in buffers:
                buffer.release()
            with self._lock:
                is_kept = stays()
                if is_kept:
                    self._chunks += memory
            if not is_kept:
                for one in memory:
                    free(one)
