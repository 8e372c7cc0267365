"""A clock that was set is told from one that merely went on (custody entries stand on it)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.clock_step import ClockReading, step_between

_S = 1_000_000_000
_WALL = 1_795_420_800 * _S
_SECONDS = st.integers(0, 10**8)


def after(passed_s: float, set_by_s: float = 0.0) -> tuple[ClockReading, ClockReading]:
    """Return two readings, between which time passed and somebody set the clock."""
    passed, set_by = round(passed_s * _S), round(set_by_s * _S)
    return ClockReading(_WALL, 5 * _S), ClockReading(_WALL + passed + set_by, 5 * _S + passed)


@given(_SECONDS)
def test_time_that_passes_is_no_step_however_long(passed: int) -> None:
    """Also while the computer sleeps: the clock since the boot goes on."""
    assert step_between(*after(passed)) is None


@given(_SECONDS, st.integers(-(10**8), 10**8).filter(bool))
def test_a_step_is_found_with_its_size_whatever_time_passed(passed: int, set_by: int) -> None:
    step = step_between(*after(passed, set_by))
    assert step is not None
    assert step.offset == timedelta(seconds=set_by)


@pytest.mark.parametrize("set_by", [-0.999, -0.5, 0.5, 0.999])
def test_less_than_a_second_is_no_step(set_by: float) -> None:
    assert step_between(*after(1, set_by)) is None


@pytest.mark.parametrize("set_by", [-1.0, 1.0])
def test_a_second_is_one(set_by: float) -> None:
    assert step_between(*after(1, set_by)) is not None


def test_before_is_what_the_clock_would_have_shown() -> None:
    step = step_between(*after(2, 3600))
    assert step is not None
    wall = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=_WALL // _S)
    assert (step.before, step.after) == (
        wall + timedelta(seconds=2),
        wall + timedelta(seconds=3602),
    )


def test_a_time_service_that_corrects_gently_makes_no_step() -> None:
    """The kernel slews by 500 microseconds a second at most; the daemon looks every second."""
    assert step_between(*after(1, 0.0005)) is None
