"""Which of two versions of a program is the newer one, as dpkg(1) compares them.

Only versions that begin with a digit have an order: `N-12345-gabcdef`, as FFmpeg's own builds
between releases are called, is neither older nor newer than anything.
"""

import re

_REBUILT = re.compile(r"\+b\d+$")
"""Debian built the same source again: the source has no such ending."""

_PARTS = re.compile(r"(\D*)(\d*)")


def is_newer(one: str, other: str) -> bool:
    """Tell whether `one` was made of a newer source than `other`; False where nobody can tell."""
    if not (one[:1].isdecimal() and other[:1].isdecimal()):
        return False
    return _key(one) > _key(other)


def _key(version: str) -> tuple[object, ...]:
    """Return what versions without an epoch are sorted by (deb-version(7))."""
    upstream, dash, revision = _REBUILT.sub("", version).rpartition("-")
    return (_order(upstream), _order(revision)) if dash else (_order(revision), _order("0"))


def _order(part: str) -> list[tuple[tuple[int, ...], int]]:
    return [
        ((*(_weight(char) for char in text), 0), int(number or 0))
        for text, number in _PARTS.findall(part)
    ]


def _weight(char: str) -> int:
    """Return where a character sorts: `~` before the end of the text, which is 0."""
    if char == "~":
        return -1
    return ord(char) if char.isalpha() else ord(char) + 0x110000
