"""The queue of messages, and how each channel fares, as the catalogue keeps them.

Working state of this machine, which is not in the custody log: a rebuilt catalogue takes it
over from the old file where that can be read. A message waits until it is delivered or
given up.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.alert_facts import text_json, text_of
from recorder_sync.catalogue.database import insert, upsert
from recorder_sync.language import Text
from recorder_sync.rules.channel_matters import ChannelFacts
from recorder_sync.rules.escalation import Address
from recorder_sync.rules.recipient import Recipient
from recorder_sync.rules.retrying import LONGEST_WAIT
from recorder_sync.timestamps import iso, moment

REMEMBERED = timedelta(days=90)
"""How long it stays known what was delivered when."""
_WAITING = "delivered_at is null and given_up_at is null"


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that waits for its channel."""

    number: int
    channel: str
    to: Address
    alerts: tuple[int, ...]
    is_digest: bool
    made_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How a channel fares. Times in UTC; None: never, or not known."""

    name: str
    waiting: int = 0
    failing_since: datetime | None = None
    last_error: Text | None = None
    """Why the newest attempt failed; None after a success."""
    last_delivered_at: datetime | None = None


def add(
    db: Database, channel: str, to: Address, alerts: Sequence[int], is_digest: bool, now: datetime
) -> None:
    """Put a message into the queue, in a transaction of the caller's."""
    insert(
        db,
        "messages",
        [
            {
                "channel": channel,
                "recipient": to.recipient.value,
                "officer": to.officer,
                "alerts": json.dumps(list(alerts)),
                "is_digest": int(is_digest),
                "made_at": iso(now),
                "attempts": 0,
                "next_try_at": iso(now),
            }
        ],
    )


def next_due(db: Database, channel: str, now: datetime) -> Queued | None:
    """Return the message of a channel that is to be tried first, if any is due."""
    # Later than any wait: only a clock that was set back makes it so.
    latest = now + LONGEST_WAIT
    rows = db.query(
        f"select * from messages where {_WAITING} and channel = ?"
        " and (next_try_at <= ? or next_try_at > ?) order by next_try_at, id limit 1",
        [channel, iso(now), iso(latest)],
    )
    return next(map(_queued, rows), None)


def note_delivered(db: Database, message: Queued, now: datetime) -> None:
    """Note a delivery, and that its channel works; in a transaction of the caller's."""
    db.execute(
        "update messages set delivered_at = ?, attempts = attempts + 1, last_error = null"
        " where id = ?",
        [iso(now), message.number],
    )
    note_works(db, message.channel, now)


def note_works(db: Database, channel: str, now: datetime) -> None:
    """Note that a channel took something; in a transaction of the caller's."""
    row = {"failing_since": None, "last_error": None, "last_delivered_at": iso(now)}
    upsert(db, "channels", "name", {"name": channel, **row})


def note_failed(
    db: Database,
    message: Queued,
    why: Text,
    now: datetime,
    *,
    next_try: datetime | None,
    leave_alone: bool,
) -> None:
    """Note a failed attempt, in a transaction of the caller's.

    Without `next_try` the message is given up. With `leave_alone` nothing else goes to the
    channel before that time either.
    """
    error = text_json(why)
    db.execute(
        "update messages set attempts = attempts + 1, last_error = ?,"
        " next_try_at = coalesce(?, next_try_at), given_up_at = ? where id = ?",
        [
            error,
            iso(next_try) if next_try else None,
            None if next_try else iso(now),
            message.number,
        ],
    )
    if leave_alone and next_try is not None:
        db.execute(
            f"update messages set next_try_at = max(next_try_at, ?) where {_WAITING}"
            " and channel = ?",
            [iso(next_try), message.channel],
        )
    note_fails(db, message.channel, why, now)


def hurry(db: Database, channel: str, now: datetime) -> None:
    """Have all that waits for a channel tried now; in a transaction of the caller's."""
    db.execute(
        f"update messages set next_try_at = ? where {_WAITING} and channel = ?",
        [iso(now), channel],
    )


def note_fails(db: Database, channel: str, why: Text, now: datetime) -> None:
    """Note that a channel fails; since when is kept. In a transaction of the caller's."""
    db.execute(
        "insert into channels (name, failing_since, last_error) values (?, ?, ?)"
        " on conflict (name) do update set last_error = excluded.last_error,"
        " failing_since = coalesce(failing_since, excluded.failing_since)",
        [channel, iso(now), text_json(why)],
    )


def give_up_strays(
    db: Database, channels: Iterable[str], now: datetime, after: timedelta, why: Text
) -> int:
    """Give up old messages of channels that the settings do not name any more.

    In a transaction of the caller's. Returns how many.
    """
    named = list(channels)
    marks = ", ".join("?" for _ in named)
    cursor = db.execute(
        f"update messages set given_up_at = ?, last_error = ? where {_WAITING}"
        f" and channel not in ({marks}) and made_at < ?",
        [iso(now), text_json(why), *named, iso(now - after)],
    )
    return cursor.rowcount


def forget(db: Database, now: datetime) -> None:
    """Forget messages that were delivered or given up long ago; in a caller's transaction."""
    before = iso(now - REMEMBERED)
    db.execute("delete from messages where delivered_at < ? or given_up_at < ?", [before, before])


def channel_state(db: Database, name: str) -> ChannelState:
    """Return how a channel fares; one that never sent anything is known by its name only."""
    sql = f"select count(*) from messages where {_WAITING} and channel = ?"
    waiting = db.execute(sql, [name]).fetchone()[0]
    for row in db.query("select * from channels where name = ?", [name]):
        error = row["last_error"]
        return ChannelState(
            name=name,
            waiting=waiting,
            failing_since=_moment(row["failing_since"]),
            last_error=text_of(json.loads(error)) if error else None,
            last_delivered_at=_moment(row["last_delivered_at"]),
        )
    return ChannelState(name, waiting)


def channel_facts(
    db: Database, names: Iterable[str], now: datetime, remembered_for: timedelta
) -> list[ChannelFacts]:
    """Return what the rule is to know of the channels that the settings name."""
    given_up: dict[str, list[datetime]] = {}
    for channel, at in db.execute(
        "select channel, given_up_at from messages where given_up_at >= ?",
        [iso(now - remembered_for)],
    ):
        given_up.setdefault(channel, []).append(moment(at))
    return [
        ChannelFacts(name, channel_state(db, name).failing_since, tuple(given_up.get(name, ())))
        for name in names
    ]


def _moment(text: str | None) -> datetime | None:
    return moment(text) if text else None


def _queued(row: dict[str, Any]) -> Queued:
    return Queued(
        number=row["id"],
        channel=row["channel"],
        to=Address(Recipient(row["recipient"]), row["officer"]),
        alerts=tuple(json.loads(row["alerts"])),
        is_digest=bool(row["is_digest"]),
        made_at=moment(row["made_at"]),
        attempts=row["attempts"],
    )
