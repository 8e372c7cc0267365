"""Answers to requests that carried an idempotency key: asked again, answered the same.

A program that got no answer asks again with the same key, and what it wanted is done once. The
key is remembered for a day. A key is taken before the work and its answer noted after it: where
the process died between the two, the next request with the key does the work again, and every
write of this API gives the same state when it is done again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils.db import Database

from recorder_sync.timestamps import iso

_REMEMBERED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Answered:
    asked: str
    """Digest of the request that the key came with."""
    code: int | None
    answer: str | None
    """None: no answer was noted."""


def before(db: Database, token: str, key: str, asked: str, at: datetime) -> Answered | None:
    """Return what is known of this key, or take it for this request and return None."""
    with db.conn:
        db.execute("delete from api_answers where at < ?", [iso(at - _REMEMBERED)])
        taken = db.execute(
            "insert into api_answers (token, key, asked, at) values (?, ?, ?, ?)"
            " on conflict do nothing",
            [token, key, asked, iso(at)],
        ).rowcount
    if taken:
        return None
    row = db.execute(
        "select asked, code, answer from api_answers where token = ? and key = ?", [token, key]
    ).fetchone()
    return Answered(*row) if row else None


def note(db: Database, token: str, key: str, code: int, answer: str) -> None:
    with db.conn:
        db.execute(
            "update api_answers set code = ?, answer = ? where token = ? and key = ?",
            [code, answer, token, key],
        )


def forget(db: Database, token: str, key: str) -> None:
    """Give a key back whose request was refused, and may be mended and sent again."""
    with db.conn:
        db.execute("delete from api_answers where token = ? and key = ?", [token, key])
