"""`recorder-sync stores`: where sealed recordings go, whether it works, and that it is the one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from recorder_sync.catalogue.database import transaction
from recorder_sync.cli.screen import answers, facts, messages, print_json, table
from recorder_sync.cli.session import settings_of, writing_station_of
from recorder_sync.cli.typed import Json
from recorder_sync.config import Configuration
from recorder_sync.custody.log import Act
from recorder_sync.dock.own_disks import own_disks
from recorder_sync.errors import RecorderSyncError, UsageProblem
from recorder_sync.language import T, tr
from recorder_sync.owner import work_as_owner_of
from recorder_sync.shown import local
from recorder_sync.station import now
from recorder_sync.stores.bindings import Binding, binding_of, keep_binding
from recorder_sync.stores.kinds import Surroundings, open_store
from recorder_sync.stores.store import Check, Store, StoreProblem, Verdict
from recorder_sync.stores.store_settings import StoreSettings
from recorder_sync.timestamps import iso
from recorder_sync.witnessing.in_time import in_time

app = typer.Typer()

_CHECK_WITHIN_S = 120.0
_MARKS = {Verdict.GOOD: "[green]✔[/]", Verdict.DOUBTFUL: "[yellow]![/]", Verdict.BAD: "[red]✘[/]"}
_WORST_FIRST = (Verdict.BAD, Verdict.DOUBTFUL, Verdict.GOOD)

_Names = Annotated[list[str] | None, typer.Argument(help=tr("Names of stores; none: all."))]


@app.command("list", help=tr("List the stores of the settings, and what each is bound to."))
def list_(context: typer.Context, json: Json = False) -> None:
    settings = settings_of(context)
    bound = {one.name: binding_of(settings.paths.state, one.name) for one in settings.stores}
    if json:
        print_json({"stores": [_listed(one, bound[one.name]) for one in settings.stores]})
        return
    zone = settings.station.zone
    table(
        [tr("Store"), tr("Kind"), tr("Address"), tr("Lock"), tr("Bound since")],
        (
            (
                one.name,
                one.kind,
                one.place.address,
                one.lock_mode,
                local(binding.bound_at, zone) if (binding := bound[one.name]) else None,
            )
            for one in settings.stores
        ),
    )


@app.command("check", help=tr("Try everything that an upload needs, and say what is not so."))
def check(context: typer.Context, names: _Names = None, json: Json = False) -> None:
    settings = settings_of(context)
    work_as_owner_of(settings.paths.state)
    found = {one.name: _checked(one, settings) for one in _chosen(settings, names)}
    if json:
        print_json({"stores": [_checked_json(name, checks) for name, checks in found.items()]})
    else:
        for name, checks in found.items():
            answers.print(f"[bold]{escape(name)}[/]")
            for one in checks:
                answers.print(f"  {_MARKS[one.verdict]} {escape(one.text.shown)}")
                if one.hint is not None and one.verdict is not Verdict.GOOD:
                    answers.print(f"    → {escape(one.hint.shown)}")
    if any(_worst(checks) is Verdict.BAD for checks in found.values()):
        raise typer.Exit(1)


@app.command("bind", help=tr("Put the marker into a store, and send to no other from then on."))
def bind(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help=tr("Name of the store."))],
    another: Annotated[
        bool,
        typer.Option("--another", help=tr("It is another store than the one that was bound.")),
    ] = False,
    json: Json = False,
) -> None:
    with writing_station_of(context) as station:
        settings = station.settings
        [chosen] = _chosen(settings, [name])
        before = binding_of(settings.paths.state, name)
        store = _opened(chosen, settings, before)
        try:
            if before is not None and not another:
                before.refuse_other(store.identity())
            identity = store.bind(settings.station.id)
        finally:
            store.close()
        at, who = station.now(), station.actor
        binding = Binding(name, chosen.kind, identity, at, who)
        if before is None or before.facts != binding.facts:
            with transaction(station.catalogue):
                station.custody.append([station.deed(Act.STORE_BOUND, name, binding.facts)])
            keep_binding(settings.paths.state, binding)
        else:
            binding = before
    if json:
        print_json(_listed(chosen, binding))
        return
    messages.print(T("The store {store} is bound.", store=name).shown, markup=False)
    facts([(tr("Address"), identity.address), *sorted(identity.facts.items())])


def _checked(one: StoreSettings, settings: Configuration) -> list[Check]:
    """Return what came of checking a store; one that hangs is given up and left behind."""
    try:
        binding = binding_of(settings.paths.state, one.name)
        store = _opened(one, settings, binding)
        return in_time(
            f"store {one.name}",
            lambda: [*store.check(now()), *_place_checks(one, store, binding, settings)],
            _CHECK_WITHIN_S,
            store.close,
        )
    except TimeoutError:
        text = T("it did not answer within {seconds} seconds", seconds=int(_CHECK_WITHIN_S))
        hint = T("Check the network and the server; a share that hangs needs it back.")
        return [Check(Verdict.BAD, text, hint)]
    except RecorderSyncError as error:
        return [Check(Verdict.BAD, error.text, error.hint)]


def _place_checks(
    one: StoreSettings, store: Store, binding: Binding | None, settings: Configuration
) -> list[Check]:
    try:
        if binding is None:
            hint = T("Run: recorder-sync stores bind {store}", store=one.name)
            found = [Check(Verdict.BAD, T("it is not bound: nothing is sent"), hint)]
        else:
            binding.refuse_other(store.identity())
            found = [Check(Verdict.GOOD, T("it is the store that was bound"))]
        if one.directory is not None and _shares_a_disk(one.directory.path, settings):
            text = T("it is on a disk that holds the evidence folder or the system too")
            hint = T("A broken disk would take both copies: use another disk or a share.")
            found.append(Check(Verdict.DOUBTFUL, text, hint))
    except StoreProblem as problem:
        return [Check(Verdict.BAD, problem.text, problem.hint)]
    finally:
        store.close()
    return found


def _shares_a_disk(folder: Path, settings: Configuration) -> bool:
    """Tell whether a store's folder is on a disk of the station's own. Raises OSError."""
    own = [path for path in _own_folders(settings) if path.exists()]
    if not folder.exists():
        return False
    is_same = folder.stat().st_dev in {path.stat().st_dev for path in own}
    return is_same or bool(own_disks([folder]) & own_disks(own))


def _own_folders(settings: Configuration) -> tuple[Path, ...]:
    return Path("/"), settings.paths.state, settings.paths.evidence


def _opened(one: StoreSettings, settings: Configuration, binding: Binding | None) -> Store:
    bound = binding.identity.facts if binding else {}
    return open_store(one, Surroundings(_own_folders(settings), bound))


def _chosen(settings: Configuration, names: Sequence[str] | None) -> list[StoreSettings]:
    """Return the stores of these names, or all. Raises UsageProblem."""
    known = {one.name: one for one in settings.stores}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise UsageProblem(
            T("The settings name no store {store}.", store=unknown[0]),
            T("Look at [[stores]] in the configuration; there are: {names}",
              names=", ".join(known) or "-"),
        )  # fmt: skip
    return [known[name] for name in names or known]


def _worst(checks: Sequence[Check]) -> Verdict:
    return min((one.verdict for one in checks), key=_WORST_FIRST.index, default=Verdict.GOOD)


def _listed(one: StoreSettings, binding: Binding | None) -> dict[str, Any]:
    bound = None
    if binding is not None:
        bound = {
            "at": iso(binding.bound_at),
            "by": binding.bound_by,
            "address": binding.identity.address,
            "identity": dict(binding.identity.facts),
        }
    return {
        "name": one.name,
        "kind": one.kind,
        "address": one.place.address,
        "lock": one.lock_mode,
        "layout": one.layout,
        "parallel": one.parallel,
        "kinds": list(one.kinds),
        "flags": list(one.flags),
        "cases": list(one.cases),
        "needed_for_clearing": one.needed_for_clearing,
        "needed_for_deadline": one.needed_for_deadline,
        "read_back_percent": one.read_back_percent,
        "look_again_percent": one.look_again_percent,
        "send_lost_again": one.send_lost_again,
        "bound": bound,
    }


def _checked_json(name: str, checks: Sequence[Check]) -> dict[str, Any]:
    return {
        "name": name,
        "verdict": _worst(checks),
        "checks": [
            {
                "verdict": one.verdict,
                "text": one.text.english,
                "hint": one.hint.english if one.hint else None,
            }
            for one in checks
        ],
    }
