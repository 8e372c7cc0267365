"""Cases as pages list and show them: narrowed to what somebody may see, the newest first.

A case is within a narrowed reach where one of its recordings is, or where something of the
calendar says that they worked on it. One that has no recordings yet is anybody's to work on.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.ledger import case_of_row
from recorder_sync.catalogue.seen_by import (
    NOTHING,
    Condition,
    cleared_for,
    concerning,
    recordings_in,
)
from recorder_sync.catalogue.words import phrase
from recorder_sync.errors import NotFound
from recorder_sync.language import T
from recorder_sync.model import Case, Flag, Kind
from recorder_sync.rules.access import Reach, Scope
from recorder_sync.rules.stage import Stage
from recorder_sync.timestamps import moment

ARCHIVED_WITHIN = timedelta(days=30)
"""Art. 26: filed within thirty days of the end of the enforcement."""
_MOST_RECORDINGS = 500


class CaseState(StrEnum):
    OPEN = "not closed"
    CLOSED = "closed"
    TO_ARCHIVE = "to be archived"
    """Closed, and the thirty days run."""


@dataclass(frozen=True, slots=True)
class CaseSearch:
    text: str | None = None
    """The beginning of its number, or words of party or cause."""
    state: CaseState | None = None
    after: int | None = None
    """Key of the last case of the page before."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ListedCase:
    case: Case
    recordings: int
    """Within the scope; counted up to `MOST_COUNTED`."""

    @property
    def archive_due(self) -> date | None:
        """The last day to archive it (Art. 26)."""
        closed = self.case.closed_on
        return None if closed is None else closed + ARCHIVED_WITHIN


MOST_COUNTED = 200


@dataclass(frozen=True, slots=True)
class CasePage:
    found: list[ListedCase]
    next: int | None
    """Cursor of the next page, None on the last."""


def page(db: Database, wanted: CaseSearch, scope: Scope, today: date) -> CasePage:
    """Return one page of the cases that match within a scope."""
    seen = cases_in(scope)
    conditions, values = [seen.sql], [*seen.values]
    if wanted.text:
        found = phrase(wanted.text)
        matching = "c.number >= ? and c.number < ?"
        values += [wanted.text, wanted.text + "\U0010ffff"]
        if found is not None:
            matching += " or c.key in (select rowid from cases_fts where cases_fts match ?)"
            values.append(found)
        conditions.append(f"({matching})")
    match wanted.state:
        case CaseState.OPEN:
            conditions.append("c.closed_on is null")
        case CaseState.CLOSED:
            conditions.append("c.closed_on is not null")
        case CaseState.TO_ARCHIVE:
            conditions.append("c.closed_on >= ?")
            values.append((today - ARCHIVED_WITHIN).isoformat())
    if wanted.after is not None:
        conditions.append("c.key < ?")
        values.append(wanted.after)
    rows = list(
        db.query(
            f"select * from cases c where {' and '.join(conditions)} order by c.key desc limit ?",
            [*values, wanted.limit + 1],
        )
    )
    shown = rows[: wanted.limit]
    return CasePage(
        _listed(db, shown, scope),
        shown[-1]["key"] if len(rows) > wanted.limit else None,
    )


def seen_case(db: Database, number: str, scope: Scope) -> ListedCase:
    """Return one case that is within a scope. Raises NotFound."""
    seen = cases_in(scope)
    for row in db.query(
        f"select * from cases c where c.number = ? and {seen.sql}", [number, *seen.values]
    ):
        return _listed(db, [row], scope)[0]
    raise NotFound(T("There is no case {number}.", number=number))


@dataclass(frozen=True, slots=True)
class OfCase:
    """A sealed recording of a case, as its page shows it. Times in UTC."""

    id: str
    name: str
    kind: Kind
    device: str | None
    officer: str | None
    begins: datetime
    ends: datetime
    """Its start, where the file does not tell its end."""
    duration_s: float | None
    size: int
    on_time: bool
    important: bool
    stage: Stage | None
    item: str | None
    notified: bool


def recordings_of(db: Database, number: str, scope: Scope) -> list[OfCase]:
    """Return the newest recordings of a case within a scope, in the order of time."""
    seen = recordings_in(scope)
    rows = db.query(
        "select r.* from recordings r indexed by recordings_by_case where r.case_no = ?"
        f" and r.state = 'sealed' and {seen.sql} order by r.number desc limit ?",
        [number, *seen.values, _MOST_RECORDINGS],
    )
    return sorted((_of_case(row) for row in rows), key=lambda one: (one.begins, one.id))


def _of_case(row: dict[str, Any]) -> OfCase:
    begins = moment(row["recorded_start"])
    flags = json.loads(row["flags"] or "[]")
    important = row["important"]
    return OfCase(
        id=row["id"],
        name=row["name"],
        kind=Kind(row["kind"]),
        device=row["device"],
        officer=row["officer"],
        begins=begins,
        ends=moment(row["recorded_end"]) if row["recorded_end"] else begins,
        duration_s=row["duration_s"],
        size=row["size"],
        on_time=bool(row["on_time"]),
        important=bool(important) if important is not None else Flag.IMPORTANT.value in flags,
        stage=Stage(row["stage"]) if row["stage"] else None,
        item=row["item"],
        notified=row["notified_by"] is not None,
    )


def _listed(db: Database, rows: Sequence[dict[str, Any]], scope: Scope) -> list[ListedCase]:
    """Return cases with how many recordings they have, all counted by one query."""
    seen = recordings_in(scope)
    marks = ", ".join("?" for _ in rows)
    counts = dict(
        db.execute(
            "select n.key, (select count(*) from (select 1 from recordings r"
            " indexed by recordings_by_case where r.case_no = n.number and r.state = 'sealed'"
            f" and {seen.sql} limit ?)) from cases n where n.key in ({marks})",
            [*seen.values, MOST_COUNTED, *(row["key"] for row in rows)],
        ).fetchall()
    )
    return [ListedCase(case_of_row(row), counts[row["key"]]) for row in rows]


def cases_in(scope: Scope) -> Condition:
    """Return the condition of the cases `c` within a scope."""
    if scope.reach is Reach.NONE:
        return NOTHING
    cleared = cleared_for(scope, "c.secrecy")
    if scope.reach is Reach.ALL:
        return cleared
    seen, planned = recordings_in(scope), concerning(scope, "k.officer", "k.device")
    of_case = "recordings r where r.case_no = c.number and r.state = 'sealed'"
    if scope.reach is Reach.OWN:  # few: found by the officer, not case by case
        mine = (
            "c.number in (select r.case_no from recordings r indexed by recordings_by_officer"
            f" where r.state = 'sealed' and {seen.sql})"
        )
    else:
        mine = f"exists (select 1 from {of_case} and {seen.sql})"
    return Condition(
        f"{cleared.sql} and ({mine}"
        f" or not exists (select 1 from {of_case})"
        " or exists (select 1 from calendar k indexed by calendar_by_case"
        f" where k.case_no = c.number and {planned.sql}))",
        (*cleared.values, *seen.values, *planned.values),
    )


def officers_in(found: Iterable[OfCase]) -> set[str]:
    return {one.officer for one in found if one.officer is not None}
