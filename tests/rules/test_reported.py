"""What a device says of itself is a fact or unknown, never a guess (promise 7)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules import reported
from recorder_sync.rules.naming import Clock

SHANGHAI = ZoneInfo("Asia/Shanghai")
TEN_UTC = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "percent"),
    [("83", 83), ("83%", 83), (" 83 % ", 83), ("83.9", 83), ("0", 0), ("100", 100), ("1", 1)],
)
def test_a_percentage_is_read(text: str, percent: int) -> None:
    assert reported.percent(text) == percent


@pytest.mark.parametrize(
    "text",
    [
        "101",
        "-1",
        "nan",
        "inf",
        "0.83",
        "1e2",
        "",
        "%",
        "full",
        "255",
        "8 3",
        "٨٣",
        "100.5",
        "83/100",
    ],
)
def test_what_is_no_percentage_is_unknown(text: str) -> None:
    assert reported.percent(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("2026-11-23 18:00:00", "2026-11-23T18:00:00.250", "2026/11/23 18:00:00"),
        *("20261123180000", "20261123T180000", "2026:11:23 18:00:00", "2026-11-23T18:00:00+08:00"),
        *("2026-11-23T10:00:00Z", "20261123T100000Z", "20261123T120000+0200", "1795428000"),
    ],
)
def test_a_time_is_read_in_every_common_form(text: str) -> None:
    assert reported.time(text, None, SHANGHAI) == TEN_UTC


def test_the_profile_says_what_a_time_without_a_zone_or_with_z_means() -> None:
    assert reported.time("2026-11-23T18:00:00Z", Clock.LOCAL, SHANGHAI) == TEN_UTC
    assert reported.time("2026-11-23 10:00:00", Clock.UTC, SHANGHAI) == TEN_UTC
    assert reported.time("2026-11-23T18:00:00+08:00", Clock.UTC, SHANGHAI) == TEN_UTC


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "-1", "yesterday", "2026-13-01 00:00:00", "2026-02-30 00:00:00", "18:00:00"),
        *("0000-00-00 00:00:00", "1969-12-31T00:00:00Z", "2100-01-02T00:00:00Z", "2026-11-23"),
        *("2026-11-23 18:00", "9999-12-31T23:59:59-23:59", "2026-11-23 18:00:00+99:99"),
    ],
)
def test_what_is_no_time_is_unknown(text: str) -> None:
    assert reported.time(text, None, SHANGHAI) is None


@pytest.mark.parametrize(
    ("text", "charges"),
    [("Charging", True), ("Full", False), ("Not charging", False), ("Unknown", None), ("", None)],
)
def test_charging_is_what_the_kernel_calls_it(text: str, charges: bool | None) -> None:
    assert reported.charging(text) is charges


def test_a_name_is_one_short_printable_line() -> None:
    assert reported.name(" DSJ-X 执法 ") == "DSJ-X 执法"
    assert reported.name("a\x1b[31mb") == "a\\x1b[31mb"
    assert reported.name("x" * 65) is None
    assert reported.name(" ") is None


@given(st.text(max_size=40) | st.from_regex(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d([+-]\d{4})?"))
def test_nothing_that_a_device_says_is_an_error(text: str) -> None:
    percent = reported.percent(text)
    assert percent is None or 0 <= percent <= 100
    reported.time(text, None, SHANGHAI)
    reported.charging(text)
    reported.name(text)
