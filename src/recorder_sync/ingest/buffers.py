"""Memory for copying: page-aligned buffers, made once and used again.

Direct I/O wants page-aligned memory (open(2)), and touching fresh memory costs more
processor time than the copy itself. A recording that is alone on the machine runs through
a ring of buffers, which several threads work on; with more recordings than the processors
have room for, each has one buffer and no ring stays, so that sixteen cameras need little
more memory than one.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import mmap

from recorder_sync.direct_io import CHUNK, aligned_memory, free

RING = 4
"""Buffers in a ring."""

ALONE = CHUNK // 2
"""Bytes in the one buffer of a recording without a ring: there may be many of them, and two
share a large page."""


@dataclass(frozen=True, slots=True)
class _Ring:
    memory: list[mmap]
    buffers: list[memoryview]


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
        self._rings: list[_Ring] = []
        """Those that nobody has."""
        self._singles: list[memoryview] = []
        self._memory: list[mmap] = []
        """What the single buffers are made of."""

    def close(self) -> None:
        """Free all memory, as soon as nobody has it borrowed."""
        for ring in self._rings:
            _free(ring)
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
                with self._ring() as buffers:
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
    def _ring(self) -> Iterator[list[memoryview]]:
        with self._lock:
            ring = self._rings.pop() if self._rings else _new_ring()
        try:
            yield ring.buffers
        finally:
            with self._lock:
                stays = self._large <= self._most_rings
                if stays:
                    self._rings.append(ring)
            if not stays:
                _free(ring)


def _new_ring() -> _Ring:
    memory = [aligned_memory() for _ in range(RING)]
    return _Ring(memory, [memoryview(one) for one in memory])


def _free(ring: _Ring) -> None:
    for buffer in ring.buffers:
        buffer.release()
    for memory in ring.memory:
        free(memory)
