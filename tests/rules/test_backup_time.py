"""A backup a day, whenever the computer is on."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.backup_time import is_due, last_due

_ZONE = ZoneInfo("Asia/Shanghai")
_TIMES = st.datetimes(
    min_value=datetime(2026, 1, 2),  # noqa: DTZ001 - hypothesis wants its bounds without a zone
    max_value=datetime(2036, 1, 1),  # noqa: DTZ001
    timezones=st.just(_ZONE),
)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=_ZONE)


@given(now=_TIMES, hour=st.integers(0, 23))
def test_a_backup_was_due_within_the_last_day(now: datetime, hour: int) -> None:
    due = last_due(now, hour)
    assert due <= now < due + timedelta(days=1)
    assert (due.hour, due.minute, due.second, due.microsecond) == (hour, 0, 0, 0)


@given(now=_TIMES, hour=st.integers(0, 23))
def test_one_that_is_made_when_it_is_due_is_enough_until_the_next_day(
    now: datetime, hour: int
) -> None:
    assert is_due([], now, hour)
    assert not is_due([now], now, hour)
    assert is_due([now], last_due(now, hour) + timedelta(days=1), hour)


def test_a_computer_that_was_off_at_the_hour_makes_it_later() -> None:
    yesterday = at(22, 2, 1)
    assert not is_due([yesterday], at(23, 1, 59), 2)
    assert is_due([yesterday], at(23, 2), 2)
    assert is_due([yesterday], at(23, 9), 2)


def test_one_of_a_clock_that_was_wrong_does_not_count() -> None:
    assert is_due([at(30, 2)], at(23, 9), 2)
    assert not is_due([at(30, 2), at(23, 3)], at(23, 9), 2)
