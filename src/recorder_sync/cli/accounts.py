"""`recorder-sync accounts`: who may sign in at the console."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated

import typer
from sqlite_utils.db import Database

from recorder_sync.access import accounts, sessions, signing_in
from recorder_sync.access.accounts import Account
from recorder_sync.access.database import open_accounts
from recorder_sync.catalogue import ledger
from recorder_sync.cli.screen import answers, messages, print_json, table
from recorder_sync.cli.session import station_of
from recorder_sync.cli.typed import Json
from recorder_sync.config import Configuration
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T, tr
from recorder_sync.rules.access import Role, Secrecy
from recorder_sync.station import now
from recorder_sync.timestamps import iso_or_none

app = typer.Typer()

_Name = Annotated[str, typer.Argument(metavar="NAME", help=tr("Name to sign in by."))]


@contextmanager
def accounts_of(context: typer.Context) -> Iterator[tuple[Configuration, Database]]:
    """Open the accounts of the configuration in use, beside its settings."""
    with station_of(context) as station:  # which also makes this process the owner's
        db = open_accounts(station.settings.paths.state)
        try:
            yield station.settings, db
        finally:
            db.close()


@app.command("add", help=tr("Make an account; prints the one-time link that sets its password."))
def add(
    context: typer.Context,
    name: _Name,
    role: Annotated[Role, typer.Option(help=tr("What they may do."))],
    officer: Annotated[
        str | None, typer.Option(help=tr("Officer's certificate number, where it is one."))
    ] = None,
    unit: Annotated[str | None, typer.Option(help=tr("Unit that a team leader leads."))] = None,
    cleared: Annotated[
        list[Secrecy] | None, typer.Option(help=tr("Secrecy classes they may see."))
    ] = None,
    json: Json = False,
) -> None:
    with station_of(context) as station:
        if role is Role.OFFICER and officer is None:
            raise UsageProblem(
                T("An officer's account needs a certificate number."), T("Give --officer.")
            )
        if officer is not None and ledger.officer(station.catalogue, officer) is None:
            raise NotFound(
                T("There is no officer {number}.", number=officer),
                T("recorder-sync officers list shows them."),
            )
    account = Account(
        name,
        role,
        officer=officer,
        unit=unit,
        cleared=frozenset(cleared or ()) | {Secrecy.NONE},
    )
    with accounts_of(context) as (settings, db):
        accounts.add(db, account, now())
        _print_link(settings, signing_in.invite(db, account, now()), as_json=json)


@app.command("link", help=tr("Print a new one-time link; the password works until it is used."))
def link(context: typer.Context, name: _Name, json: Json = False) -> None:
    with accounts_of(context) as (settings, db):
        account = accounts.get(db, name)
        _print_link(settings, signing_in.invite(db, account, now()), as_json=json)


def _print_link(settings: Configuration, token: str, *, as_json: bool) -> None:
    web = settings.web
    scheme = "https" if web.is_encrypted else "http"
    address = f"{scheme}://{web.address}:{web.port}/invitation/{token}"
    if as_json:
        print_json({"link": address})
        return
    answers.print(address, markup=False, soft_wrap=True)
    messages.print(
        T("It works once, within {days} days.", days=signing_in.INVITATION_HOLDS.days).shown
    )


@app.command("list", help=tr("Show the accounts."))
def list_(context: typer.Context, json: Json = False) -> None:
    with accounts_of(context) as (_settings, db):
        found = list(accounts.every(db))
    if json:
        print_json({"accounts": [_json(one) for one in found]})
        return
    table(
        [tr("Name"), tr("Role"), tr("Officer"), tr("Unit"), tr("Standing")],
        ((a.name, tr(a.role.value), a.officer, a.unit, _standing(a)) for a in found),
    )


@app.command("disable", help=tr("Keep somebody from signing in; their sessions end."))
def disable(context: typer.Context, name: _Name) -> None:
    with accounts_of(context) as (_settings, db):
        account = accounts.get(db, name)
        accounts.change(db, replace(account, disabled_at=now()))
        sessions.end_all_of(db, name)


def _standing(account: Account) -> str:
    if account.disabled_at is not None:
        return tr("disabled")
    return tr("active") if account.has_password else tr("no password yet")


def _json(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "role": account.role.value,
        "officer": account.officer,
        "unit": account.unit,
        "cleared": sorted(account.cleared),
        "disabled_at": iso_or_none(account.disabled_at),
        "has_password": account.has_password,
    }
