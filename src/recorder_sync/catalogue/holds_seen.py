"""Legal holds that stand, as a page lists them: narrowed to what somebody may see, newest first.

A hold on a recording is seen by who may see the recording, one on a case by who may see the case.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.cases import cases_in
from recorder_sync.catalogue.holds import Hold, hold_of_row
from recorder_sync.catalogue.seen_by import NOTHING, recordings_in
from recorder_sync.rules.access import Scope
from recorder_sync.timestamps import moment


@dataclass(frozen=True, slots=True)
class SeenHold:
    """A hold, and what it is on: of a recording its own facts, of a case those of the ledger."""

    hold: Hold
    name: str | None
    """Of the recording's file, as it was on the card."""
    device: str | None
    recorded_at: datetime | None
    party: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class HoldPage:
    found: list[SeenHold]
    next: int | None
    """Cursor of the next page, None on the last."""


def page(db: Database, scope: Scope, after: int | None, limit: int) -> HoldPage:
    """Return one page of the holds within a scope; `after` is the cursor of the page before."""
    recordings, cases = recordings_in(scope), cases_in(scope)
    if recordings == cases == NOTHING:
        return HoldPage([], None)
    rows = list(
        db.query(
            "select h.*, r.name, r.device, r.recorded_start, c.party, c.cause"
            " from legal_holds h left join recordings r on r.id = h.recording"
            " left join cases c on c.number = h.case_no where h.released_seq is null"
            f" and ((h.recording is not null and r.state = 'sealed' and {recordings.sql})"
            f" or (h.case_no is not null and {cases.sql}))"
            " and h.custody_seq < ? order by h.custody_seq desc limit ?",
            [*recordings.values, *cases.values, after if after is not None else 2**62, limit + 1],
        )
    )
    shown = rows[:limit]
    following = shown[-1]["custody_seq"] if len(rows) > limit else None
    return HoldPage([_seen(row) for row in shown], following)


def _seen(row: dict[str, Any]) -> SeenHold:
    return SeenHold(
        hold_of_row(row),
        row["name"],
        row["device"],
        moment(row["recorded_start"]) if row["recorded_start"] else None,
        row["party"],
        row["cause"],
    )
