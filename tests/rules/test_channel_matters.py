"""A channel that tells nobody any more is a matter of its own."""

from datetime import UTC, datetime, timedelta

from recorder_sync.model import AlertKind
from recorder_sync.rules.channel_matters import ChannelFacts, channel_matters

_SINCE = datetime(2026, 11, 23, 10, tzinfo=UTC)
_DEAD_AFTER = timedelta(minutes=30)
_DAY = timedelta(hours=24)


def matters(now: datetime, *channels: ChannelFacts) -> list[tuple[AlertKind, str, datetime]]:
    found = channel_matters(channels, now, _DEAD_AFTER, _DAY)
    return [(one.kind, one.key, one.since) for one in found]


def test_a_channel_that_fails_for_longer_than_allowed_is_dead_since_it_fails() -> None:
    failing = ChannelFacts("mail", _SINCE)
    working = ChannelFacts("chat")
    assert matters(_SINCE + _DEAD_AFTER, failing, working) == []
    (found,) = matters(_SINCE + _DEAD_AFTER + timedelta(milliseconds=1), failing, working)
    assert found == (AlertKind.CHANNEL_DEAD, "channel-dead/mail", _SINCE)


def test_messages_that_were_given_up_are_a_matter_for_a_day() -> None:
    channel = ChannelFacts("mail", given_up=(_SINCE, _SINCE + timedelta(hours=1)))
    (found,) = matters(_SINCE + _DAY, channel)
    assert found == (AlertKind.MESSAGE_GIVEN_UP, "message-given-up/mail", _SINCE)
    assert len(matters(_SINCE + _DAY + timedelta(minutes=30), channel)) == 1
    assert matters(_SINCE + _DAY + timedelta(hours=2), channel) == []
