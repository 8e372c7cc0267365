"""What a document is after a correction: its stage follows from kind and item (Art. 6 to 15)."""

from datetime import UTC, datetime

import pytest

from recorder_sync.language import T
from recorder_sync.model import CardPath
from recorder_sync.rules.documents import (
    STAGE_OF,
    Change,
    Clearable,
    DocumentKind,
    Given,
    corrected,
)
from recorder_sync.rules.marks import Item
from recorder_sync.rules.stage import Stage

ITEMS = {
    "7.1": Item("7.1", Stage.INVESTIGATION, T("x")),
    "9.1": Item("9.1", Stage.EXECUTION, T("x")),
}


def _given(kind: DocumentKind, stage: Stage | None, item: str | None = None) -> Given:
    at = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    return Given("17", "回证", kind, CardPath(b"a.pdf"), "王队", at, "17", stage, item)


SERVICE = _given(DocumentKind.SERVICE, STAGE_OF[DocumentKind.SERVICE])
ITS_ITEM = _given(DocumentKind.SERVICE, Stage.EXECUTION, "9.1")
OTHER_STAGE = _given(DocumentKind.SERVICE, Stage.DECISION)
LOST_ITEM = _given(DocumentKind.SERVICE, Stage.EXECUTION, "9.9")
NO_STAGE = frozenset({Clearable.STAGE})
NO_ITEM = frozenset({Clearable.ITEM})


@pytest.mark.parametrize(
    ("before", "change", "stage", "item"),
    [
        (SERVICE, Change(kind=DocumentKind.HEARING), Stage.INVESTIGATION, None),
        (SERVICE, Change(kind=DocumentKind.APPROVAL), None, None),
        (SERVICE, Change(stage=Stage.DECISION), Stage.DECISION, None),
        (SERVICE, Change(item="7.1"), Stage.INVESTIGATION, "7.1"),
        (SERVICE, Change(cleared=NO_STAGE), None, None),
        (SERVICE, Change(kind=DocumentKind.HEARING, cleared=NO_STAGE), None, None),
        (OTHER_STAGE, Change(kind=DocumentKind.HEARING), Stage.DECISION, None),
        (ITS_ITEM, Change(kind=DocumentKind.HEARING), Stage.EXECUTION, "9.1"),
        (ITS_ITEM, Change(stage=Stage.DECISION), Stage.DECISION, None),
        (ITS_ITEM, Change(stage=Stage.EXECUTION), Stage.EXECUTION, "9.1"),
        (ITS_ITEM, Change(cleared=NO_ITEM), Stage.EXECUTION, None),
        (ITS_ITEM, Change(cleared=NO_STAGE), None, None),
        (LOST_ITEM, Change(title="别的", item="9.9"), Stage.EXECUTION, "9.9"),
        (LOST_ITEM, Change(title="别的"), Stage.EXECUTION, "9.9"),
    ],
)
def test_a_stage_that_followed_from_what_was_wrong_follows_from_what_is_right(
    before: Given, change: Change, stage: Stage | None, item: str | None
) -> None:
    after = corrected(before, change, ITEMS)
    assert (after.stage, after.item) == (stage, item)
    assert (after.case, after.name, after.by, after.at) == (
        *(before.case, before.name, before.by, before.at),
    )
