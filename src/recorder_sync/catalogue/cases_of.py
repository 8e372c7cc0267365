"""Which cases an officer's recent recordings belong to."""

from sqlite_utils.db import Database

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
