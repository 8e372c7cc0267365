"""When was a recording made, and who says so? (Art. 3, Art. 21, promise 7)"""

# ruff: noqa: DTZ001 - times of cameras have no zone until a profile gives it

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from recorder_sync.model import CardPath, Flag, Kind, RecordedTime, TimeSource
from recorder_sync.rules.naming import GENERIC, Clock, NameFacts, Profile
from recorder_sync.rules.recorded_time import recorded_time
from recorder_sync.stores.evidence import evidence_path
from tests.conftest import Card, Dock, MediaFiles

SHANGHAI = ZoneInfo("Asia/Shanghai")
DOCKED = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LOCAL_CAMERA = Profile(
    "local camera",
    name_clock=Clock.LOCAL,
    container_clock=Clock.LOCAL,
    mtime_clock=Clock.LOCAL,
)
DURATION_S = 120.0
END = datetime(2026, 11, 23, 8, 2, tzinfo=UTC)
"""When the recording of these examples really stopped."""
START = END - timedelta(seconds=DURATION_S)
LOCAL_START = datetime(2026, 11, 23, 16, 0)
"""The same moment as START on a clock in Shanghai."""


def nanoseconds(when: datetime) -> int:
    return int(when.timestamp()) * 1_000_000_000


def name_of(profile: Profile = GENERIC, started: datetime | None = None) -> NameFacts:
    raw = f"{started:%Y%m%d%H%M%S}" if started else None
    return NameFacts(profile=profile, started=started, started_raw=raw)


def found(**given_: Any) -> RecordedTime:
    facts: dict[str, Any] = {
        "container": None,
        "duration_s": DURATION_S,
        "kind": Kind.VIDEO,
        "name": NameFacts(),
        "mtime_ns": nanoseconds(END),
        "zone": SHANGHAI,
        "docked_at": DOCKED,
    }
    return recorded_time(**{**facts, **given_})


# Each source by itself.


def test_a_container_that_keeps_utc_is_believed_first() -> None:
    time = found(container="2026-11-23T08:00:00.000000Z", name=name_of(GENERIC, LOCAL_START))
    assert (time.source, time.start, time.end) == (TimeSource.CONTAINER, START, END)
    assert time.flags == frozenset()


def test_local_time_marked_z_is_read_as_the_profile_says() -> None:
    """Many cameras write local time into the container and mark it UTC."""
    time = found(container="2026-11-23T16:00:00.000000Z", name=name_of(LOCAL_CAMERA))
    assert (time.source, time.start, time.end) == (TimeSource.CONTAINER, START, END)


def test_an_offset_that_is_not_zero_is_believed_whatever_the_profile() -> None:
    for profile in (GENERIC, LOCAL_CAMERA):
        assert found(container="2026-11-23T17:00:00+09:00", name=name_of(profile)).start == START


@pytest.mark.parametrize("text", ["2026:11:23 16:00:00", "2026-11-23T16:00:00"])
@pytest.mark.parametrize("profile", [GENERIC, LOCAL_CAMERA], ids=["utc", "local"])
def test_a_container_time_without_a_zone_is_the_stations_local_time(
    text: str, profile: Profile
) -> None:
    time = found(container=text, name=name_of(profile))
    assert (time.source, time.start) == (TimeSource.CONTAINER, START)


def test_exif_with_its_offset_needs_no_zone_of_ours() -> None:
    time = found(container="2026-11-23T16:00:00+08:00", kind=Kind.PHOTO, duration_s=None)
    assert (time.start, time.end) == (START, START)


def test_a_name_is_read_by_the_clock_of_its_maker() -> None:
    local = found(name=name_of(LOCAL_CAMERA, LOCAL_START))
    utc = found(name=name_of(Profile("u", name_clock=Clock.UTC), datetime(2026, 11, 23, 8)))
    assert (local.source, local.start, local.end) == (TimeSource.NAME, START, END)
    assert (utc.source, utc.start, utc.end) == (TimeSource.NAME, START, END)


def test_a_file_is_last_modified_when_the_recording_stops() -> None:
    time = found()
    assert (time.source, time.start, time.end) == (TimeSource.MTIME, START, END)


def test_a_fat_card_keeps_local_time_which_the_profile_says() -> None:
    """FAT has no zone: mounted as UTC, 16:02 in Shanghai looks like 16:02 UTC."""
    looks_like = nanoseconds(END + timedelta(hours=8))
    time = found(mtime_ns=looks_like, name=name_of(LOCAL_CAMERA))
    assert (time.source, time.start, time.end) == (TimeSource.MTIME, START, END)
    assert time.raw["mtime"] == "2026-11-23T16:02:00.000000000Z"


def test_promise_7_an_unknown_duration_leaves_an_unknown_end() -> None:
    time = found(container="2026-11-23T08:00:00Z", duration_s=None)
    assert (time.start, time.end) == (START, None)
    assert found(name=name_of(LOCAL_CAMERA, LOCAL_START), duration_s=None).end is None


def test_an_unknown_duration_still_has_the_modification_time_as_its_end() -> None:
    time = found(duration_s=None)
    assert (time.source, time.start, time.end) == (TimeSource.MTIME, END, END)


def test_a_photo_takes_no_time() -> None:
    time = found(container="2026:11:23 16:00:00", kind=Kind.PHOTO, duration_s=None)
    assert time.start == time.end == START


# Sources that cannot be right.


@pytest.mark.parametrize(
    "container",
    [
        "1904-01-01T00:00:00.000000Z",
        "1970-01-01T00:00:00.000000Z",
        "1970-01-01T08:00:00.000000Z",
        "2009-12-31T23:59:59Z",
    ],
)
def test_a_clock_that_was_never_set_is_passed_over_and_flagged(container: str) -> None:
    time = found(container=container, name=name_of(LOCAL_CAMERA, LOCAL_START))
    assert (time.source, time.start) == (TimeSource.NAME, START)
    assert time.flags == {Flag.IMPLAUSIBLE_TIME}
    assert time.raw["container"] == container
    assert found(container=container).source is TimeSource.MTIME


def test_promise_7_where_no_source_is_believable_the_best_one_is_kept_and_flagged() -> None:
    time = found(container="1970-01-01T00:00:00Z", mtime_ns=nanoseconds(datetime(1980, 1, 1)))
    assert (time.source, time.start) == (TimeSource.CONTAINER, datetime(1970, 1, 1, tzinfo=UTC))
    assert time.flags == {Flag.IMPLAUSIBLE_TIME}


@pytest.mark.parametrize(
    "container",
    [
        "",
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2026:02:30 10:00:00",
        "2026-11-23T25:00:00Z",
        "yesterday",
        "08:00:00",
        "2026",
    ],
)
def test_what_is_no_time_is_passed_over_and_kept_as_found(container: str) -> None:
    time = found(container=container, name=name_of(LOCAL_CAMERA, LOCAL_START))
    assert (time.source, time.start) == (TimeSource.NAME, START)
    assert time.raw.get("container", "") == container


@pytest.mark.parametrize("container", ["2026-11-23", "20261123", "2026-W48-1"])
def test_promise_7_a_date_without_a_time_is_no_moment(container: str) -> None:
    """AVI and WAV often carry only the day; midnight would be made up."""
    time = found(container=container, name=name_of(LOCAL_CAMERA, LOCAL_START))
    assert (time.source, time.start) == (TimeSource.NAME, START)
    assert time.raw["container"] == container


def test_a_camera_whose_clock_is_ahead_is_flagged() -> None:
    assert found(container="2026-11-23T10:04:59Z").flags == frozenset()
    assert Flag.FUTURE_DATED in found(container="2026-11-23T10:05:01Z").flags
    assert Flag.FUTURE_DATED in found(mtime_ns=nanoseconds(DOCKED + timedelta(days=400))).flags


def test_container_and_name_that_mean_different_moments_are_a_conflict() -> None:
    an_hour_later = name_of(LOCAL_CAMERA, LOCAL_START + timedelta(hours=1))
    time = found(container="2026-11-23T16:00:00Z", name=an_hour_later)
    assert (time.source, time.start) == (TimeSource.CONTAINER, START)
    assert time.flags == {Flag.TIME_CONFLICT}


def test_container_and_name_may_differ_by_the_length_of_the_recording_and_ten_minutes() -> None:
    """Some cameras name the file when it starts and write the container when it stops."""
    near = name_of(LOCAL_CAMERA, LOCAL_START + timedelta(seconds=DURATION_S, minutes=10))
    far = name_of(LOCAL_CAMERA, LOCAL_START + timedelta(seconds=DURATION_S + 1, minutes=10))
    assert found(container="2026-11-23T16:00:00Z", name=near).flags == frozenset()
    assert found(container="2026-11-23T16:00:00Z", name=far).flags == {Flag.TIME_CONFLICT}


def test_a_card_copied_with_ordinary_tools_is_no_conflict() -> None:
    time = found(container="2026-11-23T08:00:00Z", mtime_ns=nanoseconds(DOCKED))
    assert time.flags == frozenset()


def test_art_3_every_source_is_kept_as_it_was_found() -> None:
    time = found(
        container="2026-11-23T16:00:00.000000Z",
        name=name_of(LOCAL_CAMERA, LOCAL_START),
        mtime_ns=nanoseconds(END) + 123_456_789,
    )
    assert dict(time.raw) == {
        "container": "2026-11-23T16:00:00.000000Z",
        "name": "20261123160000",
        "mtime": "2026-11-23T08:02:00.123456789Z",
    }


def test_times_are_whole_milliseconds_so_that_they_equal_themselves_read_back() -> None:
    time = found(container="2026-11-23T08:00:00.123999Z", duration_s=0.0009)
    assert time.start.microsecond == 123_000
    assert time.end is not None
    assert time.end.microsecond % 1000 == 0


# Anything a hostile card can hold.

_texts = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.from_regex(
        r"\d{4}[:-]\d{2}[:-]\d{2}[ T]\d{2}:\d{2}:\d{2}(Z|[+-]\d\d:\d\d)?", fullmatch=True
    ),
    st.datetimes().map(datetime.isoformat),
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
)
_mtimes = st.one_of(
    st.integers(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(10**19), 3 * 10**20),
)
_durations = st.one_of(st.none(), st.floats(0, 1e7))
_names = st.builds(
    NameFacts,
    profile=st.builds(
        Profile,
        st.just("any"),
        name_clock=st.sampled_from(Clock),
        container_clock=st.sampled_from(Clock),
        mtime_clock=st.sampled_from(Clock),
    ),
    started=st.none() | st.datetimes(),
    started_raw=st.none() | st.text(max_size=14),
)
_zones = st.sampled_from(
    [ZoneInfo(n) for n in ("Asia/Shanghai", "UTC", "America/New_York", "Pacific/Kiritimati")]
)
_anything: Mapping[str, st.SearchStrategy[Any]] = {
    "container": _texts,
    "duration_s": _durations,
    "kind": st.sampled_from(Kind),
    "name": _names,
    "mtime_ns": _mtimes,
    "zone": _zones,
}


@given(facts=st.fixed_dictionaries(dict(_anything)))
@example(
    facts={
        "container": "9999:12:31 23:59:59",
        "duration_s": 1e7,
        "kind": Kind.VIDEO,
        "name": NameFacts(),
        "mtime_ns": 10**30,
        "zone": ZoneInfo("America/New_York"),
    }
)
def test_promise_8_no_time_on_a_card_is_too_strange(facts: dict[str, Any]) -> None:
    time = recorded_time(**facts, docked_at=DOCKED)
    assert time.start.utcoffset() == timedelta()
    assert time.end is None or time.start <= time.end
    assert time.start.microsecond % 1000 == 0
    assert "mtime" in time.raw


@given(facts=st.fixed_dictionaries(dict(_anything)))
@example(
    facts={
        "container": "9999-12-31T23:00:00Z",
        "duration_s": None,
        "kind": Kind.VIDEO,
        "name": NameFacts(),
        "mtime_ns": 0,
        "zone": SHANGHAI,
    }
)
@example(
    facts={
        "container": None,
        "duration_s": None,
        "kind": Kind.VIDEO,
        "name": NameFacts(),
        "mtime_ns": -(10**30),
        "zone": ZoneInfo("America/New_York"),
    }
)
def test_promise_9_every_time_on_a_card_has_a_place_in_the_evidence_folder(
    facts: dict[str, Any],
) -> None:
    time = recorded_time(**facts, docked_at=DOCKED)
    path = evidence_path("0031", time.start, "id", CardPath(b"a.mp4"), facts["zone"])
    year, month, day = path.split("/")[1:4]
    assert (len(year), len(month), len(day)) == (4, 2, 2)


@given(facts=st.fixed_dictionaries(dict(_anything)))
def test_what_a_copy_does_to_the_modification_time_never_hides_a_better_source(
    facts: dict[str, Any],
) -> None:
    one = recorded_time(**facts, docked_at=DOCKED)
    two = recorded_time(**{**facts, "mtime_ns": nanoseconds(DOCKED)}, docked_at=DOCKED)
    if one.source is not TimeSource.MTIME and Flag.IMPLAUSIBLE_TIME not in one.flags | two.flags:
        assert replace(two, raw={}) == replace(one, raw={})


def test_promise_9_one_photo_from_the_end_of_time_does_not_stop_the_card(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = "9999:12:31 23:59:59"
    photo = card.put("DCIM/100MEDIA/IMG00001.JPG", b"")
    Image.new("L", (16, 16)).save(photo, exif=exif)
    card.put("DCIM/100MEDIA/MAH00002.MP4", media_files.video)
    done = dock.ingest(card)
    assert done.code in (0, 1), done.err
    assert "Traceback" not in done.err
    sealed = {recording["original_name"] for recording in done.json["recordings"]}
    assert "MAH00002.MP4" in sealed
    assert done.json["sealed"] + done.json["failed"] == 2


@pytest.mark.parametrize("year", [1902, 2300])
def test_promise_9_one_file_with_a_wild_modification_time_does_not_stop_the_card(
    year: int, dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    """2**63 nanoseconds are over in 2262; NTFS and ext4 cards can hold later years."""
    wild = card.put("DCIM/100MEDIA/MAH00001.MP4", media_files.other_video)
    seconds = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    os.utime(wild, ns=(seconds * 10**9, seconds * 10**9))
    if wild.stat().st_mtime_ns != seconds * 10**9:
        pytest.skip(f"this file system cannot hold a time in {year}")
    card.put("DCIM/100MEDIA/MAH00002.MP4", media_files.video)
    done = dock.ingest(card)
    assert "Traceback" not in done.err
    assert done.code in (0, 1), done.err
    assert "MAH00002.MP4" in {r["original_name"] for r in done.json["recordings"]}
    assert done.json["sealed"] + done.json["failed"] == 2
