"""Asks the kernel whether it has a part of a file in memory (mincore(2)).

preadv2(2) with RWF_NOWAIT cannot tell: what it does not find it begins to read, and a quick
disk has answered before it looks again. mincore reads nothing. Of a file that is not this
user's and that he may not write, it says that all is there.
"""

import ctypes
import mmap

_SHARED_READ = (mmap.PROT_READ, mmap.MAP_SHARED)
_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int),
    *(ctypes.c_int, ctypes.c_int, ctypes.c_long),
)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_libc.mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)


def may_be_in_memory(handle: int, at: int, length: int) -> bool:
    """Tell whether memory has any page of these bytes; where it cannot be told, it may.

    `at` is a whole number of pages.
    """
    if not length:
        return False
    place = _libc.mmap(None, length, *_SHARED_READ, handle, at)
    if place == _FAILED:
        return True
    try:
        pages = ctypes.create_string_buffer(-(-length // mmap.PAGESIZE))
        if _libc.mincore(place, length, pages) != 0:
            return True
        return any(page & 1 for page in pages.raw[: len(pages)])
    finally:
        _libc.munmap(place, length)
