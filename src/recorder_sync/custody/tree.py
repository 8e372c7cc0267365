"""The tree's hashes on disk: a file a level, so that a proof reads a few dozen of them.

An index over the log, which it can be made from at any time. A level's file holds the
hashes of all complete subtrees of that height, 32 bytes each, in order. Levels are
written from the top down and level 0 last, each synced: what level 0 has, the others have.
"""

import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from recorder_sync.custody import merkle
from recorder_sync.durable import make_folders, open_for_writing, open_regular, sync_folder

_HASH = 32
_BATCH = 1 << 16
_BLOCK = 1 << 20


class HashTree:
    """The tree in one folder. Only one may extend it at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def size(self) -> int:
        """Number of entries whose leaves are in the tree."""
        try:
            return self._level(0).stat().st_size // _HASH
        except FileNotFoundError:
            return 0

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add the hashes of the entries that follow. Raises OSError."""
        make_folders(self._folder)
        batch: list[bytes] = []
        for leaf in leaves:
            batch.append(leaf)
            if len(batch) == _BATCH:
                self._append(batch)
                batch = []
        if batch:
            self._append(batch)

    def forget(self) -> None:
        """Remove it, to be made anew. Raises OSError."""
        for path in self._folder.glob("level-*"):
            path.unlink()

    def begins(self, other: "HashTree") -> bool:
        """Tell whether this tree is whole, and the other has every hash of it. Raises OSError."""
        size = self.size
        levels = [self._level(level) for level in range(size.bit_length())]
        lengths = [(size >> level) * _HASH for level in range(size.bit_length())]
        return {*levels} == {*self._folder.glob("level-*")} and all(
            path.stat().st_size == length and _begins(path, other._folder / path.name)
            for path, length in zip(levels, lengths, strict=True)
        )

    def node(self, level: int, number: int) -> bytes:
        """Return the hash of a complete subtree. Raises OSError, or ValueError for none."""
        with open_regular(self._level(level)) as file:
            file.seek(number * _HASH)
            found = file.read(_HASH)
        if len(found) != _HASH:
            raise ValueError(f"the tree has no node {number} of level {level}")
        return found

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` entries. Raises OSError or ValueError."""
        return merkle.root(size, self.node)

    def _append(self, leaves: list[bytes]) -> None:
        first = self.size
        new: list[tuple[int, list[bytes]]] = [(first, leaves)]
        while len(new[-1][1]) > 0:
            level = len(new)
            begin, hashes = new[-1]
            if begin % 2:  # its left sibling waited for it
                begin, hashes = begin - 1, [self.node(level - 1, begin - 1), *hashes]
            pairs = zip(hashes[::2], hashes[1::2], strict=False)
            new.append((begin // 2, [merkle.node(left, right) for left, right in pairs]))
        with ExitStack() as stack:
            is_new = not self._level(len(new) - 2).exists()
            for level in reversed(range(len(new) - 1)):
                begin, hashes = new[level]
                handle = open_for_writing(self._level(level), os.O_CREAT)
                stack.callback(os.close, handle)
                os.pwrite(handle, b"".join(hashes), begin * _HASH)
                os.ftruncate(handle, (begin + len(hashes)) * _HASH)
                os.fsync(handle)
        if is_new:
            sync_folder(self._folder)

    def _level(self, level: int) -> Path:
        return self._folder / f"level-{level:02d}"


def _begins(short: Path, long: Path) -> bool:
    if not long.exists() or short.stat().st_size > long.stat().st_size:
        return False
    with open_regular(short) as ours, open_regular(long) as theirs:
        while block := ours.read(_BLOCK):
            if theirs.read(len(block)) != block:
                return False
    return True
