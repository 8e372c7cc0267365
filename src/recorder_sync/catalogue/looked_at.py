"""When confirmed copies were looked at again, and what became of those that were not there.

What the custody log says of it, to search: a rebuild makes the same rows. A copy that its
store has lost is no copy any more; that it waits to be sent again is working state.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue import document_uploads, uploads
from recorder_sync.catalogue.copies import (
    OF_DOCUMENTS,
    OF_RECORDINGS,
    Proof,
    Tables,
    tables_of,
)
from recorder_sync.custody.log import Entry
from recorder_sync.language import T, Text
from recorder_sync.rules.resampling import Lost
from recorder_sync.timestamps import iso

WHAT: Mapping[Lost, Text] = {
    Lost.MISSING: T("it is not there any more"),
    Lost.CHANGED: T("it is not what was sealed any more"),
    Lost.UNREADABLE: T("it cannot be read any more"),
    Lost.UNLOCKED: T("it is not kept from being deleted any more"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How many copies a store has, and how many of them were looked at since a time."""

    copies: int
    looked_at: int


@dataclass(frozen=True, slots=True)
class InTurn:
    """A copy whose turn it is."""

    sealed: str
    """The recording, or the document of a case."""
    custody_seq: int
    """Of the entry that confirmed it."""


def standing(db: Database, store: str, since: datetime) -> Standing:
    (copies,) = db.execute(
        "select (select count(*) from copies where store = ?1)"
        " + (select count(*) from document_copies where store = ?1)",
        [store],
    ).fetchone()
    (looked_at,) = db.execute(
        "select count(*) from copies_looked_at where store = ? and at >= ?", [store, iso(since)]
    ).fetchone()
    return Standing(int(copies), int(looked_at))


def in_turn(db: Database, store: str, before: datetime, limit: int) -> Iterator[InTurn]:
    """Yield the copies that nobody looked at for the longest time, none since `before`."""
    of_recordings, of_documents = (_in_turn(one) for one in (OF_RECORDINGS, OF_DOCUMENTS))
    rows = db.execute(
        f"{of_recordings} union all {of_documents} order by last_seen, sealed limit ?3",
        [store, iso(before), limit],
    )
    for sealed, seq, _ in rows.fetchall():
        yield InTurn(sealed, seq)


def _in_turn(tables: Tables) -> str:
    return (
        f"select c.{tables.column} as sealed, c.custody_seq,"
        " coalesce(max(l.at, c.confirmed_at), c.confirmed_at) as last_seen"
        f" from {tables.copies} c left join copies_looked_at l"
        f" on l.sealed = c.{tables.column} and l.store = c.store"
        " where c.store = ?1 and c.confirmed_at < ?2 and (l.at is null or l.at < ?2)"
    )


def take_up_found(db: Database, entry: Entry) -> None:
    """Do to the catalogue what followed from copies that were found; it may be repeated."""
    facts, at = entry.deed.facts, iso(entry.deed.time)
    store, read = facts["store"], facts["read_back"]
    db.conn.executemany(
        "insert into copies_looked_at (sealed, store, at) values (?, ?, ?)"
        " on conflict (sealed, store) do update set at = excluded.at",
        [(one, store, at) for one in [*facts["by_checksum"], *read]],
    )
    for one in read:
        tables = tables_of(one)
        db.execute(
            f"update {tables.copies} set proof = ?"
            f" where {tables.column} = ? and store = ? and proof = ?",
            [Proof.READ_BACK.value, one, store, Proof.SIZE.value],
        )


def take_up_lost(db: Database, entry: Entry) -> None:
    """Do to the catalogue what followed from a copy that is lost; it may be repeated."""
    facts: Mapping[str, Any] = entry.deed.facts
    sealed, store, tables = entry.deed.subject, facts["store"], tables_of(entry.deed.subject)
    for table, column in ((tables.copies, tables.column), ("copies_looked_at", "sealed")):
        db.execute(f"delete from {table} where {column} = ? and store = ?", [sealed, store])
    text = T("The store has lost it: {what}.", what=WHAT[Lost(facts["what"])])
    hint = T("Find out why; then: recorder-sync forward retry {store}", store=store)
    why = None if facts["again"] else (text, hint)
    if tables is OF_DOCUMENTS:
        document_uploads.queue_again(db, sealed, store, entry.deed.time, why)
    else:
        uploads.queue_again(db, sealed, store, facts["key"], entry.deed.time, why)
