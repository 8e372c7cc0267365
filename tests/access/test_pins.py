"""An officer's PIN: who is let to a tile at the dock, and who is not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils.db import Database

from recorder_sync.access import pins
from recorder_sync.access.database import open_accounts
from recorder_sync.access.signing_in import Outcome
from recorder_sync.errors import UsageProblem

_AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
_PIN = "582931"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    db = open_accounts(tmp_path)
    pins.set_pin(db, "000010", _PIN, _AT)
    yield db
    db.close()


def _check(db: Database, pin: str, officer: str = "000010", at: datetime = _AT) -> Outcome:
    return pins.check_pin(db, officer, pin, "127.0.0.1", at)


def test_a_pin_lets_its_own_officer_in_and_nobody_else(db: Database) -> None:
    assert _check(db, _PIN) is Outcome.SIGNED_IN
    assert _check(db, "５８２９３１ ") is Outcome.SIGNED_IN
    assert _check(db, "582932") is Outcome.REFUSED
    assert _check(db, _PIN, officer="000011") is Outcome.REFUSED
    assert _check(db, "") is Outcome.REFUSED


def test_five_wrong_pins_lock_it_for_a_quarter_of_an_hour(db: Database) -> None:
    tried = [_check(db, "111222") for _ in range(5)]
    assert tried == [Outcome.REFUSED] * 4 + [Outcome.LOCKED]
    assert _check(db, _PIN) is Outcome.LOCKED
    assert _check(db, _PIN, at=_AT + timedelta(minutes=14)) is Outcome.LOCKED
    assert _check(db, _PIN, at=_AT + timedelta(minutes=16)) is Outcome.SIGNED_IN


def test_a_new_pin_ends_the_lock_and_the_old_pin(db: Database) -> None:
    for _ in range(5):
        _check(db, "111222")
    pins.set_pin(db, "000010", "730164", _AT)
    assert _check(db, _PIN) is Outcome.REFUSED
    assert _check(db, "730164") is Outcome.SIGNED_IN


def test_without_a_pin_nobody_is_let_in(db: Database) -> None:
    pins.remove_pin(db, "000010")
    assert pins.with_pin(db) == {}
    assert _check(db, _PIN) is Outcome.REFUSED


@pytest.mark.parametrize("pin", ["12345", "1234567890123", "abcdef", "123456", "111111", "000010"])
def test_a_pin_that_anybody_guesses_is_refused(db: Database, pin: str) -> None:
    with pytest.raises(UsageProblem):
        pins.set_pin(db, "000010", pin, _AT)
    assert _check(db, _PIN) is Outcome.SIGNED_IN


def test_the_file_holds_no_pin_and_the_audit_trail_every_attempt(db: Database) -> None:
    _check(db, _PIN)
    _check(db, "111222")
    assert _PIN not in "\n".join(db.conn.iterdump())
    noted = db.execute("select account, outcome from sign_ins order by rowid").fetchall()
    assert noted == [("officer:000010", "signed in"), ("officer:000010", "refused")]
