"""Recordings that are not stored yet (Art. 21)."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.deadline import Deferral, DeferralReason
from recorder_sync.rules.matter import Matter, Severity
from recorder_sync.rules.outstanding import (
    Outstanding,
    Why,
    outstanding_deadline,
    outstanding_recordings,
)
from recorder_sync.rules.watch_limits import USUAL, WatchLimits

END = datetime(2026, 11, 23, 9, tzinfo=UTC)
DUE = END + timedelta(hours=24)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)

ONE = Outstanding(
    name="DCIM/A.mp4",
    why=Why.INTERRUPTED,
    seen_at=END + HOUR,
    mtime=END + SECOND,
    docking="D1",
    device="0031",
    officer="000010",
    case="C1",
    ended_at=END,
)


def matters(
    *facts: Outstanding, now: datetime, deferrals: list[Deferral] | None = None
) -> list[Matter]:
    return list(outstanding_recordings(facts, deferrals or [], now))


@pytest.mark.parametrize(
    ("now", "severity", "since"),
    [
        (DUE - 4 * HOUR - SECOND, None, None),
        (DUE - 4 * HOUR, Severity.WARNING, DUE - 4 * HOUR),
        (DUE - SECOND, Severity.WARNING, DUE - 4 * HOUR),
        (DUE, Severity.WARNING, DUE - 4 * HOUR),
        (DUE + SECOND, Severity.BREACH, DUE),
        (DUE + timedelta(days=30), Severity.BREACH, DUE),
    ],
)
def test_art_21_it_is_a_matter_before_the_limit_and_a_breach_after_it_to_the_second(
    now: datetime, severity: Severity | None, since: datetime | None
) -> None:
    found = matters(ONE, now=now)
    assert [(m.severity, m.since, m.due) for m in found] == (
        [(severity, since, DUE)] if severity else []
    )


def test_a_matter_names_whose_recordings_they_are_and_what_to_do() -> None:
    (matter,) = matters(ONE, now=DUE + SECOND)
    assert matter.key == "outstanding/device/0031"
    assert (matter.device, matter.docking, matter.officer, matter.case) == (
        "0031",
        "D1",
        "000010",
        "C1",
    )
    assert matter.text.english == (
        "1 recording(s) of device 0031 are not stored, and the limit has passed."
    )
    assert "Plug the device in again" in matter.hint.english


def test_art_21_an_unknown_end_counts_from_the_modification_time() -> None:
    unknown = replace(ONE, ended_at=None)
    assert outstanding_deadline(unknown, [], USUAL).due == DUE + SECOND


def test_promise_6_a_card_that_claims_the_future_is_due_from_when_it_was_seen() -> None:
    far = datetime(2099, 1, 1, tzinfo=UTC)
    for one in (replace(ONE, ended_at=far), replace(ONE, ended_at=None, mtime=far)):
        assert outstanding_deadline(one, [], USUAL).due == ONE.seen_at + timedelta(hours=24)


def test_a_card_of_five_hundred_files_is_one_matter_with_a_list() -> None:
    files = [
        replace(ONE, name=f"DCIM/{n:03}.mp4", ended_at=END + n * timedelta(minutes=1), mtime=END)
        for n in range(500)
    ]
    (matter,) = matters(*files, now=DUE + SECOND)
    assert (matter.count, matter.due, matter.severity) == (500, DUE, Severity.BREACH)
    assert [item.name for item in matter.items[:2]] == ["DCIM/000.mp4", "DCIM/001.mp4"]
    last = matter.items[-1]
    assert (last.name, last.until) == ("DCIM/499.mp4", ONE.seen_at + timedelta(hours=24))


def test_the_list_does_not_grow_by_time_alone() -> None:
    later = replace(ONE, name="DCIM/B.mp4", ended_at=END + HOUR)
    names = [matters(ONE, later, now=DUE + hours * HOUR)[0].names for hours in (-4, 0, 5)]
    assert names == [{"DCIM/A.mp4", "DCIM/B.mp4"}] * 3


def test_a_file_that_two_dockings_listed_counts_once_from_the_first() -> None:
    future = replace(ONE, ended_at=None, mtime=datetime(2099, 1, 1, tzinfo=UTC))
    again = replace(future, docking="D2", seen_at=END + 20 * HOUR, why=Why.FAILED)
    (matter,) = matters(again, future, now=DUE + 2 * HOUR)
    assert (matter.count, matter.docking, matter.due) == (1, "D2", DUE + HOUR)
    assert "fails again" in matter.hint.english


def test_a_docking_that_is_just_under_way_makes_an_old_matter_no_worse() -> None:
    """Otherwise what a person resolved would come back with every docking of the device."""
    new = replace(ONE, name="DCIM/B.mp4", docking="D2", seen_at=DUE, mtime=DUE, ended_at=DUE)
    copying = replace(new, underway=True)
    (alone,) = matters(ONE, now=DUE + HOUR)
    assert matters(ONE, copying, now=DUE + HOUR) == [alone]
    assert matters(ONE, new, now=DUE + HOUR)[0].count == 2
    assert not matters(copying, now=DUE + HOUR)


def test_art_21_a_docking_that_takes_until_the_limit_hides_nothing() -> None:
    (matter,) = matters(replace(ONE, underway=True), now=DUE + SECOND)
    assert (matter.severity, matter.since) == (Severity.BREACH, DUE)


def test_what_an_earlier_docking_left_out_stays_in_the_list_while_it_is_taken_in() -> None:
    early = DUE - 4 * HOUR - SECOND
    late = replace(ONE, name="DCIM/B.mp4", seen_at=END - 2 * HOUR, ended_at=END - 2 * HOUR)
    again = replace(ONE, docking="D2", seen_at=early, underway=True)
    assert matters(late, ONE, again, now=early)[0].count == 2


def test_of_two_dockings_that_tell_different_ends_the_earlier_counts_in_any_order() -> None:
    early = replace(ONE, ended_at=END - HOUR)
    for order in ((ONE, early), (early, ONE)):
        (matter,) = matters(*order, now=DUE + SECOND)
        assert (matter.count, matter.due) == (1, DUE - HOUR)


def test_an_unknown_device_is_known_by_its_docking_and_a_store_by_its_name() -> None:
    held = replace(ONE, device=None, why=Why.HELD)
    queued = replace(ONE, why=Why.QUEUED, store="remote")
    also = replace(queued, device="0032")
    found = {m.key: m for m in matters(held, queued, also, now=DUE + SECOND)}
    assert set(found) == {"outstanding/docking/D1", "outstanding/store/remote"}
    assert found["outstanding/store/remote"].names == {"0031/DCIM/A.mp4", "0032/DCIM/A.mp4"}
    assert "Register" in found["outstanding/docking/D1"].hint.english
    for matter in found.values():
        assert matter.device is None


def test_what_differs_within_a_matter_is_not_named() -> None:
    other = replace(ONE, name="DCIM/B.mp4", officer="000011", case=None)
    (matter,) = matters(ONE, other, now=DUE + SECOND)
    assert (matter.officer, matter.case) == (None, None)


def test_art_21_an_approved_deferral_closes_the_breach() -> None:
    away = Deferral(
        id="d",
        reason=DeferralReason.WATER,
        begins=END - HOUR,
        entered_at=END - HOUR,
        officer="000010",
        approver="000001",
        approved_at=END - HOUR,
        expected=END + 30 * HOUR,
    )
    assert matters(ONE, now=DUE + SECOND)
    assert not matters(ONE, now=DUE + SECOND, deferrals=[away])
    assert not matters(ONE, now=END + 50 * HOUR - SECOND, deferrals=[away])
    (matter,) = matters(ONE, now=END + 54 * HOUR + SECOND, deferrals=[away])
    assert (matter.severity, matter.since) == (Severity.BREACH, END + 54 * HOUR)


def test_the_limit_and_the_lead_are_settings() -> None:
    strict = WatchLimits(stored_within=12 * HOUR, lead=HOUR)
    now = END + 11 * HOUR
    assert not list(outstanding_recordings([ONE], [], now - SECOND, strict))
    (matter,) = outstanding_recordings([ONE], [], now, strict)
    assert (matter.due, matter.since) == (END + 12 * HOUR, now)


_moments = st.integers(-100_000, 100_000).map(lambda n: END + timedelta(seconds=n))
_facts = st.lists(
    st.builds(
        Outstanding,
        name=st.sampled_from(["A", "B", "C"]),
        why=st.sampled_from(Why),
        seen_at=_moments,
        mtime=_moments,
        docking=st.sampled_from(["D1", "D2"]),
        device=st.sampled_from(["0031", "0032", None]),
        ended_at=st.none() | _moments,
        store=st.sampled_from([None, "remote"]),
    ),
    max_size=8,
)


@given(_facts, _moments, st.randoms(use_true_random=False))
def test_the_order_of_the_facts_does_not_matter(
    facts: list[Outstanding], now: datetime, shuffle: random.Random
) -> None:
    assert matters(*facts, now=now) == matters(*shuffle.sample(facts, len(facts)), now=now)


@given(_facts, _moments, st.timedeltas(timedelta(), timedelta(days=9)))
def test_what_is_a_breach_stays_one_as_time_goes_on_and_keeps_its_beginning(
    facts: list[Outstanding], now: datetime, later: timedelta
) -> None:
    before = {m.key: m for m in matters(*facts, now=now)}
    after = {m.key: m for m in matters(*facts, now=now + later)}
    for key, matter in before.items():
        assert after[key].severity.rank >= matter.severity.rank
        assert after[key].names == matter.names
        if matter.severity is Severity.BREACH:
            assert after[key] == matter


@given(_facts)
def test_art_21_after_long_enough_nothing_that_is_outstanding_is_unseen(
    facts: list[Outstanding],
) -> None:
    now = max((one.seen_at for one in facts), default=END) + timedelta(hours=24) + SECOND
    found = matters(*facts, now=now)
    assert all(m.severity is Severity.BREACH for m in found)
    names = {name for matter in found for name in matter.names}
    expected = {
        one.name if one.store is None else f"{one.device or one.docking}/{one.name}"
        for one in facts
    }
    assert names == expected
