"""A recording's states: what is sealed stays sealed (promise 2, Art. 27)."""

import pytest

from recorder_sync.rules.lifecycle import MOVES, Event, State, after


def test_a_recording_goes_from_nothing_through_sealing_to_sealed() -> None:
    state = after(None, Event.INTENT_WRITTEN)
    assert state is State.SEALING
    assert after(state, Event.ENTERED_IN_CUSTODY_LOG) is State.SEALED


def test_promise_1_a_lost_copy_leaves_the_catalogue_and_the_card_has_it_still() -> None:
    assert after(State.SEALING, Event.COPY_LOST) is None


@pytest.mark.parametrize("event", list(Event))
def test_art_27_nothing_moves_a_sealed_recording(event: Event) -> None:
    with pytest.raises(ValueError, match="sealed"):
        after(State.SEALED, event)


@pytest.mark.parametrize("event", [Event.ENTERED_IN_CUSTODY_LOG, Event.COPY_LOST])
def test_promise_2_nothing_is_sealed_without_an_intent(event: Event) -> None:
    with pytest.raises(ValueError, match="allows no"):
        after(None, event)


def test_a_second_intent_for_the_same_recording_is_refused() -> None:
    with pytest.raises(ValueError, match="sealing"):
        after(State.SEALING, Event.INTENT_WRITTEN)


def test_the_table_of_moves_knows_every_state_and_event_and_leads_to_every_state() -> None:
    assert set(MOVES) == {None, *State}
    assert {event for moves in MOVES.values() for event in moves} == set(Event)
    assert {to for moves in MOVES.values() for to in moves.values()} >= set(State)
