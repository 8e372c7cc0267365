"""What the list of devices shows of each: when it was docked last, and how its battery goes.

Dockings are read along their index, a few of each device, however many there are.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.catalogue.dockings import Docking, dockings_of
from recorder_sync.timestamps import iso, moment

_NEWEST = 8


@dataclass(frozen=True, slots=True)
class Look:
    """Times in UTC."""

    docking: str
    at: datetime
    port: str | None
    batteries: tuple[int, ...]
    """Percent as the newest dockings measured it, the oldest first."""


def look(db: Database, device: str) -> Look | None:
    """Return what the newest dockings of a device say; None without any."""
    rows = db.execute(
        "select id, started_at, port, health from dockings where device = ?"
        " order by started_at desc limit ?",
        [device, _NEWEST],
    ).fetchall()
    if not rows:
        return None
    newest = rows[0]
    batteries = [_battery(health) for *_, health in rows]
    known = tuple(one for one in reversed(batteries) if one is not None)
    return Look(newest[0], moment(newest[1]), newest[2], known)


def _battery(health: str | None) -> int | None:
    battery = json.loads(health).get("battery") if health else None
    return battery["percent"] if battery else None


def before(db: Database, device: str, at: datetime | None, limit: int) -> list[Docking]:
    """Return the dockings of a device that began before a time, the newest first."""
    conditions, values = "device = ?", [device]
    if at is not None:
        conditions, values = f"{conditions} and started_at < ?", [*values, iso(at)]
    return dockings_of(db, conditions, values, limit)
