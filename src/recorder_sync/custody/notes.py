"""Finds signed notes in a text: a file that grew on a stick, a mail, a message that was kept.

Mail programs change line ends, add spaces and quote; what is around a note is passed over.
So is what was torn when a stick was pulled out: a note that ends before its signature, and
a signature that is shorter than one can be. The text is taken line by line, and no more of it
kept than one note may have. Pure.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator

from recorder_sync.custody import signed_note

LARGEST_FILE = 64 << 20
"""Bytes of a file of notes; the checkpoints of decades have less."""

_HEAD = r"(?:0|[1-9][0-9]*)\n[A-Za-z0-9+/]{43}=\n"
_NOTE = re.compile(
    rf"^(?P<text>[^\s].*\n{_HEAD}(?:(?!.*\n{_HEAD})[^\s].*\n)*)"
    r"\n(?P<signatures>(?:— \S+ [A-Za-z0-9+/]+={0,2}\n)+)",
    re.MULTILINE,
)
_QUOTE = re.compile(r"^(?:> ?)+")
_SIGNATURE = "— "
_SHORTEST = 4 + 64
"""Bytes of a key id and an Ed25519 signature."""

_LARGEST = 1 << 16
"""Characters of a note; a longer text without a signature is none."""


def notes_in(text: str) -> list[str]:
    """Return the notes of checkpoints, as they were signed, in the order of the text."""
    return list(notes_in_lines(text.splitlines()))


def notes_in_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield the notes of checkpoints in these lines, as they were signed."""
    for piece in _pieces(_QUOTE.sub("", line).rstrip() for line in lines):
        for found in _NOTE.finditer("\n".join([*piece, ""])):
            signatures = [line for line in found["signatures"].splitlines() if _is_whole(line)]
            if signatures:
                yield "\n".join([found["text"], *signatures, ""])


def size_of(note: str) -> int:
    """Return how many entries a note that was found here vouches for, by its own word."""
    return int(note.split("\n", 2)[1])


def origin_of(note: str) -> str:
    """Return whose log a note that was found here is of, by its own word."""
    return note.split("\n", 1)[0]


def _pieces(lines: Iterable[str]) -> Iterator[Iterable[str]]:
    """Yield the lines in pieces that end with a block of signatures, or with the text."""
    piece: deque[str] = deque()
    length = 0
    signatures = False
    for line in lines:
        is_signature = line.startswith(_SIGNATURE) and (
            signatures or (bool(piece) and piece[-1] == "")
        )
        if (signatures and not is_signature) or length > 2 * _LARGEST:
            if signatures:
                yield piece
                piece, length = deque(), 0
            while length > _LARGEST:  # nothing is signed in it: only its end can begin a note
                length -= len(piece.popleft()) + 1
        signatures = is_signature
        piece.append(line)
        length += len(line) + 1
    yield piece


def _is_whole(line: str) -> bool:
    try:
        return len(signed_note.signature_in(line)[1]) >= _SHORTEST
    except ValueError:
        return False
