"""Which channels do not tell anybody any more?

A channel that fails for too long is dead, whatever the reason, until something is delivered
by it. A message that was given up is a matter for a while even where the channel works:
somebody was not told of something. A webhook that fails is the same to the program behind it:
what it does not hear of, nobody does there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Matter, Severity, key_of


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """One channel of the settings."""

    name: str
    failing_since: datetime | None = None
    """When the first delivery failed after which none went through."""
    given_up: tuple[datetime, ...] = ()
    """When messages were given up."""


def channel_matters(
    channels: Iterable[ChannelFacts],
    now: datetime,
    dead_after: timedelta,
    remembered_for: timedelta,
) -> Iterator[Matter]:
    """Yield the dead channels, and those that lately gave messages up."""
    for channel in channels:
        since = channel.failing_since
        if since is not None and now - since > dead_after:
            yield Matter(
                AlertKind.CHANNEL_DEAD,
                key_of(AlertKind.CHANNEL_DEAD, channel.name),
                Severity.WARNING,
                since,
                T("The channel {name} delivers no messages.", name=channel.name),
                T(
                    "Run: recorder-sync alerts test {name} (it shows what the channel answers). "
                    "What waits is sent when it works again.",
                    name=channel.name,
                ),
            )
        lately = [at for at in channel.given_up if now - at <= remembered_for]
        if lately:
            yield Matter(
                AlertKind.MESSAGE_GIVEN_UP,
                key_of(AlertKind.MESSAGE_GIVEN_UP, channel.name),
                Severity.WARNING,
                min(lately),
                T(
                    "Messages were given up that the channel {name} did not take: {count}.",
                    name=channel.name,
                    count=len(lately),
                ),
                T("Look at: recorder-sync alerts list. Somebody may not know of what is there."),
                count=len(lately),
            )


def webhook_matters(
    failing: Mapping[str, datetime], now: datetime, dead_after: timedelta
) -> Iterator[Matter]:
    """Yield the webhooks that take no messages; `failing` says since when, by name."""
    for name, since in failing.items():
        if now - since > dead_after:
            yield Matter(
                AlertKind.CHANNEL_DEAD,
                key_of(AlertKind.CHANNEL_DEAD, "webhook", name),
                Severity.WARNING,
                since,
                T("The webhook {name} takes no messages.", name=name),
                T(
                    "Run: recorder-sync webhooks list (it shows what the webhook answers). "
                    "What waits is sent when it works again.",
                ),
            )
