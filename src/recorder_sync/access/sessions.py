"""Sessions: what a browser holds after signing in. Times in UTC.

The browser has the token, the file only its SHA-256: whoever reads the file cannot sign in with
it. A session ends when it was not used for a while, when it is too old, when its owner signs
out, and when the account is disabled or gets another password.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils.db import Database

from recorder_sync.access.accounts import Account, find
from recorder_sync.access.last_use import note_use
from recorder_sync.timestamps import iso, moment

_SEEN_EVERY = timedelta(seconds=30)
"""How exactly it is noted when a session was last used: not a write for every picture."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts."""

    idle: timedelta
    whole: timedelta

    def are_past(self, begun: datetime, seen: datetime, at: datetime) -> bool:
        """Tell whether a session that was last used when it was `seen` is over.

        So is one from a time to come: a clock that was set back since would make it last.
        """
        return abs(at - begun) > self.whole or abs(at - seen) > self.idle


@dataclass(frozen=True, slots=True)
class Session:
    account: Account
    csrf: str
    """What every form of this session carries (OWASP, synchroniser token)."""


def begin(db: Database, account: Account, address: str | None, at: datetime) -> str:
    """Begin a session; return its token, which is kept nowhere here."""
    token = secrets.token_urlsafe(32)
    with db.conn:
        db.execute(
            "insert into sessions (token, account, csrf, begun_at, seen_at, address)"
            " values (?, ?, ?, ?, ?, ?)",
            [_digest(token), account.name, secrets.token_urlsafe(24), iso(at), iso(at), address],
        )
    return token


def resume(
    db: Database, token: str, limits: Limits, at: datetime, *, is_used: bool = True
) -> Session | None:
    """Return the session of a token, or None where it is over or never was.

    `is_used` is False for what a page asks by itself: nobody has to be there for that, so it
    keeps no session alive.
    """
    row = db.execute(
        "select account, csrf, begun_at, seen_at from sessions where token = ?", [_digest(token)]
    ).fetchone()
    if row is None:
        return None
    name, csrf, begun_at, seen_at = row
    account = find(db, name)
    begun, seen = moment(begun_at), moment(seen_at)
    is_over = limits.are_past(begun, seen, at)
    if is_over or account is None or account.disabled_at is not None:
        end(db, token)
        return None
    if is_used and not timedelta() <= at - seen < _SEEN_EVERY:
        note_use(db, "update sessions set seen_at = ? where token = ?", [iso(at), _digest(token)])
    return Session(account, csrf)


@dataclass(frozen=True, slots=True)
class Begun:
    """A session as its owner sees it; without what would let somebody use it."""

    begun_at: datetime
    seen_at: datetime
    address: str | None
    is_this: bool
    """Whether it is the one that asks."""


def of_account(
    db: Database, account: str, token: str | None, limits: Limits, at: datetime
) -> list[Begun]:
    """Return the sessions of an account that are not over, last used first."""
    rows = db.execute(
        "select token, begun_at, seen_at, address from sessions where account = ?"
        " order by seen_at desc",
        [account],
    )
    this = _digest(token) if token else None
    found = [
        Begun(moment(begun), moment(seen), address, digest == this)
        for digest, begun, seen, address in rows
    ]
    return [one for one in found if not limits.are_past(one.begun_at, one.seen_at, at)]


def open_counts(db: Database, limits: Limits, at: datetime) -> dict[str, int]:
    """Return how many sessions that are not over each account has."""
    rows = db.execute(
        "select account, count(*) from sessions where begun_at >= ? and seen_at >= ?"
        " group by account",
        [iso(at - limits.whole), iso(at - limits.idle)],
    )
    return dict(rows.fetchall())


def end_others(db: Database, account: str, token: str) -> None:
    """End the sessions of an account but for the one with this token."""
    with db.conn:
        db.execute(
            "delete from sessions where account = ? and token <> ?", [account, _digest(token)]
        )


def end(db: Database, token: str) -> None:
    with db.conn:
        db.execute("delete from sessions where token = ?", [_digest(token)])


def end_all_of(db: Database, account: str) -> None:
    with db.conn:
        db.execute("delete from sessions where account = ?", [account])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
