"""Channels that tell nobody any more, by what their deliveries noted."""

from collections.abc import Iterator
from datetime import timedelta

from recorder_sync.catalogue.messages import channel_facts
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.channel_matters import channel_matters
from recorder_sync.rules.matter import Matter
from recorder_sync.watching.source import Look, Undecided


class Channels:
    name = "channels"
    what = T("The channels of messages")
    kinds = frozenset({AlertKind.CHANNEL_DEAD, AlertKind.MESSAGE_GIVEN_UP})

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        settings, remembered = look.station.settings.alerts, look.limits.remembered_for
        names = [one.name for one in settings.channels]
        facts = channel_facts(look.station.catalogue, names, look.now, remembered)
        dead_after = timedelta(minutes=settings.dead_after_minutes)
        yield from channel_matters(facts, look.now, dead_after, remembered)
