"""Moves a finished copy to its place without ever replacing what is there (renameat2(2))."""

import ctypes
import errno
import os

from recorder_sync.stores.evidence import exists

_NO_REPLACE = 1
"""RENAME_NOREPLACE: the kernel looks and renames in one step."""

_NO_SUPPORT = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
"""What a kernel or a file system answers that does not know it: NFS and FUSE, for two."""

_libc = ctypes.CDLL(None, use_errno=True)


def move_into_place(part: str, source: int, final: str, target: int) -> None:
    """Rename a finished copy from one open folder to another; both are to be synced.

    Raises FileExistsError rather than replace anything, or another OSError. Where the kernel
    cannot do both in one step, somebody else's file could be put there in between.
    """
    old, new = os.fsencode(part), os.fsencode(final)
    if _libc.renameat2(source, old, target, new, _NO_REPLACE) == 0:
        return
    why = ctypes.get_errno()
    if why not in _NO_SUPPORT:
        raise OSError(why, os.strerror(why), final if why == errno.EEXIST else part)
    if exists(final, target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), final)
    os.rename(part, final, src_dir_fd=source, dst_dir_fd=target)
