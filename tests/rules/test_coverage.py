"""Enforcement without a recording, or with holes in it (Art. 16, 17)."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.model import AlertKind
from recorder_sync.rules.coverage import (
    Expected,
    NoRecordingReason,
    Shown,
    Span,
    holes,
    is_of,
    showing,
    uncovered,
)
from recorder_sync.rules.deadline import Deferral, DeferralReason
from recorder_sync.rules.matter import Matter, Severity
from recorder_sync.rules.watch_limits import USUAL, WatchLimits

BEGIN = datetime(2026, 11, 23, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
DUE = BEGIN + 25 * HOUR

EXPECTED = Expected("duty-7", Span(BEGIN, BEGIN + HOUR), officer="000010", device="0031")
IN_FULL = replace(EXPECTED, in_full=True)


def shown(from_minute: float, to_minute: float | None) -> Shown:
    ends = None if to_minute is None else BEGIN + to_minute * MINUTE
    return Shown(BEGIN + from_minute * MINUTE, ends, officer="000010", device="0031")


def matters(
    one: Expected, *recordings: Shown, now: datetime = DUE + SECOND, away: Deferral | None = None
) -> list[Matter]:
    return list(uncovered([one], recordings, [away] if away else [], now))


def test_art_17_enforcement_without_a_recording_is_a_matter() -> None:
    (matter,) = matters(EXPECTED)
    assert (matter.kind, matter.key) == (AlertKind.NO_RECORDING, "no-recording/duty-7")
    assert (matter.severity, matter.since, matter.due) == (Severity.BREACH, DUE, DUE)
    assert (matter.officer, matter.device) == ("000010", "0031")


@pytest.mark.parametrize(
    ("now", "severity"),
    [
        (DUE - 4 * HOUR - SECOND, None),
        (DUE - 4 * HOUR, Severity.WARNING),
        (DUE, Severity.WARNING),
        (DUE + SECOND, Severity.BREACH),
    ],
)
def test_art_21_nothing_is_missing_while_it_may_still_come_in_time(
    now: datetime, severity: Severity | None
) -> None:
    found = matters(EXPECTED, now=now)
    assert [m.severity for m in found] == ([severity] if severity else [])


def test_art_21_a_deferral_gives_it_time_until_after_the_return() -> None:
    away = Deferral(
        id="d",
        reason=DeferralReason.OFF_SITE,
        begins=BEGIN,
        entered_at=BEGIN,
        device="0031",
        approver="000001",
        approved_at=BEGIN,
        expected=BEGIN + 30 * HOUR,
    )
    (late,) = matters(EXPECTED, now=BEGIN + 54 * HOUR + SECOND, away=away)
    assert (late.severity, late.since) == (Severity.BREACH, BEGIN + 54 * HOUR)
    assert not matters(EXPECTED, now=BEGIN + 50 * HOUR - SECOND, away=away)


@pytest.mark.parametrize("reason", NoRecordingReason)
def test_a_reason_explains_it(reason: NoRecordingReason) -> None:
    assert not matters(replace(EXPECTED, reason=reason))


def test_one_recording_of_any_part_is_enough_where_a_recording_in_full_is_not_asked_for() -> None:
    assert not matters(EXPECTED, shown(30, 31))
    assert not matters(EXPECTED, shown(30, None))
    assert not matters(EXPECTED, shown(-60, -2))
    assert matters(EXPECTED, shown(-60, -2.1))


def test_art_17_a_recording_in_full_has_no_holes_beyond_the_tolerance() -> None:
    assert not matters(IN_FULL, shown(2, 30), shown(32, 58))
    (matter,) = matters(IN_FULL, shown(2, 30), shown(32.1, 57))
    assert matter.kind is AlertKind.COVERAGE_HOLE
    assert (matter.count, [(i.since, i.until) for i in matter.items]) == (
        2,
        [
            (BEGIN + 30 * MINUTE, BEGIN + 32.1 * MINUTE),
            (BEGIN + 57 * MINUTE, BEGIN + 60 * MINUTE),
        ],
    )


def test_art_17_a_recording_without_a_known_end_shows_a_moment_only() -> None:
    (matter,) = matters(IN_FULL, shown(0, None))
    assert matter.kind is AlertKind.COVERAGE_HOLE
    assert [(i.since, i.until) for i in matter.items] == [(BEGIN, BEGIN + HOUR)]


def test_the_officer_decides_where_known_and_the_device_otherwise() -> None:
    by_other = replace(shown(0, 60), officer="000011")
    with_other = replace(shown(0, 60), device="0044")
    unknown = replace(shown(0, 60), officer=None)
    assert [is_of(one, EXPECTED) for one in (by_other, with_other, unknown)] == [False, True, True]
    only_device = replace(EXPECTED, officer=None)
    assert [is_of(o, only_device) for o in (by_other, with_other, unknown)] == [True, False, True]
    only_officer = replace(EXPECTED, device=None)
    assert not is_of(replace(unknown, device=None), only_officer)
    for expected in (EXPECTED, only_device, only_officer):
        for one in (by_other, with_other, unknown):
            assert bool(matters(expected, one)) == (not is_of(one, expected))


_LENGTH = 40
_spans = st.lists(
    st.tuples(st.integers(-20, 60), st.integers(0, 25)).map(lambda s: (s[0], s[0] + s[1])),
    max_size=6,
)


def _holes_by_the_second(spans: list[tuple[int, int]], tolerance: int) -> list[tuple[int, int]]:
    """A naive look: every instant and every time between two of them, one by one."""
    is_shown = [any(2 * b <= i <= 2 * e for b, e in spans) for i in range(2 * _LENGTH + 1)]
    found = []
    begin: float | None = None
    for i, one in enumerate([*is_shown, True]):
        if not one and begin is None:
            begin = max(0, (i - 1) / 2)
        if one and begin is not None:
            end = min(_LENGTH, i / 2)
            if end - begin > tolerance:
                found.append((int(begin), int(end)))
            begin = None
    return found


@given(_spans, st.integers(0, 8), st.randoms(use_true_random=False))
def test_art_17_holes_are_those_that_looking_at_every_second_finds(
    spans: list[tuple[int, int]], tolerance: int, shuffle: random.Random
) -> None:
    one = replace(IN_FULL, span=Span(BEGIN, BEGIN + _LENGTH * SECOND))
    recordings = [Shown(BEGIN + b * SECOND, BEGIN + e * SECOND, device="0031") for b, e in spans]
    limits = WatchLimits(covered_within=tolerance * SECOND)
    shuffled = shuffle.sample(recordings, len(recordings))
    shown = showing(one, shuffled, limits)
    is_near = any(b <= _LENGTH + tolerance and e + tolerance >= 0 for b, e in spans)
    assert bool(shown) == is_near
    seconds = [
        (round((h.begins - BEGIN) / SECOND), round((h.ends - BEGIN) / SECOND))
        for h in holes(one, shown, limits)
    ]
    assert seconds == _holes_by_the_second(spans, tolerance)


@given(st.timedeltas(timedelta(), timedelta(days=9)))
def test_a_missing_recording_stays_missing_as_time_goes_on(later: timedelta) -> None:
    assert matters(EXPECTED, now=DUE + SECOND + later) == matters(EXPECTED)


def test_the_limits_are_those_of_the_settings() -> None:
    assert USUAL.covered_within == 2 * MINUTE
    strict = WatchLimits(stored_within=HOUR, lead=timedelta())
    (matter,) = uncovered([EXPECTED], [], [], BEGIN + 2 * HOUR + SECOND, strict)
    assert matter.since == BEGIN + 2 * HOUR
