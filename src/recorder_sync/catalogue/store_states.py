"""How each store fares: whether it works, is paused, keeps its locks, and how fast it goes.

Working state of this machine, which only whoever looks into the catalogue is told by: what
the stores have is in `copies.py`, what waits for them in `uploads.py`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlite_utils.db import Database

from recorder_sync.catalogue.alert_facts import text_json, text_or_none
from recorder_sync.language import Text
from recorder_sync.timestamps import iso, iso_or_none, moment


class Activity(StrEnum):
    """What goes on with a store."""

    IDLE = "idle"
    WAITING = "waiting"
    SENDING = "sending"
    FAILING = "failing"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class StoreState:
    """How a store fares. Times in UTC; None: it is not so, or nobody knows."""

    name: str
    paused_at: datetime | None = None
    paused_by: str | None = None
    failing_since: datetime | None = None
    trouble: str | None = None
    why: Text | None = None
    hint: Text | None = None
    rate: float | None = None
    """Bytes a second, lately."""
    rate_at: datetime | None = None
    try_at_once: bool = False
    """Somebody asks for it, whatever it was left alone for."""
    lock_failing_since: datetime | None = None
    """Since when it does not keep copies as it was asked to."""
    lock_why: Text | None = None
    lock_hint: Text | None = None


def state_of(db: Database, name: str) -> StoreState:
    row = next(iter(db.query("select * from stores where name = ?", [name])), None)
    if row is None:
        return StoreState(name)
    times = {
        column: moment(row[column]) if row[column] else None
        for column in ("paused_at", "failing_since", "rate_at", "lock_failing_since")
    }
    return StoreState(
        name=name,
        paused_by=row["paused_by"],
        trouble=row["trouble"],
        why=text_or_none(row["why"]),
        hint=text_or_none(row["hint"]),
        rate=row["rate"],
        try_at_once=bool(row["try_at_once"]),
        lock_why=text_or_none(row["lock_why"]),
        lock_hint=text_or_none(row["lock_hint"]),
        **times,
    )


def set_paused(db: Database, name: str, at: datetime | None, by: str | None) -> None:
    """Pause a store, or have it go on; in a transaction of the caller's."""
    _set(db, name, paused_at=iso_or_none(at), paused_by=by)


def note_fails(
    db: Database, name: str, trouble: str, why: Text, hint: Text | None, now: datetime
) -> None:
    """Note that nothing can be sent to a store; since when, is kept while it lasts."""
    known = state_of(db, name).failing_since
    _set(
        db,
        name,
        failing_since=iso(known or now),
        trouble=trouble,
        why=text_json(why),
        hint=text_json(hint) if hint else None,
    )


def note_works(db: Database, name: str) -> None:
    _set(db, name, failing_since=None, trouble=None, why=None, hint=None)


def note_lock_fails(db: Database, name: str, why: Text, hint: Text | None, now: datetime) -> None:
    """Note that a store does not keep copies as asked; since when, is kept while it lasts."""
    known = state_of(db, name).lock_failing_since
    _set(
        db,
        name,
        lock_failing_since=iso(known or now),
        lock_why=text_json(why),
        lock_hint=text_json(hint) if hint else None,
    )


def note_locks_work(db: Database, name: str) -> None:
    _set(db, name, lock_failing_since=None, lock_why=None, lock_hint=None)


def ask_to_try_at_once(db: Database, name: str) -> None:
    """Have a store tried at once that is left alone; in a transaction of the caller's."""
    _set(db, name, try_at_once=1)


def note_tried_at_once(db: Database, name: str) -> None:
    _set(db, name, try_at_once=None)


def note_rate(db: Database, name: str, rate: float, now: datetime) -> None:
    _set(db, name, rate=rate, rate_at=iso(now))


def _set(db: Database, name: str, **columns: object) -> None:
    db.execute("insert or ignore into stores (name) values (?)", [name])
    changed = ", ".join(f"{column} = ?" for column in columns)
    db.execute(f"update stores set {changed} where name = ?", [*columns.values(), name])
