"""A recording as JSON, and back: the RECORDING that other programs rely on (Art. 3)."""

# ruff: noqa: DTZ001 - hypothesis wants its bounds without a zone

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.description import as_json, as_text, from_json
from recorder_sync.model import (
    CardPath,
    Claim,
    Digests,
    Flag,
    Kind,
    Media,
    Position,
    RecordedTime,
    Recording,
    Source,
    Tag,
    Tags,
    TimeSource,
)
from recorder_sync.rules.lifecycle import State
from recorder_sync.timestamps import to_milliseconds

PROMISED = {
    *("id", "device", "officer", "case", "kind", "original_name", "original_path", "path"),
    *("size", "blake3", "sha256", "recorded_start", "recorded_end", "recorded_source"),
    *("duration_s", "media", "state", "sealed_at", "deadline", "on_time", "tags", "flags"),
    "stores",
}
"""The keys that INTERFACE.md names; more may be added, none may go."""
PROMISED_OF_MEDIA = {"codec", "width", "height"}

# Whole recordings, of everything a card can hold.

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_maybe_text = st.none() | _text
_times = st.datetimes(datetime(1970, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)).map(
    to_milliseconds
)
_number = st.none() | st.integers(0, 100_000)
_float = st.none() | st.floats(0, 1e7)
_claims = st.builds(Claim, _text, st.sampled_from(Source), _text)
_tag = st.none() | st.builds(
    Tag, _text, st.sampled_from(Source), _text, st.lists(_claims, max_size=3).map(tuple)
)
_media = st.builds(
    Media,
    container=_maybe_text,
    codec=_maybe_text,
    audio_codec=_maybe_text,
    width=_number,
    height=_number,
    frame_rate=_float,
    duration_s=_float,
    started=_maybe_text,
    position=st.none() | st.builds(Position, st.floats(-90, 90), st.floats(-180, 180)),
    make=_maybe_text,
    model=_maybe_text,
    tags=st.dictionaries(_text, _text, max_size=4),
    problem=st.sampled_from([None, Flag.TRUNCATED, Flag.UNREADABLE]),
    detail=_maybe_text,
)
_names = st.one_of(st.binary(max_size=40), _text.map(str.encode)).map(
    lambda raw: CardPath(raw.replace(b"\0", b""))
)


@st.composite
def _recordings(draw: st.DrawFn) -> Recording:
    officer = draw(_tag)
    return Recording(
        id=draw(_text),
        docking=draw(_text),
        kind=draw(st.sampled_from(Kind)),
        original_path=draw(_names),
        mtime_ns=draw(st.integers(0, 4 * 10**18)),
        path=draw(_text),
        size=draw(st.integers(0, 2**53)),
        digests=Digests(draw(_text), draw(_text)),
        recorded=RecordedTime(
            draw(_times),
            draw(st.none() | _times),
            draw(st.sampled_from(TimeSource)),
            draw(st.dictionaries(_text, _text, max_size=3)),
        ),
        media=draw(_media),
        tags=Tags(draw(_tag), officer, draw(_tag)),
        officer_name=draw(_maybe_text) if officer else None,
        flags=draw(st.frozensets(st.sampled_from(Flag))),
        sealed_at=draw(_times),
        deadline=draw(_times),
        on_time=draw(st.booleans()),
        read_back=draw(_text),
    )


_WHEN = datetime(2026, 11, 23, 8, tzinfo=UTC)
_BARE = Recording(
    id="dqq6qbh65i7te",
    docking="20261123-160000-abcd",
    kind=Kind.OTHER,
    original_path=CardPath(b"DCIM/100MEDIA/MAH00001.MP4"),
    mtime_ns=0,
    path="unassigned/2026/11/23/160000_dqq6qbh65i7te_MAH00001.MP4",
    size=1,
    digests=Digests("b" * 64, "a" * 64),
    recorded=RecordedTime(_WHEN, None, TimeSource.MTIME, {}),
    media=Media(),
    tags=Tags(),
    officer_name=None,
    flags=frozenset(),
    sealed_at=_WHEN,
    deadline=_WHEN,
    on_time=True,
    read_back="direct",
)
"""A recording of which nothing is known but that it is there."""


@given(recording=_recordings())
def test_a_recording_written_as_json_text_reads_back_as_it_was(recording: Recording) -> None:
    text = json.dumps(as_json(recording), ensure_ascii=False)
    assert from_json(json.loads(text)) == recording


def test_what_the_content_is_reads_back_as_well() -> None:
    """By its name a file may be a video, by its content nothing at all."""
    recording = _with(kind=Kind.VIDEO, media=Media(kind=Kind.AUDIO, codec="aac"))
    assert from_json(as_json(recording)).media == recording.media


@given(recording=_recordings())
def test_a_description_file_reads_back_to_the_same_bytes(recording: Recording) -> None:
    """A restart compares the file on disk with the one it would write."""
    written = as_text(as_json(recording))
    assert as_text(as_json(from_json(json.loads(written)))) == written
    assert written.endswith("}\n")
    written.encode("utf-8", "strict")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
        max_leaves=8,
    )
)
def test_a_description_file_has_one_value_a_line_as_json_writes_it(value: object) -> None:
    written = json.dumps(value, ensure_ascii=False)
    assert as_text({"a": value, "b": None}) == f'{{\n  "a": {written},\n  "b": null\n}}\n'


@given(recording=_recordings(), state=st.sampled_from(State))
def test_every_promised_key_is_there_for_every_recording(
    recording: Recording, state: State
) -> None:
    described = as_json(recording, state)
    assert set(described) >= PROMISED
    assert set(described["media"]) >= PROMISED_OF_MEDIA
    assert set(described["tags"]) == {"device", "officer", "case"}
    assert described["state"] == state.value
    assert described["kind"] in {"video", "audio", "photo", "other"}
    assert described["recorded_source"] in {"container", "name", "mtime"}
    for key in ("recorded_start", "sealed_at", "deadline"):
        assert described[key].endswith("Z")


def test_promise_7_what_is_absent_is_null_and_never_empty_or_made_up() -> None:
    described = as_json(_BARE)
    absent = {"device", "officer", "case", "recorded_end", "duration_s", "original_path_base64"}
    absent |= {"sm3", "resumed_at", "missing"}
    assert {key for key, value in described.items() if value is None} == absent
    assert described["tags"] == {"device": None, "officer": None, "case": None}
    unknown_of_media = {k for k, v in described["media"].items() if v is None}
    assert unknown_of_media == set(described["media"]) - {"tags", "kind"}
    assert "" not in described.values()


def test_a_tag_tells_its_value_its_source_and_what_others_said() -> None:
    tag = Tag("0031", Source.NAME, "profile dcam", (Claim("0032", Source.LEDGER, "holder"),))
    described = as_json(_with(tags=Tags(tag, tag, None), officer_name="李明"))
    assert described["device"] == "0031"
    assert described["officer"] == {"cert_no": "0031", "name": "李明"}
    assert described["tags"]["device"] == {
        "value": "0031",
        "source": "name",
        "detail": "profile dcam",
        "others": [{"value": "0032", "source": "ledger", "detail": "holder"}],
    }


def test_art_3_a_name_of_any_bytes_is_kept_exactly_and_shown_readably() -> None:
    raw = b"DCIM/\xb2\xe2\xca\xd4.mp4"
    described = as_json(_with(original_path=CardPath(raw)))
    assert described["original_name"] == "\ufffd\ufffd\ufffd\ufffd.mp4"
    assert described["original_path_base64"] == "RENJTS+y4srULm1wNA=="
    assert from_json(json.loads(json.dumps(described))).original_path.raw == raw


def test_a_name_in_utf_8_needs_no_second_form() -> None:
    described = as_json(_with(original_path=CardPath("现场/视频.mp4".encode())))
    assert described["original_path"] == "现场/视频.mp4"
    assert described["original_name"] == "视频.mp4"
    assert described["original_path_base64"] is None


def test_chinese_stands_readable_in_the_description_file() -> None:
    assert "视频" in as_text(as_json(_with(original_path=CardPath("视频.mp4".encode()))))


def _with(**changes: Any) -> Recording:
    return replace(_BARE, **changes)
