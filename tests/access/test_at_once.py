"""What is counted is counted right when many try at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import TypeVar

from sqlite_utils.db import Database

from recorder_sync.access import accounts, pins, signing_in
from recorder_sync.access.accounts import Account
from recorder_sync.access.database import open_accounts
from recorder_sync.access.hashes import hash_of
from recorder_sync.access.signing_in import Outcome
from recorder_sync.rules.access import Role

_AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
_MANY = 8

Said = TypeVar("Said")


def at_once(state: Path, ask: Callable[[Database], Said]) -> list[Said]:
    """Ask the same of many connections at the same moment."""
    ready = Barrier(_MANY)

    def one(_: int) -> Said:
        with closing(open_accounts(state)) as db:
            ready.wait(20)
            return ask(db)

    with ThreadPoolExecutor(_MANY) as pool:
        return list(pool.map(one, range(_MANY)))


def test_five_passwords_are_tried_however_many_come_at_once(tmp_path: Path) -> None:
    with closing(open_accounts(tmp_path)) as db:
        accounts.add(db, Account("wang", Role.CUSTODIAN), _AT)
        accounts.set_password_hash(db, "wang", hash_of("correct horse battery"))
    said = at_once(tmp_path, lambda db: signing_in.sign_in(db, "wang", "wrong", None, _AT)[0])
    assert said.count(Outcome.REFUSED) == 4
    assert said.count(Outcome.LOCKED) == _MANY - 4
    with closing(open_accounts(tmp_path)) as db:
        right = signing_in.sign_in(db, "wang", "correct horse battery", None, _AT)
    assert right == (Outcome.LOCKED, None)


def test_five_pins_are_tried_however_many_come_at_once(tmp_path: Path) -> None:
    with closing(open_accounts(tmp_path)) as db:
        pins.set_pin(db, "000010", "582931", _AT)
    said = at_once(tmp_path, lambda db: pins.check_pin(db, "000010", "111222", None, _AT))
    assert said.count(Outcome.REFUSED) == 4
    assert said.count(Outcome.LOCKED) == _MANY - 4


def test_a_right_password_leaves_no_failure_behind(tmp_path: Path) -> None:
    with closing(open_accounts(tmp_path)) as db:
        accounts.add(db, Account("wang", Role.CUSTODIAN), _AT)
        accounts.set_password_hash(db, "wang", hash_of("correct horse battery"))
        for _ in range(2):
            for password in (*["wrong"] * 4, "correct horse battery"):
                outcome, _account = signing_in.sign_in(db, "wang", password, None, _AT)
            assert outcome is Outcome.SIGNED_IN


def test_a_one_time_link_sets_one_password_however_many_use_it_at_once(tmp_path: Path) -> None:
    with closing(open_accounts(tmp_path)) as db:
        account = Account("wang", Role.CUSTODIAN)
        accounts.add(db, account, _AT)
        token = signing_in.invite(db, account, _AT)
    said = at_once(tmp_path, lambda db: signing_in.accept(db, token, "correct horse battery", _AT))
    assert len([one for one in said if one is not None]) == 1
