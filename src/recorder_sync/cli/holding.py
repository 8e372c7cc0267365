"""`recorder-sync recordings hold`, `release` and `holds`: legal hold (Art. 25)."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from recorder_sync.catalogue import holds
from recorder_sync.cli.screen import messages, print_json, table
from recorder_sync.cli.session import station_of, writing_station_of
from recorder_sync.cli.typed import Json
from recorder_sync.custodian import holding
from recorder_sync.custodian.holding import Held
from recorder_sync.language import T, tr
from recorder_sync.shown import local
from recorder_sync.station import Station

_Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help=tr("Ids of recordings."))]
_Cases = Annotated[
    list[str] | None, typer.Option("--case", metavar="NO", help=tr("A whole case, by its number."))
]
_Reason = Annotated[str, typer.Option(metavar="WORDS", help=tr("The reason."))]
_By = Annotated[str | None, typer.Option(metavar="WHO", help=tr("Who asked for it."))]


def hold(
    context: typer.Context,
    reason: _Reason,
    ids: _Ids = None,
    case: _Cases = None,
    by: _By = None,
    json: Json = False,
) -> None:
    done = _do(context, holding.hold, ids, case, reason, by)
    if json:
        print_json({"held": list(done.changed), "held_before": list(done.as_before)})
        return
    for subject in done.changed:
        messages.print(T("{what} is under legal hold.", what=_named(subject)).shown, markup=False)
    for subject in done.as_before:
        text = T("{what} was under legal hold already.", what=_named(subject))
        messages.print(text.shown, markup=False)


def release(
    context: typer.Context,
    reason: _Reason,
    ids: _Ids = None,
    case: _Cases = None,
    by: _By = None,
    json: Json = False,
) -> None:
    done = _do(context, holding.release, ids, case, reason, by)
    if json:
        print_json({"released": list(done.changed)})
        return
    for subject in done.changed:
        text = T("{what} is released from legal hold.", what=_named(subject))
        messages.print(text.shown, markup=False)


def list_(context: typer.Context, json: Json = False) -> None:
    with station_of(context) as station:
        found = holds.standing(station.catalogue)
        if json:
            listed = [{"recording": one.recording, **one.as_json()} for one in found]
            count = holds.count_held(station.catalogue)
            print_json({"holds": listed, "recordings": count})
            return
        zone = station.settings.station.zone
        table(
            [tr("Recording"), tr("Case"), tr("Since"), tr("Who"), tr("Reason")],
            (
                (one.recording, one.case, local(one.held_at, zone), one.held_by, one.reason)
                for one in found
            ),
        )


def _do(
    context: typer.Context,
    what: Callable[[Station, Sequence[str], Sequence[str], str, str], Held],
    ids: list[str] | None,
    cases: list[str] | None,
    reason: str,
    by: str | None,
) -> Held:
    with writing_station_of(context) as station:
        return what(station, ids or (), cases or (), reason, by or station.actor)


def _named(subject: str) -> str:
    if not subject.startswith(holds.CASE):
        return subject
    return T("Case {number}", number=subject.removeprefix(holds.CASE)).shown
