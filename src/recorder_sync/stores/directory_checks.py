"""What `stores check` tries in a directory that is to be a store."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from recorder_sync.durable import write_all
from recorder_sync.language import T
from recorder_sync.stores.partial import from_device
from recorder_sync.stores.store import Check, Verdict

_LITTLE_ROOM = 0.05
"""Part of a disk that is little: it is time to make room."""


def not_bound(store: str) -> Check:
    """Say that a store has no marker."""
    return Check(
        Verdict.BAD,
        T("it has no marker: it is not bound, or it is another store"),
        T("Run: recorder-sync stores bind {store}", store=store),
    )


def trial(folder: int) -> Iterator[Check]:
    """Write, sync, rename, read and remove a file in the open folder. Raises OSError."""
    first, second = f"trial-{os.getpid()}", f"tried-{os.getpid()}"
    wanted = os.urandom(4096)
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(first, flags, 0o640, dir_fd=folder)
        try:
            write_all(handle, wanted)
            os.fsync(handle)
            os.rename(first, second, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
            found = b"".join(from_device(handle))
            with suppress(PermissionError):
                os.fchmod(handle, 0o440)
            is_read_only = not stat.S_IMODE(os.fstat(handle).st_mode) & 0o222
        finally:
            os.close(handle)
    finally:
        for name in (first, second):
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
    if found == wanted:
        yield Check(Verdict.GOOD, T("a file can be written, synced, renamed and read back"))
    else:
        yield Check(
            Verdict.BAD,
            T("a file that was written there was read back differently"),
            T("Do not use this disk or share before it is mended."),
        )
    if is_read_only:
        yield Check(Verdict.GOOD, T("a file can be made read-only"))
    else:
        yield Check(
            Verdict.DOUBTFUL,
            T("a file cannot be made read-only: others may change it"),
            T("Set rights at the server, or mount a file system that has them."),
        )


def room(folder: int) -> Check:
    """Say how much room there is. Raises OSError."""
    state = os.fstatvfs(folder)
    return room_check(state.f_bavail * state.f_frsize, state.f_blocks * state.f_frsize)


def room_check(free: int, total: int) -> Check:
    """Say how many bytes of how many are free."""
    text = T("{free} of {total} GB are free", free=f"{free / 1e9:.1f}", total=f"{total / 1e9:.1f}")
    if total and free < total * _LITTLE_ROOM:
        return Check(Verdict.DOUBTFUL, text, T("Make room there before it is full."))
    return Check(Verdict.GOOD, text)
