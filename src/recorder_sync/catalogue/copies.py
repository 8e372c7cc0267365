"""Which store has confirmed which recording: what the custody log says of it, to search."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.alert_facts import text_of
from recorder_sync.catalogue.database import insert
from recorder_sync.custody.log import Entry
from recorder_sync.timestamps import iso, iso_or_none, moment

_AT_ONCE = 500


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

    recording: str
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


def enter(db: Database, copies: Iterable[Copy]) -> None:
    """Enter copies, in a transaction of the caller's; a later one of the same replaces it."""
    rows = [
        {
            "recording": one.recording,
            "store": one.store,
            "key": one.key,
            "version": one.version,
            "proof": one.proof.value,
            "kept_until": iso_or_none(one.kept_until),
            "confirmed_at": iso(one.confirmed_at),
            "custody_seq": one.custody_seq,
            "held": int(one.held),
        }
        for one in copies
    ]
    pairs = [(row["recording"], row["store"]) for row in rows]
    db.conn.executemany("delete from copies where recording = ? and store = ?", pairs)
    insert(db, "copies", rows)


def copy_in(entry: Entry) -> Copy:
    """Return what an entry `confirmed` of the custody log says."""
    facts = entry.deed.facts
    kept_until = facts["kept_until"]
    return Copy(
        recording=entry.deed.subject,
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
    copy = copy_in(entry)
    enter(db, [copy])
    db.execute(
        "delete from uploads where recording = ? and store = ?", [copy.recording, copy.store]
    )


def confirmed_by(db: Database, recording: str) -> Mapping[str, Copy]:
    """Return the copies of a recording, by the name of their store."""
    rows = db.query("select * from copies where recording = ? order by store", [recording])
    return {row["store"]: _copy(row) for row in rows}


def _copy(row: Mapping[str, Any]) -> Copy:
    return Copy(
        recording=row["recording"],
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
