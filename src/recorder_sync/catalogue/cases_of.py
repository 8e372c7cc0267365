"""Which cases an officer's recordings may belong to: recent ones, and open ones that are meant."""

from functools import partial

from sqlite_utils.db import Database

from recorder_sync.catalogue.cases import cases_in
from recorder_sync.catalogue.ledger import case_of_row
from recorder_sync.model import Case
from recorder_sync.rules.access import Scope
from recorder_sync.rules.case_typed import is_meant

_NEWEST = 400
"""Recordings that are looked at: the cases of an officer's last weeks."""


def recent_cases(db: Database, officer: str) -> list[str]:
    """Return the numbers of the cases of an officer's newest recordings, the newest first."""
    rows = db.execute(
        "select case_no from (select case_no, number from recordings"
        " indexed by recordings_by_officer where officer = ? and state = 'sealed'"
        " order by number desc limit ?) where case_no is not null"
        " group by case_no order by max(number) desc",
        [officer, _NEWEST],
    )
    return [number for (number,) in rows]


def open_cases(db: Database, typed: str, scope: Scope, limit: int) -> list[Case]:
    """Return the cases within a scope that are not closed and may be meant, the newest first."""
    db.conn.create_function("is_meant", 2, partial(is_meant, typed), deterministic=True)
    seen = cases_in(scope)
    rows = db.query(
        "select * from cases c where c.closed_on is null and is_meant(c.number, c.party)"
        f" and {seen.sql} order by c.key desc limit ?",
        [*seen.values, limit],
    )
    return [case_of_row(row) for row in rows]
