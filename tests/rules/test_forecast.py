"""When a disk will be full."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.forecast import DiskSample, full_at

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
GB = 10**9


def samples(*used_gb: float, every: timedelta = HOUR) -> list[DiskSample]:
    return [DiskSample(AT + n * every, round(used * GB)) for n, used in enumerate(used_gb)]


def test_a_disk_that_fills_evenly_is_full_when_the_line_says() -> None:
    growing = samples(*range(100, 125))
    assert full_at(growing, 148 * GB) == AT + 48 * HOUR


def test_a_disk_that_does_not_get_fuller_has_no_date() -> None:
    assert full_at(samples(*[100] * 30), 148 * GB) is None
    assert full_at(samples(*range(130, 100, -1)), 148 * GB) is None


def test_less_than_a_day_says_nothing_of_the_days_to_come() -> None:
    assert full_at(samples(*range(100, 124)), 148 * GB) is None
    assert full_at([], 148 * GB) is None


def test_one_huge_card_and_one_night_of_disposal_do_not_turn_it() -> None:
    used: list[float] = list(range(100, 149))
    used[20] += 500
    used[30:33] = [0, 0, 0]
    found = full_at(samples(*used), 200 * GB)
    assert found
    assert abs(found - (AT + 100 * HOUR)) < HOUR


def test_a_disk_fuller_than_its_capacity_is_full_now_and_not_in_the_past() -> None:
    growing = samples(*range(100, 125))
    assert full_at(growing, 50 * GB) == growing[-1].at


def test_a_disk_that_fills_beyond_the_calendar_has_no_date() -> None:
    slow = [DiskSample(AT + n * HOUR, n) for n in range(30)]
    assert full_at(slow, 10**30) is None


def test_a_month_of_samples_every_minute_is_thinned_out_and_says_the_same() -> None:
    minute = timedelta(minutes=1)
    many = [DiskSample(AT + n * minute, n * GB) for n in range(43_200)]
    assert full_at(many, 50_000 * GB) == AT + 50_000 * minute


@given(
    st.lists(st.tuples(st.integers(0, 500_000), st.integers(0, 10**12)), max_size=20),
    st.integers(1, 10**12),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_samples_does_not_matter_and_the_date_is_never_past(
    found: list[tuple[int, int]], capacity: int, shuffle: random.Random
) -> None:
    given_samples = [DiskSample(AT + timedelta(seconds=s), used) for s, used in found]
    date = full_at(given_samples, capacity)
    assert date == full_at(shuffle.sample(given_samples, len(given_samples)), capacity)
    assert date is None or date >= max(one.at for one in given_samples)
