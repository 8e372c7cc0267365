"""Counts failures in a row, of a password or a PIN. Times in UTC.

An attempt is counted as a failure before it is looked at, and taken back where it was none: to
look takes a good part of a second, in which a hundred others could be tried that nobody had
counted yet.
"""

from datetime import datetime
from typing import Literal

from sqlite_utils.db import Database

from recorder_sync.rules.lockout import Attempts
from recorder_sync.timestamps import iso_or_none, moment

_Kept = Literal["accounts", "officer_pins"]
_KEY: dict[_Kept, str] = {"accounts": "name", "officer_pins": "officer"}


def begin_attempt(db: Database, kept: _Kept, whose: str, at: datetime) -> Attempts | None:
    """Count an attempt as a failure; return what stands if it is one.

    Returns None where it is locked, or nobody has that name: then nothing is looked at.
    """
    while True:
        row = db.execute(
            f"select failures, locked_until from {kept} where {_KEY[kept]} = ?", [whose]
        ).fetchone()
        if row is None:
            return None
        failures, until = row
        before = Attempts(failures, moment(until) if until else None)
        if before.is_locked(at):
            return None
        after = before.failed(at)
        with db.conn:
            counted = db.execute(
                f"update {kept} set failures = ?, locked_until = ?"
                f" where {_KEY[kept]} = ? and failures = ? and locked_until is ?",
                [after.failures, iso_or_none(after.locked_until), whose, failures, until],
            ).rowcount
        if counted:  # else somebody else was counted in between
            return after


def was_right(db: Database, kept: _Kept, whose: str) -> None:
    """Begin the count anew."""
    with db.conn:
        db.execute(
            f"update {kept} set failures = 0, locked_until = null where {_KEY[kept]} = ?", [whose]
        )
