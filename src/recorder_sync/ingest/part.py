"""Partial copies on the evidence disk."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recorder_sync.ingest.engine import not_written

NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL
"""Flags to open one that must not be there yet."""


@dataclass(frozen=True, slots=True)
class PartFolder:
    """The folder of one docking's partial copies: this one, not whatever has its name."""

    path: Path
    identity: tuple[int, int]
    """Device and inode."""

    def is_there(self) -> bool:
        """Tell whether the name still leads to the folder."""
        try:
            return _identity(self.path.stat()) == self.identity
        except OSError:
            return False

    @contextmanager
    def held(self) -> Iterator[int]:
        """Hold the folder itself open. Raises WriteFailed."""
        try:
            folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise not_written(error) from error
        try:
            if _identity(os.fstat(folder)) != self.identity:
                raise not_written(OSError(errno.ESTALE, os.strerror(errno.ESTALE)))
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def opened(self, part: Path, flags: int, mode: int = 0) -> Iterator[int]:
        """Hold a partial copy open, never through a link. Raises WriteFailed."""
        with self.held() as folder:
            handle = opened_in(folder, part.name, flags, mode)
        try:
            yield handle
        finally:
            os.close(handle)


def opened_in(folder: int, name: str, flags: int, mode: int = 0) -> int:
    """Open a partial copy in the open `folder`, never through a link. Raises WriteFailed."""
    try:
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder)
    except OSError as error:
        raise not_written(error) from error


def part_folder(path: Path) -> PartFolder:
    """Return the folder that has this name now. Raises OSError."""
    return PartFolder(path, _identity(path.stat()))


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino
