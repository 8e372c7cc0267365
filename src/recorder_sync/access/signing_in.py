"""Signing in by password, and the one-time link by which a password is set.

Passwords are kept as hashes (`hashes.py`). There is no default password: an account is made
without one, and whoever makes it hands on a link that works once, within three days.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlite_utils.db import Database

from recorder_sync.access import accounts, sessions
from recorder_sync.access.accounts import Account
from recorder_sync.access.counting import begin_attempt, was_right
from recorder_sync.access.hashes import NOBODYS, fits, hash_of, is_outdated
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.timestamps import iso, moment

SHORTEST = 10
"""Characters that a password has at least."""
LONGEST = 1024
INVITATION_HOLDS = timedelta(days=3)


class Outcome(StrEnum):
    """How an attempt to sign in ended, as the audit trail keeps it."""

    SIGNED_IN = "signed in"
    REFUSED = "refused"
    LOCKED = "locked"


def sign_in(
    db: Database, name: str, password: str, address: str | None, at: datetime
) -> tuple[Outcome, Account | None]:
    """Check a name and a password; return the account where they fit. Every attempt is noted."""
    account = accounts.find(db, name)
    outcome = _checked(db, account, password, at)
    with db.conn:
        db.execute(
            "insert into sign_ins (at, account, address, outcome) values (?, ?, ?, ?)",
            [iso(at), name[:64], address, outcome.value],
        )
    return outcome, account if outcome is Outcome.SIGNED_IN else None


def _checked(db: Database, account: Account | None, password: str, at: datetime) -> Outcome:
    hashed = accounts.password_hash(db, account.name) if account else None
    if account is None or hashed is None or account.disabled_at is not None:
        fits(hashed or NOBODYS, password[:LONGEST])  # so that it takes as long as any other
        return Outcome.REFUSED
    attempt = begin_attempt(db, "accounts", account.name, at)
    if attempt is None:
        return Outcome.LOCKED
    if len(password) > LONGEST or not fits(hashed, password):
        return Outcome.LOCKED if attempt.is_locked(at) else Outcome.REFUSED
    was_right(db, "accounts", account.name)
    if is_outdated(hashed):
        accounts.set_password_hash(db, account.name, hash_of(password))
    return Outcome.SIGNED_IN


def invite(db: Database, account: Account, at: datetime) -> str:
    """Return the token of a new one-time link; earlier ones of the account end."""
    token = secrets.token_urlsafe(32)
    with db.conn:
        db.execute(
            "update invitations set used_at = ? where account = ? and used_at is null",
            [iso(at), account.name],
        )
        db.execute(
            "insert into invitations (token, account, made_at) values (?, ?, ?)",
            [_digest(token), account.name, iso(at)],
        )
    return token


def invited(db: Database, token: str, at: datetime) -> Account | None:
    """Return whose link this is, or None where it was used or is too old."""
    row = db.execute(
        "select account, made_at from invitations where token = ? and used_at is null",
        [_digest(token)],
    ).fetchone()
    if row is None or not timedelta() <= at - moment(row[1]) <= INVITATION_HOLDS:
        return None
    found = accounts.find(db, row[0])
    return None if found is None or found.disabled_at is not None else found


def is_password(db: Database, account: Account, password: str, at: datetime) -> Outcome:
    """Check the password of somebody who is signed in; failures count as at signing in."""
    return _checked(db, account, password, at)


def refuse_bad_password(account: Account, password: str) -> None:
    """Raise UsageProblem for a password that will not do."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageProblem(
            T("The password is too short or too long."),
            T("Use at least {count} characters; several words are easy to keep.", count=SHORTEST),
        )
    if account.name.casefold() in password.casefold() or len(set(password)) < 4:
        raise UsageProblem(
            T("The password is too easy to guess."),
            T("Do not use the account's name or one character again and again."),
        )


def set_password(db: Database, account: Account, password: str) -> None:
    """Give an account another password; its sessions end. Raises UsageProblem."""
    refuse_bad_password(account, password)
    accounts.set_password_hash(db, account.name, hash_of(password))
    was_right(db, "accounts", account.name)
    sessions.end_all_of(db, account.name)


def accept(db: Database, token: str, password: str, at: datetime) -> Account | None:
    """Set the password of a one-time link's account, and use the link up.

    Returns None for a link that does not work any more. Raises UsageProblem for a password
    that will not do; the link works still.
    """
    account = invited(db, token, at)
    if account is None:
        return None
    refuse_bad_password(account, password)
    with db.conn:
        used = db.execute(
            "update invitations set used_at = ? where token = ? and used_at is null",
            [iso(at), _digest(token)],
        ).rowcount
    if not used:  # by somebody else, at the same moment
        return None
    set_password(db, account, password)
    return account


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
