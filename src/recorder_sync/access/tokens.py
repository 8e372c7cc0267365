"""Tokens of programs that use the API: a name, what it may do, and until when. Times in UTC.

The file has the SHA-256 of a token only; the token is shown once, when it is made. It begins
with `rs_`, so that a scan for secrets finds one that was put where it does not belong.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.access.last_use import note_use
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T
from recorder_sync.rules.access import ApiScope, Reach, Scope, Secrecy
from recorder_sync.timestamps import iso, moment

_SEEN_EVERY = timedelta(minutes=1)
LONGEST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Token:
    name: str
    scopes: frozenset[ApiScope]
    cleared: frozenset[Secrecy]
    made_at: datetime
    ends_at: datetime
    seen_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def actor(self) -> str:
        """Who this is in the custody log."""
        return f"program:{self.name}"

    @property
    def scope(self) -> Scope:
        """Which recordings and cases the program may see."""
        return Scope(Reach.ALL, cleared=self.cleared)

    def is_good(self, at: datetime) -> bool:
        return self.revoked_at is None and at < self.ends_at


@dataclass(frozen=True, slots=True)
class NewToken:
    """What is wanted of a token that is to be made."""

    name: str
    scopes: frozenset[ApiScope]
    cleared: frozenset[Secrecy] = frozenset({Secrecy.NONE})
    days: int = 365


def refuse_bad(db: Database, wanted: NewToken) -> None:
    """Raise UsageProblem for a token that cannot be made."""
    name = wanted.name
    if not 1 <= len(name) <= 64 or not all(c.isalnum() or c in ".-_" for c in name):
        raise UsageProblem(
            T("{name} cannot be the name of a token.", name=name),
            T("Use 1 to 64 letters, digits, dots, dashes or underscores."),
        )
    if not wanted.scopes:
        raise UsageProblem(T("A token needs a scope."), T("Say what the program may do."))
    if not 1 <= wanted.days <= LONGEST_DAYS:
        raise UsageProblem(
            T("A token cannot work for {days} days.", days=wanted.days),
            T("Give 1 to {most} days.", most=LONGEST_DAYS),
        )
    if _found(db, "name = ? and revoked_at is null", name) is not None:
        raise UsageProblem(
            T("There is a token {name} already.", name=name),
            T("Choose another name, or revoke that one first."),
        )


def make(db: Database, wanted: NewToken, at: datetime) -> str:
    """Make a token; return it, as it is kept nowhere. Raises UsageProblem."""
    refuse_bad(db, wanted)
    token = f"rs_{secrets.token_urlsafe(32)}"
    with db.conn:
        db.execute("delete from api_tokens where name = ?", [wanted.name])  # a revoked one
        db.execute(
            "insert into api_tokens (name, token, scopes, cleared, made_at, ends_at)"
            " values (?, ?, ?, ?, ?, ?)",
            [
                *(wanted.name, _digest(token), ",".join(sorted(wanted.scopes))),
                ",".join(sorted({*wanted.cleared, Secrecy.NONE})),
                *(iso(at), iso(at + timedelta(days=wanted.days))),
            ],
        )
    return token


def known(db: Database, token: str, at: datetime) -> Token | None:
    """Return whose token this is, or None where it is none, revoked or too old."""
    found = _found(db, "token = ?", _digest(token))
    if found is None or not found.is_good(at):
        return None
    if found.seen_at is None or at - found.seen_at > _SEEN_EVERY:
        note_use(db, "update api_tokens set seen_at = ? where name = ?", [iso(at), found.name])
    return found


def working(db: Database, name: str) -> Token:
    """Return a token that was not revoked. Raises NotFound."""
    found = _found(db, "name = ? and revoked_at is null", name)
    if found is None:
        raise NotFound(
            T("There is no token {name} that works.", name=name),
            T("recorder-sync tokens list shows them."),
        )
    return found


def revoke(db: Database, name: str, at: datetime) -> None:
    """Have a token work no more."""
    with db.conn:
        db.execute(
            "update api_tokens set revoked_at = ? where name = ? and revoked_at is null",
            [iso(at), name],
        )


def every(db: Database) -> list[Token]:
    return [_token(row) for row in db.query("select * from api_tokens order by name")]


def _found(db: Database, condition: str, value: str) -> Token | None:
    for row in db.query(f"select * from api_tokens where {condition}", [value]):
        return _token(row)
    return None


def _token(row: dict[str, Any]) -> Token:
    return Token(
        name=row["name"],
        scopes=frozenset(ApiScope(one) for one in row["scopes"].split(",")),
        cleared=frozenset(Secrecy(one) for one in row["cleared"].split(",")),
        made_at=moment(row["made_at"]),
        ends_at=moment(row["ends_at"]),
        seen_at=moment(row["seen_at"]) if row["seen_at"] else None,
        revoked_at=moment(row["revoked_at"]) if row["revoked_at"] else None,
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
