"""`recorder-sync accounts`: who may sign in at the console."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlite_utils.db import Database

from recorder_sync.access import accounts, keeping, signing_in
from recorder_sync.access.accounts import Account
from recorder_sync.access.database import open_accounts
from recorder_sync.access.keeping import Standing
from recorder_sync.cli.screen import answers, messages, print_json, table
from recorder_sync.cli.session import station_of, writing_station_of
from recorder_sync.cli.typed import Json
from recorder_sync.config import Configuration
from recorder_sync.language import T, tr
from recorder_sync.rules.access import Role, Secrecy
from recorder_sync.station import Station
from recorder_sync.timestamps import iso_or_none

app = typer.Typer()

_Name = Annotated[str, typer.Argument(metavar="NAME", help=tr("Name to sign in by."))]
_Officer = Annotated[
    str | None, typer.Option(help=tr("Officer's certificate number, where it is one."))
]
_Unit = Annotated[str | None, typer.Option(help=tr("Unit that a team leader leads."))]
_Cleared = Annotated[list[Secrecy] | None, typer.Option(help=tr("Secrecy classes they may see."))]


@contextmanager
def accounts_of(context: typer.Context) -> Iterator[tuple[Station, Database]]:
    """Open the station of the configuration in use, and its accounts."""
    with writing_station_of(context) as station:
        db = open_accounts(station.settings.paths.state)
        try:
            yield station, db
        finally:
            db.close()


@app.command("add", help=tr("Make an account; prints the one-time link that sets its password."))
def add(
    context: typer.Context,
    name: _Name,
    role: Annotated[Role, typer.Option(help=tr("What they may do."))],
    officer: _Officer = None,
    unit: _Unit = None,
    cleared: _Cleared = None,
    json: Json = False,
) -> None:
    with accounts_of(context) as (station, db):
        token = keeping.add(station, db, name, _standing_of(role, officer, unit, cleared))
        _print_link(station.settings, token, as_json=json)


@app.command("change", help=tr("Give an account another role, officer, unit or clearance."))
def change(
    context: typer.Context,
    name: _Name,
    role: Annotated[Role, typer.Option(help=tr("What they may do."))],
    officer: _Officer = None,
    unit: _Unit = None,
    cleared: _Cleared = None,
) -> None:
    with accounts_of(context) as (station, db):
        keeping.change(station, db, name, _standing_of(role, officer, unit, cleared))


def _standing_of(
    role: Role, officer: str | None, unit: str | None, cleared: list[Secrecy] | None
) -> Standing:
    return Standing(role, officer, unit, frozenset(cleared or ()))


@app.command("link", help=tr("Print a new one-time link; the password works until it is used."))
def link(context: typer.Context, name: _Name, json: Json = False) -> None:
    with accounts_of(context) as (station, db):
        _print_link(station.settings, keeping.new_link(station, db, name), as_json=json)


def _print_link(settings: Configuration, token: str, *, as_json: bool) -> None:
    address = f"{settings.web.link_address}/invitation/{token}"
    if as_json:
        print_json({"link": address})
        return
    answers.print(address, markup=False, soft_wrap=True)
    messages.print(
        T("It works once, within {days} days.", days=signing_in.INVITATION_HOLDS.days).shown
    )


@app.command("list", help=tr("Show the accounts."))
def list_(context: typer.Context, json: Json = False) -> None:
    with station_of(context) as station:  # which also makes this process the owner's
        db = open_accounts(station.settings.paths.state)
        found = list(accounts.every(db))
        db.close()
    if json:
        print_json({"accounts": [_json(one) for one in found]})
        return
    table(
        [tr("Name"), tr("Role"), tr("Officer"), tr("Unit"), tr("Standing")],
        ((a.name, tr(a.role.value), a.officer, a.unit, _standing(a)) for a in found),
    )


@app.command("disable", help=tr("Keep somebody from signing in; their sessions end."))
def disable(context: typer.Context, name: _Name) -> None:
    with accounts_of(context) as (station, db):
        keeping.disable(station, db, name)


@app.command("enable", help=tr("Let somebody sign in again, also after too many failures."))
def enable(context: typer.Context, name: _Name) -> None:
    with accounts_of(context) as (station, db):
        keeping.enable(station, db, name)


@app.command("sign-out", help=tr("End all sessions of an account."))
def sign_out(context: typer.Context, name: _Name) -> None:
    with accounts_of(context) as (station, db):
        keeping.end_sessions(station, db, name)


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
