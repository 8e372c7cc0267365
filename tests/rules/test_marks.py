"""Marks of a recording: what fits together, and what nobody takes back without a reason."""

import pytest

from recorder_sync.errors import UsageProblem
from recorder_sync.rules.access import Secrecy
from recorder_sync.rules.marks import (
    ITEMS,
    Change,
    Markable,
    Marks,
    Notified,
    asks_for_reason,
    marked,
)
from recorder_sync.rules.stage import Stage

_ITEMS = {one.id: one for one in ITEMS}


def after(before: Marks, change: Change) -> Marks:
    return marked(before, change, "王芳", _ITEMS, 60.0)


def test_art_6_to_9_every_item_of_the_measures_is_there() -> None:
    counted = {stage: sum(one.stage is stage for one in ITEMS) for stage in Stage}
    assert list(counted.values()) == [2, 11, 6, 5]


def test_an_item_is_marked_with_its_stage_and_goes_with_it() -> None:
    marks = after(Marks(), Change(item="7.3"))
    assert (marks.stage, marks.item) == (Stage.INVESTIGATION, "7.3")
    assert after(marks, Change(stage=Stage.INVESTIGATION)) == marks
    assert after(marks, Change(stage=Stage.DECISION)) == Marks(stage=Stage.DECISION)
    with pytest.raises(UsageProblem, match="another stage"):
        after(Marks(), Change(stage=Stage.START, item="7.3"))
    with pytest.raises(UsageProblem, match="no item"):
        after(Marks(), Change(item="10.1"))


def test_art_23_who_confirmed_the_notice_and_at_which_second() -> None:
    change = Change(notified=True, notified_second=3.5)
    assert after(Marks(), change).notified == Notified("王芳", 3.5)
    for second in (-1.0, 60.1, float("nan"), float("inf")):
        with pytest.raises(UsageProblem, match="not within"):
            after(Marks(), Change(notified=True, notified_second=second))


def test_a_change_leaves_every_other_mark_as_it_is() -> None:
    marks = Marks(True, Notified("王芳", 3), Stage.START, "6.1", Secrecy.PERSONAL)
    assert after(marks, Change(secrecy=Secrecy.STATE)) == Marks(
        True, Notified("王芳", 3), Stage.START, "6.1", Secrecy.STATE
    )


@pytest.mark.parametrize(
    "change",
    [
        Change(important=False),
        Change(cleared=frozenset({Markable.NOTIFIED})),
        Change(cleared=frozenset({Markable.ITEM})),
        Change(stage=Stage.DECISION),
        Change(secrecy=Secrecy.NONE),
    ],
)
def test_what_is_taken_back_asks_for_a_reason(change: Change) -> None:
    marks = Marks(True, Notified("王芳", 3), Stage.START, "6.1", Secrecy.PERSONAL)
    assert asks_for_reason(marks, after(marks, change))


def test_what_is_added_asks_for_none() -> None:
    everything = Change(True, True, 3.0, item="6.1", secrecy=Secrecy.PERSONAL)
    assert not asks_for_reason(Marks(), after(Marks(), everything))
    secret = after(Marks(secrecy=Secrecy.PERSONAL), Change(secrecy=Secrecy.STATE))
    assert not asks_for_reason(Marks(secrecy=Secrecy.PERSONAL), secret)
