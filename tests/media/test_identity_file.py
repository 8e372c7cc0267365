"""Identity files: whose card it is, in a maker's own form, never trusted (promise 8)."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from recorder_sync.config import Media as MediaSettings
from recorder_sync.media.describer import Describer
from recorder_sync.rules.naming import IdentityFormat


@pytest.fixture(scope="module")
def describer() -> Iterator[Describer]:
    with closing(Describer(MediaSettings(processes=1, time_limit_s=10))) as one:
        yield one


@pytest.fixture
def read(describer: Describer, tmp_path: Path) -> "Reader":
    return Reader(describer, tmp_path / "identity")


class Reader:
    def __init__(self, describer: Describer, path: Path) -> None:
        self._describer = describer
        self._path = path

    def __call__(self, content: str | bytes, form: IdentityFormat) -> list[dict[str, str]]:
        self._path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self._describer.identity_facts(bytes(self._path), form)


def test_the_first_line_of_a_text_file_is_the_number(read: Reader) -> None:
    assert read("000010\r\nmore\n", IdentityFormat.TEXT) == [{"number": "000010"}]
    assert read("\ufeff000010", IdentityFormat.TEXT) == [{"number": "000010"}]


def test_an_ini_is_read_with_and_without_a_section_in_either_chinese_encoding(
    read: Reader,
) -> None:
    wanted = [{"recorder_serial": "0031", "user_name": "李明"}]
    text = "Recorder_Serial = 0031\nUser_Name=李明\n"
    assert read(text, IdentityFormat.INI) == wanted
    assert read("[info]\n" + text, IdentityFormat.INI) == wanted
    assert read(text.encode("gb18030"), IdentityFormat.INI) == wanted


def test_a_json_object_gives_its_texts_and_numbers(read: Reader) -> None:
    content = '{"Device": "0031", "officer": 10, "list": [1], "none": null}'
    assert read(content, IdentityFormat.JSON) == [{"device": "0031", "officer": "10"}]


def test_an_xml_gives_facts_for_each_element(read: Reader) -> None:
    content = (
        '<?xml version="1.0"?><day><rec file="a.mp4" UserNo="000010"/>'
        "<rec><file>b.mp4</file><userno>000011</userno></rec></day>"
    )
    assert read(content, IdentityFormat.XML) == [
        {"file": "a.mp4", "userno": "000010"},
        {"file": "b.mp4", "userno": "000011"},
    ]


BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE z [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><z><userno>&i;</userno></z>"
)


@pytest.mark.parametrize(
    ("form", "content"),
    [
        (IdentityFormat.TEXT, b"\xff\xff\xff"),
        (IdentityFormat.TEXT, b"0" * ((1 << 20) + 1)),
        (IdentityFormat.INI, "[broken\nx"),
        (IdentityFormat.JSON, "[1, 2]"),
        (IdentityFormat.JSON, "{"),
        (IdentityFormat.JSON, "[" * 100_000),
        (IdentityFormat.JSON, '{"device": ' + "9" * 5000 + "}"),
        (IdentityFormat.XML, "<a><b></a>"),
        (IdentityFormat.XML, BILLION_LAUGHS),
        (
            IdentityFormat.XML,
            '<!DOCTYPE z [<!ENTITY x SYSTEM "file:///etc/passwd">]><z><userno>&x;</userno></z>',
        ),
        (IdentityFormat.XML, '<?xml version="1.0" encoding="no-such"?><a/>'),
    ],
    ids=lambda value: value if isinstance(value, IdentityFormat) else repr(value)[:20],
)
def test_a_hostile_identity_file_is_refused_with_a_reason(
    form: IdentityFormat, content: str | bytes, read: Reader
) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        read(content, form)
    assert read("0031", IdentityFormat.TEXT) == [{"number": "0031"}]


@pytest.mark.parametrize("content", ["", "\n\n", "   "])
def test_promise_7_an_empty_identity_file_says_nothing(content: str, read: Reader) -> None:
    assert not [one for one in read(content, IdentityFormat.TEXT) if one]


def test_what_an_identity_file_says_can_be_written_into_the_custody_log(read: Reader) -> None:
    """A lone surrogate is text in JSON, but no text anywhere else."""
    try:
        facts = read('{"device": "\\ud800", "officer": "10"}', IdentityFormat.JSON)
    except ValueError:
        return  # refused with a reason is as good
    for one in facts:
        for value in one.values():
            value.encode("utf-8")


def test_values_are_short(read: Reader) -> None:
    (facts,) = read(f'{{"device": "{"9" * 4000}"}}', IdentityFormat.JSON)
    assert len(facts["device"]) <= 256
