"""All that happened to one device, on one time line: what its page shows.

Dockings, what was put on record of it (issues, returns, faults, repairs), alerts about it,
changes of its entry in the ledger, and corrections of its recordings' tags. Newest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.catalogue import alerts, device_events, device_looks, trail
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.catalogue.dockings import Docking
from recorder_sync.catalogue.trail import Step
from recorder_sync.rules.access import Scope
from recorder_sync.rules.whereabouts import DeviceEvent

Happened = DeviceEvent | Docking | RecordedAlert | Step


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    happened: Happened


@dataclass(frozen=True, slots=True)
class Page:
    lines: Sequence[Line]
    next: datetime | None
    """What is earlier than this is on the next page; None on the last."""


def history(db: Database, device: str, scope: Scope, before: datetime | None, limit: int) -> Page:
    """Return one page of what happened to a device before a time; None: up to now.

    Corrections are of recordings within `scope`.
    """
    more = limit + 1
    events = [
        one for one in device_events.events_of(db, device) if before is None or one.time < before
    ]
    lines = [
        *(Line(one.time, one) for one in events),
        *(Line(one.started_at, one) for one in device_looks.before(db, device, before, more)),
        *(Line(one.raised_at, one) for one in alerts.about_device(db, device, before, more)),
        *(Line(one.at, one) for one in trail.about_device(db, device, scope, before, more)),
    ]
    lines.sort(key=lambda line: line.at, reverse=True)
    shown = lines[:limit]
    while len(shown) < len(lines) and lines[len(shown)].at == shown[-1].at:
        shown.append(lines[len(shown)])
    return Page(shown, shown[-1].at if len(lines) > len(shown) else None)
