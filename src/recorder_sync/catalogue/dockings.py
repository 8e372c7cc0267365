"""What happened at each plug-in, with the card's whole inventory."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlite_utils.db import Database

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.database import as_values, upsert
from recorder_sync.catalogue.schema import table
from recorder_sync.catalogue.seen_by import by_device
from recorder_sync.errors import NotFound
from recorder_sync.health_json import health_json, health_of
from recorder_sync.language import T
from recorder_sync.model import (
    CardPath,
    Claim,
    Health,
    Identity,
    IdentityState,
    ItemOutcome,
    Kind,
    Source,
    Storage,
    UsbIdentity,
)
from recorder_sync.rules.access import Scope
from recorder_sync.rules.docking import Stay
from recorder_sync.timestamps import iso, iso_or_none, moment


class DockingOutcome(StrEnum):
    DONE = "done"
    PROBLEMS = "done-with-problems"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Docking:
    id: str
    source: str
    """The folder the card was mounted at, in a form to show."""
    port: str | None
    identity: Identity
    storage: Storage | None
    started_at: datetime
    ended_at: datetime | None = None
    outcome: DockingOutcome | None = None
    state: Stay | None = None
    """None: a person took in a folder, and no port was watched."""
    usb: UsbIdentity | None = None
    fs_uuid: str | None = None
    health: Health | None = None
    removed_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many files of the inventory had which outcome; `inventory` is all of them."""


@dataclass(frozen=True, slots=True)
class InventoryEntry:
    """One file of a docking's inventory, and what became of it."""

    path: CardPath
    size: int
    mtime_ns: int
    kind: Kind | None
    outcome: ItemOutcome | None = None
    reason: str | None = None
    """Why it was skipped or failed, in English."""
    hint: str | None = None
    recording: str | None = None


def open_docking(db: Database, docking: Docking) -> None:
    """Enter a docking; one that was held goes on under its id."""
    if docking.identity.device:
        ledger.see_device(db, docking.identity.device)
    storage = docking.storage
    upsert(
        db,
        "dockings",
        "id",
        {
            "id": docking.id,
            "source": docking.source,
            "port": docking.port,
            "device": docking.identity.device,
            "identity_source": docking.identity.source,
            "identity_state": docking.identity.state,
            "claims": json.dumps(
                [[c.value, c.source, c.detail] for c in docking.identity.claims],
                ensure_ascii=False,
            ),
            "storage_total": storage.total if storage else None,
            "storage_used": storage.used if storage else None,
            "storage_free": storage.free if storage else None,
            "started_at": iso(docking.started_at),
            "ended_at": iso_or_none(docking.ended_at),
            "outcome": docking.outcome,
            "state": docking.state,
            "usb": str(docking.usb) if docking.usb else None,
            "fs_uuid": docking.fs_uuid,
            "health": json.dumps(health_json(docking.health), ensure_ascii=False)
            if docking.health
            else None,
            "removed_at": iso_or_none(docking.removed_at),
        },
    )


def set_state(db: Database, docking: str, state: Stay) -> None:
    db.execute("update dockings set state = ? where id = ?", [state.value, docking])


def end_stay(db: Database, docking: str, state: Stay, removed_at: datetime) -> None:
    """Enter the end of a stay; of a docking that is not there, nothing is entered."""
    db.conn.execute(
        "update dockings set state = ?, removed_at = ? where id = ?",
        [state.value, iso(removed_at), docking],
    )


def is_entered(db: Database, docking: str) -> bool:
    return bool(table(db, "dockings").count_where("id = ?", [docking]))


def open_stays(db: Database) -> dict[str, Stay]:
    """Return the state of the stays that nobody saw the end of, by docking."""
    rows = db.query(
        "select id, state from dockings indexed by dockings_on_port"
        " where removed_at is null and state is not null order by id"
    )
    return {row["id"]: Stay(row["state"]) for row in rows}


def close_docking(db: Database, docking: str, ended_at: datetime, outcome: DockingOutcome) -> None:
    db.execute(
        "update dockings set ended_at = ?, outcome = ? where id = ?",
        [iso(ended_at), outcome.value, docking],
    )


def add_inventory(
    db: Database,
    docking: str,
    entries: Iterable[InventoryEntry],
    *,
    perhaps_entered: bool = False,
) -> None:
    """Enter files of a docking's inventory; those that are `perhaps_entered` stay as they are."""
    insert = "insert or ignore" if perhaps_entered else "insert"
    rows = (
        (
            *(docking, entry.path.raw, entry.size, entry.mtime_ns, entry.kind),
            *(entry.outcome, entry.reason, entry.hint, entry.recording),
        )
        for entry in entries
    )
    for marks, values in as_values(rows):
        db.conn.execute(
            f"{insert} into inventory (docking, path, size, mtime_ns, kind, outcome, reason, hint,"
            f" recording) values {marks}",
            values,
        )


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one file of an inventory."""

    docking: str
    path: CardPath
    outcome: ItemOutcome
    recording: str | None = None
    reason: str | None = None
    hint: str | None = None


def set_outcomes(db: Database, became: Iterable[Became]) -> None:
    """Note what became of files of inventories."""
    rows = {
        (one.docking, one.path.raw): (one.outcome.value, one.recording, one.reason, one.hint)
        for one in became
    }
    for marks, values in as_values(key + what for key, what in rows.items()):
        db.conn.execute(
            "with became (docking, path, outcome, recording, reason, hint) as"
            f" (values {marks})"
            " update inventory indexed by inventory_by_docking"
            " set outcome = became.outcome, recording = became.recording,"
            " reason = became.reason, hint = became.hint from became"
            " where inventory.docking = became.docking and inventory.path = became.path",
            values,
        )


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file seen at an earlier docking whose recording is sealed."""

    recording: str
    devices: frozenset[str | None]
    """The recording's device now, and as it was sealed; None: unassigned."""
    fingerprint: bytes


def sightings(db: Database, docking: str) -> dict[CardPath, list[Sighting]]:
    """Return the sealed recordings that were seen under path, size and time of a file of
    this docking's inventory, by path."""
    rows = db.execute(
        "select distinct n.path, i.recording, r.device, r.device_as_sealed, r.fingerprint"
        " from inventory n cross join inventory i"
        " on i.path = n.path and i.size = n.size and i.mtime_ns = n.mtime_ns"
        " cross join recordings r on r.id = i.recording"
        " where n.docking = ? and i.recording is not null"
        " and r.state = 'sealed' and i.outcome <> 'failed'",
        [docking],
    )
    found: dict[CardPath, list[Sighting]] = {}
    for path, recording, device, as_sealed, fingerprint in rows:
        sighting = Sighting(recording, frozenset((device, as_sealed)), fingerprint)
        found.setdefault(CardPath(path), []).append(sighting)
    return found


def inventory_of(db: Database, docking: str) -> list[InventoryEntry]:
    rows = table(db, "inventory").rows_where("docking = ?", [docking], order_by="number")
    return [
        InventoryEntry(
            CardPath(row["path"]),
            row["size"],
            row["mtime_ns"],
            Kind(row["kind"]) if row["kind"] else None,
            ItemOutcome(row["outcome"]) if row["outcome"] else None,
            row["reason"],
            row["hint"],
            row["recording"],
        )
        for row in rows
    ]


def has_inventory(db: Database, docking: str) -> bool:
    select = "select 1 from inventory where docking = ? limit 1"
    return db.execute(select, [docking]).fetchone() is not None


def was_taken_in(db: Database, device: str, since: str) -> bool:
    """Tell whether a docking of a device that began at that time or later took all in."""
    row = db.execute(
        "select 1 from dockings where device = ? and started_at >= ? and outcome = ? limit 1",
        [device, since, DockingOutcome.DONE.value],
    ).fetchone()
    return row is not None


def other_names(db: Database, recording: str) -> list[tuple[str, CardPath]]:
    """Return the docking and path of every time this recording was found on a card."""
    rows = table(db, "inventory").rows_where("recording = ?", [recording], order_by="number")
    return [(row["docking"], CardPath(row["path"])) for row in rows]


def open_dockings(db: Database) -> list[str]:
    """Return the ids of the dockings whose intake was begun and not closed."""
    rows = db.query("select id, state from dockings where ended_at is null order by id")
    return [row["id"] for row in rows if row["state"] != Stay.HELD]


def count(db: Database) -> int:
    return int(db.execute("select count(*) from dockings").fetchone()[0])


def list_dockings(db: Database, device: str | None, limit: int) -> list[Docking]:
    """Return the newest dockings first."""
    where, values = ("device = ?", [device]) if device else (None, [])
    rows = table(db, "dockings").rows_where(
        where, values, order_by="started_at desc, id desc", limit=limit
    )
    return [_docking(db, row) for row in rows]


class Result(StrEnum):
    """How a docking went, as people ask for it."""

    UNDER_WAY = "in progress"
    DONE = "done"
    PROBLEMS = "done-with-problems"
    INTERRUPTED = "interrupted"
    HELD = "held"
    REMOVED_EARLY = "removed-early"


_RESULTS = {
    Result.UNDER_WAY: "ended_at is null and state is not 'held'",
    Result.DONE: "outcome = 'done'",
    Result.PROBLEMS: "outcome = 'done-with-problems'",
    Result.INTERRUPTED: "outcome = 'interrupted'",
    Result.HELD: "state = 'held' and removed_at is null",
    Result.REMOVED_EARLY: "state = 'removed-early'",
}


@dataclass(frozen=True, slots=True)
class DockingPage:
    found: list[Docking]
    next: str | None
    """Cursor of the next page, None on the last."""


def newest(
    db: Database,
    scope: Scope,
    device: str | None = None,
    result: Result | None = None,
    after: str | None = None,
    limit: int = 50,
) -> DockingPage:
    """Return one page of the dockings within a scope, the newest first."""
    seen = by_device(scope)
    conditions, values = [seen.sql], [*seen.values]
    if device is not None:
        conditions.append("device = ?")
        values.append(device)
    if result is not None:
        conditions.append(_RESULTS[result])
    if after is not None:
        conditions.append("(started_at, id) < (select started_at, id from dockings where id = ?)")
        values.append(after)
    rows = list(
        table(db, "dockings").rows_where(
            " and ".join(conditions), values, order_by="started_at desc, id desc", limit=limit + 1
        )
    )
    shown = [_docking(db, row) for row in rows[:limit]]
    return DockingPage(shown, shown[-1].id if len(rows) > limit else None)


def seen_docking(db: Database, prefix: str, scope: Scope) -> Docking:
    """Return the docking whose id starts with `prefix`, where it is within a scope.

    Raises NotFound.
    """
    found, seen = docking(db, prefix), by_device(scope)
    row = db.execute(
        f"select 1 from dockings where id = ? and {seen.sql}", [found.id, *seen.values]
    ).fetchone()
    if row is None:
        raise NotFound(T("There is no docking {id}.", id=prefix))
    return found


def dockings_of(
    db: Database, conditions: str, values: Sequence[object], limit: int
) -> list[Docking]:
    """Return the dockings that meet conditions of this package's, the newest first."""
    rows = db.query(
        f"select * from dockings where {conditions} order by started_at desc, id desc limit ?",
        [*values, limit],
    )
    return [_docking(db, row) for row in rows]


def about_device(db: Database, device: str) -> frozenset[str]:
    """Return the ids of all dockings and recordings of a device."""
    rows = db.execute(
        "select id from dockings where device = ? union select id from recordings where device = ?",
        [device, device],
    )
    return frozenset(identifier for (identifier,) in rows)


def docking(db: Database, prefix: str) -> Docking:
    """Return the docking whose id starts with `prefix`, or raise NotFound."""
    rows = list(
        table(db, "dockings").rows_where(
            "id >= ? and id < ?", [prefix, prefix + "\U0010ffff"], limit=2
        )
    )
    if len(rows) == 2 and rows[0]["id"] != prefix:
        raise NotFound(
            T("More than one docking begins with {id}.", id=prefix),
            T("Type more of it; recorder-sync dockings list shows them."),
        )
    if not rows:
        raise NotFound(
            T("There is no docking {id}.", id=prefix),
            T("recorder-sync dockings list shows them."),
        )
    return _docking(db, rows[0])


def _docking(db: Database, row: Mapping[str, object]) -> Docking:
    identifier = str(row["id"])
    total, used, free = (row[f"storage_{part}"] for part in ("total", "used", "free"))
    claims = json.loads(str(row["claims"] or "[]"))
    source = row["identity_source"]
    return Docking(
        id=identifier,
        source=str(row["source"]),
        port=_optional(row["port"]),
        identity=Identity(
            _optional(row["device"]),
            Source(str(source)) if source else None,
            IdentityState(str(row["identity_state"])),
            tuple(Claim(value, Source(which), detail) for value, which, detail in claims),
        ),
        storage=Storage(int(str(total)), int(str(used)), int(str(free)))
        if total is not None
        else None,
        started_at=moment(str(row["started_at"])),
        ended_at=moment(str(row["ended_at"])) if row["ended_at"] else None,
        outcome=DockingOutcome(str(row["outcome"])) if row["outcome"] else None,
        state=Stay(str(row["state"])) if row["state"] else None,
        usb=UsbIdentity.parse(str(row["usb"])) if row["usb"] else None,
        fs_uuid=_optional(row["fs_uuid"]),
        health=health_of(json.loads(str(row["health"]))) if row["health"] else None,
        removed_at=moment(str(row["removed_at"])) if row["removed_at"] else None,
        counts=_counts(db, identifier),
    )


def _counts(db: Database, docking: str) -> dict[str, int]:
    rows = db.query(
        "select coalesce(outcome, 'missing') as outcome, count(*) as n from inventory"
        " where docking = ? group by outcome",
        [docking],
    )
    counts = {str(row["outcome"]): int(row["n"]) for row in rows}
    return {"inventory": sum(counts.values()), **counts}


def _optional(value: object) -> str | None:
    return None if value is None else str(value)
