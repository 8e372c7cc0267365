"""Alerts as a page lists them: narrowed to what somebody may see, the worst first.

What is not resolved is ordered by severity, then by the limit, then by how long it has been
so; of what is resolved the newest comes first. A cursor names the last alert of a page, so
what is opened meanwhile moves nothing.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue import alerts
from recorder_sync.catalogue.alert_facts import text_of
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.catalogue.seen_by import Condition, concerning
from recorder_sync.errors import NotFound
from recorder_sync.language import T, Text
from recorder_sync.model import AlertKind
from recorder_sync.rules.access import Reach, Scope
from recorder_sync.rules.matter import Severity
from recorder_sync.rules.recipient import Recipient
from recorder_sync.rules.reconcile import AlertState
from recorder_sync.timestamps import iso, moment

_LIVE = "cause_gone = 0 and state <> 'resolved'"
_RANK = "case severity when 'breach' then 0 when 'warning' then 1 else 2 end"
_WORST = f"{_RANK}, coalesce(due, '~'), since, number"


@dataclass(frozen=True, slots=True)
class AlertSearch:
    state: AlertState | None = None
    """None: all that is not resolved."""
    severity: Severity | None = None
    kind: AlertKind | None = None
    device: str | None = None
    after: int | None = None
    """The last alert of the page before."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class AlertPage:
    found: list[RecordedAlert]
    next: int | None
    """Cursor of the next page, None on the last."""


def page(db: Database, wanted: AlertSearch, scope: Scope) -> AlertPage:
    """Return one page of what matches within a scope."""
    seen = _seen(scope)
    resolved = wanted.state is AlertState.RESOLVED
    conditions, values = [seen.sql], [*seen.values]
    if resolved:
        conditions.append("state = 'resolved'")
    else:
        conditions.append(_LIVE)
        if wanted.state is not None:
            _add(conditions, values, "state = ?", wanted.state.value)
    for column in ("severity", "kind", "device"):
        value = getattr(wanted, column)
        if value is not None:
            _add(conditions, values, f"{column} = ?", str(value))
    order = "number desc" if resolved else _WORST
    if wanted.after is not None:
        if resolved:
            _add(conditions, values, "number < ?", wanted.after)
        else:
            last = f"select {_WORST} from alerts where number = ?"
            _add(conditions, values, f"({_WORST}) > ({last})", wanted.after)
    found = list(
        alerts.where(db, " and ".join(conditions), values, f"{order} limit {wanted.limit + 1}")
    )
    shown = found[: wanted.limit]
    return AlertPage(shown, shown[-1].number if len(found) > wanted.limit else None)


def seen_alert(db: Database, number: int, scope: Scope) -> RecordedAlert:
    """Return one alert that is within a scope. Raises NotFound."""
    seen = _seen(scope)
    for one in alerts.where(db, f"number = ? and {seen.sql}", [number, *seen.values]):
        return one
    raise NotFound(T("There is no alert {number}.", number=number))


def live_by_severity(db: Database, scope: Scope) -> dict[Severity, int]:
    """Count what is not resolved, by severity, the worst first."""
    seen = _seen(scope)
    rows = db.execute(
        f"select severity, count(*) from alerts where {_LIVE} and {seen.sql} group by severity",
        list(seen.values),
    )
    counts = {str(severity): int(count) for severity, count in rows}
    return {one: counts.get(one.value, 0) for one in reversed(Severity)}


def live_kinds(db: Database, scope: Scope) -> list[AlertKind]:
    """Return the kinds of which something is not resolved, to choose from."""
    seen = _seen(scope)
    rows = db.execute(
        f"select distinct kind from alerts where {_LIVE} and {seen.sql}", list(seen.values)
    )
    found = {str(row[0]) for row in rows}
    return [kind for kind in AlertKind if kind.value in found]


@dataclass(frozen=True, slots=True)
class Told:
    """One message about an alert. Times in UTC."""

    channel: str
    recipient: Recipient
    officer: str | None
    is_digest: bool
    made_at: datetime
    delivered_at: datetime | None
    given_up_at: datetime | None
    last_error: Text | None


def told_of(db: Database, one: RecordedAlert) -> list[Told]:
    """Return the messages that were made about an alert and are remembered, by time."""
    rows = db.query(
        "select m.* from messages m where m.made_at >= ?"
        " and exists (select 1 from json_each(m.alerts) where value = ?) order by m.id",
        [iso(one.raised_at), one.number],
    )
    return [_told(row) for row in rows]


def _told(row: dict[str, Any]) -> Told:
    error = row["last_error"]
    return Told(
        row["channel"],
        Recipient(row["recipient"]),
        row["officer"],
        bool(row["is_digest"]),
        moment(row["made_at"]),
        _moment(row["delivered_at"]),
        _moment(row["given_up_at"]),
        text_of(json.loads(error)) if error else None,
    )


def _moment(text: str | None) -> datetime | None:
    return moment(text) if text else None


def _seen(scope: Scope) -> Condition:
    """Return the condition of the alerts within a scope.

    Who sees the station sees what is about the station itself; who looks after the program
    sees besides what is about devices, and nothing about a recording or a case.
    """
    if scope.reach is Reach.NONE:
        return Condition("recording is null and case_no is null")
    of_somebody = concerning(scope)
    if scope.reach is not Reach.UNIT:
        return of_somebody
    return Condition(
        f"({of_somebody.sql} or (officer is null and device is null))", of_somebody.values
    )


def _add(conditions: list[str], values: list[object], sql: str, *given: object) -> None:
    conditions.append(sql)
    values += given


def names_of(db: Database, officers: Iterable[str | None]) -> dict[str, str]:
    """Return the names of these officers by certificate number, as far as they are known."""
    numbers = sorted({one for one in officers if one})
    marks = ", ".join("?" for _ in numbers)
    rows = db.execute(
        f"select cert_no, name from officers where cert_no in ({marks}) and name is not null",
        numbers,
    )
    return {str(number): str(name) for number, name in rows}
