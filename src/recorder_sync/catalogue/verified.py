"""When each recording was last re-read and found whole, and the verification under way.

A verification of everything takes many hours. What it re-read is marked as it goes, so that
one that was cut off goes on where it was. The marks come from the custody log's entries, and
a rebuild makes the same ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.rules.reverification import Waiting
from recorder_sync.timestamps import iso, moment


@dataclass(frozen=True, slots=True)
class Standing:
    """How far back verification lies."""

    oldest: datetime | None
    """Of all recordings that were ever re-read, the one that waits longest: since when."""
    never: int
    """Recordings and documents that were never re-read since they were sealed."""


def enter(db: Database, facts: Mapping[str, Any], at: datetime) -> None:
    """Take up what a verification entry of the custody log says. Older ones say less."""
    db.conn.executemany(
        "insert into verified (recording, at) values (?, ?)"
        " on conflict (recording) do update set at = excluded.at",
        [(recording, iso(at)) for recording in facts.get("verified", ())],
    )
    if (run := facts.get("run")) is not None:
        db.execute("delete from verification_runs")
        if not facts["complete"]:
            db.execute("insert into verification_runs (began_at) values (?)", [run])


def under_way(db: Database) -> datetime | None:
    """Return when the verification of everything began that was cut off; None: there is none."""
    row = db.execute("select began_at from verification_runs").fetchone()
    return moment(row[0]) if row else None


def since(db: Database, began_at: datetime) -> set[str]:
    """Return the recordings that were found whole since then."""
    rows = db.execute("select recording from verified where at >= ?", [iso(began_at)])
    return {row[0] for row in rows}


def last(db: Database, recording: str) -> datetime | None:
    """Return when a recording was last re-read and whole."""
    row = db.execute("select at from verified where recording = ?", [recording]).fetchone()
    return moment(row[0]) if row else None


def oldest(db: Database) -> datetime | None:
    """Return since when the recording waits that was re-read longest ago; None: none was yet."""
    (at,) = db.execute("select min(at) from verified").fetchone()
    return moment(at) if at else None


def standing(db: Database) -> Standing:
    oldest, verified = db.execute("select min(at), count(*) from verified").fetchone()
    (sealed,) = db.execute(
        "select (select count(*) from recordings where state = 'sealed')"
        " + (select count(*) from documents)"
    ).fetchone()
    return Standing(moment(oldest) if oldest else None, int(sealed) - int(verified))


def waiting(db: Database) -> Iterator[Waiting]:
    """Yield every sealed recording and document, by how long it has waited to be re-read."""
    for identifier, size, sealed_at, at in db.execute(
        "select r.id, r.size, r.sealed_at, v.at from"
        " (select id, size, sealed_at from recordings where state = 'sealed'"
        " union all select id, size, sealed_at from documents) r"
        " left join verified v on v.recording = r.id"
        " order by coalesce(v.at, r.sealed_at), r.id"
    ):
        yield Waiting(identifier, size, moment(sealed_at), moment(at) if at else None)
