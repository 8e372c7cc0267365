"""Which recordings go to a store, in which order, kept how long, and when a store is tried."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.model import Flag, Kind
from recorder_sync.rules.forwarding import (
    LONGEST_WAIT,
    Breaker,
    Forwardable,
    Gate,
    LimitedHours,
    Retention,
    Selection,
    kept_until,
    rate_at,
    urgency,
    wait_after,
)

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)

times = st.integers(-100_000, 100_000).map(lambda hours: NOW + timedelta(hours=hours))
recordings = st.builds(
    Forwardable,
    id=st.text("0123456789abcdef", min_size=1, max_size=8),
    kind=st.sampled_from(Kind),
    flags=st.frozensets(st.sampled_from(Flag), max_size=3),
    case=st.none() | st.sampled_from(("1", "2")),
    sealed_at=times,
    deadline=times,
    held=st.booleans(),
)
selections = st.builds(
    Selection,
    kinds=st.frozensets(st.sampled_from(Kind), max_size=2),
    flags=st.frozensets(st.sampled_from(Flag), max_size=2),
    cases=st.frozensets(st.sampled_from(("1", "2")), max_size=1),
    in_case=st.booleans(),
)


@given(st.lists(recordings, max_size=20))
def test_art_21_important_ones_go_first_then_those_whose_limit_is_nearest(
    found: list[Forwardable],
) -> None:
    for one, following in pairwise(sorted(found, key=urgency)):
        assert one.is_important >= following.is_important
        if one.is_important == following.is_important:
            assert one.deadline <= following.deadline


@given(recordings)
def test_what_asks_for_nothing_takes_every_recording(one: Forwardable) -> None:
    assert Selection().takes(one)


@given(recordings, selections)
def test_each_condition_takes_recordings_away_and_never_adds_one(
    one: Forwardable, selection: Selection
) -> None:
    alone = (
        Selection(kinds=selection.kinds),
        Selection(flags=selection.flags),
        Selection(cases=selection.cases),
        Selection(in_case=selection.in_case),
    )
    assert selection.takes(one) == all(each.takes(one) for each in alone)


def test_a_selection_takes_what_fits_and_nothing_else() -> None:
    one = Forwardable("a", Kind.VIDEO, frozenset({Flag.IMPORTANT}), "1", NOW, NOW)
    assert Selection(kinds=frozenset({Kind.VIDEO})).takes(one)
    assert not Selection(kinds=frozenset({Kind.PHOTO})).takes(one)
    assert Selection(flags=frozenset({Flag.IMPORTANT, Flag.SALVAGED})).takes(one)
    assert not Selection(flags=frozenset({Flag.SALVAGED})).takes(one)
    assert not Selection(cases=frozenset({"2"})).takes(one)


@given(recordings, st.lists(st.builds(Retention, selections, st.integers(1, 36_500)), max_size=4))
def test_art_25_of_several_policies_the_longest_counts(
    one: Forwardable, policies: list[Retention]
) -> None:
    until = kept_until(one, policies)
    fitting = [policy.days for policy in policies if policy.of.takes(one)]
    assert (until is None) == (not fitting)
    if until is not None:
        assert until == one.sealed_at + timedelta(days=max(fitting))


def test_a_retention_beyond_the_calendar_ends_with_it() -> None:
    far = datetime(9990, 1, 1, tzinfo=UTC)
    one = Forwardable("a", Kind.VIDEO, frozenset(), None, far, far)
    until = kept_until(one, [Retention(Selection(), 36_500)])
    assert until is not None
    assert until.year == 9999


chances = st.floats(0, 1, exclude_max=True)


@given(st.integers(0, 10_000), chances, st.none() | st.floats(0, 1e9))
def test_a_wait_is_never_longer_than_the_longest(
    failures: int, chance: float, asked: float | None
) -> None:
    wait = wait_after(failures, chance, asked)
    assert timedelta() < wait <= LONGEST_WAIT
    assert wait >= wait_after(failures, chance)


@given(st.integers(1, 40), chances)
def test_a_wait_doubles_less_what_chance_takes(failures: int, chance: float) -> None:
    assert wait_after(failures, 0.0) * 0.75 <= wait_after(failures, chance)
    assert wait_after(failures + 1, 0.0) in (wait_after(failures, 0.0) * 2, LONGEST_WAIT)


def test_one_try_shows_whether_a_store_is_back_before_others_follow() -> None:
    breaker = Breaker().failed(100.0, 0.0, for_long=False)
    assert breaker.gate(101.0) is Gate.SHUT
    assert breaker.gate(102.0) is Gate.PROBE
    probing = breaker.probing()
    assert probing.gate(102.0) is Gate.SHUT, "the others wait"
    assert probing.worked().gate(102.0) is Gate.OPEN
    again = probing.failed(102.0, 0.0, for_long=False)
    assert again.gate(105.0) is Gate.SHUT
    assert again.gate(106.0) is Gate.PROBE, "twice as long"
    assert probing.let_go().gate(102.0) is Gate.PROBE, "a try that was broken off"


def test_what_was_under_way_when_a_store_failed_makes_it_wait_no_longer() -> None:
    once = Breaker().failed(100.0, 0.0, for_long=False)
    assert once.failed(101.9, 0.0, for_long=False) == once


def test_a_pause_that_a_store_asks_for_is_kept_also_when_another_failure_came_first() -> None:
    once = Breaker().failed(100.0, 0.0, for_long=False)
    asked = once.failed(100.5, 0.0, 30.0, for_long=False)
    assert asked.gate(130.4) is Gate.SHUT
    assert asked.gate(130.5) is Gate.PROBE


def test_a_store_that_only_a_person_can_mend_is_tried_each_hour_or_when_one_says_so() -> None:
    breaker = Breaker().failed(0.0, 0.0, for_long=True)
    assert breaker.gate(3599.0) is Gate.SHUT
    assert breaker.gate(3600.0) is Gate.PROBE
    assert breaker.try_at_once().gate(1.0) is Gate.PROBE


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 1439))
def test_hours_and_the_hours_between_them_are_the_day(begins: int, ends: int, minute: int) -> None:
    one, other = LimitedHours(begins, ends, 1), LimitedHours(ends, begins, 1)
    assert one.covers(minute) != other.covers(minute) or begins == ends


def test_stations_share_the_line_and_the_first_hours_that_fit_count() -> None:
    work = LimitedHours(8 * 60, 18 * 60, 1_000_000)
    night = LimitedHours(22 * 60, 6 * 60, None)
    noon, evening = NOW.replace(hour=12), NOW.replace(hour=20)
    assert rate_at(noon, (work, night), 5_000_000, 4) == 250_000
    assert rate_at(evening, (work, night), 5_000_000, 1) == 5_000_000
    assert rate_at(NOW.replace(hour=23), (work, night), 5_000_000, 1) is None


def test_what_was_under_way_when_a_store_asked_for_a_pause_does_not_end_it() -> None:
    asked = Breaker().failed(100.0, 0.0, 5.0, for_long=False)
    assert asked.worked().gate(104.9) is Gate.SHUT
    assert asked.worked().gate(105.1) is Gate.PROBE
    again = Breaker().failed(100.0, 0.0, for_long=False).failed(100.1, 0.0, 5.0, for_long=False)
    assert again.worked().gate(105.0) is Gate.SHUT
    assert asked.probing().worked() == Breaker()
    assert asked.probing().let_go().worked().failures == 1
    assert Breaker().failed(100.0, 0.0, for_long=False).worked() == Breaker()
    assert asked.try_at_once().worked() == Breaker()
