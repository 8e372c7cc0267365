"""Legal holds: what nobody may dispose of until the hold is released (Art. 25).

A hold is on one recording, or on a case: then on every recording and document that is of the
case, also on those that come later. A recording may be held by itself and with its case; it is
held as long as one of the two stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import insert
from recorder_sync.custody.log import Entry
from recorder_sync.timestamps import iso, moment

CASE = "case:"
"""Before the number of a case, as the subject of an entry."""

HELD_THEMSELVES = (
    "select h.recording as id from legal_holds h"
    " where h.released_seq is null and h.recording is not null"
)
"""Query for the ids of the recordings that are held by themselves now."""

HELD_CASES = (
    "select h.case_no from legal_holds h where h.released_seq is null and h.case_no is not null"
)
"""Query for the numbers of the cases that are held now."""

HELD = (
    f"{HELD_THEMSELVES}"
    " union select r.id from legal_holds h join recordings r on r.case_no = h.case_no"
    " and r.state = 'sealed' where h.released_seq is null"
)
"""Query for the ids of all recordings that are held now."""

HELD_DOCUMENTS = f"select d.id from documents d where d.case_no in ({HELD_CASES})"
"""Query for the ids of the documents that are held now, with their cases."""

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold that stands."""

    recording: str | None
    case: str | None
    """One of the two is given."""
    reason: str
    held_by: str
    held_at: datetime
    custody_seq: int

    @property
    def subject(self) -> str:
        """Return what it is on, as the custody log names it."""
        return self.recording or f"{CASE}{self.case}"

    def as_json(self) -> dict[str, Any]:
        """Return `legal_hold` of a RECORDING."""
        return {
            "since": iso(self.held_at),
            "by": self.held_by,
            "reason": self.reason,
            "case": self.case,
        }


def take_up(db: Database, entry: Entry) -> None:
    """Enter a hold; one that is entered already stays as it is, released or not."""
    deed = entry.deed
    known = db.execute("select 1 from legal_holds where custody_seq = ?", [entry.seq]).fetchone()
    if known is None:
        case = deed.subject.removeprefix(CASE) if deed.subject.startswith(CASE) else None
        row = {
            "custody_seq": entry.seq,
            "recording": deed.subject if case is None else None,
            "case_no": case,
            "reason": deed.facts["reason"],
            "held_by": deed.facts["by"],
            "held_at": iso(deed.time),
        }
        insert(db, "legal_holds", [row])


def take_up_release(db: Database, entry: Entry) -> None:
    """Release the holds on a recording or a case that were entered before."""
    deed = entry.deed
    case = deed.subject.removeprefix(CASE) if deed.subject.startswith(CASE) else None
    column, value = ("recording", deed.subject) if case is None else ("case_no", case)
    db.execute(
        "update legal_holds set released_seq = ?, released_at = ?, released_by = ?,"
        f" release_reason = ? where {column} = ? and custody_seq < ?"
        " and (released_seq is null or released_seq > ?)",
        [
            *(entry.seq, iso(deed.time), deed.facts["by"], deed.facts["reason"]),
            *(value, entry.seq, entry.seq),
        ],
    )


def standing(db: Database) -> list[Hold]:
    """Return all holds that stand, the oldest first."""
    rows = db.query("select * from legal_holds where released_seq is null order by custody_seq")
    return [hold_of_row(row) for row in rows]


def holds_of(db: Database, recordings: Sequence[str]) -> dict[str, list[Hold]]:
    """Return the holds that stand on these recordings, the oldest first; none: left out."""
    found: dict[str, list[Hold]] = {}
    for start in range(0, len(recordings), _AT_ONCE):
        some = recordings[start : start + _AT_ONCE]
        marks = ", ".join("?" for _ in some)
        rows = db.query(
            "select h.*, r.id as held from recordings r join legal_holds h"
            " on (h.recording = r.id or h.case_no = r.case_no) and h.released_seq is null"
            f" where r.id in ({marks}) order by h.custody_seq",
            list(some),
        )
        for row in rows:
            found.setdefault(row["held"], []).append(hold_of_row(row))
    return found


def holds_of_case(db: Database, number: str) -> list[Hold]:
    """Return the holds that stand on a whole case, the oldest first."""
    rows = db.query(
        "select * from legal_holds where released_seq is null and recording is null"
        " and case_no = ? order by custody_seq",
        [number],
    )
    return [hold_of_row(row) for row in rows]


def is_held(db: Database, recording: str) -> bool:
    """Tell whether anything holds a recording."""
    return bool(holds_of(db, [recording]))


def count_held(db: Database) -> int:
    """Return how many sealed recordings are held."""
    (count,) = db.execute(f"select count(*) from ({HELD})").fetchone()
    return int(count)


def hold_of_row(row: Mapping[str, Any]) -> Hold:
    return Hold(
        row["recording"],
        row["case_no"],
        row["reason"],
        row["held_by"],
        moment(row["held_at"]),
        row["custody_seq"],
    )
