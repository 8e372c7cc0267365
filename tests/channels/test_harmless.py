"""Words from a card do nothing in a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.channels.harmless import Manner, harmless, manner_of

_HOSTILE = (
    "a\nBcc: everybody@example.org",
    "a\r\n\r\n<script>alert(1)</script>",
    "\x1b[2J\x07\x00",
    "abc\u202egpj.exe",
    "@all @所有人 <@everyone> <!channel>",
    '<at user_id="all">所有人</at>',
    "**bold** [click](https://evil.example) `x` # h | t",
    "https://evil.example/login",
    "\udcff\udcfe",
    "x" * 100_000,
)


@pytest.mark.parametrize("words", _HOSTILE)
@pytest.mark.parametrize("manner", Manner)
def test_it_is_one_short_line_that_can_be_printed(words: str, manner: Manner) -> None:
    shown = harmless(words, manner)
    assert shown.isprintable()
    assert len(shown) <= 200
    shown.encode()


@pytest.mark.parametrize("words", _HOSTILE)
def test_in_a_chat_nobody_is_called_and_nothing_looks_like_a_link(words: str) -> None:
    for manner in (Manner.CHAT, Manner.MARKUP):
        shown = harmless(words, manner)
        assert not set("<>@") & set(shown)
        assert "://" not in shown
    assert not set("*[]`#|\\_~&") & set(harmless(words, Manner.MARKUP))


@given(st.text())
def test_whatever_the_words_are(words: str) -> None:
    for manner in Manner:
        assert harmless(words, manner).isprintable()
        assert len(harmless(words, manner)) <= 200


def test_a_service_that_is_not_known_is_taken_to_read_markup() -> None:
    assert manner_of("mailto://a") is Manner.EXACT
    assert manner_of("WeComBot://key") is Manner.CHAT
    assert manner_of("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=x") is Manner.CHAT
    assert manner_of("slack://a/b/c") is Manner.MARKUP
    assert manner_of("rubbish") is Manner.MARKUP
