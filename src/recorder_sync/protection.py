"""The immutable flag: what keeps a finished file from being changed, root's programs included.

A file that has it cannot be written, renamed, linked or removed by anybody (ioctl_iflags(2))
until somebody with CAP_LINUX_IMMUTABLE takes it off. Not every file system has it, and not
every user may set it; then read-only is what is left, and the answer says so.
"""

import array
import errno
import fcntl
import os
from enum import StrEnum

from recorder_sync.durable import READ_ONLY

_GET_FLAGS = 0x80086601
_SET_FLAGS = 0x40086602
_IMMUTABLE = 0x10
_NO_FLAGS = (errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


class Protection(StrEnum):
    """What keeps a sealed file from being changed."""

    IMMUTABLE = "immutable"
    READ_ONLY_SWITCHED_OFF = "read-only: switched off in the configuration"
    READ_ONLY_NO_SUPPORT = "read-only: the file system has no immutable flag"
    READ_ONLY_NO_RIGHT = "read-only: this user may not set the immutable flag"


def protect(handle: int, *, immutable: bool) -> Protection:
    """Make an open file read-only, and immutable where wanted and possible. Raises OSError.

    A file that is immutable already is left as it is: even its mode is fixed.
    """
    flags = _flags(handle)
    if flags is not None and flags & _IMMUTABLE:
        return Protection.IMMUTABLE
    os.fchmod(handle, READ_ONLY)
    if not immutable:
        return Protection.READ_ONLY_SWITCHED_OFF
    if flags is None:
        return Protection.READ_ONLY_NO_SUPPORT
    return _set_immutable(handle, flags)


def unprotect(name: str | os.PathLike[str], folder: int | None = None) -> None:
    """Take the immutable flag off a file that is no evidence; that never loses it here."""
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        flags = _flags(handle)
        if flags is not None and flags & _IMMUTABLE:
            fcntl.ioctl(handle, _SET_FLAGS, array.array("l", [flags & ~_IMMUTABLE]))
    finally:
        os.close(handle)


def _flags(handle: int) -> int | None:
    """Return an open file's flags, None where the file system has none."""
    flags = array.array("l", [0])
    try:
        fcntl.ioctl(handle, _GET_FLAGS, flags, True)
    except OSError as error:
        if error.errno in _NO_FLAGS:
            return None
        raise
    return flags[0]


def _set_immutable(handle: int, flags: int) -> Protection:
    try:
        fcntl.ioctl(handle, _SET_FLAGS, array.array("l", [flags | _IMMUTABLE]))
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            return Protection.READ_ONLY_NO_RIGHT
        if error.errno in _NO_FLAGS:
            return Protection.READ_ONLY_NO_SUPPORT
        raise
    return Protection.IMMUTABLE
