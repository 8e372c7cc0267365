"""Which confirmed copies are kept otherwise in their store than they should be.

A hold that was put or released since, and a retention that became longer. What a store has
put on a copy stands in `copies`: the date by what it said last, the hold where it was put
for us.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.holds import HELD
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

    recording: Forwardable
    """`held` says whether it should be."""
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
    return [_locked(row) for row in rows]


def all_of(db: Database, store: str, page: int = 500) -> Iterator[list[LockedCopy]]:
    """Yield the copies of a store, page by page, by the ids of their recordings."""
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
        f"select count(*), coalesce(sum(c.held), 0) from ({HELD}) h join copies c"
        " on c.recording = h.id where c.store = ?",
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
    facts = entry.deed.facts
    db.execute(
        "update copies set kept_until = ?, held = ? where recording = ? and store = ?",
        [facts["kept_until"], int(facts["hold"]), entry.deed.subject, facts["store"]],
    )


def _locked(row: Mapping[str, Any]) -> LockedCopy:
    return LockedCopy(
        forwardable(row, held=bool(row["wanted"])),
        row["key"],
        row["version"],
        moment(row["kept_until"]) if row["kept_until"] else None,
        bool(row["held"]),
    )
