"""Officers' PINs, by which they say at the dock who they are. Times in UTC.

A PIN is typed with the certificate number, or after a reader has read that from a card. It is
kept as a hash in the file of accounts. Six digits are guessed in no time by whoever has that
file; at the dock five failures in a row lock the PIN for a quarter of an hour (`rules/lockout`).
It opens nothing but the tile of the officer's own device.
"""

import unicodedata
from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.access.counting import begin_attempt, was_right
from recorder_sync.access.hashes import NOBODYS, fits, hash_of, is_outdated
from recorder_sync.access.signing_in import Outcome
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.timestamps import iso, moment

SHORTEST = 6
LONGEST = 12
_RUNS = "01234567890", "09876543210"


def refuse_bad_pin(officer: str, pin: str) -> None:
    """Raise UsageProblem for a PIN that will not do."""
    pin = _as_digits(pin)
    if not (SHORTEST <= len(pin) <= LONGEST and pin.isascii() and pin.isdigit()):
        raise UsageProblem(
            T("The PIN is not {least} to {most} digits.", least=SHORTEST, most=LONGEST),
            T("Choose digits that only the officer knows."),
        )
    if len(set(pin)) < 3 or any(pin in run for run in _RUNS) or pin in officer:
        raise UsageProblem(
            T("The PIN is too easy to guess."),
            T("Use no row of digits, no repeated digit and not the certificate number."),
        )


def set_pin(db: Database, officer: str, pin: str, at: datetime) -> None:
    """Give the officer with this certificate number another PIN; it is not locked any more.

    Raises UsageProblem for one that will not do. Whether there is such an officer is the
    caller's to know.
    """
    refuse_bad_pin(officer, pin)
    pin = _as_digits(pin)
    with db.conn:
        db.execute(
            "insert into officer_pins (officer, hash, set_at, failures, locked_until)"
            " values (?, ?, ?, 0, null) on conflict (officer) do update set"
            " hash = excluded.hash, set_at = excluded.set_at, failures = 0, locked_until = null",
            [officer, hash_of(pin), iso(at)],
        )


def remove_pin(db: Database, officer: str) -> None:
    """Take an officer's PIN away; without one nothing is done at the dock in their name."""
    with db.conn:
        db.execute("delete from officer_pins where officer = ?", [officer])


def with_pin(db: Database) -> dict[str, datetime]:
    """Return the certificate numbers of officers who have a PIN, and since when."""
    rows = db.execute("select officer, set_at from officer_pins order by officer")
    return {officer: moment(set_at) for officer, set_at in rows}


def check_pin(db: Database, officer: str, pin: str, address: str | None, at: datetime) -> Outcome:
    """Check a certificate number and a PIN. Every attempt is noted, as `officer:NUMBER`."""
    outcome = _checked(db, officer, _as_digits(pin), at)
    with db.conn:
        db.execute(
            "insert into sign_ins (at, account, address, outcome) values (?, ?, ?, ?)",
            [iso(at), f"officer:{officer[:64]}", address, outcome.value],
        )
    return outcome


def _checked(db: Database, officer: str, pin: str, at: datetime) -> Outcome:
    row = db.execute("select hash from officer_pins where officer = ?", [officer]).fetchone()
    if row is None:
        fits(NOBODYS, pin[:LONGEST])
        return Outcome.REFUSED
    (hashed,) = row
    attempt = begin_attempt(db, "officer_pins", officer, at)
    if attempt is None:
        return Outcome.LOCKED
    if len(pin) > LONGEST or not fits(hashed, pin):
        return Outcome.LOCKED if attempt.is_locked(at) else Outcome.REFUSED
    was_right(db, "officer_pins", officer)
    if is_outdated(hashed):
        with db.conn:
            db.execute(
                "update officer_pins set hash = ? where officer = ?", [hash_of(pin), officer]
            )
    return Outcome.SIGNED_IN


def _as_digits(pin: str) -> str:
    """Full-width digits, as a Chinese keyboard may make them, are digits too."""
    return unicodedata.normalize("NFKC", pin).strip()
