"""What is said about a delivery gives no part of an address away that is secret."""

from pathlib import Path

import pytest

from recorder_sync.channels.secret import address_of, without_secrets
from recorder_sync.errors import MissingPart

_ADDRESSES = (
    "mailto://dock:geheim-4711@mail.example.org:587?from=dock@example.org&to=a@example.org",
    "mailtos://dock:geheim%2D4711@mail.example.org?pass=geheim-4711",
    "jsons://dock:other@hook.example.org/geheim-4711/in",
    "jsons://hook.example.org/in?+X-Key=geheim-4711",
    "wecombot://geheim-4711",
    "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=geheim-4711",
    "dingtalk://geheim-4711@0123456789abcdef",
    "feishu://geheim-4711",
    "no address geheim-4711 at all",
    "json://[geheim-4711",
)


@pytest.mark.parametrize("url", _ADDRESSES)
def test_no_words_hold_a_secret_of_the_address(url: str) -> None:
    for said in (url, f"Could not send to {url}!", "geheim-4711 refused", "key 'geheim-4711'"):
        assert "geheim" not in without_secrets(said, url), said


def test_what_is_no_secret_is_still_said() -> None:
    url = "mailto://dock:geheim-4711@mail.example.org:587?to=a@example.org"
    said = "mail.example.org: [Errno 111] Connection refused"
    assert without_secrets(said, url) == said
    assert without_secrets("no address", "") == "no address"


def test_an_address_comes_from_a_file_with_one_line_or_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "address"
    file.write_text("# our mail server\n\nmailto://geheim-4711@example.org\n")
    file.chmod(0o640)
    assert address_of("mail", None, file, None) == "mailto://geheim-4711@example.org"
    monkeypatch.setenv("OUR_CHAT", " feishu://geheim-4711\n")
    assert address_of("chat", None, None, "OUR_CHAT") == "feishu://geheim-4711"


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        (b"mailto://geheim-4711@a\nmailto://geheim-4712@a\n", 0o640),
        (b"# only this geheim-4711\n", 0o640),
        (b"mailto://geheim-4711@a\n", 0o644),
        (b"mailto://geheim-4711@a\xff\n", 0o640),
    ],
    ids=["two", "none", "everybody", "no text"],
)
def test_a_file_that_cannot_be_used_is_named_and_not_shown(
    content: bytes, mode: int, tmp_path: Path
) -> None:
    file = tmp_path / "address"
    file.write_bytes(content)
    file.chmod(mode)
    with pytest.raises(MissingPart) as refused:
        address_of("mail", None, file, None)
    assert str(file) in str(refused.value)
    assert "geheim" not in f"{refused.value} {refused.value.hint}"
