"""The duty calendar: who is on a shift, and which enforcement a recording should show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import upsert
from recorder_sync.catalogue.seen_by import concerning
from recorder_sync.custody.log import Entry
from recorder_sync.errors import NotFound
from recorder_sync.language import T
from recorder_sync.rules.access import Scope
from recorder_sync.rules.coverage import Expected, NoRecordingReason, Span
from recorder_sync.rules.overdue_device import Shift
from recorder_sync.timestamps import iso, moment


class CalendarKind(StrEnum):
    ENFORCEMENT = "enforcement"
    """Something that a recording should show (Art. 16, 17)."""
    SHIFT = "shift"
    """The time within which an officer carries a device."""


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One line of the calendar. Times in UTC."""

    id: str
    kind: CalendarKind
    begins: datetime
    ends: datetime
    officer: str | None = None
    """Certificate number."""
    device: str | None = None
    case: str | None = None
    in_full: bool = False
    reason: NoRecordingReason | None = None
    """Why nothing was recorded, as a person explained it."""
    reason_note: str | None = None
    explained_by: str | None = None

    @property
    def expected(self) -> Expected:
        """For the rules: the enforcement that a recording should show."""
        return Expected(
            id=self.id,
            span=Span(self.begins, self.ends),
            officer=self.officer,
            device=self.device,
            case=self.case,
            in_full=self.in_full,
            reason=self.reason,
        )


def entries(
    db: Database, ending_after: datetime | None = None, kind: CalendarKind | None = None
) -> list[CalendarEntry]:
    """Return the entries that end at that time or later, by their beginning."""
    conditions, values = ["1"], []
    if ending_after is not None:
        conditions.append("ends >= ?")
        values.append(iso(ending_after))
    if kind is not None:
        conditions.append("kind = ?")
        values.append(kind.value)
    where = " and ".join(conditions)
    rows = db.query(f"select * from calendar where {where} order by begins, id", values)
    return [_entry(row) for row in rows]


def entries_between(
    db: Database, begins: datetime, ends: datetime, scope: Scope
) -> list[CalendarEntry]:
    """Return the entries within a scope that last at any moment of a time, by their beginning."""
    seen = concerning(scope)
    rows = db.query(
        f"select * from calendar where ends > ? and begins < ? and {seen.sql} order by begins, id",
        [iso(begins), iso(ends), *seen.values],
    )
    return [_entry(row) for row in rows]


def of_case(db: Database, case: str, most: int) -> list[CalendarEntry]:
    """Return the newest entries of a case, by their beginning."""
    rows = db.query(
        "select * from calendar where case_no = ? order by begins desc, id limit ?", [case, most]
    )
    return sorted((_entry(row) for row in rows), key=lambda one: (one.begins, one.id))


def entry_of(db: Database, identifier: str) -> CalendarEntry:
    """Return one entry. Raises NotFound."""
    for row in db.query("select * from calendar where id = ?", [identifier]):
        return _entry(row)
    raise NotFound(
        T("The calendar has no entry {id}.", id=identifier),
        T("recorder-sync calendar list shows them."),
    )


def facts_of(one: CalendarEntry) -> dict[str, object]:
    """Return an entry as the custody log holds it."""
    return {
        "kind": one.kind.value,
        "begins": iso(one.begins),
        "ends": iso(one.ends),
        "officer": one.officer,
        "device": one.device,
        "case": one.case,
        "in_full": one.in_full,
        "reason": one.reason.value if one.reason else None,
        "reason_note": one.reason_note,
        "explained_by": one.explained_by,
    }


def take_up(db: Database, entry: Entry) -> None:
    """Enter what an entry of the custody log says; an older one changes nothing."""
    identifier, facts = entry.deed.subject, entry.deed.facts
    seen = db.execute("select custody_seq from calendar where id = ?", [identifier]).fetchone()
    if seen is not None and seen[0] >= entry.seq:
        return
    row = {
        "id": identifier,
        "kind": facts["kind"],
        "begins": facts["begins"],
        "ends": facts["ends"],
        "officer": facts["officer"],
        "device": facts["device"],
        "case_no": facts["case"],
        "in_full": int(facts["in_full"]),
        "reason": facts["reason"],
        "reason_note": facts["reason_note"],
        "explained_by": facts["explained_by"],
        "custody_seq": entry.seq,
    }
    if facts["what"] == "entered":
        row |= {"entered_at": iso(entry.deed.time), "entered_by": facts["who"]}
        upsert(db, "calendar", "id", row)
    else:
        changed = ", ".join(f"{name} = ?" for name in row)
        db.execute(f"update calendar set {changed} where id = ?", [*row.values(), identifier])


def _entry(row: Mapping[str, Any]) -> CalendarEntry:
    return CalendarEntry(
        id=row["id"],
        kind=CalendarKind(row["kind"]),
        begins=moment(row["begins"]),
        ends=moment(row["ends"]),
        officer=row["officer"],
        device=row["device"],
        case=row["case_no"],
        in_full=bool(row["in_full"]),
        reason=NoRecordingReason(row["reason"]) if row["reason"] else None,
        reason_note=row["reason_note"],
        explained_by=row["explained_by"],
    )


def shifts_of(
    db: Database,
    officer: str,
    ending_after: datetime,
    beginning_before: datetime | None = None,
) -> list[Shift]:
    """Return the first of an officer's shifts to end after a time, if there is one."""
    rows = db.execute(
        "select begins, ends from calendar indexed by calendar_by_officer"
        " where officer = ? and ends > ? and kind = 'shift' and begins < ?"
        " order by ends limit 1",
        [officer, iso(ending_after), iso(beginning_before) if beginning_before else "A"],
    )
    return [Shift(moment(begins), moment(ends)) for begins, ends in rows]


def unexplained(db: Database) -> list[Expected]:
    """Return the enforcement that nobody gave a reason for, by its end."""
    rows = db.execute(
        "select id, begins, ends, officer, device, case_no, in_full from calendar"
        " where kind = 'enforcement' and reason is null order by ends, id"
    )
    return [
        Expected(name, Span(moment(begins), moment(ends)), officer, device, case, bool(in_full))
        for name, begins, ends, officer, device, case, in_full in rows
    ]
