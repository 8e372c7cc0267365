"""Sealed recordings that a store has to confirm before they count as stored (Art. 21).

Only where the settings say so of a store. At its start the daemon looks for all that the store
has not confirmed; later only at what was sealed since then, and at what it waited for. It does
not matter whether the forward service runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.uploads import forwardable
from recorder_sync.forward.destination import selection_of
from recorder_sync.rules.outstanding import Outstanding, Why
from recorder_sync.stores.store_settings import StoreSettings
from recorder_sync.timestamps import iso, moment
from recorder_sync.watching.source import Look

_LOOK_BACK = timedelta(hours=1)
"""How much earlier than the last look something may have been sealed that is new."""

_AT_ONCE = 500


class Unconfirmed:
    """What each store that has to confirm recordings has not confirmed."""

    def __init__(self) -> None:
        self._stores: tuple[StoreSettings, ...] = ()
        self._waiting: dict[str, dict[str, Outstanding]] = {}
        """By store and recording."""
        self._read_at: datetime | None = None

    def facts(self, look: Look) -> list[Outstanding]:
        """Return what is not confirmed now. Raises sqlite3.DatabaseError."""
        stores = tuple(s for s in look.station.settings.stores if s.needed_for_deadline)
        if stores != self._stores:
            self._stores, self._waiting, self._read_at = stores, {}, None
        db = look.station.catalogue
        for store in stores:
            waiting = self._waiting.setdefault(store.name, {})
            for one in _confirmed(db, store.name, list(waiting)):
                del waiting[one]
            since = None if self._read_at is None else self._read_at - _LOOK_BACK
            selection = selection_of(store)
            for row in _sealed_since(db, store.name, since):
                look.check()
                if selection.takes(forwardable(row)):
                    waiting[row["id"]] = _outstanding(row, store.name)
        self._read_at = look.now if stores else None
        return [one for name in self._waiting for one in self._waiting[name].values()]


def _sealed_since(db: Database, store: str, since: datetime | None) -> Iterator[Mapping[str, Any]]:
    where, values = ("", []) if since is None else (" and r.sealed_at >= ?", [iso(since)])
    yield from db.query(
        "select r.id, r.kind, r.flags, r.case_no, r.sealed_at, r.deadline, r.name, r.docking,"
        " r.device, r.officer, r.recorded_start, r.recorded_end from recordings r"
        f" where r.state = 'sealed'{where}"
        " and not exists (select 1 from copies c where c.recording = r.id and c.store = ?)",
        [*values, store],
    )


def _confirmed(db: Database, store: str, recordings: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(recordings), _AT_ONCE):
        some = recordings[start : start + _AT_ONCE]
        marks = ", ".join("?" for _ in some)
        rows = db.execute(
            f"select recording from copies where store = ? and recording in ({marks})",
            [store, *some],
        ).fetchall()
        yield from (row[0] for row in rows)


def _outstanding(row: Mapping[str, Any], store: str) -> Outstanding:
    start, end = moment(row["recorded_start"]), row["recorded_end"]
    return Outstanding(
        name=row["name"],
        why=Why.QUEUED,
        seen_at=moment(row["sealed_at"]),
        mtime=start,
        docking=row["docking"],
        device=row["device"],
        officer=row["officer"],
        case=row["case_no"],
        ended_at=moment(end) if end else None,
        store=store,
    )
