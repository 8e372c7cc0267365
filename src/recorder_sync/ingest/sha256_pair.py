"""SHA-256 of two recordings at once, for little more processor time than of one.

Each round of SHA-256 waits for the one before, so the processor's own instructions for it are
idle half of the time; `sha256_pair.c` gives them a second recording meanwhile. It is built
when the program is installed, where there is a C compiler, and used where the processor has
the instructions and the result is what hashlib says. Everywhere else hashlib alone is used.
The digest is the same: only who computes it differs.
"""

import ctypes
import hashlib
import random
from functools import cache
from pathlib import Path
from typing import Final

_LIBRARY = Path(__file__).with_name("libsha256_pair.so.1")
_BLOCK = 64
_LENGTH_BYTES = 8

_Words = ctypes.c_uint32 * 8
_INITIAL: Final = (
    *(0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A),
    *(0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19),
)
"""FIPS 180-4, 5.3.3."""


class Sha256:
    """A digest under way, used as those of hashlib are. Only where `is_there` says so."""

    name = "sha256"

    def __init__(self) -> None:
        self._words = _Words(*_INITIAL)
        self._size = 0
        self._rest = b""
        """Less than a block, waiting for more."""

    def update(self, data: memoryview) -> None:
        """Take the next bytes."""
        self._size += len(data)
        if self._rest:
            missing = _BLOCK - len(self._rest)
            self._rest += bytes(data[:missing])
            data = data[missing:]
            if len(self._rest) < _BLOCK:
                return
            self._advance(self._rest, 1)
        blocks = len(data) // _BLOCK
        if blocks:
            self._advance(_first_byte(data), blocks)
        self._rest = bytes(data[blocks * _BLOCK :])

    def hexdigest(self) -> str:
        """Return the digest of what was taken so far; more may follow."""
        end = Sha256()
        end._words = _Words(*self._words)
        padding = b"\x80" + bytes(-(len(self._rest) + 1 + _LENGTH_BYTES) % _BLOCK)
        last = self._rest + padding + (8 * self._size).to_bytes(_LENGTH_BYTES, "big")
        end._advance(last, len(last) // _BLOCK)
        return "".join(f"{word:08x}" for word in end._words)

    def _advance(self, data: "bytes | ctypes.c_char", blocks: int) -> None:
        at = data if isinstance(data, bytes) else ctypes.byref(data)
        _library().sha256_advance_one(self._words, at, ctypes.c_size_t(blocks))

    @staticmethod
    def update_two(first: "Sha256", data: memoryview, second: "Sha256", other: memoryview) -> None:
        """Take the next bytes of two recordings, as far as both have some at once."""
        blocks = 0 if first._rest or second._rest else min(len(data), len(other)) // _BLOCK
        if blocks:
            _library().sha256_advance_two(
                *(first._words, ctypes.byref(_first_byte(data))),
                *(second._words, ctypes.byref(_first_byte(other))),
                ctypes.c_size_t(blocks),
            )
        both = blocks * _BLOCK
        first._size += both
        second._size += both
        first.update(data[both:])
        second.update(other[both:])


def _first_byte(data: memoryview) -> ctypes.c_char:
    """Return where the bytes begin; those that may not be written to are copied for it."""
    if data.readonly:
        data = memoryview(bytearray(data))
    return ctypes.c_char.from_buffer(data)


@cache
def is_there() -> bool:
    """Tell whether two can be computed at once here, and rightly."""
    try:
        works = bool(_library().sha256_pair_works_here())
    except OSError:  # not built
        return False
    return works and _agrees_with_hashlib()


def _agrees_with_hashlib() -> bool:
    """Hold both ways of computing against hashlib, with bytes that are new each time."""
    first, second = random.randbytes(5 * _BLOCK + 7), random.randbytes(3 * _BLOCK + 60)
    one, other = Sha256(), Sha256()
    Sha256.update_two(one, memoryview(first), other, memoryview(second))
    return (one.hexdigest(), other.hexdigest()) == (
        hashlib.sha256(first).hexdigest(),
        hashlib.sha256(second).hexdigest(),
    )


@cache
def _library() -> ctypes.CDLL:
    """Raise OSError when it was not built. A call lets other threads go on meanwhile."""
    return ctypes.CDLL(str(_LIBRARY))
