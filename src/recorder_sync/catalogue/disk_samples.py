"""How full the evidence disk was, hour by hour."""

from datetime import datetime, timedelta

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import transaction
from recorder_sync.rules.forecast import DiskSample
from recorder_sync.timestamps import iso, moment

_EVERY = timedelta(hours=1)
_KEPT = timedelta(days=60)


def samples(db: Database, disk: str) -> tuple[DiskSample, ...]:
    """Return what is on record of a disk, the oldest first."""
    rows = db.execute("select at, used from disk_samples where disk = ? order by at", [disk])
    return tuple(DiskSample(moment(at), used) for at, used in rows)


def add(db: Database, disk: str, sample: DiskSample) -> None:
    """Put a sample on record, unless the newest is younger than an hour."""
    newest = db.execute(
        "select at from disk_samples where disk = ? and at <= ? order by at desc limit 1",
        [disk, iso(sample.at)],
    ).fetchone()
    if newest is not None and sample.at - moment(newest[0]) < _EVERY:
        return
    with transaction(db):
        db.execute(
            "insert or replace into disk_samples (disk, at, used) values (?, ?, ?)",
            [disk, iso(sample.at), sample.used],
        )
        db.execute(
            "delete from disk_samples where disk = ? and at < ?", [disk, iso(_oldest(sample.at))]
        )


def _oldest(at: datetime) -> datetime:
    return at - _KEPT
