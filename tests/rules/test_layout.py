"""What objects are called: safe names, one for each recording, and what a template may say."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.model import (
    CardPath,
    Digests,
    Kind,
    Media,
    RecordedTime,
    Recording,
    Source,
    Tag,
    Tags,
    TimeSource,
)
from recorder_sync.rules.layout import DEFAULT, FIELDS, checked, recording_key, station_key

_ZONE = ZoneInfo("Asia/Shanghai")
_START = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
_RECORDING = Recording(
    id="01J8",
    docking="d",
    kind=Kind.VIDEO,
    original_path=CardPath(b"DCIM/a.mp4"),
    mtime_ns=0,
    path="0031/2026/11/25/x",
    size=1,
    digests=Digests("b", "s"),
    recorded=RecordedTime(_START, None, TimeSource.NAME, {}),
    media=Media(),
    tags=Tags(device=Tag("0031", Source.NAME, "")),
    officer_name=None,
    flags=frozenset(),
    sealed_at=_START,
    deadline=_START,
    on_time=True,
    read_back="direct",
)


def _key(template: str, recording: Recording = _RECORDING) -> str:
    return recording_key(checked(template), recording, "dock-01", _ZONE)


def test_a_key_has_the_stations_date_and_the_recordings_facts() -> None:
    assert _key(DEFAULT) == "dock-01/0031/2026/11/25/013000_01J8_a.mp4"
    assert _key("{case}/{officer}/{kind}-{id}") == "unassigned/unassigned/video-01J8"


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("{device}/{name}", "{id}"),
        ("{id}/{colour}", "{officer}"),
        ("{id}/{", "no other fields"),
        ("{id}/}", "no other fields"),
        ("{id!r}", "no other fields"),
        ("{id.__class__}", "no other fields"),
        ("/{id}", "relative"),
        ("../{id}", "relative"),
        ("a/../{id}", "relative"),
        ("a//{id}", "relative"),
        ("{id}/", "relative"),
        ("", "{id}"),
        ("a b/{id}", "letters"),
        ("a\\{id}", "letters"),
        (".incoming/{id}", "dot"),
        ("_stations/{id}", "_stations"),
    ],
)
def test_a_template_that_may_not_be_used_says_why(template: str, word: str) -> None:
    with pytest.raises(ValueError, match="should") as caught:
        checked(template)
    assert word in str(caught.value)


_values = st.text(min_size=1, max_size=40)


@given(device=_values, case=_values, station=_values, name=st.binary(min_size=1, max_size=60))
def test_no_value_leads_to_another_folder(
    device: str, case: str, station: str, name: bytes
) -> None:
    hostile = replace(
        _RECORDING,
        original_path=CardPath(name.replace(b"\0", b"")),
        tags=Tags(
            device=Tag(device, Source.CONTAINER, ""),
            officer=Tag(device, Source.CONTAINER, ""),
            case=Tag(case, Source.CONTAINER, ""),
        ),
    )
    template = "/".join(f"{{{field}}}" for field in FIELDS)
    parts = recording_key(template, hostile, station, _ZONE).split("/")
    assert len(parts) == len(FIELDS)
    assert all(part and not part.startswith(".") and "\0" not in part for part in parts)
    assert station_key(station, "custody/0.jsonl").count("/") == 3


@given(one=_values, other=_values)
def test_two_recordings_never_have_one_key(one: str, other: str) -> None:
    first = replace(_RECORDING, id="01A", tags=Tags(device=Tag(one, Source.NAME, "")))
    second = replace(_RECORDING, id="01B", tags=Tags(device=Tag(other, Source.NAME, "")))
    keys = [_key("{device}/{id}_{name}", each) for each in (first, second)]
    assert keys[0] != keys[1]
    assert f"{keys[0]}.json" != keys[1]
