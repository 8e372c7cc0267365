"""Finds signed notes in a text: a file that grew on a stick, a mail, a message that was kept.

Mail programs change line ends, add spaces and quote; what is around a note is passed over,
and so is a note that was torn when a stick was pulled out. Pure.
"""

import re

_NOTE = re.compile(
    r"^(?P<text>[^\s].*\n(?:0|[1-9][0-9]*)\n[A-Za-z0-9+/]{43}=\n(?:[^\s].*\n)*)"
    r"\n(?P<signatures>(?:— \S+ [A-Za-z0-9+/]+={0,2}\n)+)",
    re.MULTILINE,
)
_QUOTE = re.compile(r"^(?:> ?)+", re.MULTILINE)


def notes_in(text: str) -> list[str]:
    """Return the notes of checkpoints, as they were signed, in the order of the text."""
    lines = [line.rstrip() for line in _QUOTE.sub("", text).splitlines()]
    whole = "\n".join([*lines, ""])
    return [f"{found['text']}\n{found['signatures']}" for found in _NOTE.finditer(whole)]


def size_of(note: str) -> int:
    """Return how many entries a note that was found here vouches for, by its own word."""
    return int(note.split("\n", 2)[1])


def origin_of(note: str) -> str:
    """Return whose log a note that was found here is of, by its own word."""
    return note.split("\n", 1)[0]
