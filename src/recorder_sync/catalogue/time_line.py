"""A recording's number is its place on the time line: by its start, then by its id.

SQLite keeps a table, the equal entries of an index, and a full-text index in the order of
this key. So every search reads what it finds newest first, whichever of them it goes
along: it sorts nothing, and stops when the page is full.
"""

from collections.abc import Container
from datetime import UTC, datetime, timedelta

from sqlite_utils.db import Database

FIRST, LAST = -(1 << 63), (1 << 63) - 1
"""The ends of the line: SQLite's integers."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACES = 1 << 15
"""Places in each millisecond; what is more spills over into the next."""

_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
"""The characters of an id, in their order as text."""


def place(moment: datetime) -> int:
    """Return the first place of the recordings that began at `moment`."""
    return (moment - _EPOCH) // timedelta(milliseconds=1) * _PLACES


def first_place(start: datetime, recording: str) -> int:
    """Return the place of a recording with this start and id, where no other has it."""
    high, middle, low = (_DIGITS.find(c) & 31 for c in recording[:3].ljust(3))
    return place(start) + (high * 32 + middle) * 32 + low


def free_place(db: Database, start: datetime, recording: str, taken: Container[int] = ()) -> int:
    """Return the place of a new recording with this start and id; never one that is `taken`."""
    number = first_place(start, recording)
    while number in taken or _is_taken(db, number):
        number += 1
    return number


def _is_taken(db: Database, number: int) -> bool:
    found = db.execute("select 1 from recordings where number = ?", [number]).fetchone()
    return found is not None
