"""What is a recording, by its name's ending (Art. 16)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.model import CardPath, Kind
from recorder_sync.rules.kinds import kind_by_name

ENDINGS = {
    Kind.VIDEO: ("mp4", "mov", "avi", "mkv", "ts", "3gp"),
    Kind.AUDIO: ("wav", "mp3", "aac", "m4a", "amr"),
    Kind.PHOTO: ("jpg", "jpeg", "png", "heic"),
}
PAIRS = [(ending, kind) for kind, endings in ENDINGS.items() for ending in endings]


@pytest.mark.parametrize(("ending", "kind"), PAIRS)
def test_art_16_every_ending_that_recorders_write_is_known_in_any_case(
    ending: str, kind: Kind
) -> None:
    assert kind_by_name(CardPath(f"DCIM/100MEDIA/MAH00001.{ending}".encode())) is kind
    assert kind_by_name(CardPath(f"MAH00001.{ending.upper()}".encode())) is kind


@pytest.mark.parametrize(
    "name", ["mp4", "a.mp4.txt", "a.mp4/b", "a.mp4.", "a.", "", "a.mp4 ", "a.mp44", "现场视频"]
)
def test_other_endings_say_nothing_so_the_content_is_looked_at(name: str) -> None:
    assert kind_by_name(CardPath(name.encode())) is None


def test_a_name_of_any_bytes_keeps_its_ending() -> None:
    assert kind_by_name(CardPath(b"\xb2\xe2\xff/\xca\xd4\xff.MP4")) is Kind.VIDEO


@given(raw=st.binary())
def test_promise_8_no_name_is_too_strange(raw: bytes) -> None:
    kind = kind_by_name(CardPath(raw))
    assert kind is None or b"." in raw
