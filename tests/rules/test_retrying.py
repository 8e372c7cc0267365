"""Messages that were not delivered are tried again, ever more seldom, and not for ever."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.retrying import (
    FIRST_WAIT,
    LONGEST_WAIT,
    TRIES,
    is_due,
    is_given_up,
    wait_after,
)

_NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
_AFTER = timedelta(hours=72)


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    waits = [wait_after(attempts, 0.0) for attempts in range(1, 12)]
    assert waits[:3] == [FIRST_WAIT, FIRST_WAIT * 2, FIRST_WAIT * 4]
    assert waits[-1] == LONGEST_WAIT == timedelta(minutes=15)


@given(
    st.integers(0, 10**9),
    st.floats(0, 1, exclude_max=True),
    st.none() | st.floats(0, allow_nan=False),
)
def test_a_wait_is_never_nothing_and_never_too_long(
    attempts: int, chance: float, asked: float | None
) -> None:
    wait = wait_after(attempts, chance, asked)
    assert timedelta(seconds=1) <= wait <= LONGEST_WAIT
    if asked is not None:
        assert wait >= min(timedelta(seconds=min(asked, 10**6)), LONGEST_WAIT)


def test_what_failed_together_is_not_tried_together() -> None:
    assert wait_after(5, 0.1) != wait_after(5, 0.9)


def test_a_clock_that_is_set_back_holds_no_message_up() -> None:
    assert is_due(_NOW, _NOW)
    assert not is_due(_NOW + LONGEST_WAIT, _NOW)
    assert is_due(_NOW + timedelta(days=365), _NOW)


def test_a_message_is_given_up_when_it_is_old_and_was_tried() -> None:
    old = _NOW - _AFTER - timedelta(seconds=1)
    assert is_given_up(old, TRIES, _NOW, _AFTER)
    assert not is_given_up(old, TRIES - 1, _NOW, _AFTER), "three days without power"
    assert not is_given_up(_NOW - _AFTER, 10**6, _NOW, _AFTER)
