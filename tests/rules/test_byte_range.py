"""Ranges of bytes (RFC 9110, 14), held against a plain reading of the standard."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.byte_range import Bytes, NotWithin, asked_for

ETAG = '"version"'


def asked(header: str | None, size: int = 100, if_range: str | None = None) -> Bytes | None:
    return asked_for(header, if_range, ETAG, size)


@given(
    first=st.none() | st.integers(0, 250),
    last=st.none() | st.integers(0, 250),
    size=st.integers(0, 200),
)
def test_a_range_is_what_the_standard_says(first: int | None, last: int | None, size: int) -> None:
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    if first is None and last is None:
        expected = range(size)  # no range at all: everything
    elif first is None:
        assert last is not None
        expected = range(max(0, size - last), size)
    elif last is not None and last < first:
        expected = range(size)  # not valid: ignored
    else:
        expected = range(first, size if last is None else min(last + 1, size))
    is_range = re.search(r"\d", header) and not (
        first is not None and last is not None and last < first
    )
    try:
        found = asked(header, size)
    except NotWithin:
        assert is_range
        assert len(expected) == 0
        return
    if found is None:
        assert not is_range
    else:
        assert range(found.first, found.last + 1) == expected
        assert found.length == len(expected) > 0


@pytest.mark.parametrize(
    "header",
    [
        "bytes=0-1,2-3",
        "bytes=",
        "bytes",
        "items=0-1",
        "bytes=0x1-2",
        "bytes=１-２x",
        "bytes=-" + "9" * 99,
    ],
)
def test_what_is_no_single_range_is_answered_with_everything(header: str) -> None:
    assert asked(header) is None


def test_a_part_of_another_version_is_never_continued() -> None:
    assert asked("bytes=5-", if_range=ETAG) == Bytes(5, 99)
    for other in ('"other"', f"W/{ETAG}", "Mon, 23 Nov 2026 08:00:00 GMT", ""):
        assert asked("bytes=5-", if_range=other) is None
