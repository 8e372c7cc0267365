"""What dockings listed and no docking sealed: the files that are not in yet.

A file is known again by path, size and time, on cards of the same device. A salvage copy is
not the whole recording, so its file is not in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.model import CardPath
from recorder_sync.timestamps import moment

# An inventory row of a folder or file that could not be looked at has neither size nor time.
_UNSEEN = "i.size = 0 and i.mtime_ns = 0"

_NOT_SEALED = (
    "not exists (select 1 from inventory k join recordings r on r.id = k.recording"
    " join dockings e on e.id = k.docking"
    " where k.path = i.path and k.size = i.size and k.mtime_ns = i.mtime_ns"
    " and k.recording is not null and k.outcome in ('sealed', 'already-sealed')"
    " and r.state = 'sealed'"
    " and (d.device is null or e.device is d.device or r.device is d.device"
    " or r.device_as_sealed is d.device))"
)
_NOT_SEEN_SINCE = (
    f"not ({_UNSEEN} and exists (select 1 from dockings l where l.device is d.device"
    " and l.started_at > d.started_at and l.ended_at is not null"
    " and not exists (select 1 from inventory m where m.docking = l.id"
    " and m.path = i.path and m.outcome = 'failed')))"
)
_IS_LISTED = f"(i.outcome is null or i.outcome = 'failed') and {_NOT_SEALED} and {_NOT_SEEN_SINCE}"
LISTED = (
    "from dockings d join inventory i indexed by inventory_not_in on i.docking = d.id"
    f" where {_IS_LISTED}"
)
"""For a few dockings."""
LISTED_EVER = (
    "from inventory i indexed by inventory_not_in cross join dockings d on d.id = i.docking"
    f" where {_IS_LISTED}"
)
"""For dockings of a long time: there are few such files, and many dockings without any."""


@dataclass(frozen=True, slots=True)
class NotIn:
    """One listing of a file that is not in."""

    docking: str
    path: CardPath
    size: int
    mtime_ns: int
    listed_at: datetime
    has_failed: bool
    is_salvaged: bool
    """A part of it is sealed."""
    intake_ended: bool
    """False: its docking is still being taken in."""

    @property
    def is_unseen(self) -> bool:
        """Whether it could not even be looked at."""
        return self.size == 0 and self.mtime_ns == 0


def not_in(db: Database, device: str | None) -> list[NotIn]:
    """Return every listing of a device's files that are not in; None: of no known device."""
    rows = db.query(
        "select d.id, i.path, i.size, i.mtime_ns, d.started_at, i.outcome, i.recording, d.ended_at"
        f" {LISTED} and d.device is ? order by i.number",
        [device],
    )
    return [
        NotIn(
            docking=row["id"],
            path=CardPath(row["path"]),
            size=row["size"],
            mtime_ns=row["mtime_ns"],
            listed_at=moment(row["started_at"]),
            has_failed=row["outcome"] is not None,
            is_salvaged=row["recording"] is not None and row["outcome"] is not None,
            intake_ended=row["ended_at"] is not None,
        )
        for row in rows
    ]


def is_outstanding(db: Database, docking: str) -> bool:
    """Tell whether anything that a docking listed is not in."""
    row = db.execute(f"select 1 {LISTED} and d.id = ? limit 1", [docking]).fetchone()
    return row is not None


@dataclass(frozen=True, slots=True)
class Held:
    """A device that waits on its port for the custodian."""

    docking: str
    port: str | None
    source: str
    since: datetime


def held(db: Database, device: str | None) -> list[Held]:
    """Return the held stays of a device, or of those that nobody knows."""
    rows = db.query(
        "select id, port, source, started_at from dockings indexed by dockings_on_port"
        " where device is ? and state = 'held' and removed_at is null order by id",
        [device],
    )
    return [Held(row["id"], row["port"], row["source"], moment(row["started_at"])) for row in rows]


@dataclass(frozen=True, slots=True)
class WholeInventory:
    """A docking whose inventory has everything that was on the card."""

    docking: str
    card: str
    taken_at: datetime


def whole_inventories(db: Database, device: str) -> list[WholeInventory]:
    """Return the dockings of a device that listed a whole card, the oldest first.

    Cards are told apart by the file system's UUID; a device without one is its own card.
    Drop folders and folders that a person named are no cards: they hold what was put there.
    """
    rows = db.query(
        "select d.id, d.fs_uuid, d.started_at from dockings d where d.device = ?"
        " and (d.fs_uuid is not null or d.usb is not null)"
        " and (d.outcome in ('done', 'done-with-problems')"
        " or exists (select 1 from inventory i where i.docking = d.id))"
        " and not exists (select 1 from inventory i where i.docking = d.id"
        f" and {_UNSEEN} and i.outcome = 'failed')"
        " order by d.started_at, d.id",
        [device],
    )
    return [_whole(device, row) for row in rows]


def _whole(device: str, row: Mapping[str, str]) -> WholeInventory:
    card = f"{device}/{row['fs_uuid']}" if row["fs_uuid"] else device
    return WholeInventory(row["id"], card, moment(row["started_at"]))


def first_listings(db: Database, device: str) -> list[tuple[CardPath, datetime]]:
    """Return each path that a device's dockings listed as a recording, and when first."""
    rows = db.execute(
        "select i.path, min(d.started_at) from dockings d join inventory i on i.docking = d.id"
        " where d.device = ? and i.kind is not null group by i.path",
        [device],
    )
    return [(CardPath(path), moment(first)) for path, first in rows]
