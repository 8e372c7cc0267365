"""Opens the file of accounts: `accounts.db` in the state folder.

It is no part of the catalogue: a rebuild makes that anew from what is on record, and passwords
are on no record; and a copy of the catalogue, such as an inspector is given, holds no hash of
anybody's password.
"""

import sqlite3
from pathlib import Path

from sqlite_utils.db import Database
from sqlite_utils.migrations import Migrations

from recorder_sync.durable import exclusive, make_folders
from recorder_sync.errors import MissingPart
from recorder_sync.language import T

FILE_NAME = "accounts.db"
_WAIT_S = 10.0

migrations = Migrations("recorder-sync-accounts")


@migrations()
def m001_accounts(db: Database) -> None:
    db.executescript(
        """
        create table accounts (
            name text primary key, role text not null, password text, officer text, unit text,
            cleared text not null, language text, disabled_at text, created_at text not null,
            failures integer not null default 0, locked_until text
        ) strict;
        create table sessions (
            token text primary key, account text not null references accounts (name),
            csrf text not null, begun_at text not null, seen_at text not null,
            address text
        ) strict;
        create index sessions_account on sessions (account);
        create table invitations (
            token text primary key, account text not null references accounts (name),
            made_at text not null, used_at text
        ) strict;
        create table sign_ins (
            at text not null, account text not null, address text, outcome text not null
        ) strict;
        create index sign_ins_at on sign_ins (at);
        """
    )


@migrations()
def m002_officer_pins(db: Database) -> None:
    db.executescript(
        """
        create table officer_pins (
            officer text primary key, hash text not null, set_at text not null,
            failures integer not null default 0, locked_until text
        ) strict;
        """
    )


@migrations()
def m003_sign_ins_by_account(db: Database) -> None:
    db.execute("create index sign_ins_account on sign_ins (account, at)")


@migrations()
def m004_api_tokens(db: Database) -> None:
    db.executescript(
        """
        create table api_tokens (
            name text primary key, token text not null unique, scopes text not null,
            cleared text not null, made_at text not null, ends_at text not null,
            seen_at text, revoked_at text
        ) strict;
        create table api_answers (
            token text not null, key text not null, asked text not null, at text not null,
            code integer, answer text, primary key (token, key)
        ) strict;
        create index api_answers_at on api_answers (at);
        """
    )


def open_accounts(state: Path) -> Database:
    """Open the accounts of the station with this state folder; make them where missing.

    Raises MissingPart.
    """
    path = state / FILE_NAME
    try:
        make_folders(state)
        with exclusive(path.with_suffix(".accounts-lock")):
            path.touch(mode=0o600)
            connection = sqlite3.connect(path, timeout=_WAIT_S, check_same_thread=False)
            connection.execute("pragma journal_mode=wal")
            connection.execute("pragma synchronous=full")
            connection.execute("pragma foreign_keys=on")
            db = Database(connection)
            migrations.apply(db)
        return db
    except (sqlite3.DatabaseError, OSError) as error:
        raise MissingPart(
            T("The accounts {path} cannot be used: {why}.", path=path, why=error),
            T(
                "Check the disk and the rights. If the file is broken, remove it and make the "
                "accounts anew: recorder-sync accounts add NAME --role administrator"
            ),
        ) from error
