"""Which bytes of a file a request asks for (RFC 9110, 14). Pure.

One range is answered; of several in one request the whole file is sent, which the standard
allows, and which costs no more than one answer.
"""

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=\s*(\d{0,19})-(\d{0,19})\s*")


class NotWithin(Exception):
    """No byte of the file is asked for."""


@dataclass(frozen=True, slots=True)
class Bytes:
    first: int
    last: int
    """Part of it."""

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def asked_for(header: str | None, if_range: str | None, etag: str, size: int) -> Bytes | None:
    """Return the bytes asked for, None for the whole file. Raises NotWithin.

    `if_range` is the version of which the asker has a part: of another one all is sent. A date
    there, or a weak tag, is of another one as well.
    """
    if header is None or (if_range is not None and if_range.strip() != etag):
        return None
    match = _ONE.fullmatch(header)
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        length = min(int(match[2]), size)
        if length == 0:
            raise NotWithin
        return Bytes(size - length, size - 1)
    first = int(match[1])
    last = min(int(match[2]), size - 1) if match[2] else size - 1
    if match[2] and int(match[2]) < first:
        return None
    if first >= size:
        raise NotWithin
    return Bytes(first, last)
