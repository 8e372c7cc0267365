"""A recording's number is its place on the time line: by its start, then by its id.

SQLite keeps a table, the equal entries of an index, and a full-text index in the order of
this key. So every search reads what it finds newest first, whichever of them it goes
along: it sorts nothing, and stops when the page is full.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlite_utils.db import Database

FIRST, LAST = -(1 << 63), (1 << 63) - 1
"""The ends of the line: SQLite's integers."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACES = 1 << 15
"""Places in each millisecond; what is more spills over into the next."""

PLACES_A_SECOND = 1000 * _PLACES

_AT_ONCE = 500
"""Values in one question: older versions of SQLite allow 999."""

_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
"""The characters of an id, in their order as text."""


def place(moment: datetime) -> int:
    """Return the first place of the recordings that began at `moment`."""
    return (moment - _EPOCH) // timedelta(milliseconds=1) * _PLACES


def first_place(start: datetime, recording: str) -> int:
    """Return the place of a recording with this start and id, where no other has it."""
    high, middle, low = (_DIGITS.find(c) & 31 for c in recording[:3].ljust(3))
    return place(start) + (high * 32 + middle) * 32 + low


def free_places(db: Database, wanted: Sequence[tuple[datetime, str]]) -> list[int]:
    """Return the places of new recordings with these starts and ids, no two the same.

    One question for all of them: one for each would take as long as entering them.
    """
    firsts = [first_place(start, recording) for start, recording in wanted]
    taken: set[int] = set()
    for at in range(0, len(firsts), _AT_ONCE):
        some = firsts[at : at + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        found = db.execute(f"select number from recordings where number in ({marks})", some)
        taken.update(number for (number,) in found)
    asked = frozenset(firsts)
    places: list[int] = []
    for first in firsts:
        number = first
        while number in taken or (number not in asked and _is_taken(db, number)):
            number += 1
        taken.update(range(first, number + 1))
        places.append(number)
    return places


def _is_taken(db: Database, number: int) -> bool:
    found = db.execute("select 1 from recordings where number = ?", [number]).fetchone()
    return found is not None
