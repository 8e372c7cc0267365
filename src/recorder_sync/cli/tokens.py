"""`recorder-sync tokens`: which programs may use the API, and for what."""

from datetime import datetime
from typing import Annotated

import typer

from recorder_sync.access import keeping, tokens
from recorder_sync.access.tokens import NewToken, Token
from recorder_sync.cli.accounts import accounts_of
from recorder_sync.cli.screen import answers, messages, print_json, table
from recorder_sync.cli.typed import Json
from recorder_sync.language import T, tr
from recorder_sync.rules.access import ApiScope, Secrecy
from recorder_sync.shown import local
from recorder_sync.station import now
from recorder_sync.timestamps import iso, iso_or_none

app = typer.Typer()

_Name = Annotated[str, typer.Argument(metavar="NAME", help=tr("Name of the program."))]


@app.command("add", help=tr("Make a token for a program, and print it: it is not kept here."))
def add(
    context: typer.Context,
    name: _Name,
    scope: Annotated[list[ApiScope], typer.Option(help=tr("What it may do; several times."))],
    cleared: Annotated[
        list[Secrecy] | None, typer.Option(help=tr("Secrecy classes it may see."))
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=tokens.LONGEST_DAYS, help=tr("Days that it works for."))
    ] = 365,
    json: Json = False,
) -> None:
    wanted = NewToken(name, frozenset(scope), frozenset(cleared or ()), days)
    with accounts_of(context) as (station, db):
        token = keeping.make_token(station, db, wanted)
    if json:
        print_json({"token": token})
        return
    answers.print(token, markup=False, soft_wrap=True)
    messages.print(
        T("It is shown once. Hand it on by a way that others cannot read.").shown, markup=False
    )


@app.command("list", help=tr("Show the tokens."))
def list_(context: typer.Context, json: Json = False) -> None:
    with accounts_of(context) as (station, db):
        found = tokens.every(db)
    if json:
        print_json({"tokens": [_json(one) for one in found]})
        return
    zone, at = station.settings.station.zone, now()
    table(
        [tr("Name"), tr("Scopes"), tr("Standing"), tr("Works until"), tr("Last used")],
        (
            (
                *(one.name, " ".join(sorted(one.scopes)), _standing(one, at)),
                *(local(one.ends_at, zone), local(one.seen_at, zone)),
            )
            for one in found
        ),
    )


@app.command("revoke", help=tr("Have a token work no more."))
def revoke(context: typer.Context, name: _Name) -> None:
    with accounts_of(context) as (station, db):
        keeping.revoke_token(station, db, name)
        messages.print(T("The token {name} works no more.", name=name).shown, markup=False)


def _standing(one: Token, at: datetime) -> str:
    if one.revoked_at is not None:
        return tr("revoked")
    return tr("active") if one.is_good(at) else tr("expired")


def _json(one: Token) -> dict[str, object]:
    return {
        "name": one.name,
        "scopes": sorted(one.scopes),
        "cleared": sorted(one.cleared),
        "made_at": iso(one.made_at),
        "ends_at": iso(one.ends_at),
        "seen_at": iso_or_none(one.seen_at),
        "revoked_at": iso_or_none(one.revoked_at),
    }
