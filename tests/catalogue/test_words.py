"""Chinese is found by any part of it, also by one character (Art. 25)."""

import sqlite3
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.catalogue.words import phrase, words


def finds(text: str, query: str) -> bool:
    """Ask the real full-text search, set up as the catalogue's is."""
    db = sqlite3.connect(":memory:")
    db.execute("create virtual table t using fts5 (w, tokenize='unicode61')")
    db.execute("insert into t values (?)", [words(text)])
    asked = phrase(query)
    if asked is None:
        return False
    return bool(db.execute("select 1 from t where t match ?", [asked]).fetchone())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("李明", "李 明"),
        ("桥西区小李餐饮有限公司", "桥 西 区 小 李 餐 饮 有 限 公 司"),
        ("DCAM_CAM001_000001.mp4", "DCAM CAM001 000001 mp4"),
        ("ＡＢＣ１２３", "ABC123"),
        ("现场video2.mp4", "现 场 video2 mp4"),
        ("  ", ""),
        ("", ""),
        ("—。，", ""),
    ],
)
def test_every_ideograph_stands_alone_and_other_letters_stay_together(
    text: str, expected: str
) -> None:
    assert words(text) == expected


@pytest.mark.parametrize("query", ["李", "明", "李明", "明建", "李明建筑", "建筑"])
def test_any_part_of_a_chinese_name_finds_it(query: str) -> None:
    assert finds("李明建筑", query)


@pytest.mark.parametrize("query", ["明李", "李建", "王", "李明建筑公"])
def test_other_characters_or_another_order_do_not(query: str) -> None:
    assert not finds("李明建筑", query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("MAH00001.MP4", "mah00001"),
        ("MAH00001.MP4", "mah"),
        ("DCAM_CAM001_000001", "cam001 0000"),
        ("ＡＢＣ餐饮", "abc餐"),
        ("张三（个体）", "三(个"),
    ],
)
def test_case_width_and_punctuation_make_no_difference_and_the_last_word_may_be_cut_short(
    text: str, query: str
) -> None:
    assert finds(text, query)


@pytest.mark.parametrize("query", ["", " ", "*", '"', "()", "-", "—"])
def test_a_query_without_a_word_is_none(query: str) -> None:
    assert phrase(query) is None


@pytest.mark.parametrize(
    "query", ['李" OR "1', "party_words:李", "NEAR(李)", "李*", "^李", "a' --"]
)
def test_promise_8_a_query_is_never_taken_for_a_command(query: str) -> None:
    finds("李明", query)  # and raises nothing
    assert not finds("无关", query)


RARE = {
    "radical": "\u2f08",
    "ext A": "\u3400\u4dbf",
    "unified": "\u4e00\u9fff",
    "compatibility": "\uf900\ufaff"[:1],
    "ext B": "\U00020000\U00020bb7\U0002a6d6",
    "ext C to F": "\U0002a700\U0002b740\U0002b820\U0002ceb0",
    "ext G": "\U00030000\U00030ede",
    "hiragana": "かな",
    "hangul": "한글",
}


@pytest.mark.parametrize("block", list(RARE))
def test_rare_characters_of_names_are_found_too(block: str) -> None:
    """Names of people and places use characters far beyond the common ones."""
    for character in RARE[block]:
        assert finds(f"张{character}李", character), hex(ord(character))
        assert finds(f"张{character}李", f"{character}李"), hex(ord(character))
        assert not finds("张李", character), hex(ord(character))


_texts = st.text(
    st.one_of(
        st.sampled_from("李明王建筑餐饮有限公司（）、—"),
        st.sampled_from("abcXYZ019 ._-"),
        st.sampled_from("ＡＢ１２ｱかな한é"),
    ),
    max_size=20,
)


@given(text=_texts)
def test_words_of_words_are_the_same_words(text: str) -> None:
    assert words(words(text)) == words(text)
    assert (phrase(text) is None) == (words(text) == "")


@given(text=_texts, data=st.data())
def test_every_run_of_ideographs_in_a_text_finds_it(text: str, data: st.DataObject) -> None:
    runs = [c if "\u4e00" <= c <= "\u9fff" else " " for c in text]
    found = "".join(runs).split()
    if found:
        run = data.draw(st.sampled_from(found))
        start = data.draw(st.integers(0, len(run) - 1))
        end = data.draw(st.integers(start + 1, len(run)))
        assert finds(text, run[start:end])


@given(text=st.text(max_size=30), query=st.text(max_size=10))
def test_no_text_and_no_query_is_too_strange(text: str, query: str) -> None:
    if finds(text, query):
        plain = unicodedata.normalize("NFKC", text)
        assert any(c.isalnum() for c in plain)
