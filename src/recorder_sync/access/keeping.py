"""Changes of accounts, each on record before it is done (Art. 21).

The custody log says who changed whose account and to what; passwords, hashes and links are in no
entry. Whoever changes an account has the catalogue for himself meanwhile (`on_record.turn`), so
that two administrators cannot disable each other at the same moment: one who may sign in is
always left. The entry comes first: after a kill it stands for a change that was not made, and
never the other way round.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlite_utils.db import Database

from recorder_sync.access import accounts, pins, sessions, signing_in, tokens
from recorder_sync.access.accounts import Account
from recorder_sync.access.counting import was_right
from recorder_sync.access.tokens import NewToken
from recorder_sync.catalogue import ledger
from recorder_sync.custody.log import Act
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T
from recorder_sync.on_record import enter, turn
from recorder_sync.rules.access import Reach, Role, Secrecy, reach_of
from recorder_sync.station import Station


class Change(StrEnum):
    """What was done to an account, as the custody log has it."""

    ADDED = "account added"
    CHANGED = "role or reach changed"
    LINKED = "one-time link made"
    DISABLED = "account disabled"
    ENABLED = "account enabled"
    SESSIONS_ENDED = "sessions ended"
    PASSWORD_SET = "password set"
    PIN_SET = "PIN set"
    PIN_REMOVED = "PIN removed"
    TOKEN_MADE = "token made"
    TOKEN_REVOKED = "token revoked"


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account may do, as the administrator decides it."""

    role: Role
    officer: str | None = None
    unit: str | None = None
    cleared: frozenset[Secrecy] = frozenset({Secrecy.NONE})


def add(station: Station, db: Database, name: str, wanted: Standing) -> str:
    """Make an account; return the token of its one-time link.

    Raises UsageProblem or NotFound.
    """
    _check(station, wanted)
    account = replace(_with(Account(name, wanted.role), wanted))
    with turn(station):
        accounts.refuse_bad_name(db, name)
        _put(station, name, Change.ADDED, _facts(account))
        at = station.now()
        accounts.add(db, account, at)
        return signing_in.invite(db, account, at)


def change(station: Station, db: Database, name: str, wanted: Standing) -> Account:
    """Give an account another role or reach; its sessions end where it changed.

    Raises UsageProblem or NotFound.
    """
    _check(station, wanted)
    with turn(station):
        before = accounts.get(db, name)
        after = _with(before, wanted)
        if after == before:
            return before
        if after.role is not Role.ADMINISTRATOR:
            _refuse_last(db, before)
        _put(station, name, Change.CHANGED, {**_facts(after), "before": _facts(before)})
        accounts.change(db, after)
        sessions.end_all_of(db, name)
        return after


def new_link(station: Station, db: Database, name: str) -> str:
    """Return the token of a new one-time link; earlier ones end. Raises NotFound, UsageProblem."""
    with turn(station):
        account = accounts.get(db, name)
        if account.disabled_at is not None:
            raise UsageProblem(
                T("The account {name} is disabled; a link would not work.", name=name),
                T("Enable it first."),
            )
        _put(station, name, Change.LINKED)
        return signing_in.invite(db, account, station.now())


def disable(station: Station, db: Database, name: str) -> None:
    """Keep somebody from signing in; their sessions end. Raises NotFound or UsageProblem."""
    with turn(station):
        account = accounts.get(db, name)
        if account.disabled_at is not None:
            return
        _refuse_last(db, account)
        _put(station, name, Change.DISABLED)
        accounts.change(db, replace(account, disabled_at=station.now()))
        sessions.end_all_of(db, name)


def enable(station: Station, db: Database, name: str) -> None:
    """Let somebody sign in again, also after too many failures. Raises NotFound."""
    with turn(station):
        account = accounts.get(db, name)
        _put(station, name, Change.ENABLED)
        accounts.change(db, replace(account, disabled_at=None))
        was_right(db, "accounts", name)


def end_sessions(station: Station, db: Database, name: str) -> None:
    """Sign somebody out everywhere. Raises NotFound."""
    with turn(station):
        accounts.get(db, name)
        _put(station, name, Change.SESSIONS_ENDED)
        sessions.end_all_of(db, name)


def set_password(station: Station, db: Database, account: Account, password: str) -> None:
    """Give an account another password; its sessions end. Raises UsageProblem."""
    signing_in.refuse_bad_password(account, password)
    with turn(station):
        _put(station, account.name, Change.PASSWORD_SET)
        signing_in.set_password(db, account, password)


def accept(station: Station, db: Database, token: str, password: str) -> Account | None:
    """Set the password of a one-time link's account, and use the link up.

    Returns None for a link that does not work any more. Raises UsageProblem for a password
    that will not do; the link works still.
    """
    with turn(station):
        account = signing_in.invited(db, token, station.now())
        if account is None:
            return None
        signing_in.refuse_bad_password(account, password)
        as_invited = replace(station, actor=account.actor)
        _put(as_invited, account.name, Change.PASSWORD_SET)
        return signing_in.accept(db, token, password, station.now())


def set_pin(station: Station, db: Database, officer: str, pin: str) -> None:
    """Give an officer another PIN for the dock. Raises NotFound or UsageProblem."""
    _refuse_unknown(station, officer)
    pins.refuse_bad_pin(officer, pin)
    with turn(station):
        _put(station, f"officer:{officer}", Change.PIN_SET)
        pins.set_pin(db, officer, pin, station.now())


def remove_pin(station: Station, db: Database, officer: str) -> None:
    """Take an officer's PIN away. Raises NotFound."""
    _refuse_unknown(station, officer)
    with turn(station):
        _put(station, f"officer:{officer}", Change.PIN_REMOVED)
        pins.remove_pin(db, officer)


def make_token(station: Station, db: Database, wanted: NewToken) -> str:
    """Make a token for a program; return it. Raises UsageProblem."""
    tokens.refuse_bad(db, wanted)
    facts = {
        "scopes": sorted(wanted.scopes),
        "cleared": sorted(wanted.cleared),
        "days": wanted.days,
    }
    with turn(station):
        _put(station, f"program:{wanted.name}", Change.TOKEN_MADE, facts)
        return tokens.make(db, wanted, station.now())


def revoke_token(station: Station, db: Database, name: str) -> None:
    """Have a program's token work no more. Raises NotFound."""
    tokens.working(db, name)
    with turn(station):
        _put(station, f"program:{name}", Change.TOKEN_REVOKED)
        tokens.revoke(db, name, station.now())


def _put(
    station: Station, subject: str, what: Change, facts: Mapping[str, object] | None = None
) -> None:
    named = subject if ":" in subject else f"account:{subject}"
    enter(station, [station.deed(Act.ACCOUNT, named, {"what": what.value, **(facts or {})})])


def _facts(account: Account) -> dict[str, object]:
    return {
        "role": account.role.value,
        "officer": account.officer,
        "unit": account.unit,
        "cleared": sorted(account.cleared),
    }


def _with(account: Account, wanted: Standing) -> Account:
    return replace(
        account,
        role=wanted.role,
        officer=wanted.officer,
        unit=wanted.unit,
        cleared=wanted.cleared | {Secrecy.NONE},
    )


def _check(station: Station, wanted: Standing) -> None:
    reach = reach_of(wanted.role)
    if reach is Reach.OWN and wanted.officer is None:
        raise UsageProblem(
            T("An officer's account needs a certificate number."),
            T("Say which officer it is: --officer on the command line."),
        )
    if reach is Reach.UNIT and wanted.unit is None:
        raise UsageProblem(
            T("A team leader's account needs a unit."),
            T("Say which unit: --unit on the command line."),
        )
    if wanted.officer is not None:
        _refuse_unknown(station, wanted.officer)


def _refuse_unknown(station: Station, officer: str) -> None:
    if ledger.officer(station.catalogue, officer) is None:
        raise NotFound(
            T("There is no officer {number}.", number=officer),
            T("recorder-sync officers list shows them."),
        )


def _refuse_last(db: Database, account: Account) -> None:
    """Refuse to take away the last account that can look after accounts."""
    if account.role is not Role.ADMINISTRATOR:
        return
    others = [
        one
        for one in accounts.every(db)
        if one.role is Role.ADMINISTRATOR
        and one.name != account.name
        and one.disabled_at is None
        and one.has_password
    ]
    if not others:
        raise UsageProblem(
            T("{name} is the last administrator who can sign in.", name=account.name),
            T("Make another administrator first, who has set a password."),
        )
