"""What happened to each device: issues, returns, faults, repairs, losses."""

import json
from collections.abc import Mapping
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.schema import table
from recorder_sync.rules.whereabouts import DeviceEvent, Happening
from recorder_sync.timestamps import iso, moment


def enter(db: Database, event: DeviceEvent) -> None:
    ledger.see_device(db, event.device)
    if event.officer:
        ledger.see_officer(db, event.officer, None)
    table(db, "device_events").insert(
        {
            "custody_seq": event.custody_seq,
            "device": event.device,
            "time": iso(event.time),
            "what": event.what.value,
            "officer": event.officer,
            "text": event.text,
            "override": event.override,
            "not_ready": json.dumps(event.not_ready, ensure_ascii=False),
            "actor": event.actor,
        }
    )


def is_entered(db: Database, custody_seq: int) -> bool:
    return bool(table(db, "device_events").count_where("custody_seq = ?", [custody_seq]))


def events_of(db: Database, device: str) -> list[DeviceEvent]:
    """Return what happened to a device, in the order of the custody log."""
    rows = table(db, "device_events").rows_where("device = ?", [device], order_by="custody_seq")
    return [_event(row) for row in rows]


def all_events(db: Database) -> dict[str, list[DeviceEvent]]:
    """Return what happened to every device, by device, in the order of the custody log."""
    found: dict[str, list[DeviceEvent]] = {}
    for row in db.query("select * from device_events order by custody_seq"):
        found.setdefault(row["device"], []).append(_event(row))
    return found


def _event(row: Mapping[str, Any]) -> DeviceEvent:
    return DeviceEvent(
        device=row["device"],
        time=moment(row["time"]),
        what=Happening(row["what"]),
        actor=row["actor"],
        custody_seq=row["custody_seq"],
        officer=row["officer"],
        text=row["text"],
        override=row["override"],
        not_ready=tuple(json.loads(row["not_ready"])),
    )
