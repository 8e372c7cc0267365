"""What this machine remembers of its watching: working state and no evidence."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import transaction
from recorder_sync.timestamps import iso, moment


def digested_until(db: Database) -> datetime | None:
    """Return what the last escalation plan said; None: there was none."""
    return _time(db, "digested_until")


def last_tick_at(db: Database) -> datetime | None:
    return _time(db, "last_tick_at")


def note_tick(db: Database, at: datetime, digested_until: datetime | None) -> None:
    """Note in a transaction of the caller's that a tick was made."""
    db.execute(
        "update watch_state set last_tick_at = ?, digested_until = coalesce(?, digested_until)",
        [iso(at), iso(digested_until) if digested_until else None],
    )


def _time(db: Database, column: str) -> datetime | None:
    row = db.execute(f"select {column} from watch_state").fetchone()
    return moment(row[0]) if row and row[0] else None


def take_over(db: Database, old: Path) -> None:
    """Enter in a new catalogue what the one in the file `old` remembers, where it can be read.

    The custody log does not have it: without it everybody would be told everything again.
    """
    if not old.exists():
        return
    try:
        with closing(sqlite3.connect(f"{old.as_uri()}?mode=ro", uri=True)) as before:
            remembered = [(into, before.execute(of).fetchall()) for of, into in _REMEMBERED]
    except sqlite3.DatabaseError:
        return  # it is broken, which is why it is made anew, or from an older version
    with transaction(db):
        for table in (
            *("alerts_told", "messages", "channels", "disk_samples"),
            *("clock_steps", "measured"),
        ):
            db.execute(f"delete from {table}")
        for into, rows in remembered:
            db.conn.executemany(into, rows)


def _as_it_was(table: str, columns: str) -> tuple[str, str]:
    marks = ", ".join("?" for _ in columns.split(","))
    return f"select {columns} from {table}", f"insert into {table} ({columns}) values ({marks})"


_REMEMBERED = (
    (
        "select digested_until, last_tick_at from watch_state",
        "update watch_state set digested_until = ?, last_tick_at = ?",
    ),
    (
        (
            "select t.alert, t.stage, t.times_worse, t.at, a.key, a.raised_at from alerts_told t"
            " join alerts a on a.number = t.alert"
        ),
        (
            "insert into alerts_told (alert, stage, times_worse, at)"
            " select number, ?2, ?3, ?4 from alerts where key = ?5 and raised_at = ?6"
            " order by number = ?1 desc limit 1"
            " on conflict do nothing"
        ),
    ),
    _as_it_was(
        "messages",
        "id, channel, recipient, officer, alerts, is_digest, made_at, attempts,"
        " next_try_at, delivered_at, given_up_at, last_error",
    ),
    _as_it_was("channels", "name, failing_since, last_error, last_delivered_at"),
    _as_it_was("disk_samples", "disk, at, used"),
    _as_it_was("clock_steps", "at, seconds"),
    _as_it_was("measured", "what, since, why, hint"),
)
"""What is read there, and how it is written here."""
