"""A card's files, opened so that nothing on the card can lead us elsewhere.

Every step of a path is opened without following links, below one root handle that
stays open; reading leaves no access time behind. A volume whose device is gone can
list as empty without an error (vfat), so an absent file proves nothing by itself.
"""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from recorder_sync.errors import RecordingFailure, VolumeGone
from recorder_sync.language import T
from recorder_sync.model import CardPath

_FAR_NS = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a file from the next."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A regular file of a card, open for reading."""

    handle: int
    stamp: Stamp
    """As it was when it was opened."""
    flags: int
    """Status flags of the handle (F_SETFL, fcntl(2))."""


class Volume:
    """A mounted card or a folder, read-only, as one root."""

    def __init__(self, root: Path, is_present: Callable[[], bool] = lambda: True) -> None:
        """Open the root. Raises OSError.

        `is_present` says whether the device itself is still plugged in, where that is known.
        """
        self.root = root
        self._is_present = is_present
        self.handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        state = os.fstat(self.handle)
        self.device = state.st_dev
        self.identity = state.st_dev, state.st_ino
        self._was_empty = not os.listdir(self.handle)

    def close(self) -> None:
        os.close(self.handle)

    def full_path(self, path: CardPath) -> bytes:
        """Return the path for a confined process to open."""
        return os.fsencode(self.root) + b"/" + path.raw

    def size(self) -> int | None:
        """Return how many bytes the whole file system has; None where it does not say."""
        try:
            said = os.fstatvfs(self.handle)
        except OSError:
            return None
        return said.f_blocks * said.f_frsize or None

    @contextmanager
    def folder(self, path: CardPath) -> Iterator[int]:
        """Open a folder below the root, by handle. Raises OSError."""
        handle = os.dup(self.handle)
        try:
            for part in path.raw.split(b"/") if path.raw else ():
                inner = os.open(
                    part,
                    os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC,
                    dir_fd=handle,
                )
                os.close(handle)
                handle = inner
            yield handle
        finally:
            os.close(handle)

    @contextmanager
    def file(self, path: CardPath) -> Iterator[int]:
        """Open a regular file below the root for reading, by handle.

        Raises RecordingFailure when it is no longer a regular file on this volume,
        VolumeGone when the device is, OSError when it cannot be opened.
        """
        with self.reader() as reader, reader.file(path) as file:
            yield file.handle

    @contextmanager
    def reader(self) -> Iterator["CardReader"]:
        """Yield what opens one file after another; for one thread."""
        reader = CardReader(self)
        try:
            yield reader
        finally:
            reader.close()

    def check_present(self) -> None:
        """Raise VolumeGone when the device seems to be unplugged."""
        try:
            is_empty = not self._was_empty and not os.listdir(self.handle)
            os.statvfs(self.handle)
        except OSError:
            is_empty = True
        if is_empty or not self._is_present():
            raise gone()


def gone() -> VolumeGone:
    return VolumeGone(
        T("The card is gone: it was unplugged, or its reader failed."),
        T("Plug the device in again; what is missing is taken in then."),
    )


class CardReader:
    """Opens a card's files; the folder of the last one stays open for the next."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._path: CardPath | None = None
        self._folder = ExitStack()
        self._handle = -1

    def close(self) -> None:
        self._folder.close()
        self._path = None

    @contextmanager
    def file(self, path: CardPath) -> Iterator[OpenFile]:
        """Open a file as `Volume.file` does."""
        try:
            handle, flags = _open_quietly(path.name.raw, self._folder_of(path))
        except FileNotFoundError:
            self._volume.check_present()
            raise
        try:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode) or state.st_dev != self._volume.device:
                raise RecordingFailure(
                    T("It is no longer a regular file of this card."),
                    T("Do not use the card; hand it to the custodian."),
                )
            yield OpenFile(handle, stamp_of(state), flags)
        finally:
            os.close(handle)

    def _folder_of(self, path: CardPath) -> int:
        parent = CardPath(path.raw.rpartition(b"/")[0])
        if parent != self._path:
            self.close()
            self._handle = self._folder.enter_context(self._volume.folder(parent))
            self._path = parent
        return self._handle


def stamp(handle: int) -> Stamp:
    """Return size and modification time of an open file. Raises OSError."""
    return stamp_of(os.fstat(handle))


def stamp_of(state: os.stat_result) -> Stamp:
    """Return size and time; a time beyond 64 bits (the year 2262) counts as their end."""
    return Stamp(state.st_size, max(-_FAR_NS, min(state.st_mtime_ns, _FAR_NS)))


def _open_quietly(name: bytes, folder: int) -> tuple[int, int]:
    """Return a handle and its status flags."""
    how = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    flags = os.O_NOATIME
    try:
        handle = os.open(name, how | flags, dir_fd=folder)
    except PermissionError:  # only the owner of a file may ask for O_NOATIME
        flags = 0
        handle = os.open(name, how, dir_fd=folder)
    fcntl.fcntl(handle, fcntl.F_SETFL, flags)  # without O_NONBLOCK
    return handle, flags
