"""May a device go out, and why not; what is unknown is unknown (Art. 22, 24)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.config import Readiness
from recorder_sync.language import Language
from recorder_sync.model import Battery, ClockOffset, Health, Storage
from recorder_sync.rules.readiness import Facts, Reason, as_found, readiness
from recorder_sync.rules.whereabouts import State

LIMITS = Readiness()
GOOD = Facts(
    health=Health(
        battery=Battery(80, "sysfs"),
        storage=Storage(100, 80, 20),
        clock=ClockOffset(60.0, "gphoto2"),
    ),
    unsealed=0,
    state=State.IN_STORE,
)


def battery(percent: int) -> Facts:
    return replace(GOOD, health=replace(GOOD.health, battery=Battery(percent, "sysfs")))


def space(total: int, free: int) -> Facts:
    return replace(GOOD, health=replace(GOOD.health, storage=Storage(total, total - free, free)))


def clock(seconds: float) -> Facts:
    return replace(GOOD, health=replace(GOOD.health, clock=ClockOffset(seconds, "gphoto2")))


def reasons(facts: Facts, limits: Readiness = LIMITS) -> list[tuple[Reason, float | None]]:
    return [(one.reason, one.measured) for one in readiness(facts, limits).reasons]


def test_a_device_exactly_at_every_limit_may_go_out() -> None:
    verdict = readiness(GOOD, LIMITS)
    assert verdict.is_ready
    assert (verdict.reasons, verdict.unknown) == ((), ())


@pytest.mark.parametrize(
    ("facts", "reason", "measured"),
    [
        (battery(79), Reason.BATTERY, 79),
        (space(1000, 199), Reason.FREE_SPACE, 19.9),
        (space(10**12, 2 * 10**11 - 1), Reason.FREE_SPACE, 19.9),
        (clock(60.5), Reason.CLOCK, 60.5),
        (clock(-3600), Reason.CLOCK, -3600),
        (replace(GOOD, open_faults=("lens broken",)), Reason.OPEN_FAULT, 1),
        (replace(GOOD, unsealed=3), Reason.UNSEALED, 3),
        (replace(GOOD, state=State.RETIRED), Reason.RETIRED, None),
        (replace(GOOD, state=State.LOST), Reason.LOST, None),
    ],
)
def test_art_22_each_reason_alone_keeps_a_device_back(
    facts: Facts, reason: Reason, measured: float | None
) -> None:
    assert reasons(facts) == [(reason, measured)]
    assert readiness(facts, LIMITS).unknown == ()


def test_the_sentences_name_what_was_measured_and_what_is_needed() -> None:
    (low,) = readiness(battery(41), LIMITS).reasons
    assert low.text.english == "The battery has 41 %; 80 % are needed."
    (behind,) = readiness(clock(-90), LIMITS).reasons
    assert behind.text.english == "Its clock is 90 s behind; 60.0 s are allowed."
    (faulty,) = readiness(replace(GOOD, open_faults=("lens", "strap")), LIMITS).reasons
    assert faulty.text.english == "Open fault: lens; strap."


def test_promise_7_what_nobody_measured_is_unknown_and_no_reason() -> None:
    verdict = readiness(Facts(Health()), LIMITS)
    assert verdict.is_ready
    assert verdict.unknown == (
        Reason.BATTERY,
        Reason.FREE_SPACE,
        Reason.CLOCK,
        Reason.UNSEALED,
    )


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), float("-inf")])
def test_a_clock_that_gives_no_number_is_unknown(seconds: float) -> None:
    assert readiness(clock(seconds), LIMITS).unknown == (Reason.CLOCK,)


def test_a_card_without_a_size_is_unknown() -> None:
    assert readiness(space(0, 0), LIMITS).unknown == (Reason.FREE_SPACE,)


def test_unsealed_recordings_count_for_nothing_where_the_settings_allow_them() -> None:
    allowed = Readiness(unsealed_recordings=True)
    for unsealed in (None, 0, 7):
        verdict = readiness(replace(GOOD, unsealed=unsealed), allowed)
        assert (verdict.reasons, verdict.unknown) == ((), ())


_health = st.builds(
    Health,
    battery=st.none() | st.builds(Battery, st.integers(0, 100), st.just("sysfs")),
    storage=st.none()
    | st.integers(0, 10**15).flatmap(
        lambda total: st.integers(0, total).map(lambda free: Storage(total, total - free, free))
    ),
    clock=st.none() | st.builds(ClockOffset, st.floats(), st.just("gphoto2")),
)
_facts = st.builds(
    Facts,
    health=_health,
    open_faults=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    unsealed=st.none() | st.integers(0, 1000),
    state=st.none() | st.sampled_from(State),
)
_limits = st.builds(
    Readiness,
    least_battery_percent=st.integers(0, 100),
    least_free_percent=st.integers(0, 100),
    most_clock_offset_s=st.floats(0, 1e6),
    unsealed_recordings=st.booleans(),
)


@given(facts=_facts, limits=_limits)
def test_promise_7_nothing_is_both_unknown_and_a_reason_and_every_sentence_can_be_said(
    facts: Facts, limits: Readiness
) -> None:
    verdict = readiness(facts, limits)
    against = [one.reason for one in verdict.reasons]
    assert len(set(against)) == len(against)
    assert not set(against) & set(verdict.unknown)
    assert verdict.is_ready == (not against)
    assert all(one.text.english and one.text.shown for one in verdict.reasons)


@given(facts=_facts, limits=_limits)
def test_promise_7_taking_a_reading_away_removes_its_reason_and_adds_none(
    facts: Facts, limits: Readiness
) -> None:
    full = readiness(facts, limits)
    blind = readiness(replace(facts, health=Health(), unsealed=None), limits)
    measured = {Reason.BATTERY, Reason.FREE_SPACE, Reason.CLOCK, Reason.UNSEALED}
    assert {one.reason for one in blind.reasons} == {one.reason for one in full.reasons} - measured


@given(facts=_facts, limits=_limits, percent=st.integers(0, 100))
def test_a_fuller_battery_never_speaks_against_a_device(
    facts: Facts, limits: Readiness, percent: int
) -> None:
    low = replace(facts, health=replace(facts.health, battery=Battery(percent, "s")))
    full = replace(facts, health=replace(facts.health, battery=Battery(100, "s")))
    assert set(reasons(full, limits)) <= set(reasons(low, limits))
    assert Reason.BATTERY not in [reason for reason, _ in reasons(full, limits)]


@pytest.mark.parametrize(
    "facts",
    [
        battery(79),
        space(1000, 199),
        clock(60.5),
        clock(-3600),
        replace(GOOD, open_faults=("lens {broken}; 镜头",)),
        replace(GOOD, unsealed=3),
        replace(GOOD, state=State.RETIRED),
        replace(GOOD, state=State.LOST),
    ],
)
def test_what_is_on_record_in_english_is_said_again_in_any_language(facts: Facts) -> None:
    (finding,) = readiness(facts, LIMITS).reasons
    said = as_found(finding.text.english)
    assert said.english == finding.text.english
    assert said.in_language(Language.CHINESE) == finding.text.in_language(Language.CHINESE)
    assert said.in_language(Language.CHINESE) != said.english


@given(st.text(max_size=40))
def test_what_somebody_wrote_stays_as_it_is(text: str) -> None:
    assert as_found(text).english == text
