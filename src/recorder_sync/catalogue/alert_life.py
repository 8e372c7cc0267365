"""Enters what the custody log says of alerts: opened, updated, acknowledged, resolved.

Every change comes here from its entry, when it is made as in a rebuild, so both give the
same rows. An entry that is taken up already changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.alert_facts import as_json, event_matter, matter_facts, text_of
from recorder_sync.catalogue.database import insert
from recorder_sync.custody.log import Entry
from recorder_sync.model import AlertKind
from recorder_sync.rules.reconcile import AlertState, ResolvedBy
from recorder_sync.timestamps import iso


def opened(db: Database, entry: Entry) -> None:
    facts: Mapping[str, Any] = entry.deed.facts
    if is_from_before_its_life := "key" not in facts:
        matter = event_matter(
            AlertKind(facts["kind"]),
            text_of(facts["text"]),
            text_of(facts["hint"]),
            entry.deed.time,
            device=facts["device"],
            docking=facts["docking"],
        )
        facts = {**matter_facts(matter), "digest": ""}
    if _is_entered(db, entry, facts["key"], is_from_before_its_life):
        return
    insert(
        db,
        "alerts",
        [
            {
                **_said(facts),
                "number": entry.seq,
                "kind": facts["kind"],
                "key": facts["key"],
                "state": AlertState.OPEN.value,
                "raised_at": iso(entry.deed.time),
                "cause_gone": 0,
                "times_worse": 0,
                "custody_seq": None if is_from_before_its_life else entry.seq,
            }
        ],
    )


def updated(db: Database, entry: Entry) -> None:
    """Set what it says now; one that is worse than when it was acknowledged is open again."""
    facts = entry.deed.facts
    changed: dict[str, object] = {
        **_said(facts),
        "state": facts["state"],
        "times_worse": facts["times_worse"],
        "updated_at": iso(entry.deed.time),
    }
    if facts["state"] == AlertState.OPEN:
        changed |= {"acknowledged_at": None, "acknowledged_by": None}
    _change(db, entry, changed)


def acknowledged(db: Database, entry: Entry) -> None:
    _change(
        db,
        entry,
        {
            "state": AlertState.ACKNOWLEDGED.value,
            "acknowledged_at": iso(entry.deed.time),
            "acknowledged_by": entry.deed.facts["who"],
            "note": entry.deed.facts["note"],
        },
    )


def resolved(db: Database, entry: Entry) -> None:
    facts = entry.deed.facts
    changed: dict[str, object] = {
        "state": AlertState.RESOLVED.value,
        "resolved_at": iso(entry.deed.time),
        "resolved_by": facts["by"],
    }
    if facts["by"] == ResolvedBy.PERSON:
        changed |= {"resolver": facts["who"], "note": facts["note"]}
    else:
        changed["cause_gone"] = 1
    _change(db, entry, changed)


def ended(db: Database, entry: Entry) -> None:
    _change(db, entry, {"cause_gone": 1})


def _said(facts: Mapping[str, Any]) -> dict[str, object]:
    """Return the columns of what a matter says."""
    return {
        "severity": facts["severity"],
        "since": facts["since"],
        "due": facts["due"],
        "text": as_json(facts["text"]),
        "hint": as_json(facts["hint"]),
        "device": facts["device"],
        "docking": facts["docking"],
        "recording": facts["recording"],
        "officer": facts["officer"],
        "case_no": facts["case"],
        "count": facts["count"],
        "items": as_json(facts["items"]),
        "digest": facts["digest"],
    }


def _change(db: Database, entry: Entry, changed: Mapping[str, object]) -> None:
    of = entry.deed.facts["alert"]
    found = _find(db, of["key"], of["raised_at"], of["number"])
    if found is None:
        raise ValueError(f"it is about alert {of['number']}, which was never opened")
    number, seen = found
    if seen is not None and seen >= entry.seq:
        return
    columns = {**changed, "custody_seq": entry.seq}
    db.execute(
        f"update alerts set {', '.join(f'{name} = ?' for name in columns)} where number = ?",
        [*columns.values(), number],
    )


def _is_entered(db: Database, entry: Entry, key: str, is_from_before_its_life: bool) -> bool:
    if is_from_before_its_life:
        return _find(db, key, iso(entry.deed.time), entry.seq) is not None
    select = "select 1 from alerts where number = ? and key = ?"
    return db.execute(select, [entry.seq, key]).fetchone() is not None


def _find(db: Database, key: str, raised_at: str, number: int) -> tuple[int, int | None] | None:
    """Return an alert's number here, and the last entry about it that was taken up.

    Alerts of older versions have another number in a catalogue that was made anew.
    """
    row = db.execute(
        "select number, custody_seq from alerts where key = ? and raised_at = ?"
        " order by number = ? desc, number limit 1",
        [key, raised_at, number],
    ).fetchone()
    return None if row is None else (row[0], row[1])
