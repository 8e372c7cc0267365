"""Since when something that only measuring shows has been so, as this machine remembers it.

The clock that has no time source, the backup that failed: after a restart it is still so
since then. Working state, not in the custody log.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.catalogue.alert_facts import text_json, text_of
from recorder_sync.catalogue.database import transaction
from recorder_sync.language import Text
from recorder_sync.timestamps import iso, moment

BACKUP_FAILED = "backup-failed"


@dataclass(frozen=True, slots=True)
class Measured:
    since: datetime
    why: Text | None = None
    hint: Text | None = None


def measured(db: Database, what: str) -> Measured | None:
    """Return since when it is so; None: it is not, as far as anyone measured."""
    row = db.execute("select since, why, hint from measured where what = ?", [what]).fetchone()
    if row is None:
        return None
    why, hint = (text_of(json.loads(text)) if text else None for text in row[1:])
    return Measured(moment(row[0]), why, hint)


def begin(db: Database, what: str, at: datetime) -> Measured:
    """Note that it is so since `at`, unless it was so before; return since when it is."""
    known = measured(db, what)
    if known is not None:
        return known
    found = Measured(at)
    note(db, what, found)
    return found


def note(db: Database, what: str, found: Measured) -> None:
    """Note that it is so, whatever was noted before."""
    with transaction(db):
        db.execute(
            "insert or replace into measured (what, since, why, hint) values (?, ?, ?, ?)",
            [
                *(what, iso(found.since)),
                *(text_json(text) if text else None for text in (found.why, found.hint)),
            ],
        )


def end(db: Database, what: str) -> None:
    """Note that it is not so any more."""
    if measured(db, what) is not None:
        with transaction(db):
            db.execute("delete from measured where what = ?", [what])
