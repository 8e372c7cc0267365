"""The documents of cases that wait for a store; which store has which is in `copies.py`.

What waits is every sealed document that the store is to have and has not confirmed. A row here
says since when, and what was tried: working state of this machine. Where it was lost a document
waits anew, and a store is asked before anything is sent.
"""

import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils.db import Database

from recorder_sync.catalogue import documents
from recorder_sync.catalogue.alert_facts import text_json, text_or_none
from recorder_sync.catalogue.database import insert, transaction
from recorder_sync.catalogue.documents import SealedDocument
from recorder_sync.language import Text
from recorder_sync.rules.forwarding import LONGEST_WAIT
from recorder_sync.timestamps import iso, iso_or_none, moment


@dataclass(frozen=True, slots=True)
class WaitingDocument:
    """A document that a store is to have."""

    sealed: SealedDocument
    attempts: int


@dataclass(frozen=True, slots=True)
class FailedDocument:
    """A document that a store could not be given."""

    document: str
    why: Text
    hint: Text | None


@dataclass(frozen=True, slots=True)
class DocumentQueue:
    """How many documents wait for one store, and how many it has."""

    waiting: int = 0
    failed: int = 0
    confirmed: int = 0
    failures: Sequence[FailedDocument] = ()
    """The first of those that failed."""


def note_waiting(db: Database, store: str, cases: Collection[str], now: datetime) -> None:
    """Note since when documents wait, in a transaction of the caller's.

    `cases`: only of these, empty: of any.
    """
    db.execute(
        "insert or ignore into document_uploads (document, store, queued_at, attempts)"
        f" select d.id, ?, ?, 0 from {_WAITING} and u.document is null{_of(cases)}",
        [store, iso(now), store, store, *cases],
    )


def drop(db: Database, store: str, cases: Collection[str]) -> None:
    """Forget the waiting of what a store is not to have any more, in a transaction."""
    if cases:
        db.execute(
            "delete from document_uploads where store = ? and document in"
            f" (select d.id from documents d where not (1{_of(cases)}))",
            [store, *cases],
        )


def drop_others(db: Database, stores: Sequence[str]) -> None:
    """Forget what waits for stores that the settings name no more, in a transaction."""
    marks = ", ".join("?" for _ in stores)
    db.execute(f"delete from document_uploads where store not in ({marks})", list(stores))


def next_due(
    db: Database, store: str, cases: Collection[str], now: datetime
) -> WaitingDocument | None:
    """Return what is to be sent to a store first; `cases`: only of these, empty: of any."""
    # Later than any wait: only a clock that was set back makes it so.
    found = db.execute(
        f"select d.id, coalesce(u.attempts, 0) from {_WAITING}"
        " and (u.why is null or u.next_try_at <= ? or u.next_try_at > ?)"
        f"{_of(cases)} order by coalesce(u.attempts, 0), d.sealed_at, d.id limit 1",
        [store, store, iso(now), iso(now + LONGEST_WAIT), *cases],
    ).fetchone()
    return WaitingDocument(documents.document(db, found[0]), found[1]) if found else None


def note_failed(
    db: Database,
    document: str,
    store: str,
    why: Text,
    hint: Text | None,
    now: datetime,
    next_try: datetime | None,
) -> None:
    """Note a failure of this document alone. Without `next_try` only a person has it tried."""
    db.execute(
        "insert into document_uploads (document, store, queued_at, attempts, why, hint,"
        " next_try_at) values (?, ?, ?, 1, ?, ?, ?) on conflict do update set"
        " attempts = attempts + 1, why = excluded.why, hint = excluded.hint,"
        " next_try_at = excluded.next_try_at",
        [
            *(document, store, iso(now), text_json(why), text_json(hint) if hint else None),
            iso_or_none(next_try),
        ],
    )


def queue_again(
    db: Database, document: str, store: str, at: datetime, why_not: tuple[Text, Text] | None
) -> None:
    """Queue a document that a store has lost, in a transaction of the caller's.

    With `why_not`, a reason and what to do, it waits for a person.
    """
    why, hint = map(text_json, why_not) if why_not else (None, None)
    db.execute(
        "insert or ignore into document_uploads (document, store, queued_at, attempts, why, hint)"
        " select id, ?, ?, 0, ?, ? from documents where id = ?",
        [store, iso(at), why, hint, document],
    )


def retry(db: Database, store: str) -> int:
    """Have what failed tried at once; return how many, in a transaction of the caller's."""
    done = db.execute(
        "update document_uploads set attempts = 0, next_try_at = null, why = null, hint = null"
        " where store = ? and why is not null",
        [store],
    )
    return int(done.rowcount)


def queue_of(db: Database, store: str, cases: Collection[str], failures: int) -> DocumentQueue:
    """Return what waits for a store; of what failed, so many are named."""
    waiting, failed = db.execute(
        f"select count(*), coalesce(sum(u.why is not null), 0) from {_WAITING}{_of(cases)}",
        [store, store, *cases],
    ).fetchone()
    (confirmed,) = db.execute(
        "select count(*) from document_copies c join documents d on d.id = c.document"
        f" where c.store = ?{_of(cases)}",
        [store, *cases],
    ).fetchone()
    named = []
    for row in db.query(
        f"select d.id, u.why, u.hint from {_WAITING} and u.why is not null{_of(cases)}"
        " order by d.sealed_at, d.id limit ?",
        [store, store, *cases, failures],
    ):
        why = text_or_none(row["why"])
        assert why is not None  # the query says so
        named.append(FailedDocument(row["id"], why, text_or_none(row["hint"])))
    return DocumentQueue(waiting - failed, failed, confirmed, named)


def oldest(db: Database, store: str, cases: Collection[str]) -> datetime | None:
    """Return since when the document waits that waits longest for a store, where it is noted."""
    (found,) = db.execute(
        f"select min(u.queued_at) from {_WAITING}{_of(cases)}", [store, store, *cases]
    ).fetchone()
    return moment(found) if found else None


def take_over(db: Database, old: Path) -> None:
    """Enter in a new catalogue what the one in the file `old` has noted, where it can be read.

    Without it nothing would be lost: all that no store has confirmed would wait anew.
    """
    if not old.exists():
        return
    try:
        with closing(sqlite3.connect(f"{old.as_uri()}?mode=ro", uri=True)) as before:
            before.row_factory = sqlite3.Row
            rows = [dict(row) for row in before.execute("select * from document_uploads")]
    except sqlite3.DatabaseError:
        return  # it is broken, which is why it is made anew, or from an older version
    with transaction(db):
        db.execute("delete from document_uploads")
        insert(db, "document_uploads", rows)
        db.execute(
            "delete from document_uploads where document not in (select id from documents)"
            " or exists (select 1 from document_copies c where c.document ="
            " document_uploads.document and c.store = document_uploads.store)"
        )


_WAITING = (
    "documents d left join document_uploads u on u.document = d.id and u.store = ?"
    " where not exists (select 1 from document_copies c where c.document = d.id and c.store = ?)"
)


def _of(cases: Collection[str]) -> str:
    return f" and d.case_no in ({', '.join('?' for _ in cases)})" if cases else ""
