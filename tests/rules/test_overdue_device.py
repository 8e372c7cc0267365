"""Devices that should have been docked by now (Art. 21, 22)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.deadline import Deferral, DeferralReason
from recorder_sync.rules.matter import Matter, Severity
from recorder_sync.rules.overdue_device import (
    OnPort,
    Shift,
    Watched,
    devices_not_docked,
    docking_due,
    overdue_devices,
)
from recorder_sync.rules.watch_limits import USUAL
from recorder_sync.rules.whereabouts import State

ISSUED = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

OUT = Watched(
    device="0031",
    state=State.ISSUED,
    registered_at=ISSUED - 90 * DAY,
    issued_at=ISSUED,
    officer="000010",
    stay=OnPort(ISSUED - 12 * HOUR, ISSUED - HOUR),
)
SHIFT = Shift(ISSUED, ISSUED + 9 * HOUR)
AWAY = Deferral(
    id="d",
    reason=DeferralReason.REMOTE,
    begins=ISSUED + 2 * HOUR,
    entered_at=ISSUED,
    officer="000010",
    approver="000001",
    approved_at=ISSUED,
    expected=ISSUED + 60 * HOUR,
)


def due(one: Watched, *deferrals: Deferral) -> datetime | None:
    return docking_due(one, deferrals, USUAL)


def overdue(one: Watched, now: datetime, *deferrals: Deferral) -> list[Matter]:
    return list(overdue_devices([one], deferrals, now))


def test_art_21_without_a_shift_the_hours_run_from_the_issue() -> None:
    assert due(OUT) == ISSUED + 24 * HOUR


def test_art_21_with_a_shift_they_run_from_its_end() -> None:
    assert due(replace(OUT, shifts=(SHIFT,))) == SHIFT.ends + 24 * HOUR


def test_a_shift_days_after_the_issue_does_not_excuse_the_days_before() -> None:
    friday = Shift(ISSUED + 4 * DAY, ISSUED + 4 * DAY + 9 * HOUR)
    assert due(replace(OUT, shifts=(friday,))) == ISSUED + 24 * HOUR


def test_of_several_shifts_the_first_that_no_docking_followed_counts() -> None:
    tomorrow = Shift(SHIFT.begins + DAY, SHIFT.ends + DAY)
    out = replace(OUT, shifts=(tomorrow, SHIFT))
    assert due(out) == SHIFT.ends + DAY
    docked = replace(out, stay=OnPort(SHIFT.ends + HOUR, SHIFT.ends + 2 * HOUR))
    assert due(docked) == tomorrow.ends + DAY
    both = replace(out, stay=OnPort(tomorrow.ends + HOUR, tomorrow.ends + 2 * HOUR))
    assert due(both) is None


def test_a_docking_in_the_middle_of_a_shift_is_not_the_one_after_it() -> None:
    docked = replace(OUT, shifts=(SHIFT,), stay=OnPort(SHIFT.ends - 2 * HOUR, SHIFT.ends - SECOND))
    assert due(docked) == SHIFT.ends + DAY
    until_the_end = replace(docked, stay=OnPort(SHIFT.ends - 2 * HOUR, SHIFT.ends))
    assert due(until_the_end) is None


def test_taken_off_the_port_on_which_it_was_issued_a_device_was_not_docked_since() -> None:
    taken = replace(OUT, stay=OnPort(ISSUED - HOUR, ISSUED + HOUR))
    assert due(taken) == ISSUED + 24 * HOUR


def test_a_device_that_is_docked_or_was_docked_after_its_issue_is_not_overdue() -> None:
    assert due(replace(OUT, stay=OnPort(ISSUED - HOUR, None))) is None
    assert due(replace(OUT, stay=OnPort(ISSUED + SECOND, ISSUED + HOUR))) is None


@pytest.mark.parametrize("state", [State.LOST, State.RETIRED, State.IN_REPAIR, State.IN_STORE])
def test_art_24_a_device_that_is_not_out_is_not_overdue(state: State) -> None:
    assert not overdue(replace(OUT, state=state), ISSUED + 365 * DAY)


@pytest.mark.parametrize(
    ("after_issue", "severity"),
    [
        (20 * HOUR - SECOND, None),
        (20 * HOUR, Severity.WARNING),
        (24 * HOUR, Severity.WARNING),
        (24 * HOUR + SECOND, Severity.BREACH),
    ],
)
def test_art_21_it_is_overdue_to_the_second(
    after_issue: timedelta, severity: Severity | None
) -> None:
    found = overdue(OUT, ISSUED + after_issue)
    assert [m.severity for m in found] == ([severity] if severity else [])


def test_promise_6_a_camera_that_never_comes_back_is_a_breach_with_its_true_time() -> None:
    (matter,) = overdue(OUT, ISSUED + 30 * DAY)
    assert (matter.since, matter.due) == (ISSUED + DAY, ISSUED + DAY)
    assert (matter.device, matter.officer) == ("0031", "000010")
    assert matter.key == "device-overdue/0031/2026-11-23T00:30:00.000Z"


def test_a_new_issue_is_a_new_matter() -> None:
    again = replace(OUT, issued_at=ISSUED + 10 * DAY)
    keys = {overdue(one, ISSUED + 30 * DAY)[0].key for one in (OUT, again)}
    assert len(keys) == 2


def test_art_21_an_approved_deferral_moves_it_to_the_return() -> None:
    assert due(OUT, AWAY) == ISSUED + 84 * HOUR
    assert due(OUT, replace(AWAY, returned_at=ISSUED + 50 * HOUR)) == ISSUED + 74 * HOUR
    for useless in (
        replace(AWAY, approver=None),
        replace(AWAY, officer="000011"),
        replace(AWAY, begins=ISSUED + 24 * HOUR + SECOND),
        replace(AWAY, expected=None),
        replace(AWAY, begins=ISSUED - 9 * HOUR, returned_at=ISSUED - HOUR),
    ):
        assert due(OUT, useless) == ISSUED + 24 * HOUR


def test_art_21_a_second_mission_that_follows_the_first_moves_it_again() -> None:
    again = replace(
        AWAY, id="e", begins=ISSUED + 80 * HOUR, expected=ISSUED + 100 * HOUR, officer="000010"
    )
    for order in ((AWAY, again), (again, AWAY)):
        assert due(OUT, *order) == ISSUED + 124 * HOUR
    assert due(OUT, again) == ISSUED + 24 * HOUR


def test_a_device_on_no_port_for_seven_days_is_noticed_to_the_second() -> None:
    last = OUT.stay.ended if OUT.stay else None
    assert last
    stored = replace(OUT, state=State.IN_STORE, issued_at=None)
    assert not list(devices_not_docked([stored], [], last + 7 * DAY))
    (matter,) = devices_not_docked([stored], [], last + 7 * DAY + SECOND)
    assert (matter.severity, matter.since) == (Severity.NOTICE, last + 7 * DAY)
    assert matter.text.english == "Device 0031 was on no port for more than 7 days."


def test_a_device_that_was_never_docked_counts_from_its_registration() -> None:
    never = replace(OUT, stay=None, state=State.IN_STORE)
    (matter,) = devices_not_docked([never], [], ISSUED)
    assert matter.since == never.registered_at + 7 * DAY


@pytest.mark.parametrize(
    "one",
    [
        replace(OUT, state=State.LOST),
        replace(OUT, state=State.RETIRED),
        replace(OUT, state=State.IN_REPAIR),
        replace(OUT, stay=OnPort(ISSUED, None)),
    ],
)
def test_a_device_of_which_it_is_known_why_is_not_missed(one: Watched) -> None:
    assert not list(devices_not_docked([one], [], ISSUED + 365 * DAY))


def test_a_device_on_an_approved_mission_is_not_missed_before_it_is_back() -> None:
    assert list(devices_not_docked([OUT], [], ISSUED + 7 * DAY))
    assert not list(devices_not_docked([OUT], [AWAY], ISSUED + 7 * DAY))


_moments = st.integers(-300_000, 300_000).map(lambda n: ISSUED + timedelta(seconds=n))


@st.composite
def _watched(draw: st.DrawFn) -> Watched:
    shifts = draw(st.lists(_moments, max_size=3))
    began = draw(st.none() | _moments)
    stay = None
    if began is not None:
        stay = OnPort(began, began + timedelta(seconds=draw(st.integers(0, 100_000))))
    return replace(OUT, shifts=tuple(Shift(s, s + 8 * HOUR) for s in shifts), stay=stay)


@given(_watched(), _moments, st.timedeltas(timedelta(), timedelta(days=9)))
def test_what_is_overdue_stays_so_as_time_goes_on(
    one: Watched, now: datetime, later: timedelta
) -> None:
    for before in overdue(one, now):
        (after,) = overdue(one, now + later)
        assert after.severity.rank >= before.severity.rank
        assert (after.key, after.due) == (before.key, before.due)


@given(_watched())
def test_art_21_a_docking_within_the_limit_is_all_that_is_asked(one: Watched) -> None:
    """As an independent look: every moment that asks for a docking has one after it, or not."""
    asked = [s.ends for s in one.shifts if s.ends > ISSUED]
    if not any(s.begins < ISSUED + DAY for s in one.shifts if s.ends > ISSUED):
        asked.append(ISSUED)
    unanswered = [moment for moment in asked if not _is_answered(one.stay, moment)]
    assert due(one) == (min(unanswered) + DAY if unanswered else None)


def _is_answered(stay: OnPort | None, moment: datetime) -> bool:
    if stay is None or stay.ended is None:
        return False
    return stay.began > moment if moment == ISSUED else stay.ended >= moment
