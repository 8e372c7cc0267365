"""A position is what a text clearly says; anything else is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.model import Position
from recorder_sync.rules.position_text import position_in

HERE = Position(38.0423, 114.5149)


def nmea(said: str) -> str:
    total = 0
    for character in said:
        total ^= ord(character)
    return f"${said}*{total:02X}"


@pytest.mark.parametrize(
    "text",
    [
        "N38.0423 E114.5149",
        "N:38.0423 E:114.5149",
        "N 38.0423 E 114.5149",
        "E114.5149,N38.0423",
        "2026-11-23 10:00:00 N38.0423 E114.5149 12km/h",
        "ZFY0031 12 km/h 38.0423N 114.5149E",
        "38.0423°N, 114.5149°E",
        "114.5149E/38.0423N S:12",
        "N38.0423 E114.5149 S12km/h",
        "北纬38.0423 东经114.5149",
        "东经：114.5149°，北纬：38.0423°",
        "lat: 38.0423 lon: 114.5149",
        "[latitude: 38.0423] [longitude: 114.5149] [rel_alt: 1.300]",
        "经度:114.5149 纬度:38.0423",
        "GPS +38.0423+114.5149/",
        "N38°02'32.28\" E114°30'53.64\"",
        nmea("GPRMC,020000.00,A,3802.53800,N,11430.89400,E,0.1,,231126,,,A"),
        nmea("GNGGA,020000.00,3802.53800,N,11430.89400,E,1,08,0.9,80.0,M,,M,,"),
        nmea("BDGLL,3802.53800,N,11430.89400,E,020000.00,A,A"),
        "$GPRMC,broken*00 " + nmea("GPRMC,020000.00,A,3802.53800,N,11430.89400,E,0.1,,231126,,,A"),
    ],
)
def test_what_recorders_write_is_understood(text: str) -> None:
    found = position_in(text)
    assert found is not None
    assert found.latitude == pytest.approx(HERE.latitude, abs=1e-6)
    assert found.longitude == pytest.approx(HERE.longitude, abs=1e-6)


def test_south_and_west_are_negative() -> None:
    assert position_in("S38.5 W114.25") == Position(-38.5, -114.25)
    assert position_in("lat=-38.5 lon=-114.25") == Position(-38.5, -114.25)
    assert position_in("lat 38.5S lon 114.25W") == Position(-38.5, -114.25)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "38.0423, 114.5149",
        "38.0423 N 114.5149 E 12.3 km/h",
        "N91.0 E114.5",
        "N38.0 E181.0",
        "N0.0 E0.0",
        "lat: lon:",
        "纬度:38.0423",
        nmea("GPRMC,020000.00,V,3802.53800,N,11430.89400,E,0.1,,231126,,,N"),
        nmea("GNGGA,020000.00,3802.53800,N,11430.89400,E,0,00,,,M,,M,,"),
        nmea("GPRMC,020000.00,A,3802.53800,N,11430.89400,E,0.1,,231126,,,A")[:-2] + "00",
        "$GPRMC,020000.00,A,3802.53800,N,11430.89400,E",
        nmea("GPRMC,,,,,,,,,,"),
        nmea("GPRMC,020000.00,A,3802.53800,,11430.89400,,0.1,,231126,,,A"),
    ],
)
def test_what_is_unclear_or_no_fix_is_no_position(text: str) -> None:
    assert position_in(text) is None


@given(st.text() | st.text("NSEW0123456789.°'\" ,:$*latonGPRMC+-", max_size=4000))
def test_promise_8_any_text_is_a_position_within_the_earth_or_none(text: str) -> None:
    found = position_in(text)
    assert found is None or (abs(found.latitude) <= 90 and abs(found.longitude) <= 180)


def test_promise_8_a_long_text_takes_no_longer() -> None:
    for text in ("N" * 100_000, "1." * 100_000, "N1 " * 100_000, "lat:" * 100_000, "°'" * 100_000):
        assert position_in(text) is None
