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


@dataclass(frozen=True, slots=True)
class Measured:
    since: datetime
    detail: Text | None


def measured(db: Database, what: str) -> Measured | None:
    """Return since when it is so; None: it is not, as far as anyone measured."""
    row = db.execute("select since, detail from measured where what = ?", [what]).fetchone()
    if row is None:
        return None
    return Measured(moment(row[0]), text_of(json.loads(row[1])) if row[1] else None)


def begin(db: Database, what: str, at: datetime, detail: Text | None = None) -> Measured:
    """Note that it is so since `at`, unless it was so before; return since when it is."""
    known = measured(db, what)
    return note(db, what, at, detail) if known is None else known


def note(db: Database, what: str, at: datetime, detail: Text | None = None) -> Measured:
    """Note that it was so at `at`, whatever was noted before."""
    with transaction(db):
        db.execute(
            "insert into measured (what, since, detail) values (?, ?, ?)"
            " on conflict (what) do update set since = excluded.since, detail = excluded.detail",
            [what, iso(at), text_json(detail) if detail else None],
        )
    return Measured(at, detail)


def end(db: Database, what: str) -> None:
    """Note that it is not so any more."""
    if measured(db, what) is not None:
        with transaction(db):
            db.execute("delete from measured where what = ?", [what])
