"""Actions, and the interruptions that somebody has to explain (Art. 20)."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.continuity import (
    Action,
    GapExplanation,
    Piece,
    actions,
    unexplained,
    unexplained_gaps,
)
from recorder_sync.rules.matter import Severity
from recorder_sync.rules.outstanding import Outstanding, Why
from recorder_sync.rules.watch_limits import WatchLimits

BEGIN = datetime(2026, 11, 23, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def piece(name: str, begins_s: float, ends_s: float, device: str = "0031") -> Piece:
    return Piece(name, device, BEGIN + begins_s * SECOND, BEGIN + ends_s * SECOND, officer="000010")


FIRST = piece("first", 0, 600)
SECOND_ONE = piece("second", 1200, 1800)


def gaps_of(*pieces: Piece) -> list[list[tuple[str, str]]]:
    return [[(gap.before, gap.after) for gap in action.gaps] for action in actions(pieces)]


@pytest.mark.parametrize(
    ("pause_s", "expected"),
    [
        (-10, [[]]),
        (0, [[]]),
        (5, [[]]),
        (6, [[("a", "b")]]),
        (1800, [[("a", "b")]]),
        (1801, [[], []]),
    ],
    ids=["pre-record", "seamless", "split", "gap", "longest gap", "new action"],
)
def test_art_20_a_split_is_no_gap_and_a_long_pause_begins_a_new_action(
    pause_s: int, expected: list[list[tuple[str, str]]]
) -> None:
    assert gaps_of(piece("a", 0, 600), piece("b", 600 + pause_s, 2400 + pause_s)) == expected


def test_each_device_has_actions_of_its_own() -> None:
    other = replace(SECOND_ONE, device="0032")
    assert [(a.device, a.gaps) for a in actions([other, FIRST])] == [("0031", ()), ("0032", ())]


def test_a_short_recording_within_a_long_one_leaves_no_gap_behind_it() -> None:
    assert gaps_of(piece("long", 0, 1000), piece("short", 10, 20), piece("next", 1002, 1100)) == [
        []
    ]


def test_an_action_lasts_from_its_first_recording_to_its_last_end() -> None:
    (action,) = actions([piece("long", 0, 1000), piece("short", 10, 20)])
    assert (action.begins, action.ends) == (BEGIN, BEGIN + 1000 * SECOND)


def test_art_20_an_unexplained_gap_is_a_matter() -> None:
    (matter,) = unexplained([SECOND_ONE, FIRST], [])
    assert matter.key == "gap/0031/first"
    assert (matter.severity, matter.count) == (Severity.WARNING, 1)
    assert (matter.device, matter.officer, matter.recording) == ("0031", "000010", "first")
    (item,) = matter.items
    assert (item.name, item.since, item.until) == ("second", FIRST.ends, SECOND_ONE.begins)
    assert matter.since == FIRST.ends


def test_art_20_many_gaps_of_an_action_are_one_matter() -> None:
    pieces = [piece(f"{n}", n * 60, n * 60 + 30) for n in range(40)]
    (matter,) = unexplained(pieces, [])
    assert (matter.count, len(matter.items)) == (39, 39)


SPOKEN = GapExplanation("0031", FIRST.ends, SECOND_ONE.begins, recording="second", at_second=12.5)
WRITTEN = GapExplanation(
    "0031", FIRST.ends, SECOND_ONE.begins, officers=frozenset({"000010", "000011"})
)


@pytest.mark.parametrize(
    "explanation",
    [
        SPOKEN,
        WRITTEN,
        replace(SPOKEN, at_second=0),
        replace(SPOKEN, at_second=600),
        replace(WRITTEN, begins=BEGIN, ends=SECOND_ONE.ends),
    ],
)
def test_art_20_by_voice_when_it_resumes_or_in_writing_by_two_officers(
    explanation: GapExplanation,
) -> None:
    assert not list(unexplained([FIRST, SECOND_ONE], [explanation]))


@pytest.mark.parametrize(
    "explanation",
    [
        replace(WRITTEN, officers=frozenset({"000010"})),
        replace(WRITTEN, officers=frozenset()),
        replace(WRITTEN, device="0032"),
        replace(WRITTEN, begins=FIRST.ends + SECOND),
        replace(WRITTEN, ends=SECOND_ONE.begins - SECOND),
        replace(SPOKEN, recording="first"),
        replace(SPOKEN, recording="other"),
        replace(SPOKEN, at_second=None),
        replace(SPOKEN, at_second=600.5),
        replace(SPOKEN, at_second=-1),
        replace(SPOKEN, at_second=float("nan")),
    ],
)
def test_art_20_anything_less_does_not_explain_it(explanation: GapExplanation) -> None:
    (matter,) = unexplained([FIRST, SECOND_ONE], [explanation])
    assert matter.count == 1


def test_an_explained_gap_stays_explained_when_a_recording_turns_up_within_it() -> None:
    found = piece("found", 700, 1100)
    (action,) = actions([FIRST, SECOND_ONE, found])
    assert len(action.gaps) == 2
    assert unexplained_gaps(action, [WRITTEN]) == ()


_pieces = st.lists(st.tuples(st.integers(0, 120), st.integers(0, 30)), min_size=1, max_size=8).map(
    lambda found: [piece(f"r{n}", b, b + length) for n, (b, length) in enumerate(found)]
)
_limits = st.builds(
    lambda split, more: WatchLimits(split=split * SECOND, action_pause=(split + more) * SECOND),
    st.integers(0, 6),
    st.integers(1, 25),
)


def _by_the_second(
    pieces: list[Piece], limits: WatchLimits
) -> list[tuple[frozenset[str], list[tuple[int, int]]]]:
    """A naive look at every instant and every time between two of them, one by one.

    Returns of each action its recordings and its gaps in seconds.
    """
    spans = {
        p.recording: (
            round((p.begins - BEGIN) / SECOND) * 2,
            round((p.ends - BEGIN) / SECOND) * 2,
        )
        for p in pieces
    }
    found: list[tuple[frozenset[str], list[tuple[int, int]]]] = []
    running: set[str] = set()
    gaps: list[tuple[int, int]] = []
    silent_since: int | None = None
    for half_second in range(2 * 200):
        here = {name for name, (b, e) in spans.items() if b <= half_second <= e}
        if not here:
            if running and silent_since is None:
                silent_since = half_second - 1
            continue
        if silent_since is not None:
            pause = (half_second - silent_since) / 2
            if pause * SECOND > limits.action_pause:
                found.append((frozenset(running), gaps))
                running, gaps = set(), []
            elif pause * SECOND > limits.split:
                gaps.append((silent_since // 2, half_second // 2))
        silent_since = None
        running |= here
    return [*found, (frozenset(running), gaps)]


def _in_seconds(action: Action) -> tuple[frozenset[str], list[tuple[int, int]]]:
    gaps = [
        (round((gap.begins - BEGIN) / SECOND), round((gap.ends - BEGIN) / SECOND))
        for gap in action.gaps
    ]
    return frozenset(p.recording for p in action.pieces), gaps


@given(_pieces, _limits)
def test_art_20_actions_and_gaps_are_those_that_looking_at_every_second_finds(
    pieces: list[Piece], limits: WatchLimits
) -> None:
    found = actions(pieces, limits)
    assert [_in_seconds(action) for action in found] == _by_the_second(pieces, limits)
    by_name = {p.recording: p for p in pieces}
    for action in found:
        for gap in action.gaps:
            assert by_name[gap.before].ends == gap.begins
            assert by_name[gap.after].begins == gap.ends


@given(_pieces, _limits, st.randoms(use_true_random=False))
def test_art_20_the_order_in_which_recordings_arrive_does_not_matter(
    pieces: list[Piece], limits: WatchLimits, shuffle: random.Random
) -> None:
    shuffled = shuffle.sample(pieces, len(pieces))
    assert actions(shuffled, limits) == actions(pieces, limits)


def still_on_the_card(ended_s: float, why: Why = Why.INTERRUPTED) -> Outstanding:
    """Return a recording that ended then, told by its file alone."""
    ended = BEGIN + ended_s * SECOND
    return Outstanding("DCIM/A.MP4", why, seen_at=ended, mtime=ended, device="0031")


@pytest.mark.parametrize(
    ("ended_s", "is_left_out"),
    [(-1801, False), (-1800, True), (900, True), (3600, True), (3601, False), (86400, False)],
    ids=["long before", "just before", "in the gap", "just after", "long after", "next day"],
)
def test_art_20_only_an_action_that_an_outstanding_recording_may_be_part_of_is_left_out(
    ended_s: float, is_left_out: bool
) -> None:
    """A file that is lost stays outstanding, and must not hide the gaps of every other day."""
    found = list(unexplained([FIRST, SECOND_ONE], [], outstanding=[still_on_the_card(ended_s)]))
    assert bool(found) is not is_left_out


def test_art_20_what_is_sealed_here_and_waits_for_a_store_leaves_nothing_out() -> None:
    queued = still_on_the_card(900, Why.QUEUED)
    other = replace(still_on_the_card(900), device="0032")
    assert list(unexplained([FIRST, SECOND_ONE], [], outstanding=[queued, other]))
