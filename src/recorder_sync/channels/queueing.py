"""Puts the messages that the plan says into the queue of each channel that takes them.

It belongs into the transaction that notes what was told: either both are on record, or the
next look at the alerts makes the message again. Sending is `delivering.py`'s, in a process
that has the network.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.catalogue import alerts as on_record
from recorder_sync.catalogue import messages as queue
from recorder_sync.channels.settings import Channel
from recorder_sync.model import AlertKind
from recorder_sync.rules.escalation import Message
from recorder_sync.rules.matter import key_of
from recorder_sync.rules.routing import Receiving, Told, routes


def enqueue(
    db: Database, messages: Iterable[Message], channels: Sequence[Channel], now: datetime
) -> int:
    """Queue the messages, in a transaction of the caller's; return how many rows there are.

    `channels` are those of the settings. A message that no channel takes is nowhere: the
    alert stands on the screen and in the journal all the same.
    """
    receiving = [
        Receiving(one.name, frozenset(one.to), frozenset(one.officers), one.least)
        for one in channels
    ]
    dead = {key_of(AlertKind.CHANNEL_DEAD, one.name): one.name for one in channels}
    known: dict[int, Told] = {}
    count = 0
    for message in messages:
        for number in message.alerts:
            if number not in known:
                alert = on_record.alert(db, number)
                known[number] = Told(alert.severity, dead.get(alert.key))
        for route in routes(message, known, receiving):
            queue.add(db, route.channel, message.to, route.alerts, message.is_digest, now)
            count += 1
    return count
