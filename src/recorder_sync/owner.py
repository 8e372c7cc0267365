"""A command run by root works as the user that the station belongs to.

What root made among the daemon's files, the daemon could not go on with. Two rights are
kept: to read whatever root may read (a card, a list to import), and to make evidence
immutable. capabilities(7), prctl(2)
"""

import ctypes
import os
import pwd
import struct
from pathlib import Path

_PR_SET_KEEPCAPS = 8
_VERSION_3 = 0x20080522
_CAP_DAC_READ_SEARCH = 2
_CAP_LINUX_IMMUTABLE = 9


def work_as_owner_of(folder: Path) -> None:
    """Become the owner of `folder` for good, where this process is root's and it is not.

    To be called before there are threads. Raises OSError.
    """
    if os.geteuid() != 0 or not folder.exists():
        return
    owner = folder.stat()
    if owner.st_uid == 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    try:
        os.initgroups(pwd.getpwuid(owner.st_uid).pw_name, owner.st_gid)
    except KeyError:  # a user that only has a number
        os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
    kept = 1 << _CAP_DAC_READ_SEARCH | 1 << _CAP_LINUX_IMMUTABLE
    header = struct.pack("=Ii", _VERSION_3, 0)
    _checked(libc.capset(header, struct.pack("=6I", kept, kept, 0, 0, 0, 0)))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
