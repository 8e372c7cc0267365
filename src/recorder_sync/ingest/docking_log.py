"""Puts a docking's beginning, inventory and end on record.

Like everything that goes on record (`on_record.py`): a failure between the custody log and the
catalogue is made good by whoever writes next.
"""

from collections.abc import Sequence

from recorder_sync.catalogue import dockings
from recorder_sync.catalogue.dockings import Docking, DockingOutcome, InventoryEntry
from recorder_sync.custody.log import Act
from recorder_sync.health_json import health_json
from recorder_sync.ingest.inventory import Item
from recorder_sync.ingest.report import Report
from recorder_sync.ingest.seal import path_facts
from recorder_sync.model import ItemOutcome
from recorder_sync.on_record import append, turn
from recorder_sync.rules.docking import Stay
from recorder_sync.station import Station
from recorder_sync.timestamps import iso, iso_ns

_ENTRY_FILES = 1_000
"""Files of an inventory in one custody entry."""


def log_opening(station: Station, report: Report) -> None:
    """Put the docking and its whole inventory on record, before the first copy."""
    docking = Docking(
        id=report.docking,
        source=report.source,
        port=report.port,
        identity=report.identity,
        storage=report.storage,
        started_at=report.started_at,
        state=Stay.COPYING if report.arrival else None,
        usb=report.arrival.usb if report.arrival else None,
        fs_uuid=report.arrival.fs_uuid if report.arrival else None,
        health=report.arrival.health if report.arrival else None,
    )
    opened, inventory = docking_facts(docking), _inventory_facts(report.items)
    with turn(station):
        append(
            station,
            [
                station.deed(Act.DOCKING_OPENED, report.docking, opened),
                *(station.deed(Act.INVENTORY, report.docking, facts) for facts in inventory),
            ],
        )
        dockings.open_docking(station.catalogue, docking)
        dockings.add_inventory(
            station.catalogue, report.docking, [_inventory_entry(item) for item in report.items]
        )


def log_closing(station: Station, report: Report, outcome: DockingOutcome) -> None:
    """Put the end of the docking on record, with what came of every file."""
    state = None
    if report.arrival and outcome is not DockingOutcome.INTERRUPTED:
        state = report.stay
    facts = _closing_facts(report, outcome, state)
    with turn(station):
        deed = station.deed(Act.DOCKING_CLOSED, report.docking, facts)
        append(station, [deed])
        dockings.close_docking(station.catalogue, report.docking, deed.time, outcome)
        if state:
            dockings.set_state(station.catalogue, report.docking, state)


def noted_facts(entries: Sequence[InventoryEntry]) -> dict[str, object]:
    """Return what became of files by the catalogue, as the end of a docking says it.

    What was sealed, or skipped from the first, has entries of its own.
    """
    return {
        "already_sealed": [
            {**path_facts(entry.path), "recording": entry.recording}
            for entry in entries
            if entry.outcome is ItemOutcome.ALREADY_SEALED
        ],
        "failed": [
            {
                **path_facts(entry.path),
                "error": entry.reason,
                "hint": entry.hint,
                "salvage": entry.recording,
            }
            for entry in entries
            if entry.outcome is ItemOutcome.FAILED
        ],
    }


def _inventory_entry(item: Item) -> InventoryEntry:
    reason = item.skipped or item.failure
    return InventoryEntry(
        item.path,
        item.size,
        item.mtime_ns,
        item.kind,
        ItemOutcome.SKIPPED if item.skipped else ItemOutcome.FAILED if item.failure else None,
        reason.english if reason else None,
    )


def docking_facts(docking: Docking) -> dict[str, object]:
    """Return how a docking began, as the custody log holds it."""
    storage = docking.storage
    begun: dict[str, object] = {
        "source": docking.source,
        "port": docking.port,
        "device": docking.identity.device,
        "identity_source": docking.identity.source.value if docking.identity.source else None,
        "identity_state": docking.identity.state.value,
        "claims": [[c.value, c.source.value, c.detail] for c in docking.identity.claims],
        "storage": (
            {"total": storage.total, "used": storage.used, "free": storage.free}
            if storage
            else None
        ),
        "started_at": iso(docking.started_at),
    }
    if docking.state is None:
        return begun
    return {
        **begun,
        "state": docking.state.value,
        "usb": str(docking.usb) if docking.usb else None,
        "fs_uuid": docking.fs_uuid,
        "health": health_json(docking.health) if docking.health else None,
    }


def _inventory_facts(items: Sequence[Item]) -> list[dict[str, object]]:
    return [
        {
            "files": [_file_facts(item) for item in items[at : at + _ENTRY_FILES]],
            "of": len(items),
        }
        for at in range(0, len(items), _ENTRY_FILES)
    ] or [{"files": [], "of": 0}]


def _file_facts(item: Item) -> dict[str, object]:
    return {
        **path_facts(item.path),
        "size": item.size,
        "mtime": iso_ns(item.mtime_ns),
        "kind": item.kind.value if item.kind else None,
        "skipped": item.skipped.english if item.skipped else None,
        "failure": item.failure.english if item.failure else None,
    }


def _closing_facts(
    report: Report, outcome: DockingOutcome, state: Stay | None
) -> dict[str, object]:
    return {
        "outcome": outcome.value,
        **({"state": state.value} if state else {}),
        "sealed": len(report.sealed),
        "already_sealed": [
            {**path_facts(o.path), "recording": o.recording.id}
            for o in report.of(ItemOutcome.ALREADY_SEALED)
            if o.recording
        ],
        "failed": [
            {
                **path_facts(o.path),
                "error": o.failure.text.english,
                "hint": o.failure.hint.english if o.failure.hint else None,
                "salvage": o.recording.id if o.recording else None,
            }
            for o in report.of(ItemOutcome.FAILED)
            if o.failure
        ],
    }
