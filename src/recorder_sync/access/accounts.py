"""Accounts: a name, a role, a password hash. Times in UTC."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import Language, T
from recorder_sync.rules.access import Permission, Reach, Role, Scope, Secrecy, may, reach_of
from recorder_sync.rules.lockout import Attempts
from recorder_sync.timestamps import iso, iso_or_none, moment


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    name: str
    role: Role
    officer: str | None = None
    """Certificate number of the officer that this is, where it is one."""
    unit: str | None = None
    cleared: frozenset[Secrecy] = frozenset({Secrecy.NONE})
    language: Language | None = None
    """None: the station's."""
    disabled_at: datetime | None = None
    has_password: bool = False
    attempts: Attempts = field(default_factory=Attempts)

    def may(self, wanted: Permission) -> bool:
        return may(self.role, wanted)

    @property
    def scope(self) -> Scope:
        """Which recordings this account may see."""
        reach = reach_of(self.role)
        return Scope(
            reach,
            officer=self.officer,
            unit=self.unit if reach is Reach.UNIT else None,
            cleared=self.cleared,
        )

    @property
    def actor(self) -> str:
        """Who this is in the custody log."""
        return f"account:{self.name}"


def refuse_bad_name(db: Database, name: str) -> None:
    """Raise UsageProblem for a name that cannot be, or is in use."""
    if not _is_name(name):
        raise UsageProblem(
            T("{name} cannot be the name of an account.", name=name),
            T("Use 1 to 64 letters, digits, dots, dashes or underscores; Chinese will do."),
        )
    if find(db, name) is not None:
        raise UsageProblem(
            T("There is an account {name} already.", name=name),
            T("Choose another name, or change that one."),
        )


def add(db: Database, account: Account, at: datetime) -> None:
    """Enter a new account; it has no password yet. Raises UsageProblem for a name in use."""
    refuse_bad_name(db, account.name)
    with db.conn:
        db["accounts"].insert({**_row(account), "created_at": iso(at)})  # type: ignore[union-attr]


def change(db: Database, account: Account) -> None:
    """Replace role, officer, unit, clearance, language and standing of an account."""
    with db.conn:
        db["accounts"].update(account.name, _row(account))  # type: ignore[union-attr]


def find(db: Database, name: str) -> Account | None:
    rows = list(db.query("select * from accounts where name = ?", [name]))
    return _account(rows[0]) if rows else None


def get(db: Database, name: str) -> Account:
    """Return an account by its name. Raises NotFound."""
    found = find(db, name)
    if found is None:
        raise NotFound(
            T("There is no account {name}.", name=name),
            T("recorder-sync accounts list shows them."),
        )
    return found


def every(db: Database) -> Iterable[Account]:
    return [_account(row) for row in db.query("select * from accounts order by name")]


def password_hash(db: Database, name: str) -> str | None:
    row = db.execute("select password from accounts where name = ?", [name]).fetchone()
    return row[0] if row else None


def set_password_hash(db: Database, name: str, hashed: str) -> None:
    with db.conn:
        db.execute("update accounts set password = ? where name = ?", [hashed, name])


def _is_name(name: str) -> bool:
    return 1 <= len(name) <= 64 and all(c.isalnum() or c in ".-_" for c in name)


def _row(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "role": account.role.value,
        "officer": account.officer,
        "unit": account.unit,
        "cleared": ",".join(sorted(account.cleared)),
        "language": account.language.value if account.language else None,
        "disabled_at": iso_or_none(account.disabled_at),
    }


def _account(row: dict[str, Any]) -> Account:
    return Account(
        name=row["name"],
        role=Role(row["role"]),
        officer=row["officer"],
        unit=row["unit"],
        cleared=frozenset(Secrecy(one) for one in row["cleared"].split(",") if one),
        language=Language(row["language"]) if row["language"] else None,
        disabled_at=moment(row["disabled_at"]) if row["disabled_at"] else None,
        has_password=row["password"] is not None,
        attempts=Attempts(
            row["failures"], moment(row["locked_until"]) if row["locked_until"] else None
        ),
    )
