"""Which store has which document of a case, and which wait for one.

Working state of this machine. What is not noted here is waiting: a store is asked for it
before anything is sent, so what a rebuilt catalogue has not costs a question and no second copy.
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
from recorder_sync.catalogue.copies import Proof
from recorder_sync.catalogue.database import insert, transaction, upsert
from recorder_sync.catalogue.documents import SealedDocument
from recorder_sync.language import Text
from recorder_sync.rules.forwarding import LONGEST_WAIT
from recorder_sync.timestamps import iso, iso_or_none


@dataclass(frozen=True, slots=True)
class WaitingDocument:
    """A document that a store is to have."""

    sealed: SealedDocument
    attempts: int


@dataclass(frozen=True, slots=True)
class DocumentFailure:
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
    failures: Sequence[DocumentFailure] = ()
    """The first of those that failed."""


def next_due(
    db: Database, store: str, cases: Collection[str], now: datetime
) -> WaitingDocument | None:
    """Return what is to be sent to a store first; `cases`: only of these, empty: of any."""
    # Later than any wait: only a clock that was set back makes it so.
    where = "c.confirmed_at is null and (c.why is null or c.next_try_at <= ? or c.next_try_at > ?)"
    found = db.execute(
        f"select d.id, coalesce(c.attempts, 0) from {_JOINED} where {where}{_of(cases)}"
        " order by coalesce(c.attempts, 0), d.sealed_at, d.id limit 1",
        [store, iso(now), iso(now + LONGEST_WAIT), *cases],
    ).fetchone()
    return WaitingDocument(documents.document(db, found[0]), found[1]) if found else None


def note_confirmed(
    db: Database,
    document: str,
    store: str,
    key: str,
    version: str | None,
    proof: Proof,
    kept_until: datetime | None,
    at: datetime,
) -> None:
    """Note that a store has shown that it has a document, in a transaction of the caller's."""
    row = {
        "document": document,
        "store": store,
        "key": key,
        "version": version,
        "proof": proof.value,
        "kept_until": iso_or_none(kept_until),
        "confirmed_at": iso(at),
        "attempts": 0,
        "next_try_at": None,
        "why": None,
        "hint": None,
    }
    upsert(db, "document_copies", "document, store", row)


def note_failed(
    db: Database,
    document: str,
    store: str,
    why: Text,
    hint: Text | None,
    next_try: datetime | None,
) -> None:
    """Note a failure of this document alone. Without `next_try` only a person has it tried."""
    db.execute(
        "insert into document_copies (document, store, attempts, why, hint, next_try_at)"
        " values (?, ?, 1, ?, ?, ?) on conflict do update set attempts = attempts + 1,"
        " why = excluded.why, hint = excluded.hint, next_try_at = excluded.next_try_at",
        [
            *(document, store, text_json(why), text_json(hint) if hint else None),
            iso_or_none(next_try),
        ],
    )


def retry(db: Database, store: str) -> int:
    """Have what failed tried at once; return how many, in a transaction of the caller's."""
    done = db.execute(
        "delete from document_copies where store = ? and confirmed_at is null", [store]
    )
    return int(done.rowcount)


def queue_of(db: Database, store: str, cases: Collection[str], failures: int) -> DocumentQueue:
    """Return what waits for a store; of what failed, so many are named."""
    count, failed, confirmed = db.execute(
        "select count(*), coalesce(sum(c.confirmed_at is null and c.why is not null), 0),"
        f" coalesce(sum(c.confirmed_at is not null), 0) from {_JOINED} where 1{_of(cases)}",
        [store, *cases],
    ).fetchone()
    named = []
    for row in db.query(
        f"select d.id, c.why, c.hint from {_JOINED} where c.confirmed_at is null"
        f" and c.why is not null{_of(cases)} order by d.sealed_at, d.id limit ?",
        [store, *cases, failures],
    ):
        why = text_or_none(row["why"])
        assert why is not None  # the query says so
        named.append(DocumentFailure(row["id"], why, text_or_none(row["hint"])))
    return DocumentQueue(count - failed - confirmed, failed, confirmed, named)


def take_over(db: Database, old: Path) -> None:
    """Enter in a new catalogue what the one in the file `old` has, where it can be read.

    Without it the stores would be asked for every document.
    """
    if not old.exists():
        return
    try:
        with closing(sqlite3.connect(f"{old.as_uri()}?mode=ro", uri=True)) as before:
            before.row_factory = sqlite3.Row
            rows = [dict(row) for row in before.execute("select * from document_copies")]
    except sqlite3.DatabaseError:
        return  # it is broken, which is why it is made anew, or from an older version
    with transaction(db):
        insert(db, "document_copies", rows)
        db.execute("delete from document_copies where document not in (select id from documents)")


_JOINED = "documents d left join document_copies c on c.document = d.id and c.store = ?"


def _of(cases: Collection[str]) -> str:
    return f" and d.case_no in ({', '.join('?' for _ in cases)})" if cases else ""
