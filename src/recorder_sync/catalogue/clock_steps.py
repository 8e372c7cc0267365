"""When the station's clock was set: the newest steps, as this machine saw them.

Working state; the custody log has them as well, and for good.
"""

from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.rules.station_matters import ClockStep
from recorder_sync.timestamps import iso, moment

_KEPT = 1000


def enter(db: Database, step: ClockStep) -> None:
    """Enter a step in a transaction of the caller's."""
    db.execute(
        "insert into clock_steps (at, seconds) values (?, ?) on conflict (at)"
        " do update set seconds = excluded.seconds",
        [iso(step.at), step.seconds],
    )
    db.execute(
        "delete from clock_steps where rowid <= (select max(rowid) from clock_steps) - ?", [_KEPT]
    )


def steps(db: Database, since: datetime) -> tuple[ClockStep, ...]:
    """Return the steps after which the clock showed `since` or later."""
    rows = db.execute("select at, seconds from clock_steps where at >= ?", [iso(since)])
    return tuple(ClockStep(moment(at), seconds) for at, seconds in rows)
