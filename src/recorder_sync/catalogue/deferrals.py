"""Deferrals: what moves a deadline to the return (Art. 21), as people put them on record.

Every entry of the custody log holds the whole deferral as it stands from then on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import upsert
from recorder_sync.catalogue.seen_by import concerning
from recorder_sync.custody.log import Entry
from recorder_sync.errors import NotFound
from recorder_sync.language import T
from recorder_sync.rules.access import Scope
from recorder_sync.rules.deadline import Deferral, DeferralReason
from recorder_sync.timestamps import iso, iso_or_none, moment


@dataclass(frozen=True, slots=True)
class RecordedDeferral:
    deferral: Deferral
    note: str | None
    entered_by: str


def deferrals(db: Database) -> list[Deferral]:
    """Return all deferrals for the rules, in the order in which they were entered."""
    return [one.deferral for one in recorded(db)]


def recorded(db: Database) -> list[RecordedDeferral]:
    """Return all deferrals as they are on record, in the order in which they were entered."""
    rows = db.query("select * from deferrals order by entered_at, id")
    return [_deferral(row) for row in rows]


@dataclass(frozen=True, slots=True)
class DeferralPage:
    found: list[RecordedDeferral]
    next: str | None
    """Cursor of the next page, None on the last."""


def newest(db: Database, scope: Scope, after: str | None, limit: int) -> DeferralPage:
    """Return one page of the deferrals within a scope, what waits for approval first."""
    seen = concerning(scope)
    order = "approved_at is not null, entered_at desc, id desc"
    values: list[object] = [*seen.values]
    condition = seen.sql
    if after is not None:
        condition += (
            " and exists (select 1 from deferrals last where last.id = ? and ("
            "(d.approved_at is not null) > (last.approved_at is not null)"
            " or (d.approved_at is not null) = (last.approved_at is not null)"
            " and (d.entered_at, d.id) < (last.entered_at, last.id)))"
        )
        values.append(after)
    rows = db.query(
        f"select * from deferrals d where {condition} order by {order} limit ?",
        [*values, limit + 1],
    )
    found = [_deferral(row) for row in rows]
    shown = found[:limit]
    return DeferralPage(shown, shown[-1].deferral.id if len(found) > limit else None)


def waiting(db: Database, scope: Scope) -> int:
    """Count what waits for approval within a scope."""
    seen = concerning(scope)
    (count,) = db.execute(
        f"select count(*) from deferrals where approved_at is null and {seen.sql}",
        list(seen.values),
    ).fetchone()
    return int(count)


def deferral(db: Database, identifier: str) -> RecordedDeferral:
    """Return one deferral. Raises NotFound."""
    for row in db.query("select * from deferrals where id = ?", [identifier]):
        return _deferral(row)
    raise NotFound(
        T("There is no deferral {id}.", id=identifier),
        T("recorder-sync deferrals list shows them."),
    )


def facts_of(one: RecordedDeferral) -> dict[str, object]:
    """Return a deferral as the custody log holds it."""
    deferral = one.deferral
    return {
        "reason": deferral.reason.value,
        "device": deferral.device,
        "officer": deferral.officer,
        "begins": iso(deferral.begins),
        "ends": iso_or_none(deferral.ends),
        "expected": iso_or_none(deferral.expected),
        "approver": deferral.approver,
        "approved_at": iso_or_none(deferral.approved_at),
        "returned_at": iso_or_none(deferral.returned_at),
        "note": one.note,
        "entered_at": iso(deferral.entered_at),
        "entered_by": one.entered_by,
    }


def take_up(db: Database, entry: Entry) -> None:
    """Enter what an entry of the custody log says; an older one changes nothing."""
    identifier, facts = entry.deed.subject, entry.deed.facts
    seen = db.execute("select custody_seq from deferrals where id = ?", [identifier]).fetchone()
    if seen is None or seen[0] < entry.seq:
        columns = {name: value for name, value in facts.items() if name not in {"what", "who"}}
        upsert(db, "deferrals", "id", {"id": identifier, **columns, "custody_seq": entry.seq})


def _deferral(row: Mapping[str, Any]) -> RecordedDeferral:
    return RecordedDeferral(
        Deferral(
            id=row["id"],
            reason=DeferralReason(row["reason"]),
            begins=moment(row["begins"]),
            entered_at=moment(row["entered_at"]),
            device=row["device"],
            officer=row["officer"],
            ends=_moment(row["ends"]),
            approver=row["approver"],
            approved_at=_moment(row["approved_at"]),
            returned_at=_moment(row["returned_at"]),
            expected=_moment(row["expected"]),
        ),
        row["note"],
        row["entered_by"],
    )


def _moment(text: str | None) -> datetime | None:
    return moment(text) if text else None
