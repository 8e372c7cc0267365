"""Times as text: what is written is read back as it was (Art. 3)."""

# ruff: noqa: DTZ001 - hypothesis wants its bounds without a zone

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recorder_sync.timestamps import (
    from_ns,
    iso,
    iso_ns,
    iso_or_none,
    moment,
    ns,
    to_milliseconds,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_NS = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1) * 1000
_LAST_NS = (
    (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1) * 1000
)
_YEAR_1980_NS = 315_532_800 * 10**9
_YEAR_2108_NS = 4_354_819_200 * 10**9

_zones = st.one_of(
    st.just(UTC),
    st.timezones(),
    st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
)
_aware = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=_zones)
_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_FORM_NS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


def test_a_time_is_written_in_utc_with_z_and_milliseconds() -> None:
    local = datetime(2026, 11, 23, 23, 4, 5, 678_901, tzinfo=timezone(timedelta(hours=8)))
    assert iso(local) == "2026-11-23T15:04:05.678Z"
    assert iso_or_none(local) == "2026-11-23T15:04:05.678Z"


def test_promise_7_an_absent_time_is_absent() -> None:
    assert iso_or_none(None) is None


def test_promise_7_a_time_without_a_zone_is_not_a_fact() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        iso(datetime(2026, 11, 23))


@given(when=_aware)
def test_what_iso_writes_moment_reads_to_the_millisecond(when: datetime) -> None:
    text = iso(when)
    assert _FORM.fullmatch(text)
    assert moment(text) == to_milliseconds(when.astimezone(UTC))
    assert moment(text).utcoffset() == timedelta()
    assert iso(moment(text)) == text


@given(one=_aware, two=_aware)
def test_times_sort_as_text_as_they_sort_as_times(one: datetime, two: datetime) -> None:
    first, second = to_milliseconds(one.astimezone(UTC)), to_milliseconds(two.astimezone(UTC))
    assert (iso(one) < iso(two)) == (first < second)


@given(when=_aware)
def test_milliseconds_are_cut_and_never_rounded_into_the_future(when: datetime) -> None:
    cut = to_milliseconds(when)
    assert timedelta() <= when - cut < timedelta(milliseconds=1)
    assert to_milliseconds(cut) == cut


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (-1_000_000_000, "1969-12-31T23:59:59.000000000Z"),
        (1_795_449_845_123_456_789, "2026-11-23T16:04:05.123456789Z"),
    ],
)
def test_a_modification_time_is_written_to_the_nanosecond(nanoseconds: int, text: str) -> None:
    assert iso_ns(nanoseconds) == text
    assert ns(text) == nanoseconds


@given(nanoseconds=st.integers(_YEAR_1980_NS, _YEAR_2108_NS))
def test_art_3_every_time_that_a_fat_card_can_hold_is_kept_exactly(nanoseconds: int) -> None:
    assert ns(iso_ns(nanoseconds)) == nanoseconds
    assert _FORM_NS.fullmatch(iso_ns(nanoseconds))


@given(nanoseconds=st.integers(_FIRST_NS, _LAST_NS))
@example(nanoseconds=_FIRST_NS)
@example(nanoseconds=_LAST_NS)
def test_art_3_every_time_that_a_calendar_can_hold_is_kept_exactly(nanoseconds: int) -> None:
    text = iso_ns(nanoseconds)
    assert _FORM_NS.fullmatch(text)
    assert ns(text) == nanoseconds


@given(nanoseconds=st.integers(_FIRST_NS, _LAST_NS))
def test_a_modification_time_in_two_forms_is_the_same_moment(nanoseconds: int) -> None:
    assert from_ns(nanoseconds) == _EPOCH + timedelta(microseconds=nanoseconds // 1000)


@given(nanoseconds=st.integers())
@example(nanoseconds=2**63 - 1)
@example(nanoseconds=-(2**63))
@example(nanoseconds=10**40)
@example(nanoseconds=-(10**40))
def test_promise_8_a_time_beyond_every_calendar_can_be_written_and_read(nanoseconds: int) -> None:
    when = from_ns(nanoseconds)
    assert when.utcoffset() == timedelta()
    text = iso_ns(nanoseconds)
    assert _FORM_NS.fullmatch(text)
    assert from_ns(ns(text)).replace(microsecond=0) == when.replace(microsecond=0)
