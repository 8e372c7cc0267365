"""Finds signed notes in a text: a file that grew on a stick, a mail, a message that was kept.

Mail programs change line ends, add spaces and quote; what is around a note is passed over.
So is what was torn when a stick was pulled out: a note that ends before its signature, and
a signature that is shorter than one can be. Pure.
"""

import base64
import binascii
import re
from collections.abc import Iterator

_HEAD = r"(?:0|[1-9][0-9]*)\n[A-Za-z0-9+/]{43}=\n"
_NOTE = re.compile(
    rf"^(?P<text>[^\s].*\n{_HEAD}(?:(?!.*\n{_HEAD})[^\s].*\n)*)"
    r"\n(?P<signatures>(?:— \S+ [A-Za-z0-9+/]+={0,2}\n)+)",
    re.MULTILINE,
)
_QUOTE = re.compile(r"^(?:> ?)+", re.MULTILINE)
_SHORTEST = 4 + 64
"""Bytes of a key id and an Ed25519 signature."""


def notes_in(text: str) -> list[str]:
    """Return the notes of checkpoints, as they were signed, in the order of the text."""
    return list(_notes(_QUOTE.sub("", text)))


def size_of(note: str) -> int:
    """Return how many entries a note that was found here vouches for, by its own word."""
    return int(note.split("\n", 2)[1])


def origin_of(note: str) -> str:
    """Return whose log a note that was found here is of, by its own word."""
    return note.split("\n", 1)[0]


def _notes(text: str) -> Iterator[str]:
    lines = [line.rstrip() for line in text.splitlines()]
    for found in _NOTE.finditer("\n".join([*lines, ""])):
        signatures = [line for line in found["signatures"].splitlines() if _is_whole(line)]
        if signatures:
            yield "\n".join([found["text"], *signatures, ""])


def _is_whole(line: str) -> bool:
    try:
        return len(base64.b64decode(line.rpartition(" ")[2], validate=True)) >= _SHORTEST
    except binascii.Error:
        return False
