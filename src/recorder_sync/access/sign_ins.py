"""Attempts to sign in, as they were noted: of accounts, and of officers by PIN. Times in UTC."""

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.access.signing_in import Outcome
from recorder_sync.timestamps import iso, moment


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int
    at: datetime
    name: str
    """As it was typed, shortened; of a PIN `officer:` and the certificate number."""
    address: str | None
    outcome: Outcome


def attempts(
    db: Database,
    name: str | None,
    since: datetime | None,
    until: datetime | None,
    after: tuple[str, int] | None,
    limit: int,
) -> list[Attempt]:
    """Return attempts by a name, or by all, from `since` until before `until`, newest first.

    `after` is time and number of the last one of the page before.
    """
    conditions, values = ["1"], list[object]()
    for condition, value in (
        ("account = ?", name),
        ("at >= ?", iso(since) if since else None),
        ("at < ?", iso(until) if until else None),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if after is not None:
        conditions.append("(at, rowid) < (?, ?)")
        values += after
    rows = db.execute(
        "select rowid, at, account, address, outcome from sign_ins"
        f" where {' and '.join(conditions)} order by at desc, rowid desc limit ?",
        [*values, limit],
    )
    return [
        Attempt(number, moment(at), name, address, Outcome(outcome))
        for number, at, name, address, outcome in rows
    ]
