"""Figures of days add up to those of any longer time, and nothing is counted twice (Art. 28)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.figures import (
    MEANING,
    Figure,
    Step,
    Sum,
    bounds,
    day_of,
    stretch_of,
    stretches,
    total,
)

_sums = st.builds(
    lambda recordings, late, seconds, size: Sum(recordings, min(late, recordings), seconds, size),
    *(st.integers(0, 500), st.integers(0, 500), st.integers(0, 90_000), st.integers(0, 1 << 40)),
)
_days = st.dates(date(1990, 1, 1), date(2100, 1, 1))
_steps = st.sampled_from(Step)


@given(st.lists(_sums), st.lists(_sums))
def test_art_28_parts_add_up_to_the_whole(one: list[Sum], other: list[Sum]) -> None:
    assert total([*one, *other]) == total(one) + total(other)
    assert total(one).on_time + total(one).late == total(one).recordings


@given(_sums)
def test_a_rate_is_between_nothing_and_all_or_there_is_none(one: Sum) -> None:
    rate = one.on_time_rate
    assert rate is None if one.recordings == 0 else rate is not None and 0 <= rate <= 1


@given(_days, st.integers(0, 800), _steps)
def test_every_day_is_in_exactly_one_stretch(first: date, length: int, step: Step) -> None:
    last = first + timedelta(days=length)
    found = stretches(first, last, step)
    assert found == sorted(set(found))
    assert {stretch_of(first + timedelta(days=day), step) for day in range(length + 1)} == set(
        found
    )


@given(_days, st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "UTC"]))
def test_local_days_follow_each_other_without_a_hole(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    begins, ends = bounds(day, zone)
    assert bounds(day + timedelta(days=1), zone)[0] == ends
    assert day_of(begins, zone) == day
    assert day_of(ends - timedelta(microseconds=1), zone) == day


def test_a_day_of_beijing_begins_at_sixteen_hours_utc() -> None:
    assert bounds(date(2026, 11, 23), ZoneInfo("Asia/Shanghai"))[0] == datetime(
        2026, 11, 22, 16, tzinfo=UTC
    )


def test_every_figure_says_what_it_means() -> None:
    assert set(MEANING) == set(Figure)
