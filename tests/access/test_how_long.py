"""How long a session, a one-time link and a token of a program work, and not a moment longer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils.db import Database

from recorder_sync.access import accounts, sessions, signing_in, tokens
from recorder_sync.access.accounts import Account
from recorder_sync.access.database import open_accounts
from recorder_sync.access.sessions import Limits
from recorder_sync.access.tokens import NewToken
from recorder_sync.rules.access import ApiScope, Role

_AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
_WANG = Account("wang", Role.CUSTODIAN)
_LIMITS = Limits(idle=timedelta(minutes=30), whole=timedelta(hours=2))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    db = open_accounts(tmp_path)
    accounts.add(db, _WANG, _AT)
    yield db
    db.close()


def test_a_session_in_use_ends_when_it_is_too_old(db: Database) -> None:
    token = sessions.begin(db, _WANG, None, _AT)
    for minutes in range(20, 121, 20):
        assert sessions.resume(db, token, _LIMITS, _AT + timedelta(minutes=minutes)), minutes
    too_old = _AT + timedelta(hours=2, seconds=1)
    assert sessions.of_account(db, "wang", token, _LIMITS, too_old) == []
    assert sessions.resume(db, token, _LIMITS, too_old) is None
    assert sessions.resume(db, token, _LIMITS, _AT) is None, "it is over for good"


def test_a_session_of_a_clock_that_was_set_back_is_over(db: Database) -> None:
    wrong = _AT + timedelta(days=365)
    token = sessions.begin(db, _WANG, None, wrong)
    assert sessions.resume(db, token, _LIMITS, wrong - timedelta(seconds=2)), "a small step is none"
    assert sessions.resume(db, token, _LIMITS, _AT) is None


def test_a_one_time_link_works_for_three_days(db: Database) -> None:
    token = signing_in.invite(db, _WANG, _AT)
    assert signing_in.invited(db, token, _AT + timedelta(days=3)) == _WANG
    late = _AT + timedelta(days=3, seconds=1)
    assert signing_in.invited(db, token, late) is None
    assert signing_in.accept(db, token, "correct horse battery", late) is None
    assert signing_in.invited(db, token, _AT - timedelta(seconds=1)) is None


def test_a_token_of_a_program_works_for_its_days(db: Database) -> None:
    token = tokens.make(db, NewToken("p", frozenset({ApiScope.CASES_READ}), days=2), _AT)
    assert tokens.known(db, token, _AT + timedelta(days=2, seconds=-1)) is not None
    assert tokens.known(db, token, _AT + timedelta(days=2)) is None
