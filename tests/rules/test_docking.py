"""The states of a stay: what a person is shown never leaps to where it may not."""

import pytest

from recorder_sync.rules.docking import MOVES, Stay, after, after_removal, has_ended, is_settled


def test_only_what_was_copied_becomes_safe() -> None:
    before = {state for state, targets in MOVES.items() if Stay.SAFE in targets}
    assert before == {Stay.COPYING, Stay.VERIFYING}


@pytest.mark.parametrize("stay", [stay for stay in Stay if not has_ended(stay)])
def test_a_device_may_be_removed_in_every_state(stay: Stay) -> None:
    assert has_ended(after(stay, after_removal(stay)))


@pytest.mark.parametrize("stay", [stay for stay in Stay if has_ended(stay)])
def test_nothing_follows_the_end(stay: Stay) -> None:
    assert MOVES[stay] == frozenset()


def test_a_held_device_is_not_safe_without_being_copied() -> None:
    with pytest.raises(ValueError, match="held"):
        after(Stay.HELD, Stay.SAFE)


def test_only_a_device_with_everything_sealed_is_removed_in_good_time() -> None:
    in_time = {stay for stay in Stay if after_removal(stay) is Stay.REMOVED}
    assert in_time == {Stay.SAFE, Stay.SAFE_WITH_PROBLEMS}
    assert in_time < {stay for stay in Stay if is_settled(stay)}
