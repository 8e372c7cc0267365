"""What lies in a drop folder: regular files below its root, by size and time.

No link is followed and no other mount entered, so nothing that somebody puts there leads
out of the folder.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recorder_sync.ingest.volume import Stamp, stamp_of
from recorder_sync.model import CardPath

_DEEPEST = 64
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def opened(root: Path) -> Iterator[int]:
    """Open a drop folder, by handle. Raises OSError."""
    handle = os.open(root, _FOLDER)
    try:
        yield handle
    finally:
        os.close(handle)


def scan(root: int, failed: Callable[[CardPath, OSError], None]) -> dict[CardPath, Stamp]:
    """Return every file below the root; `failed` is told of folders that cannot be read.

    Raises OSError when the root itself cannot be.
    """
    device = os.fstat(root).st_dev
    found: dict[CardPath, Stamp] = {}
    waiting = [CardPath(b"")]
    while waiting:
        here = waiting.pop()
        try:
            with _folder(root, here) as handle:
                for name in map(os.fsencode, os.listdir(handle)):
                    state = _state(name, handle, device)
                    if state and stat.S_ISREG(state.st_mode):
                        found[here / name] = stamp_of(state)
                    elif state and here.raw.count(b"/") < _DEEPEST:
                        waiting.append(here / name)
        except OSError as error:
            if not here.raw:
                raise
            failed(here, error)
    return found


def look(root: int, path: CardPath) -> Stamp | None:
    """Return the state of one file below the root, None when it is none."""
    try:
        with _folder(root, CardPath(path.raw.rpartition(b"/")[0])) as handle:
            state = _state(path.name.raw, handle, os.fstat(root).st_dev)
    except OSError:
        return None
    return stamp_of(state) if state and stat.S_ISREG(state.st_mode) else None


@contextmanager
def _folder(root: int, path: CardPath) -> Iterator[int]:
    handle = os.dup(root)
    try:
        for name in path.raw.split(b"/") if path.raw else ():
            inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def _state(name: bytes, folder: int, device: int) -> os.stat_result | None:
    """Return the state of a file or folder of this file system, None for anything else."""
    try:
        state = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    is_ours = stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode)
    return state if is_ours and state.st_dev == device else None
