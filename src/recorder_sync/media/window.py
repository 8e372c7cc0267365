"""Memory through which the confined processes see photos that the copying process has read back.

A photo that was just read back from the disk would be read once more to be described. Instead
it is read back into this window, which the copying process writes and a confined one can
only read. Nothing depends on it: what is too large for a place, or finds no pane free, is
described from its file.

    pane     for one group of small recordings
    place    for one of them
"""

import mmap
import os
import threading
from dataclasses import dataclass

from recorder_sync.direct_io import whole_pages

PLACES = 64
"""In one pane."""

_LARGEST = 64 << 10
"""Bytes of a recording that has a place."""

_PLACE = whole_pages(_LARGEST + 1)
"""Bytes of a place: one more than what is read shows that a file ends there."""

_PANE = PLACES * _PLACE
_PANES = 3
"""A group is copied, another one waits for that, and a third is described."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Where in the window a recording is."""

    offset: int
    size: int


class Window:
    """The memory, and which of its panes are free."""

    def __init__(self) -> None:
        """Raises OSError."""
        self.to_write = os.memfd_create("recorder-sync-window")
        """Handle for the copying process."""
        os.ftruncate(self.to_write, _PANES * _PANE)
        self.to_look_through = os.open(f"/proc/self/fd/{self.to_write}", os.O_RDONLY | os.O_CLOEXEC)
        """Handle for the confined processes: opened for reading, not a copy of the other one."""
        self._memory = mmap.mmap(self.to_write, 0)
        self._turn = threading.Lock()
        self._free = list(range(_PANES))

    def close(self) -> None:
        self._memory.close()
        os.close(self.to_look_through)
        os.close(self.to_write)

    def take(self) -> int | None:
        """Take a pane; None: all are taken. Give it back when what is in it is described."""
        with self._turn:
            return self._free.pop() if self._free else None

    def give_back(self, pane: int | None) -> None:
        """Let a pane be used for others. With the last one all memory is given back."""
        if pane is None:
            return
        with self._turn:
            self._free.append(pane)
            if len(self._free) == _PANES:
                self._memory.madvise(mmap.MADV_REMOVE)


def place_of(pane: int | None, number: int, size: int) -> int | None:
    """Return the offset of the place for one of a group, None where it has none."""
    if pane is None or number >= PLACES or size > _LARGEST:
        return None
    return pane * _PANE + number * _PLACE


def view_of(window: memoryview, place: int) -> memoryview:
    """Return the memory of a place."""
    return window[place : place + _PLACE]
