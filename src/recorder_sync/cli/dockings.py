"""`recorder-sync dockings`: what happened at each plug-in, with the card's inventory."""

from typing import Annotated

import typer

from recorder_sync.catalogue import dockings as catalogue
from recorder_sync.catalogue.dockings import Docking, InventoryEntry
from recorder_sync.cli.screen import answers, facts, messages, print_json, table
from recorder_sync.cli.session import station_of
from recorder_sync.health_json import health_json, storage_json
from recorder_sync.language import tr
from recorder_sync.model import ItemOutcome
from recorder_sync.rules.docking import Stay
from recorder_sync.shown import amount, local
from recorder_sync.timestamps import iso, iso_ns, iso_or_none

app = typer.Typer()

_Json = Annotated[bool, typer.Option("--json", help=tr("Print JSON."))]


@app.command("list", help=tr("List dockings, newest first."))
def list_(
    context: typer.Context,
    device: Annotated[str | None, typer.Option(help=tr("Device number."))] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help=tr("At most so many rows."))] = 50,
    json: _Json = False,
) -> None:
    with station_of(context) as station:
        found = catalogue.list_dockings(station.catalogue, device, limit)
        if json:
            print_json({"dockings": [docking_json(docking) for docking in found]})
            return
        if not found:
            messages.print(tr("No docking yet."))
            return
        zone = station.settings.station.zone
        table(
            [
                tr("Docking"),
                tr("Device"),
                tr("Begun"),
                tr("Result"),
                tr("Files"),
                tr("Sealed"),
                tr("Earlier"),
                tr("Failed"),
                tr("Not in"),
            ],
            (
                (
                    d.id,
                    d.identity.device,
                    f"{d.started_at.astimezone(zone):%m-%d %H:%M}",
                    result_words(d),
                    d.counts.get("inventory", 0),
                    d.counts.get(ItemOutcome.SEALED, 0),
                    d.counts.get(ItemOutcome.ALREADY_SEALED, 0),
                    d.counts.get(ItemOutcome.FAILED, 0),
                    d.counts.get("missing", 0),
                )
                for d in found
            ),
            whole=(0, 1, 2),
        )


def result_words(docking: Docking) -> str:
    """Say how a docking went, or where it stands."""
    if docking.state is not None and (
        docking.state in {Stay.HELD, Stay.REMOVED_EARLY, Stay.INTERRUPTED}
    ):
        return tr(docking.state.value)
    return tr(docking.outcome.value) if docking.outcome else tr("in progress")


_OUTCOMES = (
    ItemOutcome.SEALED,
    ItemOutcome.ALREADY_SEALED,
    ItemOutcome.FAILED,
    ItemOutcome.SKIPPED,
)


@app.command("show", help=tr("Show one docking with the card's whole inventory."))
def show(
    context: typer.Context,
    docking: Annotated[str, typer.Argument(metavar="ID", help=tr("Id, or its start."))],
    json: _Json = False,
) -> None:
    with station_of(context) as station:
        found = catalogue.docking(station.catalogue, docking)
        entries = catalogue.inventory_of(station.catalogue, found.id)
        if json:
            print_json({**docking_json(found), "files": [_entry_json(e) for e in entries]})
            return
        zone = station.settings.station.zone
        identity = found.identity
        facts(
            [
                (tr("Docking"), found.id),
                (tr("Device"), identity.device),
                (tr("In the ledger"), tr(identity.state.value)),
                (
                    tr("Named by"),
                    "; ".join(
                        f"{c.value} — {tr(c.source.value)}: {c.detail}" for c in identity.claims
                    )
                    or None,
                ),
                (tr("Folder"), found.source),
                (tr("Port"), found.port),
                (tr("Begun"), local(found.started_at, zone)),
                (tr("Ended"), local(found.ended_at, zone)),
                (tr("Removed"), local(found.removed_at, zone)),
                (tr("State"), tr(found.state.value) if found.state else None),
                (tr("Result"), result_words(found)),
            ]
        )
        answers.print()
        table(
            [tr("File"), tr("Size"), tr("Kind"), tr("Result"), tr("Recording"), tr("Reason")],
            (
                (
                    e.path.shown,
                    amount(e.size),
                    tr(e.kind.value) if e.kind else None,
                    tr(e.outcome.value) if e.outcome else tr("not in"),
                    e.recording,
                    tr(e.reason) if e.reason else None,
                )
                for e in entries
            ),
            whole=(),
        )


def docking_json(docking: Docking) -> dict[str, object]:
    """Return a docking as other programs rely on it."""
    identity = docking.identity
    return {
        "docking": docking.id,
        "device": identity.device,
        "identity": {
            "source": identity.source.value if identity.source else None,
            "state": identity.state.value,
            "claims": [
                {"value": c.value, "source": c.source.value, "detail": c.detail}
                for c in identity.claims
            ],
        },
        "source": docking.source,
        "port": docking.port,
        "storage": storage_json(docking.storage),
        "started_at": iso(docking.started_at),
        "ended_at": iso_or_none(docking.ended_at),
        "outcome": docking.outcome.value if docking.outcome else None,
        "state": docking.state.value if docking.state else None,
        "removed_at": iso_or_none(docking.removed_at),
        "usb": str(docking.usb) if docking.usb else None,
        "fs_uuid": docking.fs_uuid,
        "health": health_json(docking.health) if docking.health else None,
        "inventory": docking.counts.get("inventory", 0),
        **{
            outcome.value.replace("-", "_"): docking.counts.get(outcome.value, 0)
            for outcome in _OUTCOMES
        },
        "missing": docking.counts.get("missing", 0),
    }


def _entry_json(entry: InventoryEntry) -> dict[str, object]:
    return {
        "path": entry.path.text,
        "path_base64": entry.path.base64,
        "size": entry.size,
        "mtime": iso_ns(entry.mtime_ns),
        "kind": entry.kind.value if entry.kind else None,
        "outcome": entry.outcome.value if entry.outcome else None,
        "reason": entry.reason,
        "hint": entry.hint,
        "recording": entry.recording,
    }
