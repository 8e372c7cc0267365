"""Re-reading all evidence within so many days: what tonight, and can it be kept?"""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.reverification import Night, Waiting, night_at, plan

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 11, 23, 22, tzinfo=ZONE)
DAY = timedelta(days=1)


def night(number: int) -> Night:
    return Night(FIRST + number * DAY, FIRST + number * DAY + timedelta(hours=8))


def recordings(*sizes: int, sealed: datetime = FIRST - 100 * DAY) -> list[Waiting]:
    return [Waiting(f"{at:03}", size, sealed, None) for at, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("clock", "begins"),
    [
        ("21:59", None),
        ("22:00", "2026-11-23T22:00"),
        ("23:59", "2026-11-23T22:00"),
        ("00:00", "2026-11-22T22:00"),
        ("05:59", "2026-11-22T22:00"),
        ("06:00", None),
        ("12:00", None),
    ],
)
def test_a_night_goes_past_midnight(clock: str, begins: str | None) -> None:
    moment = datetime.combine(FIRST.date(), time.fromisoformat(clock), ZONE)
    found = night_at(moment, time(22), time(6))
    assert (found and f"{found.begins:%Y-%m-%dT%H:%M}") == begins


def test_a_night_may_lie_within_a_day_or_last_all_of_it() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=ZONE)
    assert night_at(noon, time(11), time(13)) == Night(
        noon - timedelta(hours=1), noon + timedelta(hours=1)
    )
    whole = night_at(noon, time(6), time(6))
    assert whole is not None
    assert whole.seconds == 86400


@given(st.timedeltas(timedelta(), 4000 * DAY), st.times(), st.times())
def test_every_moment_is_in_at_most_one_night_and_within_it(
    later: timedelta, begins: time, ends: time
) -> None:
    local = datetime(2020, 1, 1, tzinfo=UTC) + later
    found = night_at(local, begins, ends)
    if found is not None:
        assert found.begins <= local < found.ends
        assert timedelta() < found.ends - found.begins <= DAY
        assert found.begins.time() == begins


def test_old_evidence_of_a_new_schedule_is_spread_over_all_nights() -> None:
    tonight = plan(recordings(*[100] * 30), night(0), days=30, rate=1)
    assert tonight.needed == 100
    assert tonight.chosen == ("000",)
    assert tonight.can_be_kept


def test_what_has_waited_longest_comes_first() -> None:
    old, new, never = (
        Waiting("a", 1, FIRST - 99 * DAY, FIRST - 1 * DAY),
        Waiting("b", 1, FIRST - 99 * DAY, FIRST - 20 * DAY),
        Waiting("c", 1, FIRST - 15 * DAY, None),
    )
    assert plan([old, new, never], night(0), days=1, rate=1).chosen == ("b", "c", "a")


def test_too_much_for_the_rate_and_the_nights_is_said_with_figures() -> None:
    tonight = plan(recordings(10_000_000), night(0), days=1, rate=100)
    assert (tonight.needed, tonight.possible) == (10_000_000, 100 * 8 * 3600)
    assert not tonight.can_be_kept


def test_nothing_is_chosen_of_nothing() -> None:
    assert plan([], night(0), days=30, rate=1).chosen == ()


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=40),
    st.integers(1, 9),
    st.lists(st.integers(0, 50), max_size=20),
)
def test_whoever_does_each_nights_part_is_never_late(
    sizes: list[int], days: int, later: list[int]
) -> None:
    all_of_them = recordings(*sizes)
    added = recordings(*later)
    for number in range(3 * days + 2):
        tonight = night(number)
        if number < len(added):
            fresh = replace(added[number], recording=f"new {number}")
            all_of_them.append(replace(fresh, sealed_at=tonight.begins - timedelta(hours=3)))
        chosen = set(plan(all_of_them, tonight, days, rate=1).chosen)
        done_at = tonight.begins + timedelta(hours=1)
        all_of_them = [
            replace(one, verified_at=done_at) if one.recording in chosen else one
            for one in all_of_them
        ]
        for one in all_of_them:
            since = one.verified_at or max(one.sealed_at, FIRST)
            assert done_at - since <= days * DAY + timedelta(hours=1), one


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=30), st.integers(1, 60))
def test_a_night_holds_what_it_needs_and_not_a_recording_more(sizes: list[int], days: int) -> None:
    tonight = plan(recordings(*sizes), night(0), days, rate=1)
    chosen = [sizes[int(name)] for name in tonight.chosen]
    assert sum(chosen) >= tonight.needed
    assert sum(chosen[:-1]) < tonight.needed
