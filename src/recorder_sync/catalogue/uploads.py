"""The queue of recordings that wait for a store; how each store fares is in `store_states.py`.

Working state of this machine: a row is here until the store has confirmed the recording,
and its copy is in `copies.py` then. What a rebuilt catalogue has not, is put here again.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.alert_facts import text_json, text_or_none
from recorder_sync.catalogue.database import insert, transaction
from recorder_sync.language import Text
from recorder_sync.model import Flag, Kind
from recorder_sync.rules.forwarding import LONGEST_WAIT, Forwardable, urgency
from recorder_sync.timestamps import iso, iso_or_none, moment

_LOOK_BACK = timedelta(hours=1)
"""How much earlier than the last look something may have been sealed that is new."""


class UploadState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    FAILED = "failed"
    """It is tried again, unless only a person can mend it."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A recording that waits for a store."""

    number: int
    recording: str
    store: str
    state: UploadState
    size: int
    look_first: bool
    """The store may have it already: an earlier try may have come to its end."""
    key: str | None
    resume: str | None
    attempts: int
    why: Text | None = None
    hint: Text | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for one store, and what it has."""

    waiting: int = 0
    failed: int = 0
    bytes_waiting: int = 0
    """What of it was sent is not in this number."""
    oldest: datetime | None = None
    """When the one that waits longest was queued."""
    confirmed: int = 0


def forwardable(row: Mapping[str, Any], *, held: bool = False) -> Forwardable:
    """Return the facts of a row of `recordings`; `held` says that it is under legal hold."""
    return Forwardable(
        id=row["id"],
        kind=Kind(row["kind"]),
        flags=frozenset(Flag(flag) for flag in json.loads(row["flags"])),
        case=row["case_no"],
        sealed_at=moment(row["sealed_at"]),
        deadline=moment(row["deadline"]),
        held=held,
    )


def fill(
    db: Database,
    store: str,
    takes: Callable[[Forwardable], bool],
    now: datetime,
    *,
    since: datetime | None,
) -> int:
    """Queue what a store takes, has not confirmed, and does not wait for yet; return how many.

    `since` is the time of the last look, and only what was sealed since then is new. None:
    all is looked at, and the store is asked for each before it is sent, as it may have it.
    In a transaction of the caller's.
    """
    where, values = "r.state = 'sealed'", []
    if since is not None:
        where, values = where + " and r.sealed_at >= ?", [iso(since - _LOOK_BACK)]
    rows = db.query(
        "select r.id, r.kind, r.flags, r.case_no, r.sealed_at, r.deadline, r.size"
        f" from recordings r where {where}"
        " and not exists (select 1 from copies c where c.recording = r.id and c.store = ?)"
        " and not exists (select 1 from uploads u where u.recording = r.id and u.store = ?)",
        [*values, store, store],
    )
    found = [(forwardable(row), row["size"]) for row in rows]
    new = sorted(
        ((one, size) for one, size in found if takes(one)), key=lambda pair: urgency(pair[0])
    )
    insert(
        db,
        "uploads",
        [
            {
                "recording": one.id,
                "store": store,
                "state": UploadState.WAITING.value,
                "important": int(one.is_important),
                "deadline": iso(one.deadline),
                "size": size,
                "queued_at": iso(now),
                "look_first": int(since is None),
                "sent": 0,
                "attempts": 0,
            }
            for one, size in new
        ],
    )
    return len(new)


def drop(db: Database, store: str, takes: Callable[[Forwardable], bool]) -> None:
    """Take out of the queue what a store is not to have any more, in a transaction."""
    rows = db.query(
        "select u.number, r.id, r.kind, r.flags, r.case_no, r.sealed_at, r.deadline"
        " from uploads u join recordings r on r.id = u.recording where u.store = ?",
        [store],
    )
    gone = [(row["number"],) for row in rows if not takes(forwardable(row))]
    db.conn.executemany("delete from uploads where number = ?", gone)


def drop_others(db: Database, stores: Sequence[str]) -> None:
    """Take out of the queue what waits for stores that the settings name no more."""
    marks = ", ".join("?" for _ in stores)
    db.execute(f"delete from uploads where store not in ({marks})", list(stores))


def next_due(
    db: Database, store: str, now: datetime, taken: Iterable[int], at_most: int | None = None
) -> Upload | None:
    """Return what is to be sent to a store first, but for those that are `taken`.

    With `at_most`, the first of those that have no more bytes.
    """
    without = ", ".join(str(number) for number in taken)
    small = "" if at_most is None else f" and size <= {int(at_most)}"
    # Later than any wait: only a clock that was set back makes it so.
    rows = db.query(
        "select * from uploads indexed by uploads_in_order where store = ?"
        " and (next_try_at is null and state <> 'failed' or next_try_at <= ? or next_try_at > ?)"
        f" and number not in ({without}){small} order by important desc, deadline, number limit 1",
        [store, iso(now), iso(now + LONGEST_WAIT)],
    )
    return next(map(_upload, rows), None)


def note_begun(db: Database, upload: Upload, key: str) -> None:
    """Note, before the first byte, that a store may have it from now on."""
    db.execute(
        "update uploads set state = 'sending', key = ?, look_first = 1 where number = ?",
        [key, upload.number],
    )


def note_resume(db: Database, upload: Upload, resume: str) -> None:
    db.execute("update uploads set resume = ? where number = ?", [resume, upload.number])


def note_sent(db: Database, upload: Upload, sent: int) -> None:
    db.execute("update uploads set sent = ? where number = ?", [sent, upload.number])


def note_waiting(db: Database, upload: Upload) -> None:
    """Note that it was broken off, through no fault of its own."""
    db.execute("update uploads set state = 'waiting' where number = ?", [upload.number])


def note_failed(
    db: Database, upload: Upload, why: Text, hint: Text | None, next_try: datetime | None
) -> None:
    """Note a failure of this recording alone. Without `next_try` only a person has it tried."""
    db.execute(
        "update uploads set state = 'failed', attempts = attempts + 1, why = ?, hint = ?,"
        " next_try_at = ? where number = ?",
        [text_json(why), text_json(hint) if hint else None, iso_or_none(next_try), upload.number],
    )


def note_interrupted(db: Database, store: str) -> None:
    """Note that nothing is being sent any more: the process that did is gone."""
    db.execute(
        "update uploads set state = 'waiting' where store = ? and state = 'sending'", [store]
    )


def queue_again(
    db: Database,
    recording: str,
    store: str,
    key: str,
    at: datetime,
    why_not: tuple[Text, Text] | None,
) -> None:
    """Queue a recording that a store has lost, under its name there.

    With `why_not`, a reason and what to do, it waits for a person. In a transaction.
    """
    state = UploadState.FAILED if why_not else UploadState.WAITING
    why, hint = map(text_json, why_not) if why_not else (None, None)
    important = f'%"{Flag.IMPORTANT.value}"%'
    db.execute(
        "insert or ignore into uploads (recording, store, state, important, deadline, size,"
        " queued_at, look_first, key, sent, attempts, why, hint)"
        " select id, ?, ?, flags like ?, deadline, size, ?, 1, ?, 0, 0, ?, ?"
        " from recordings where id = ? and state = 'sealed'",
        [store, state.value, important, iso(at), key, why, hint, recording],
    )


def retry(db: Database, store: str | None, recording: str | None) -> int:
    """Have what failed tried at once; return how many, in a transaction of the caller's."""
    chosen, values = _chosen(store, recording)
    done = db.execute(
        "update uploads set state = 'waiting', next_try_at = null, attempts = 0"
        f" where state = 'failed'{chosen}",
        values,
    )
    return int(done.rowcount)


def _chosen(store: str | None, recording: str | None) -> tuple[str, list[str]]:
    given = {"store": store, "recording": recording}
    names = [name for name, value in given.items() if value is not None]
    return (
        "".join(f" and {name} = ?" for name in names),
        [value for value in given.values() if value is not None],
    )


def of_recordings(db: Database, recordings: Sequence[str]) -> dict[str, list[Upload]]:
    """Return what waits of these recordings, by recording."""
    found: dict[str, list[Upload]] = {}
    marks = ", ".join("?" for _ in recordings)
    rows = db.query(
        f"select * from uploads where recording in ({marks}) order by store", list(recordings)
    )
    for row in rows:
        found.setdefault(row["recording"], []).append(_upload(row))
    return found


def failures(db: Database, store: str, limit: int) -> list[Upload]:
    """Return what failed, the oldest first."""
    rows = db.query(
        "select * from uploads where store = ? and state = 'failed' order by number limit ?",
        [store, limit],
    )
    return [_upload(row) for row in rows]


def sending(db: Database, store: str) -> list[tuple[Upload, int]]:
    """Return what is being sent, with the bytes that have arrived."""
    rows = db.query(
        "select * from uploads where store = ? and state = 'sending' order by number", [store]
    )
    return [(_upload(row), row["sent"]) for row in rows]


def queue_of(db: Database, store: str, *, counts_confirmed: bool = True) -> Queue:
    """Return what waits for a store, and how much it has where that is to be counted."""
    waiting, failed, size, oldest = db.execute(
        "select count(*), coalesce(sum(state = 'failed'), 0),"
        " coalesce(sum(size - min(sent, size)), 0), min(queued_at) from uploads where store = ?",
        [store],
    ).fetchone()
    confirmed = 0
    if counts_confirmed:
        select = "select count(*) from copies where store = ?"
        (confirmed,) = db.execute(select, [store]).fetchone()
    return Queue(
        waiting=int(waiting) - int(failed),
        failed=int(failed),
        bytes_waiting=int(size),
        oldest=moment(oldest) if oldest else None,
        confirmed=int(confirmed),
    )


def keys_in_work(db: Database, store: str) -> set[str]:
    """Return the keys of which an upload may have been begun and is to go on."""
    rows = db.execute("select key from uploads where store = ? and key is not null", [store])
    return {row[0] for row in rows}


def _upload(row: Mapping[str, Any]) -> Upload:
    return Upload(
        number=row["number"],
        recording=row["recording"],
        store=row["store"],
        state=UploadState(row["state"]),
        size=row["size"],
        look_first=bool(row["look_first"]),
        key=row["key"],
        resume=row["resume"],
        attempts=row["attempts"],
        why=text_or_none(row["why"]),
        hint=text_or_none(row["hint"]),
    )


def take_over(db: Database, old: Path) -> None:
    """Enter in a new catalogue the queue of the one in the file `old`, where it can be read.

    Without it nothing would be lost, but uploads would begin anew, and pauses would end.
    """
    if not old.exists():
        return
    try:
        with closing(sqlite3.connect(f"{old.as_uri()}?mode=ro", uri=True)) as before:
            before.row_factory = sqlite3.Row
            waiting = [dict(row) for row in before.execute("select * from uploads")]
            stores = [dict(row) for row in before.execute("select * from stores")]
    except sqlite3.DatabaseError:
        return  # it is broken, which is why it is made anew, or from an older version
    with transaction(db):
        db.execute("delete from uploads")
        db.execute("delete from stores")
        insert(db, "uploads", waiting)
        insert(db, "stores", stores)
        db.execute(
            "delete from uploads where recording not in (select id from recordings)"
            " or exists (select 1 from copies c where c.recording = uploads.recording"
            " and c.store = uploads.store)"
        )
