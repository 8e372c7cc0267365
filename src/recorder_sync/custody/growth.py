"""How many entries the log has, told from its files alone: without its lock, and cheaply.

Commands, the daemon and the unit that clears cards all append, so no process knows the
number by itself. A look is one stat of the segment in use, some 2 microseconds; only what
was added since is read, and its newlines counted. Nobody who appends ever waits for it.
"""

import os
from pathlib import Path

from recorder_sync.custody.log import SEGMENT_ENTRIES
from recorder_sync.durable import open_regular

_BLOCK = 1 << 20


class LogGrowth:
    """Follows the log in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._segment: Path | None = None
        self._read = 0
        """Bytes of the segment that are counted."""
        self._entries = 0
        """Entries in them."""

    def entries(self) -> int:
        """Return the number of entries, those that are being written included.

        Raises OSError.
        """
        if self._segment is None:
            self._begin(max(self._folder.glob("[0-9]" * 20 + ".jsonl"), default=None))
        if self._segment is None:
            return 0
        self._count()
        while self._entries >= SEGMENT_ENTRIES:  # where the next one begins is its name
            following = self._folder / f"{self._number():020d}.jsonl"
            if not following.exists():
                break
            self._begin(following)
            self._count()
        return self._number()

    def _number(self) -> int:
        return (int(self._segment.stem) if self._segment else 0) + self._entries

    def _begin(self, segment: Path | None) -> None:
        self._segment, self._read, self._entries = segment, 0, 0

    def _count(self) -> None:
        assert self._segment is not None
        size = os.stat(self._segment).st_size
        if size == self._read:
            return
        if size < self._read:  # a torn line was set aside
            self._begin(self._segment)
        with open_regular(self._segment) as file:
            file.seek(self._read)
            while block := file.read(_BLOCK):
                self._entries += block.count(b"\n")
                self._read += len(block)
