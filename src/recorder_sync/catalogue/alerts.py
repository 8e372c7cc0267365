"""Alerts as the catalogue keeps them: each is one matter that somebody must handle.

An alert's number is that of its opening in the custody log. `cause_gone` says that what it
was about is gone; while it is not, a person's word that it is dealt with is remembered.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlite_utils.db import Database

from recorder_sync.catalogue.alert_facts import items_of, text_of
from recorder_sync.errors import NotFound
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.model import Alert, AlertKind
from recorder_sync.rules.escalation import Sent, Stage, Unresolved
from recorder_sync.rules.matter import MOST_SHOWN, Item, Severity, has_happened
from recorder_sync.rules.reconcile import AlertState, OnRecord, ResolvedBy
from recorder_sync.timestamps import iso, moment

_log = Log()


@dataclass(frozen=True, slots=True)
class RecordedAlert:
    """An alert with all that is on record of it now. Times in UTC."""

    number: int
    kind: AlertKind
    key: str
    state: AlertState
    severity: Severity
    since: datetime
    due: datetime | None
    text: Text
    hint: Text
    device: str | None
    docking: str | None
    recording: str | None
    officer: str | None
    case: str | None
    count: int
    items: tuple[Item, ...]
    digest: str
    raised_at: datetime
    updated_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: ResolvedBy | None
    resolver: str | None
    """The person who resolved it, and `note` what the last person said of it."""
    note: str | None
    cause_gone: bool
    times_worse: int
    last_entry: int | None = None
    """Number of the newest entry of the custody log about it."""

    @property
    def shown_items(self) -> tuple[Item, ...]:
        return self.items[:MOST_SHOWN]

    @property
    def is_resolved(self) -> bool:
        return self.state is AlertState.RESOLVED


def alert(db: Database, number: int) -> RecordedAlert:
    """Return one alert. Raises NotFound."""
    for one in where(db, "number = ?", [number]):
        return one
    raise NotFound(
        T("There is no alert {number}.", number=number),
        T("recorder-sync alerts list --all shows them."),
    )


def standing(db: Database, kinds: Collection[AlertKind] | None = None) -> list[RecordedAlert]:
    """Return the alerts whose cause is not known to be gone, by number.

    Those are all that are not resolved, and what a person resolved that may still be so.
    """
    if kinds is None:
        return list(where(db, "cause_gone = 0"))
    marks = ", ".join("?" for _ in kinds)
    return list(where(db, f"cause_gone = 0 and kind in ({marks})", [one.value for one in kinds]))


def live(db: Database) -> list[RecordedAlert]:
    """Return the alerts that are not resolved, by number."""
    return [one for one in standing(db) if not one.is_resolved]


def worst_first(alerts: Iterable[RecordedAlert]) -> list[RecordedAlert]:
    """Order by severity, then by the limit, then by how long it has been so."""
    far = datetime.max.replace(tzinfo=UTC)
    return sorted(
        alerts,
        key=lambda one: (
            one.is_resolved,
            -one.severity.rank,
            one.due or far,
            one.since,
            one.number,
        ),
    )


def changed_since(db: Database, seq: int) -> list[RecordedAlert]:
    """Return the alerts with entries in the custody log after this one, in their order."""
    return list(where(db, "custody_seq > ?", [seq], "custody_seq"))


def about_device(
    db: Database, device: str, before: datetime | None, limit: int
) -> list[RecordedAlert]:
    """Return the alerts about a device that were raised before a time, the newest first."""
    condition, values = "device = ?", [device]
    if before is not None:
        condition, values = f"{condition} and raised_at < ?", [*values, iso(before)]
    return list(where(db, condition, values, f"raised_at desc, number desc limit {int(limit)}"))


def newest(db: Database, limit: int) -> list[RecordedAlert]:
    """Return alerts in any state, the newest first."""
    return list(where(db, "1", (), f"number desc limit {int(limit)}"))


def on_record(db: Database, kinds: Collection[AlertKind] | None = None) -> list[OnRecord]:
    """Return what `reconcile` needs to know of the alerts of these kinds; None: of all.

    Left out are those of something that happened (`alerts/raising.py`): no rule would find
    them again, and that alone does not resolve them.
    """
    wanted = None if kinds is None else {kind.value for kind in kinds}
    # Asked at every look: no more is read than is needed.
    rows = db.query(
        "select number, kind, key, state, severity, count, items, digest, resolved_by"
        " from alerts where cause_gone = 0 order by number"
    )
    return [
        one
        for row in rows
        if wanted is None or row["kind"] in wanted
        if not has_happened(row["key"])
        if (one := _understood(row, _on_record)) is not None
    ]


def _on_record(row: Mapping[str, Any]) -> OnRecord:
    return OnRecord(
        number=row["number"],
        key=row["key"],
        state=AlertState(row["state"]),
        severity=Severity(row["severity"]),
        count=row["count"],
        names=frozenset(item["name"] for item in json.loads(row["items"])),
        digest=row["digest"],
        resolved_by=ResolvedBy(row["resolved_by"]) if row["resolved_by"] else None,
    )


def unresolved(db: Database) -> list[Unresolved]:
    """Return what `escalation.plan` needs to know of the alerts that are not resolved."""
    rows = db.query(
        "select number, severity, since, due, state, officer, times_worse from alerts"
        " where cause_gone = 0 and state <> 'resolved' order by number"
    )
    return [one for row in rows if (one := _understood(row, _unresolved)) is not None]


def _unresolved(row: Mapping[str, Any]) -> Unresolved:
    return Unresolved(
        number=row["number"],
        severity=Severity(row["severity"]),
        since=moment(row["since"]),
        due=_moment(row["due"]),
        state=AlertState(row["state"]),
        officer=row["officer"],
        times_worse=row["times_worse"],
    )


def told(db: Database) -> list[Sent]:
    """Return what was told of the alerts that are not resolved."""
    rows = db.execute(
        "select t.alert, t.stage, t.times_worse from alerts_told t"
        " join alerts a on a.number = t.alert where a.cause_gone = 0 and a.state <> 'resolved'"
    )
    return [Sent(number, Stage(stage), times_worse) for number, stage, times_worse in rows]


def note_told(db: Database, sent: Iterable[Sent], at: datetime) -> None:
    """Note in a transaction of the caller's what is in the queue of a channel since `at`."""
    db.conn.executemany(
        "insert into alerts_told (alert, stage, times_worse, at) values (?, ?, ?, ?)"
        " on conflict do nothing",
        [(one.number, one.stage.value, one.times_worse, iso(at)) for one in sent],
    )


def open_alerts(db: Database) -> list[Alert]:
    """Return what is not resolved, newest first."""
    return [
        Alert(one.kind, one.text, one.hint, one.raised_at, one.device, one.docking)
        for one in reversed(live(db))
    ]


def where(
    db: Database, condition: str, values: Iterable[object] = (), order: str = "number"
) -> Iterator[RecordedAlert]:
    rows = db.query(f"select * from alerts where {condition} order by {order}", list(values))
    for row in rows:
        if (one := _understood(row, _alert)) is not None:
            yield one


_Row = TypeVar("_Row")


def _understood(row: Mapping[str, Any], read: Callable[[Mapping[str, Any]], _Row]) -> _Row | None:
    """Read a row; of one that makes no sense the journal tells.

    Somebody wrote into the catalogue then. Verification names the row; until then the other
    alerts must not go unseen because of it.
    """
    try:
        return read(row)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        _log.error("an alert makes no sense", number=row["number"], why=repr(error))
        return None


def _alert(row: Mapping[str, Any]) -> RecordedAlert:
    return RecordedAlert(
        number=row["number"],
        kind=AlertKind(row["kind"]),
        key=row["key"],
        state=AlertState(row["state"]),
        severity=Severity(row["severity"]),
        since=moment(row["since"]),
        due=_moment(row["due"]),
        text=text_of(json.loads(row["text"])),
        hint=text_of(json.loads(row["hint"])),
        device=row["device"],
        docking=row["docking"],
        recording=row["recording"],
        officer=row["officer"],
        case=row["case_no"],
        count=row["count"],
        items=items_of(json.loads(row["items"])),
        digest=row["digest"],
        raised_at=moment(row["raised_at"]),
        updated_at=_moment(row["updated_at"]),
        acknowledged_at=_moment(row["acknowledged_at"]),
        acknowledged_by=row["acknowledged_by"],
        resolved_at=_moment(row["resolved_at"]),
        resolved_by=ResolvedBy(row["resolved_by"]) if row["resolved_by"] else None,
        resolver=row["resolver"],
        note=row["note"],
        cause_gone=bool(row["cause_gone"]),
        times_worse=row["times_worse"],
        last_entry=row["custody_seq"],
    )


def _moment(text: str | None) -> datetime | None:
    return moment(text) if text else None
