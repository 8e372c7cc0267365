"""What the dockings of one device say of it: when it was on a port, and what was measured."""

import json
from dataclasses import replace

from sqlite_utils.db import Database

from recorder_sync.health_json import health_of
from recorder_sync.model import Health, IdentityState, Storage
from recorder_sync.rules.device_matters import Checked
from recorder_sync.rules.overdue_device import OnPort
from recorder_sync.timestamps import moment

_NEWEST_STAYS = 20
_NEWEST_CHECKS = 200


def newest_stay(db: Database, device: str) -> OnPort | None:
    """Return the stay that lasted until last; one that still lasts before all others.

    A docking that a person asked for lasts as long as its intake.
    """
    rows = db.execute(
        "select started_at, case when state is null then ended_at else removed_at end"
        " from dockings where device = ? order by started_at desc limit ?",
        [device, _NEWEST_STAYS],
    ).fetchall()
    stays = [OnPort(moment(began), moment(ended) if ended else None) for began, ended in rows]
    lasting = [stay for stay in stays if stay.ended is None]
    if lasting:
        return lasting[0]
    return max(stays, key=lambda stay: (stay.ended or stay.began, stay.began), default=None)


def checks(db: Database, device: str) -> list[Checked]:
    """Return what the newest dockings of a device measured.

    Read errors are the files that the card did not give; they are known when the intake has
    ended (`ingest/failures.py` says what is written then).
    """
    rows = db.query(
        "select d.id, d.started_at, d.ended_at, d.health, d.identity_state, d.claims,"
        " d.storage_total, d.storage_used, d.storage_free,"
        " (select count(*) from inventory i indexed by inventory_not_in where i.docking = d.id"
        "  and (i.outcome is null or i.outcome = 'failed') and i.outcome = 'failed'"
        "  and (i.recording is not null or i.reason like '%cannot be read%')) as read_errors"
        " from dockings d where d.device = ? order by d.started_at desc limit ?",
        [device, _NEWEST_CHECKS],
    )
    return [
        Checked(
            device=device,
            docking=row["id"],
            at=moment(row["started_at"]),
            health=_health(row),
            identity=IdentityState(row["identity_state"]),
            claims=tuple(sorted({claim[0] for claim in json.loads(row["claims"] or "[]")})),
            was_read=row["ended_at"] is not None,
        )
        for row in rows
    ]


def _health(row: dict[str, object]) -> Health:
    found = health_of(json.loads(str(row["health"]))) if row["health"] else Health()
    total, used, free = (row[f"storage_{part}"] for part in ("total", "used", "free"))
    storage = None if total is None else Storage(int(str(total)), int(str(used)), int(str(free)))
    return replace(
        found, storage=found.storage or storage, read_errors=int(str(row["read_errors"]))
    )
