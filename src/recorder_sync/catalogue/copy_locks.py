"""Which confirmed copies are kept otherwise in their store than they should be.

A hold that was put or released since, and a retention that became longer. What a store has
put on a copy stands in `copies` and `document_copies`: the date by what it said last, the
hold where it was put for us. Documents are held with their case, and their time is seen to with
the station's records (`forward/record_locks.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.copies import tables_of
from recorder_sync.catalogue.holds import HELD, HELD_DOCUMENTS
from recorder_sync.catalogue.uploads import forwardable
from recorder_sync.custody.log import Entry
from recorder_sync.rules.forwarding import Forwardable
from recorder_sync.timestamps import moment

_COPY = (
    "c.recording, c.key, c.version, c.kept_until, c.held,"
    " r.id, r.kind, r.flags, r.case_no, r.sealed_at, r.deadline"
)


@dataclass(frozen=True, slots=True)
class LockedCopy:
    """A copy as a store keeps it."""

    sealed: str
    """The recording, or the document of a case."""
    recording: Forwardable | None
    """None: it is a document."""
    is_to_be_held: bool
    key: str
    version: str | None
    kept_until: datetime | None
    is_held: bool
    """By us, in that store."""


def hold_differs(db: Database, store: str, limit: int) -> list[LockedCopy]:
    """Return copies that should be held and are not, or are and should not be."""
    rows = db.query(
        f"select {_COPY}, 1 as wanted from ({HELD}) h join copies c on c.recording = h.id"
        " join recordings r on r.id = c.recording where c.store = ? and c.held = 0"
        f" union all select {_COPY}, 0 from copies c join recordings r on r.id = c.recording"
        f" where c.store = ? and c.held = 1 and c.recording not in ({HELD}) limit ?",
        [store, store, limit],
    )
    found = [_locked(row) for row in rows]
    documents = db.query(
        "select c.document, c.key, c.version, c.kept_until, c.held, h.id is not null as wanted"
        f" from document_copies c left join ({HELD_DOCUMENTS}) h on h.id = c.document"
        " where c.store = ? and c.held <> (h.id is not null) limit ?",
        [store, limit],
    )
    return [*found, *map(_locked_document, documents)]


def all_of(db: Database, store: str, page: int = 500) -> Iterator[list[LockedCopy]]:
    """Yield the copies of recordings in a store, page by page, by their ids."""
    after = ""
    while rows := list(
        db.query(
            f"select {_COPY}, c.recording in ({HELD}) as wanted from copies c"
            " join recordings r on r.id = c.recording where c.store = ? and c.recording > ?"
            " order by c.recording limit ?",
            [store, after, page],
        )
    ):
        yield [_locked(row) for row in rows]
        after = rows[-1]["recording"]


def counts(db: Database, store: str) -> tuple[int, int]:
    """Return how many copies of a store should be held, and how many of them are."""
    wanted, kept = db.execute(
        "select count(*), coalesce(sum(held), 0) from ("
        f"select c.held from ({HELD}) h join copies c on c.recording = h.id where c.store = ?1"
        f" union all select c.held from ({HELD_DOCUMENTS}) h join document_copies c"
        " on c.document = h.id where c.store = ?1)",
        [store],
    ).fetchone()
    return int(wanted), int(kept)


def needed_until(db: Database, store: str, now: datetime) -> datetime | None:
    """Return until when what proves the copies of a store is needed there; None: not at all.

    That is as long as the last of them is kept; while one is held, at least until now.
    """
    (latest,) = db.execute("select max(kept_until) from copies where store = ?", [store]).fetchone()
    wanted, _ = counts(db, store)
    ends = [moment(latest)] if latest else []
    return max([*ends, now] if wanted else ends, default=None)


def take_up(db: Database, entry: Entry) -> None:
    """Do to the catalogue what followed from what a store keeps of a copy from then on."""
    facts, tables = entry.deed.facts, tables_of(entry.deed.subject)
    db.execute(
        f"update {tables.copies} set kept_until = ?, held = ?"
        f" where {tables.column} = ? and store = ?",
        [facts["kept_until"], int(facts["hold"]), entry.deed.subject, facts["store"]],
    )


def _locked(row: Mapping[str, Any]) -> LockedCopy:
    recording = forwardable(row, held=bool(row["wanted"]))
    return _as_kept(recording.id, recording, row)


def _locked_document(row: Mapping[str, Any]) -> LockedCopy:
    return _as_kept(row["document"], None, row)


def _as_kept(sealed: str, recording: Forwardable | None, row: Mapping[str, Any]) -> LockedCopy:
    return LockedCopy(
        sealed,
        recording,
        bool(row["wanted"]),
        row["key"],
        row["version"],
        moment(row["kept_until"]) if row["kept_until"] else None,
        bool(row["held"]),
    )
