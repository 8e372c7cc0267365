"""What happened to each device: issues, returns, faults, repairs, losses."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.schema import table
from recorder_sync.rules.whereabouts import NOT_MOVED, DeviceEvent, Happening, Holding
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


def telling_events(db: Database, device: str | None = None) -> dict[str, list[DeviceEvent]]:
    """Return the events that tell where each device is, or one, in the order of the custody log.

    `whereabouts` makes the same of them as of all: the last move, and what came after; the faults
    before it that nobody repaired until then. So it is read in a moment what happened in years.
    """
    one = "" if device is None else " where number = ?"
    rows = db.query(
        f"with moved as (select number as device, max({_LAST_MOVES}) as seq from devices{one}),"
        f" mended as (select device, seq, {_LAST_REPAIR} as repaired from moved)"
        " select e.* from mended m cross join device_events e"
        " on e.device = m.device and e.custody_seq >= m.seq"
        " union all select e.* from mended m cross join device_events e"
        " indexed by device_events_by_what on e.device = m.device and e.what = 'fault'"
        " and e.custody_seq > m.repaired and e.custody_seq < m.seq"
        " order by custody_seq",
        [] if device is None else [device],
    )
    found: dict[str, list[DeviceEvent]] = {}
    for row in rows:
        found.setdefault(row["device"], []).append(_event(row))
    return found


def holdings_about(db: Database, device: str, times: Iterable[datetime]) -> list[Holding]:
    """Return who held a device at these times, and who held it first, in the order of the
    custody log.

    They are those of `holdings`, of all that happened to the device, that cover one of the times;
    the first tells whether it was ever issued. Of years of moves no row is read into memory.
    """
    rows = db.execute(
        "with moves as (select custody_seq, time, what, officer,"
        " lead(time) over (order by custody_seq) as until"
        " from device_events indexed by device_events_by_device"
        f" where device = :device and what not in ({_NOT_MOVED})),"
        " held as materialized (select custody_seq, officer, time as since, until from moves"
        f" where what = '{Happening.ISSUED.value}' and officer > '')"
        " select h.* from json_each(:times) t cross join held h"
        " where h.since <= t.value and (h.until is null or h.until > t.value)"
        " union select * from held where custody_seq = (select min(custody_seq) from held)"
        " order by custody_seq",
        {"device": device, "times": json.dumps(sorted({iso(one) for one in times}))},
    )
    return [
        Holding(officer, moment(since), moment(until) if until else None)
        for _, officer, since, until in rows
    ]


def _last(device: str, what: Happening, more: str = "") -> str:
    return (
        "coalesce((select max(l.custody_seq) from device_events l"
        f" indexed by device_events_by_what where l.device = {device} and l.what = '{what.value}'"
        f"{more}), -1)"
    )


_NOT_MOVED = ", ".join(f"'{one.value}'" for one in sorted(NOT_MOVED))
_LAST_MOVES = ", ".join(
    _last("devices.number", what) for what in Happening if what not in NOT_MOVED
)
_LAST_REPAIR = _last("moved.device", Happening.REPAIRED, " and l.custody_seq < moved.seq")


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
