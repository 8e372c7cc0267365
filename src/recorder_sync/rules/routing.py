"""Which channels does a message for somebody go to?

A channel takes a message for one whom it tells, and of it the alerts that are severe enough
for it. A message about a channel that is dead does not go there; where nobody else tells
this person, every other channel is told instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from recorder_sync.rules.escalation import Address, Message
from recorder_sync.rules.matter import Severity
from recorder_sync.rules.recipient import Recipient


@dataclass(frozen=True, slots=True)
class Receiving:
    """What the settings say of a channel."""

    name: str
    to: frozenset[Recipient]
    officers: frozenset[str] = frozenset()
    """Certificate numbers; none: of all."""
    least: Severity = Severity.NOTICE


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be known of an alert to route it."""

    severity: Severity
    dead_channel: str | None = None
    """The channel of which it says that it is dead."""


@dataclass(frozen=True, slots=True)
class Route:
    channel: str
    alerts: tuple[int, ...]


def routes(
    message: Message, alerts: Mapping[int, Told], channels: Sequence[Receiving]
) -> list[Route]:
    """Return where a message goes. `alerts` has at least those of the message."""
    taking = [one for one in channels if takes(one, message.to)]
    found = list(_routes(message, alerts, taking))
    reached = {number for route in found for number in route.alerts}
    lost = [
        number
        for number in message.alerts
        if alerts[number].dead_channel is not None and number not in reached
    ]
    if lost and not message.is_digest:
        about = Message(message.to, tuple(lost))
        others = [one for one in channels if one not in taking]
        found.extend(_routes(about, alerts, others))
    return found


def takes(channel: Receiving, to: Address) -> bool:
    """Tell whether a channel takes messages for somebody."""
    if to.recipient not in channel.to:
        return False
    return to.officer is None or not channel.officers or to.officer in channel.officers


def _routes(
    message: Message, alerts: Mapping[int, Told], channels: Iterable[Receiving]
) -> Iterable[Route]:
    for channel in channels:
        numbers = tuple(
            number
            for number in message.alerts
            if alerts[number].severity.rank >= channel.least.rank
            and alerts[number].dead_channel != channel.name
        )
        if numbers:
            yield Route(channel.name, numbers)
