"""What keeps a sealed file from being changed: read-only, the immutable flag, fs-verity.

Read-only is a matter of the file's mode. The immutable flag (FS_IOC_SETFLAGS,
ioctl_iflags(2)) stops everybody who may not take it away, root's programs included.
fs-verity has the kernel hash the file once and check every later read against that: a
byte changed below the file system, on the disk itself, cannot be read any more
(https://docs.kernel.org/filesystems/fsverity.html). None of them stops somebody with
root from putting another file in the place of this one; the custody log shows that.

The order is fixed by the kernel: fs-verity needs a file that this user may write and
nobody writes, so it comes first; the mode is next; the immutable flag forbids both.
"""

import array
import errno
import fcntl
import os
import stat
import struct
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from recorder_sync.durable import READ_ONLY

_GET_FLAGS = 0x80086601
_SET_FLAGS = 0x40086602
_IMMUTABLE = 0x10

_ENABLE_VERITY = 0x40806685
_MEASURE_VERITY = 0xC0046686
_ENABLE_ARGUMENT = struct.Struct("=4IQ2IQ88x")
"""struct fsverity_enable_arg: version, hash, block size, salt, signature, reserved."""
_SHA256 = 1
_BLOCK_SIZE = 4096
_OPEN_MODE = 0o640
"""Mode of a file while fs-verity is put in force: its owner has to be allowed to write it."""
_WRITER_GOES_WITHIN_S = 5.0
"""Seconds: a process that is just being started holds what this one has open for writing."""

_NO_FLAGS = (errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_NO_VERITY = (errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENOPKG)


class Protection(StrEnum):
    """What keeps a sealed file from being changed."""

    IMMUTABLE = "immutable"
    READ_ONLY_SWITCHED_OFF = "read-only: switched off in the configuration"
    READ_ONLY_NO_SUPPORT = "read-only: the file system has no immutable flag"
    READ_ONLY_NO_RIGHT = "read-only: this user may not set the immutable flag"


class Verity(StrEnum):
    """Whether the kernel checks what is read of a sealed file."""

    IN_FORCE = "every read is checked"
    SWITCHED_OFF = "switched off in the configuration"
    NO_SUPPORT = "the file system or the kernel has none"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the configuration asks for, beyond read-only."""

    immutable: bool
    verity: bool


@dataclass(frozen=True, slots=True)
class InForce:
    """What it came to."""

    protection: Protection
    verity: Verity


def protect(name: str | Path, folder: int | None, wanted: Wanted) -> InForce:
    """Make a file read-only, and what else is wanted, where that can be. Raises OSError.

    A file that is immutable already is left as it is: even its mode is fixed. `folder` is
    the open folder that `name` is in. Nobody may have the file open for writing.
    """
    if is_protected(name, folder, wanted):
        return InForce(Protection.READ_ONLY_SWITCHED_OFF, Verity.SWITCHED_OFF)
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        flags = _flags(handle)
        is_fixed = flags is not None and bool(flags & _IMMUTABLE)
        verity = _verity(handle, wanted, is_fixed=is_fixed)
        if is_fixed:
            return InForce(Protection.IMMUTABLE, verity)
        os.fchmod(handle, READ_ONLY)
        return InForce(_immutable(handle, flags, wanted), verity)
    finally:
        os.close(handle)


def is_protected(name: str | Path, folder: int | None, wanted: Wanted) -> bool:
    """Tell whether a file is read-only, and nothing else is wanted. Raises OSError."""
    if wanted != Wanted(immutable=False, verity=False):
        return False
    state = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return stat.S_IMODE(state.st_mode) == READ_ONLY


def unprotect(name: str | Path, folder: int | None = None) -> None:
    """Take the immutable flag off a file that is no evidence; that never loses it here."""
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        flags = _flags(handle)
        if flags is not None and flags & _IMMUTABLE:
            fcntl.ioctl(handle, _SET_FLAGS, array.array("l", [flags & ~_IMMUTABLE]))
    finally:
        os.close(handle)


def is_immutable(handle: int) -> bool:
    """Tell whether an open file has the immutable flag. Raises OSError."""
    flags = _flags(handle)
    return flags is not None and bool(flags & _IMMUTABLE)


def measured(handle: int) -> str | None:
    """Return an open file's fs-verity digest as `sha256:` and hex; None: it has none.

    The kernel keeps it, nothing is read. Raises OSError.
    """
    digest = bytearray(struct.pack("=2H", 0, 64) + bytes(64))
    try:
        fcntl.ioctl(handle, _MEASURE_VERITY, digest)
    except OSError as error:
        if error.errno in (errno.ENODATA, *_NO_VERITY):
            return None
        raise
    algorithm, size = struct.unpack_from("=2H", digest)
    if algorithm != _SHA256:  # somebody else's: not what this program put in force
        return None
    return f"sha256:{digest[4 : 4 + size].hex()}"


def enable_argument() -> bytes:
    """Return what FS_IOC_ENABLE_VERITY is given: SHA-256, 4096-byte blocks, no salt."""
    return _ENABLE_ARGUMENT.pack(1, _SHA256, _BLOCK_SIZE, 0, 0, 0, 0, 0)


def _verity(handle: int, wanted: Wanted, *, is_fixed: bool) -> Verity:
    if not wanted.verity:
        return Verity.SWITCHED_OFF
    if measured(handle) is not None:
        return Verity.IN_FORCE
    if is_fixed:  # sealed before fs-verity was switched on: it stays as it was sealed
        return Verity.SWITCHED_OFF
    os.fchmod(handle, _OPEN_MODE)
    until = time.monotonic() + _WRITER_GOES_WITHIN_S
    while True:
        try:
            fcntl.ioctl(handle, _ENABLE_VERITY, enable_argument())
        except OSError as error:
            if error.errno in _NO_VERITY:
                return Verity.NO_SUPPORT
            if error.errno == errno.EEXIST:  # put in force by somebody else, with another hash
                return Verity.IN_FORCE
            if error.errno != errno.ETXTBSY or time.monotonic() >= until:
                raise
            time.sleep(0.01)
        else:
            return Verity.IN_FORCE


def _immutable(handle: int, flags: int | None, wanted: Wanted) -> Protection:
    if not wanted.immutable:
        return Protection.READ_ONLY_SWITCHED_OFF
    if flags is None:
        return Protection.READ_ONLY_NO_SUPPORT
    return _set_immutable(handle, flags)


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
