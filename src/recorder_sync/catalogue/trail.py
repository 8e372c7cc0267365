"""The audit trail: who looked at what, handed it out, corrected it, or changed who may (Art. 4).

Each row is an entry of the custody log, which alone is the truth and may have millions of others;
the row is made in the same step as the entry, and again by a rebuild. Newest first, by time and
then by the entry's number; a page goes on where the one before ended.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.seen_by import NOTHING, recordings_in
from recorder_sync.custody.canonical import canonical
from recorder_sync.custody.log import Act, Entry
from recorder_sync.rules.access import Scope
from recorder_sync.timestamps import iso, moment

ACTS = frozenset(
    {
        *(Act.VIEW, Act.EXPORT, Act.EXPORT_FAILED, Act.TAG, Act.MARK, Act.BOOKMARK),
        *(Act.ACCOUNT, Act.LEDGER, Act.LEGAL_HOLD, Act.HOLD_RELEASED),
        *(Act.DEVICE_EVENT, Act.DEFERRAL, Act.CALENDAR, Act.GAP_EXPLAINED),
        *(Act.ALERT_ACKNOWLEDGED, Act.ALERT_RESOLVED),
        *(Act.DOCUMENT, Act.BELONGS_TO_DOCUMENT),
    }
)
"""What persons do; not what every intake puts on record. Whoever enters one of these goes through
`on_record.py`, which makes the row."""


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the trail. Times in UTC."""

    custody_seq: int
    at: datetime
    act: Act
    actor: str
    subject: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the trail; None or empty: anything."""

    acts: frozenset[Act] = frozenset()
    actor: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Not part of it."""
    after: tuple[str, int] | None = None
    """Time and number of the last one of the page before."""
    limit: int = 50


def take_up(db: Database, entry: Entry) -> None:
    """Enter what an entry says, where it is one of the trail's; it may be there already.

    Facts are kept as the log has them: a deed of just now may say 5.0 where its line says 5.
    """
    deed = entry.deed
    if deed.act in ACTS:
        db.execute(
            "insert into trail (custody_seq, at, act, actor, subject, facts)"
            " values (?, ?, ?, ?, ?, ?) on conflict do nothing",
            [
                *(entry.seq, iso(deed.time), deed.act.value, deed.actor, deed.subject),
                canonical(dict(deed.facts)).decode(),
            ],
        )


def steps(db: Database, wanted: Wanted) -> list[Step]:
    """Return one page of what matches, the newest first."""
    parts: list[str] = []
    values: list[object] = []
    for one in _each_along_an_index(wanted):
        conditions, given = _conditions(one)
        parts.append(
            f"select custody_seq from (select custody_seq, at from trail indexed by {_index(one)}"
            f" where {' and '.join(conditions) or '1'} order by at desc, custody_seq desc limit ?)"
        )
        values += [*given, wanted.limit]
    rows = db.execute(
        "select custody_seq, at, act, actor, subject, facts from trail not indexed"
        f" where custody_seq in ({' union all '.join(parts)})"
        " order by at desc, custody_seq desc limit ?",
        [*values, wanted.limit],
    )
    return [_step(row) for row in rows]


def about_device(
    db: Database, device: str, scope: Scope, before: datetime | None, limit: int
) -> list[Step]:
    """Return the changes of a device's entry in the ledger, and the corrections of its
    recordings' tags that are within a scope, the newest first."""
    columns = "t.custody_seq, t.at, t.act, t.actor, t.subject, t.facts"
    end = iso(before) if before else "~"
    entered = db.execute(
        f"select {columns} from trail t indexed by trail_by_subject where t.subject = ?"
        " and t.act = ? and t.at < ? order by t.at desc limit ?",
        [f"device:{device}", Act.LEDGER.value, end, limit],
    ).fetchall()
    seen = recordings_in(scope)
    if seen == NOTHING:
        return [_step(row) for row in entered]
    corrected = db.execute(
        f"select {columns} from recordings r indexed by recordings_by_device"
        " cross join trail t indexed by trail_by_subject on t.subject = r.id"
        " where r.device = ? and r.state = 'sealed' and t.act = ? and t.at < ?"
        f" and {seen.sql} order by t.at desc limit ?",
        [device, Act.TAG.value, end, *seen.values, limit],
    ).fetchall()
    return [_step(row) for row in (*entered, *corrected)]


def _each_along_an_index(wanted: Wanted) -> list[Wanted]:
    """Return what together is what is asked for, each a stretch of one index in the order of time.

    Each act by itself: what a person hardly ever did, or nobody, would be looked for through
    everything else that was done.
    """
    if wanted.subject is not None or (wanted.actor is None and not wanted.acts):
        return [wanted]
    return [replace(wanted, acts=frozenset({act})) for act in sorted(wanted.acts or ACTS)]


def _index(wanted: Wanted) -> str:
    """Return the index to go along: of what is rare first."""
    if wanted.subject is not None:
        return "trail_by_subject"
    if wanted.actor is not None:
        return "trail_by_actor"
    return "trail_by_act" if wanted.acts else "trail_by_time"


def _conditions(wanted: Wanted) -> tuple[list[str], list[object]]:
    found: list[tuple[str, Sequence[object]]] = []
    if wanted.acts:
        marks = ", ".join("?" for _ in wanted.acts)
        found.append((f"act in ({marks})", sorted(act.value for act in wanted.acts)))
    if wanted.actor is not None:
        found.append(("actor = ?", [wanted.actor]))
    if wanted.subject is not None:
        found.append(("subject = ?", [wanted.subject]))
    if wanted.since is not None:
        found.append(("at >= ?", [iso(wanted.since)]))
    if wanted.until is not None:
        found.append(("at < ?", [iso(wanted.until)]))
    if wanted.after is not None:
        found.append(("(at, custody_seq) < (?, ?)", wanted.after))
    return [one for one, _ in found], [value for _, given in found for value in given]


def _step(row: Sequence[Any]) -> Step:
    number, at, act, actor, subject, facts = row
    return Step(number, moment(at), Act(act), actor, subject, json.loads(facts))
