"""Which recordings are only in a store: the station was made anew from it, without their files.

An entry of the custody log says so of all recordings that were sealed before it. A later one
says that the files were fetched; what could not be fetched then is missing, and verification
names it.
"""

from collections.abc import Sequence

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import upsert
from recorder_sync.custody.log import Entry

_AT_ONCE = 500


def take_up(db: Database, entry: Entry) -> None:
    """Do to the catalogue what followed from one that was made anew; most are from no store."""
    facts = entry.deed.facts
    if facts.get("store"):
        row = {
            "custody_seq": entry.seq,
            "store": facts["store"],
            "with_recordings": int(facts["with_recordings"]),
        }
        upsert(db, "brought_back", "custody_seq", row)


def only_in_store(db: Database, schema: str = "main") -> tuple[str, int] | None:
    """Return the store that alone has the recordings whose seals come before an entry, and
    the number of that entry; None: every recording is here."""
    row = db.execute(
        f"select store, custody_seq, with_recordings from {schema}.brought_back"
        " order by custody_seq desc limit 1"
    ).fetchone()
    return (row[0], row[1]) if row and not row[2] else None


def not_here(db: Database, recordings: Sequence[str]) -> set[str]:
    """Return those of these recordings that are only in a store."""
    only = only_in_store(db)
    if only is None:
        return set()
    found: set[str] = set()
    for start in range(0, len(recordings), _AT_ONCE):
        some = recordings[start : start + _AT_ONCE]
        marks = ", ".join("?" for _ in some)
        rows = db.execute(
            f"select id from recordings where id in ({marks}) and custody_seq < ?",
            [*some, only[1]],
        )
        found.update(row[0] for row in rows)
    return found
