"""What makers' file names say, and which name a recording gets here (Art. 3, promise 8)."""

# ruff: noqa: DTZ001 - a time in a name has no zone

import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recorder_sync.config import parse
from recorder_sync.model import UNASSIGNED, CardPath, Claim, Kind, Source
from recorder_sync.rules.kinds import kind_by_name
from recorder_sync.rules.naming import (
    GENERIC,
    LONGEST_NAME,
    Clock,
    Field,
    NameFacts,
    Profile,
    read_name,
    safe_component,
    safe_name,
)


def profiles(*own: dict[str, Any]) -> tuple[Profile, ...]:
    """Return the shipped profiles, as the configuration gives them, after our own."""
    settings = {
        "station": {"id": "test"},
        "paths": {"state": "/state", "evidence": "/evidence"},
        "profiles": list(own),
    }
    return parse(settings, Path("config.toml")).known_profiles


SHIPPED = profiles()


def read(path: str | bytes, known: tuple[Profile, ...] = SHIPPED) -> NameFacts:
    return read_name(CardPath(path if isinstance(path, bytes) else path.encode()), known)


def test_the_product_comes_with_profiles_and_each_has_a_name_of_its_own() -> None:
    names = [profile.name for profile in SHIPPED]
    assert {"dcam", "officer-first", "dcim"} <= set(names)
    assert len(set(names)) == len(names)


def test_officer_first_names_tell_officer_kind_and_start() -> None:
    facts = read("DCIM/100MEDIA/000010_0_20180118_172103.mp4")
    assert facts.profile.name == "officer-first"
    assert facts.claims == {
        Field.OFFICER: Claim("000010", Source.NAME, "profile officer-first"),
    }
    assert facts.started == datetime(2018, 1, 18, 17, 21, 3)
    assert facts.started_raw == "20180118172103"
    assert facts.kind is Kind.VIDEO
    assert not facts.important


@pytest.mark.parametrize(
    ("digit", "kind"), [("0", Kind.VIDEO), ("1", Kind.AUDIO), ("2", Kind.PHOTO), ("7", None)]
)
def test_the_kind_in_a_name_is_one_of_those_that_the_maker_defines(
    digit: str, kind: Kind | None
) -> None:
    assert read(f"000010_{digit}_20180118_172103.mp4").kind is kind


def test_dcam_names_tell_device_officer_start_and_the_important_mark() -> None:
    facts = read("DCAM_CAM001_000001_20260804_100000_IMP.mp4")
    assert facts.profile.name == "dcam"
    assert {which: claim.value for which, claim in facts.claims.items()} == {
        Field.DEVICE: "CAM001",
        Field.OFFICER: "000001",
    }
    assert facts.started == datetime(2026, 8, 4, 10)
    assert facts.important


@pytest.mark.parametrize(
    "name",
    ["DCAM_CAM001_000001_20260804_100000.mp4", "dcam_cam001_000001_20260804_100000.MP4"],
)
def test_a_dcam_name_without_the_mark_is_not_important(name: str) -> None:
    facts = read(name)
    assert facts.profile.name == "dcam"
    assert not facts.important


def test_dcim_names_are_a_counter_and_tell_nothing_more() -> None:
    facts = read("DCIM/100MEDIA/MAH00001.MP4")
    assert facts.profile.name == "dcim"
    assert (facts.started, facts.started_raw, facts.kind, dict(facts.claims)) == (
        None,
        None,
        None,
        {},
    )


def test_a_pattern_with_a_folder_asks_for_the_folder() -> None:
    assert read("MAH00001.MP4").profile is GENERIC
    assert read("card/DCIM/100MEDIA/MAH00001.MP4").profile.name == "dcim"


@pytest.mark.parametrize("name", ["20260804_100000.mp4", "20260804100000.jpg"])
def test_names_of_date_and_time_only_tell_the_start(name: str) -> None:
    facts = read(name)
    assert facts.profile.name == "sn-txt"
    assert facts.started == datetime(2026, 8, 4, 10)
    assert not facts.claims


@pytest.mark.parametrize(
    "name",
    [
        "DCAM_CAM001_000001_20260804_100000_IMP.mp4",
        "000010_0_20180118_172103.mp4",
        "20260804_100000.mp4",
    ],
)
def test_makers_of_these_names_keep_local_time(name: str) -> None:
    profile = read(name).profile
    assert (profile.name_clock, profile.container_clock) == (Clock.LOCAL, Clock.LOCAL)


@pytest.mark.parametrize(
    "digits",
    [
        "20260230_100000",
        "20261301_100000",
        "20260804_250000",
        "20260804_106000",
        "20260804_100060",
        "00000000_000000",
    ],
)
def test_promise_7_an_impossible_date_is_no_date_and_stays_as_found(digits: str) -> None:
    facts = read(f"DCAM_CAM001_000001_{digits}.mp4")
    assert facts.started is None
    assert facts.started_raw == digits.replace("_", "")
    assert facts.claims[Field.DEVICE].value == "CAM001"


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (r"cam_(?P<date>\d{8})_(?P<time>\d{4})\.mp4", "cam_20261123_1630.mp4"),
        (r"cam_(?P<date>\d{8})_(?P<time>\d{2})\.mp4", "cam_20261123_16.mp4"),
        (r"cam_(?P<date>\d{8})_(?P<time>\d{1,6})\.mp4", "cam_20261123_16305.mp4"),
        (r"cam_(?P<date>\d{8})\.mp4", "cam_20261123.mp4"),
        (r"cam_(?P<time>\d{6})\.mp4", "cam_163059.mp4"),
    ],
)
def test_promise_7_a_name_with_less_than_date_and_time_gives_no_made_up_moment(
    pattern: str, name: str
) -> None:
    """`202611231630` is not 16:03:00, which is what strptime makes of it."""
    known = profiles({"name": "short", "file_names": [pattern]})
    facts = read(name, known)
    assert facts.profile.name == "short"
    assert facts.started is None
    assert facts.started_raw == "".join(c for c in Path(name).stem if c.isdigit())


@pytest.mark.parametrize("name", ["现场视频.mp4", "", ".mp4", "a/b/c", "DCAM.mp4", "x" * 5000])
def test_a_name_that_nobody_knows_says_nothing(name: str) -> None:
    assert read(name) == NameFacts()
    assert read(name).profile is GENERIC


def test_a_profile_of_the_station_is_asked_before_the_shipped_ones() -> None:
    own = {
        "name": "ours",
        "file_names": [r"(?P<case>\d{6})_0_(?P<date>\d{8})_(?P<time>\d{6})\.mp4"],
        "name_clock": "utc",
    }
    facts = read("000010_0_20180118_172103.mp4", profiles(own))
    assert facts.profile.name == "ours"
    assert facts.profile.name_clock is Clock.UTC
    assert facts.claims == {Field.CASE: Claim("000010", Source.NAME, "profile ours")}


@given(raw=st.binary(max_size=80))
def test_promise_8_no_name_is_too_strange_to_be_read(raw: bytes) -> None:
    facts = read(raw)
    assert facts.started is None or facts.started_raw


@given(
    when=st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),
    device=st.from_regex(r"[A-Z0-9]{1,12}", fullmatch=True),
    officer=st.from_regex(r"[A-Z0-9]{1,12}", fullmatch=True),
)
def test_art_25_what_a_name_says_is_read_as_it_was_written(
    when: datetime, device: str, officer: str
) -> None:
    when = when.replace(microsecond=0)
    stamp = when.isoformat().replace("-", "").replace("T", "_").replace(":", "")
    facts = read(f"DCAM_{device}_{officer}_{stamp}.mp4")
    assert facts.started == when
    assert facts.claims[Field.DEVICE].value == device
    assert facts.claims[Field.OFFICER].value == officer


# The name on disk.

_ENDINGS = st.sampled_from(["mp4", "MP4", "mov", "wav", "jpeg", "heic", "3gp"])
_TROUBLE = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "./\\\0\n\r\t\x1b\x7f\x85\u2028\u2029\u202e\u200b\ufeff%*?:|<>\"' é中か\u1104A0-_"
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=200,
)
_NAMES = st.one_of(st.binary(max_size=300), _TROUBLE.map(str.encode))


@pytest.mark.parametrize(
    ("original", "safe"),
    [
        ("MAH00001.MP4", "MAH00001.MP4"),
        ("现场视频.mp4", "现场视频.mp4"),
        ("DCIM/100MEDIA/a b.mp4", "a_b.mp4"),
        ("..", "_"),
        ("", "_"),
        ("...hidden.mp4", "hidden.mp4"),
        ("a\nb\tc\x1b[2J.mp4", "a_b_c__2J.mp4"),
        ("a\\..\\b.mp4", "a_.._b.mp4"),
        ("\u202e4pm.exe", "_4pm.exe"),
        ("-rf", "-rf"),
    ],
)
def test_a_name_on_disk_is_its_own_form_made_safe(original: str, safe: str) -> None:
    assert safe_name(CardPath(original.encode())) == safe


def test_bytes_that_are_not_utf_8_become_underscores() -> None:
    assert safe_name(CardPath(b"\xb2\xe2.mp4")) == "__.mp4"


@pytest.mark.parametrize("name", ["हिन्दी.mp4", "ภาษาไทย.mp4", "葛\U000e0100.mp4"])
def test_letters_digits_and_marks_of_any_script_stay(name: str) -> None:
    assert safe_name(CardPath(name.encode())) == unicodedata.normalize("NFC", name)


@given(raw=_NAMES)
@example(raw=b"." * 300)
@example(raw=("中" * 200 + ".mp4").encode())
@example(raw=b"a" * 119 + b"." + b"b" * 20)
def test_promise_8_any_bytes_become_one_short_plain_visible_name(raw: bytes) -> None:
    safe = safe_name(CardPath(raw))
    assert safe
    assert len(safe.encode("utf-8", "strict")) <= LONGEST_NAME
    assert not safe.startswith(".")
    assert not set(safe) & set("/\\\0\n\r")
    assert not [c for c in safe if unicodedata.category(c).startswith(("C", "Z"))]
    assert safe.splitlines() == [safe]


@given(
    folder=_TROUBLE,
    stem=st.one_of(st.binary(min_size=1, max_size=300), _TROUBLE.filter(bool).map(str.encode)),
    ending=_ENDINGS,
)
def test_a_safe_name_keeps_the_ending_however_long_the_name(
    folder: str, stem: bytes, ending: str
) -> None:
    name = stem.rpartition(b"/")[2] or b"x"
    original = CardPath(folder.encode() + b"/" + name + b"." + ending.encode())
    safe = safe_name(original)
    if not name.strip(b"."):
        return  # only dots before the ending: a test of its own
    assert safe.endswith("." + ending)
    assert kind_by_name(CardPath(safe.encode())) is kind_by_name(original)


@pytest.mark.parametrize("name", [".mp4", "...mp4", "DCIM/.MP4"])
def test_a_name_that_is_only_an_ending_keeps_it(name: str) -> None:
    safe = safe_name(CardPath(name.encode()))
    assert kind_by_name(CardPath(safe.encode())) is Kind.VIDEO
    assert not safe.startswith(".")


@given(raw=_NAMES)
@example(raw=b"a..")
@example(raw=b"a" * 119 + b"." + b"b" * 20)
def test_a_safe_name_is_safe_already(raw: bytes) -> None:
    safe = safe_name(CardPath(raw))
    assert safe_name(CardPath(safe.encode())) == safe


@given(value=st.one_of(st.text(), st.sampled_from(["..", ".", "", "../../etc", "/", ".incoming"])))
def test_promise_8_a_device_number_is_one_folder_and_never_leads_out(value: str) -> None:
    folder = safe_component(value)
    assert folder not in ("", ".", "..", ".incoming")
    assert "/" not in folder
    assert len(folder.encode()) <= LONGEST_NAME
    assert not folder.startswith(".")


def test_a_plain_device_number_is_its_own_folder() -> None:
    assert [safe_component(v) for v in ("0031", "CAM001", UNASSIGNED)] == [
        "0031",
        "CAM001",
        UNASSIGNED,
    ]
