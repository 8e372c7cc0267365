"""Channels and webhooks that tell nobody any more, by what their deliveries noted."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from recorder_sync.catalogue.messages import channel_facts
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.channel_matters import channel_matters, webhook_matters
from recorder_sync.rules.matter import Matter
from recorder_sync.timestamps import moment
from recorder_sync.watching.source import Look, Undecided
from recorder_sync.webhooks.place import standing_of


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
        yield from webhook_matters(_failing_webhooks(look), look.now, dead_after)


def _failing_webhooks(look: Look) -> dict[str, datetime]:
    """Return since when the webhooks of the settings fail, those that do."""
    settings = look.station.settings
    stand = {hook.name: standing_of(settings.paths.state, hook.name) for hook in settings.webhooks}
    return {
        name: moment(standing.failing_since)
        for name, standing in stand.items()
        if standing is not None and standing.failing_since is not None
    }
