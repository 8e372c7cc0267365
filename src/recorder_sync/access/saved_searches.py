"""Searches that somebody saved under a name, to have them again with one touch. Times in UTC."""

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.timestamps import iso

_MOST = 30
_LONGEST_NAME = 60
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class SavedSearch:
    name: str
    query: str
    """As it stands in an address, behind the question mark."""


def of(db: Database, account: str) -> list[SavedSearch]:
    """Return the searches of an account by name."""
    rows = db.execute(
        "select name, query from saved_searches where account = ? order by name", [account]
    )
    return [SavedSearch(*row) for row in rows]


def save(db: Database, account: str, name: str, query: str, at: datetime) -> None:
    """Save a search; one of the same name is replaced. Raises UsageProblem."""
    name = name.strip()
    if not 1 <= len(name) <= _LONGEST_NAME or len(query) > _LONGEST:
        raise UsageProblem(
            T("A search is saved under a name."),
            T("Give a name of at most {count} characters.", count=_LONGEST_NAME),
        )
    with db.conn:
        db.execute(
            "insert into saved_searches (account, name, query, saved_at) values (?, ?, ?, ?)"
            " on conflict (account, name) do update set query = excluded.query",
            [account, name, query, iso(at)],
        )
        db.execute(
            "delete from saved_searches where account = ?1 and name not in (select name from"
            " saved_searches where account = ?1 order by saved_at desc limit ?2)",
            [account, _MOST],
        )


def forget(db: Database, account: str, name: str) -> None:
    with db.conn:
        db.execute("delete from saved_searches where account = ? and name = ?", [account, name])
