"""An officer finds a case by what can be typed on ten keys."""

import pytest

from recorder_sync.rules.case_typed import is_meant

NUMBER, PARTY = "冀石执〔2026〕17号", "李四餐饮 Co"


@pytest.mark.parametrize(
    "typed",
    ["", " ", "17", "202617", "2617", "冀石", "〔2026〕", "李四", "17 李四", "co", "ＣＯ", "１７"],
)
def test_a_part_of_number_or_party_is_enough(typed: str) -> None:
    assert is_meant(typed, NUMBER, PARTY)


@pytest.mark.parametrize("typed", ["18", "172026", "王五", "17 王五", "冀石17"])
def test_what_is_no_part_of_it_is_not_meant(typed: str) -> None:
    assert not is_meant(typed, NUMBER, PARTY)
    assert not is_meant(typed, "", None)
