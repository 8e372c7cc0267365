"""Where a device is and who holds it, from its events (Art. 22, 24)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.whereabouts import (
    ALLOWED,
    DeviceEvent,
    Happening,
    State,
    holder_at,
    holdings,
    whereabouts,
)

BEGIN = datetime(2026, 11, 22, 1, tzinfo=UTC)


def at(hour: float) -> datetime:
    return BEGIN + timedelta(hours=hour)


def event(what: Happening, hour: float = 0, officer: str | None = None) -> DeviceEvent:
    text = "lens broken" if what is Happening.FAULT else None
    who = (officer or "000001") if what is Happening.ISSUED else None
    return DeviceEvent("0031", at(hour), what, "os:x", 0, officer=who, text=text)


def story(*happenings: Happening) -> list[DeviceEvent]:
    return [event(what, hour) for hour, what in enumerate(happenings)]


H = Happening


@pytest.mark.parametrize(
    ("happenings", "state"),
    [
        ([], State.IN_STORE),
        ([H.ISSUED], State.ISSUED),
        ([H.ISSUED, H.RETURNED], State.IN_STORE),
        ([H.FAULT], State.IN_REPAIR),
        ([H.FAULT, H.REPAIRED], State.IN_STORE),
        ([H.ISSUED, H.FAULT], State.ISSUED),
        ([H.ISSUED, H.FAULT, H.RETURNED], State.IN_REPAIR),
        ([H.ISSUED, H.FAULT, H.REPAIRED], State.ISSUED),
        ([H.ISSUED, H.LOST], State.LOST),
        ([H.ISSUED, H.LOST, H.FOUND], State.IN_STORE),
        ([H.FAULT, H.LOST, H.FOUND], State.IN_REPAIR),
        ([H.LOST, H.RETIRED], State.RETIRED),
        ([H.FAULT, H.RETIRED], State.RETIRED),
    ],
)
def test_a_device_is_where_its_events_led_it(happenings: list[Happening], state: State) -> None:
    assert whereabouts(story(*happenings)).state is state


def test_an_issued_device_has_a_holder_and_a_time_and_no_other_has() -> None:
    issued = whereabouts([event(H.ISSUED, 3, "000010")])
    assert (issued.officer, issued.state_since) == ("000010", at(3))
    back = whereabouts([event(H.ISSUED, 3, "000010"), event(H.RETURNED, 5)])
    assert (back.officer, back.state_since) == (None, at(5))


def test_art_24_a_fault_stays_open_through_every_move_until_a_repair() -> None:
    events = story(H.ISSUED, H.FAULT, H.RETURNED)
    assert [fault.what for fault in whereabouts(events).open_faults] == ["lens broken"]
    assert whereabouts(events).state_since == at(2)
    assert whereabouts([*events, event(H.REPAIRED, 9)]).open_faults == ()


def test_art_24_a_faulty_device_is_not_issued() -> None:
    assert H.ISSUED not in ALLOWED[State.IN_REPAIR]


@pytest.mark.parametrize(
    ("happenings", "senseless"),
    [
        ([], H.RETURNED),
        ([], H.FOUND),
        ([H.ISSUED], H.ISSUED),
        ([H.ISSUED], H.RETIRED),
        ([H.LOST], H.ISSUED),
        ([H.LOST], H.LOST),
        *(([H.RETIRED], what) for what in Happening),
    ],
)
def test_a_move_that_makes_no_sense_is_not_allowed(
    happenings: list[Happening], senseless: Happening
) -> None:
    assert not whereabouts(story(*happenings)).allows(senseless)


def test_the_table_knows_every_state_and_every_happening() -> None:
    assert set(ALLOWED) == set(State)
    assert {what for allowed in ALLOWED.values() for what in allowed} == set(Happening)


def test_the_holder_is_who_held_it_then() -> None:
    held = holdings(
        [
            event(H.ISSUED, 0, "000001"),
            event(H.FAULT, 1),
            event(H.RETURNED, 8),
            event(H.ISSUED, 10, "000010"),
        ]
    )
    assert [(one.officer, one.since, one.until) for one in held] == [
        ("000001", at(0), at(8)),
        ("000010", at(10), None),
    ]
    expected = {-1: None, 0: "000001", 7.9: "000001", 8: None, 9: None, 10: "000010", 99: "000010"}
    for hour, officer in expected.items():
        holding = holder_at(held, at(hour))
        assert (holding.officer if holding else None) == officer


def test_nobody_holds_a_device_after_it_was_lost() -> None:
    held = holdings([event(H.ISSUED, 0), event(H.LOST, 2), event(H.FOUND, 5)])
    assert holder_at(held, at(1)) is not None
    assert holder_at(held, at(3)) is None


_stories = st.lists(
    st.builds(
        event,
        st.sampled_from(Happening),
        st.floats(0, 1000),
        st.sampled_from(["000001", "000010"]),
    ),
    max_size=12,
)


@given(events=_stories)
def test_whatever_the_log_says_it_can_be_followed(events: list[DeviceEvent]) -> None:
    where = whereabouts(events)
    assert (where.officer is not None) == (where.state is State.ISSUED)
    held = holdings(events)
    assert len(held) == sum(one.what is H.ISSUED for one in events)
    assert all(one.until is not None for one in held[:-1])
    still_out = bool(held) and held[-1].until is None
    assert still_out == (where.place is State.ISSUED)
    if still_out:
        assert held[-1].officer == where.officer
