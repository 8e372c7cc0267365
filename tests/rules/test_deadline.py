"""The 24-hour rule (Art. 21)."""

# ruff: noqa: DTZ001 - hypothesis wants its bounds without a zone

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.model import RecordedTime, TimeSource
from recorder_sync.rules.deadline import LIMIT, Basis, Deadline, deadline_for, is_on_time

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ONE_HOUR = timedelta(hours=1)

_times = st.datetimes(
    min_value=datetime(1, 1, 1),
    max_value=datetime(9999, 12, 31, 23, 59, 59, 999000),
    timezones=st.just(UTC),
)
_limits = st.timedeltas(timedelta(minutes=1), LIMIT)


def _recorded(start: datetime, end: datetime | None) -> RecordedTime:
    return RecordedTime(start, end, TimeSource.CONTAINER, {})


def test_art_21_allows_twenty_four_hours_from_the_end_of_the_recording() -> None:
    deadline = deadline_for(_recorded(START, START + ONE_HOUR))
    assert deadline == Deadline(START + ONE_HOUR + timedelta(hours=24), Basis.RECORDED_END)


def test_art_21_an_unknown_end_starts_the_clock_at_the_beginning_which_is_the_safe_side() -> None:
    deadline = deadline_for(_recorded(START, None))
    assert deadline == Deadline(START + timedelta(hours=24), Basis.RECORDED_START)


def test_art_21_a_station_may_be_stricter_than_the_measures() -> None:
    deadline = deadline_for(_recorded(START, START), timedelta(hours=12))
    assert deadline.due == START + timedelta(hours=12)


def test_art_21_the_last_instant_is_on_time_and_the_next_one_is_late() -> None:
    deadline = deadline_for(_recorded(START, START))
    assert is_on_time(deadline, deadline.due)
    assert not is_on_time(deadline, deadline.due + timedelta(milliseconds=1))


@given(start=_times, length=st.timedeltas(timedelta(), timedelta(days=10)), limit=_limits)
def test_art_21_what_ends_later_is_never_due_earlier(
    start: datetime, length: timedelta, limit: timedelta
) -> None:
    if start > datetime(9999, 1, 1, tzinfo=UTC):
        return  # the end of time has a test of its own
    whole = deadline_for(_recorded(start, start + length), limit)
    without_end = deadline_for(_recorded(start, None), limit)
    assert without_end.due <= whole.due
    assert whole.due - (start + length) == limit


@given(start=_times, limit=_limits)
def test_promise_9_every_time_that_a_card_can_claim_has_a_deadline(
    start: datetime, limit: timedelta
) -> None:
    """A photo's EXIF may say 9999-12-31, and it is one photo of a hundred."""
    deadline = deadline_for(_recorded(start, start), limit)
    assert deadline.due >= start


def test_promise_9_the_last_moment_there_is_has_a_deadline() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    assert deadline_for(_recorded(last, last)).due >= last
    assert deadline_for(_recorded(last, None)).due >= last
