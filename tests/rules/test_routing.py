"""Who is told by which channel."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.escalation import Address, Message
from recorder_sync.rules.matter import Severity
from recorder_sync.rules.recipient import Recipient
from recorder_sync.rules.routing import Receiving, Route, Told, routes

_CUSTODIAN = Address(Recipient.CUSTODIAN)


def channel(name: str, *to: Recipient, **more: object) -> Receiving:
    return Receiving(name, frozenset(to or (Recipient.CUSTODIAN,)), **more)  # type: ignore[arg-type]


def told(**severities: Severity) -> dict[int, Told]:
    return {int(number[1:]): Told(severity) for number, severity in severities.items()}


def test_a_message_goes_to_every_channel_that_tells_this_recipient() -> None:
    message = Message(_CUSTODIAN, (1,))
    channels = [channel("mail"), channel("chat"), channel("chief", Recipient.TEAM_LEADER)]
    found = routes(message, told(n1=Severity.NOTICE), channels)
    assert found == [Route("mail", (1,)), Route("chat", (1,))]


def test_a_channel_of_some_officers_takes_messages_for_them_only() -> None:
    message = Message(Address(Recipient.OFFICER, "0007"), (1,))
    channels = [
        channel("his", Recipient.OFFICER, officers=frozenset({"0007"})),
        channel("hers", Recipient.OFFICER, officers=frozenset({"0008"})),
        channel("all", Recipient.OFFICER),
    ]
    found = routes(message, told(n1=Severity.WARNING), channels)
    assert [route.channel for route in found] == ["his", "all"]


def test_of_a_bundle_a_channel_gets_what_is_severe_enough_for_it() -> None:
    message = Message(_CUSTODIAN, (1, 2, 3), is_digest=True)
    alerts = told(n1=Severity.NOTICE, n2=Severity.BREACH, n3=Severity.WARNING)
    channels = [channel("sms", least=Severity.BREACH), channel("mail")]
    assert routes(message, alerts, channels) == [Route("sms", (2,)), Route("mail", (1, 2, 3))]


def test_that_a_channel_is_dead_is_told_on_the_others() -> None:
    message = Message(_CUSTODIAN, (1,))
    alerts = {1: Told(Severity.WARNING, dead_channel="mail")}
    both = [channel("mail"), channel("chat")]
    assert routes(message, alerts, both) == [Route("chat", (1,))]
    strangers = [channel("mail"), channel("chief", Recipient.TEAM_LEADER)]
    assert routes(message, alerts, strangers) == [Route("chief", (1,))]
    assert routes(message, alerts, [channel("mail")]) == []


def numbers() -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.integers(1, 4), min_size=1, max_size=4, unique=True).map(tuple)


@given(
    st.sampled_from(Recipient),
    numbers(),
    st.dictionaries(st.integers(1, 4), st.sampled_from(Severity), min_size=4, max_size=4),
    st.lists(st.tuples(st.sets(st.sampled_from(Recipient), min_size=1), st.sampled_from(Severity))),
)
def test_nobody_gets_what_is_not_for_them_and_nothing_that_is_gets_lost(
    recipient: Recipient,
    about: tuple[int, ...],
    severities: dict[int, Severity],
    settings: Iterable[tuple[set[Recipient], Severity]],
) -> None:
    channels = [
        Receiving(str(place), frozenset(to), least=least)
        for place, (to, least) in enumerate(settings)
    ]
    alerts = {number: Told(severity) for number, severity in severities.items()}
    officer = "0007" if recipient is Recipient.OFFICER else None
    found = routes(Message(Address(recipient, officer), about), alerts, channels)
    pairs = {(route.channel, number) for route in found for number in route.alerts}
    assert pairs == {
        (one.name, number)
        for one in channels
        for number in about
        if recipient in one.to and severities[number].rank >= one.least.rank
    }
    assert len({route.channel for route in found}) == len(found), "one message to each"
