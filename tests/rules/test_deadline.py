"""The 24-hour rule (Art. 21)."""

# ruff: noqa: DTZ001 - hypothesis wants its bounds without a zone

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.model import AlertKind, RecordedTime, TimeSource
from recorder_sync.rules.deadline import (
    LIMIT,
    Basis,
    Deadline,
    Deferral,
    DeferralReason,
    Deferred,
    back_dated_deferrals,
    deadline_for,
    is_on_time,
)
from recorder_sync.rules.matter import Severity

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


# Deferrals: work away from the office, such as three days up in the hills.

RETURN = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)

AWAY = Deferral(
    id="deferral-1",
    reason=DeferralReason.REMOTE,
    begins=START - ONE_HOUR,
    entered_at=START - ONE_HOUR,
    device="0031",
    approver="000001",
    approved_at=START - ONE_HOUR,
    expected=RETURN,
)
MADE = _recorded(START, START + ONE_HOUR)
UNMOVED = START + ONE_HOUR + LIMIT


def _with(
    *deferrals: Deferral, device: str | None = "0031", officer: str | None = None
) -> Deadline:
    return deadline_for(MADE, LIMIT, deferrals, device=device, officer=officer)


def test_art_21_an_approved_deferral_lets_the_hours_begin_at_the_return() -> None:
    assert _with(AWAY) == Deadline(RETURN + LIMIT, Basis.RETURN, "deferral-1")


def test_art_21_the_real_return_counts_once_it_is_entered() -> None:
    for returned in (RETURN - ONE_HOUR, RETURN + ONE_HOUR):
        assert _with(replace(AWAY, returned_at=returned)).due == returned + LIMIT


@pytest.mark.parametrize(
    "deferral",
    [
        replace(AWAY, approver=None),
        replace(AWAY, approved_at=None),
        replace(AWAY, expected=None),
        replace(AWAY, device="0032"),
        replace(AWAY, officer="000010"),
        replace(AWAY, begins=START + ONE_HOUR + SECOND),
        replace(AWAY, ends=START + ONE_HOUR - SECOND),
        replace(AWAY, returned_at=START + ONE_HOUR - SECOND),
        replace(AWAY, returned_at=START + ONE_HOUR - SECOND, ends=RETURN),
    ],
    ids=[
        *("no approver", "not approved", "no return", "other device", "other officer"),
        *("begins later", "ended earlier", "recorded after the return"),
        "recorded after the return, in its time",
    ],
)
def test_art_21_a_deferral_that_is_not_approved_or_not_about_it_changes_nothing(
    deferral: Deferral,
) -> None:
    assert _with(deferral) == Deadline(UNMOVED, Basis.RECORDED_END)


def test_art_21_of_several_deferrals_the_one_with_the_latest_return_counts() -> None:
    longer = replace(AWAY, id="deferral-0", expected=RETURN + ONE_HOUR)
    for order in ((AWAY, longer), (longer, AWAY)):
        assert _with(*order) == Deadline(RETURN + ONE_HOUR + LIMIT, Basis.RETURN, "deferral-0")


def test_art_21_the_first_and_the_last_second_of_a_deferral_are_covered() -> None:
    end = START + ONE_HOUR
    for deferral in (
        replace(AWAY, begins=end),
        replace(AWAY, ends=end),
        replace(AWAY, returned_at=end),
    ):
        assert _with(deferral).deferral == "deferral-1"


def test_promise_7_an_unknown_device_or_officer_is_never_taken_to_match() -> None:
    assert _with(AWAY, device=None).deferral is None
    both = replace(AWAY, officer="000010")
    assert _with(both).deferral is None
    assert _with(both, officer="000010").deferral == "deferral-1"
    of_officer = replace(both, device=None)
    assert _with(of_officer, device=None, officer="000010").deferral == "deferral-1"


def test_art_21_a_deferral_entered_after_the_limit_moves_it_and_is_shown_as_such() -> None:
    on_the_second = replace(AWAY, entered_at=UNMOVED, approved_at=UNMOVED)
    assert not _with(on_the_second).back_dated
    late = replace(on_the_second, entered_at=UNMOVED + SECOND)
    assert _with(late) == Deadline(RETURN + LIMIT, Basis.RETURN, "deferral-1", back_dated=True)
    approved_late = replace(on_the_second, approved_at=UNMOVED + SECOND)
    assert _with(approved_late).back_dated


def test_art_21_an_approval_that_is_said_to_be_long_before_its_entry_is_shown_as_such() -> None:
    allowed = replace(AWAY, entered_at=START, approved_at=START - ONE_HOUR)
    assert not _with(allowed).back_dated
    earlier = replace(allowed, approved_at=START - ONE_HOUR - SECOND)
    assert _with(earlier).back_dated


def test_art_21_a_back_dated_deferral_is_a_matter_of_its_own() -> None:
    late = replace(AWAY, entered_at=UNMOVED + SECOND)
    (matter,) = back_dated_deferrals([Deferred(late, START + ONE_HOUR), Deferred(AWAY, START)])
    assert (matter.kind, matter.key) == (
        AlertKind.BACK_DATED_DEFERRAL,
        "back-dated-deferral/deferral-1",
    )
    assert (matter.severity, matter.since) == (Severity.NOTICE, late.entered_at)
    assert not list(back_dated_deferrals([Deferred(replace(late, approver=None), START)]))


def test_art_21_it_is_back_dated_since_its_approval_where_that_came_last() -> None:
    approved = UNMOVED + ONE_HOUR
    late = replace(AWAY, entered_at=START, approved_at=approved)
    (matter,) = back_dated_deferrals([Deferred(late, START + ONE_HOUR)])
    assert matter.since == approved


def test_a_deferral_for_nobody_or_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="device or an officer"):
        replace(AWAY, device=None)
    with pytest.raises(ValueError, match="before it begins"):
        replace(AWAY, ends=AWAY.begins - SECOND)


def test_twenty_four_hours_are_twenty_four_hours_when_the_clocks_change() -> None:
    """The night of 1 November 2026 has 25 hours in New York, that of 8 March 23."""
    zone = ZoneInfo("America/New_York")
    for day in (datetime(2026, 10, 31, 18, tzinfo=zone), datetime(2026, 3, 7, 18, tzinfo=zone)):
        end = day.astimezone(UTC)
        due = deadline_for(_recorded(end, end)).due
        assert (due - end).total_seconds() == 24 * 3600
        assert due.astimezone(zone).hour != 18


_seconds = st.integers(-200_000, 200_000).map(lambda n: START + timedelta(seconds=n))
_deferrals = st.builds(
    Deferral,
    id=st.text("abc", min_size=1),
    reason=st.sampled_from(DeferralReason),
    begins=st.integers(-200_000, 0).map(lambda n: START + timedelta(seconds=n)),
    entered_at=_seconds,
    device=st.sampled_from(["0031", "0031", "0032"]),
    officer=st.none() | st.just("000010"),
    approver=st.sampled_from(["000001", "000001", None]),
    approved_at=_seconds,
    returned_at=st.none() | _seconds,
    expected=st.none() | _seconds,
)


@given(st.lists(_deferrals, max_size=6), st.randoms(use_true_random=False))
def test_art_21_deferrals_never_make_it_due_earlier_and_their_order_does_not_matter(
    deferrals: list[Deferral], shuffle: random.Random
) -> None:
    due = _with(*deferrals, officer="000010").due
    assert due >= UNMOVED
    shuffled = shuffle.sample(deferrals, len(deferrals))
    assert _with(*shuffled, officer="000010").due == due
    naive = [
        back
        for one in deferrals
        if one.approver and one.approved_at and one.device == "0031"
        if (back := one.returned_at or one.expected) and one.begins <= START + ONE_HOUR <= back
    ]
    assert due == max([START + ONE_HOUR, *naive]) + LIMIT
