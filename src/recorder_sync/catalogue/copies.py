"""Which store has confirmed which recording, or document of a case: what the custody log says of
it, to search.

The two stand in tables of their own, as what is counted and searched of recordings is no
document's; what happens to a copy is the same.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.alert_facts import text_of
from recorder_sync.catalogue.database import upsert
from recorder_sync.custody.log import Entry
from recorder_sync.rules.documents import is_document
from recorder_sync.timestamps import iso, iso_or_none, moment

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Tables:
    """Where copies stand."""

    copies: str
    queue: str
    """What waits to become one."""
    column: str
    """What it is a copy of."""


OF_RECORDINGS = Tables("copies", "uploads", "recording")
OF_DOCUMENTS = Tables("document_copies", "document_uploads", "document")


def tables_of(sealed: str) -> Tables:
    """Return where the copies of the recording or document with this id stand."""
    return OF_DOCUMENTS if is_document(sealed) else OF_RECORDINGS


class Proof(StrEnum):
    """By what a store has shown that it has the very bytes that were sealed."""

    CHECKSUM = "checksum"
    """The store computed it by itself, over the whole object."""
    READ_BACK = "read-back"
    """Every byte was read from the store again."""
    SIZE = "size"
    """Only by its size: the store keeps no checksum, and it was not picked to be read back."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that a store has confirmed."""

    sealed: str
    """The recording, or the document of a case."""
    store: str
    key: str
    version: str | None
    proof: Proof
    kept_until: datetime | None
    """By the lock that the store says it keeps."""
    confirmed_at: datetime
    custody_seq: int
    held: bool = False
    """Whether the store keeps it under legal hold because it was asked to."""


def enter(db: Database, copy: Copy) -> None:
    """Enter a copy, in a transaction of the caller's; a later one of the same replaces it."""
    tables = tables_of(copy.sealed)
    row = {
        tables.column: copy.sealed,
        "store": copy.store,
        "key": copy.key,
        "version": copy.version,
        "proof": copy.proof.value,
        "kept_until": iso_or_none(copy.kept_until),
        "confirmed_at": iso(copy.confirmed_at),
        "custody_seq": copy.custody_seq,
        "held": int(copy.held),
    }
    upsert(db, tables.copies, f"{tables.column}, store", row)


def copy_in(entry: Entry) -> Copy:
    """Return what an entry `confirmed` of the custody log says."""
    facts = entry.deed.facts
    kept_until = facts["kept_until"]
    return Copy(
        sealed=entry.deed.subject,
        store=facts["store"],
        key=facts["key"],
        version=facts["version"],
        proof=Proof(facts["proof"]),
        kept_until=moment(kept_until) if kept_until else None,
        confirmed_at=entry.deed.time,
        custody_seq=entry.seq,
    )


def take_up(db: Database, entry: Entry) -> None:
    """Do to the catalogue what followed from a confirmation; it may be repeated."""
    copy, tables = copy_in(entry), tables_of(entry.deed.subject)
    enter(db, copy)
    db.execute(
        f"delete from {tables.queue} where {tables.column} = ? and store = ?",
        [copy.sealed, copy.store],
    )


def confirmed_by(db: Database, sealed: str) -> Mapping[str, Copy]:
    """Return the copies of a recording or document, by the name of their store."""
    tables = tables_of(sealed)
    rows = db.query(
        f"select * from {tables.copies} where {tables.column} = ? order by store", [sealed]
    )
    return {row["store"]: _copy(sealed, row) for row in rows}


def _copy(sealed: str, row: Mapping[str, Any]) -> Copy:
    return Copy(
        sealed=sealed,
        store=row["store"],
        key=row["key"],
        version=row["version"],
        proof=Proof(row["proof"]),
        kept_until=moment(row["kept_until"]) if row["kept_until"] else None,
        confirmed_at=moment(row["confirmed_at"]),
        custody_seq=row["custody_seq"],
        held=bool(row["held"]),
    )


def stores_json(db: Database, recordings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the `stores` of RECORDINGs, by recording: what each store has, or waits for."""
    found: dict[str, dict[str, Any]] = {one: {} for one in recordings}
    for start in range(0, len(recordings), _AT_ONCE):
        some = recordings[start : start + _AT_ONCE]
        marks = ", ".join("?" for _ in some)
        for table in (
            "select recording, store, state, null, why from uploads",
            "select recording, store, 'confirmed', version, null from copies",
        ):
            rows = db.execute(f"{table} where recording in ({marks}) order by store", list(some))
            for recording, store, state, version, why in rows:
                found[recording][store] = {"state": state, "version": version}
                if why is not None and state == "failed":
                    found[recording][store]["why"] = text_of(json.loads(why)).english
    return found


def newest_confirmed(db: Database, store: str) -> datetime | None:
    """Return when a store last confirmed a recording."""
    (at,) = db.execute("select max(confirmed_at) from copies where store = ?", [store]).fetchone()
    return moment(at) if at else None
