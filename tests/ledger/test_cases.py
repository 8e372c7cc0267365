"""A case is closed on a day, from which the archive counts (Art. 26)."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Dock
from tests.on_the_day import today


@pytest.fixture(autouse=True)
def _registered(dock: Dock) -> None:
    done = dock.run("cases", "add", "2026-7", "--party", "李明建筑", "--cause", "占道经营")
    assert done.code == 0


def test_art_26_a_case_is_closed_on_the_day_given_and_keeps_the_rest(dock: Dock) -> None:
    assert dock.run("cases", "close", "2026-7", "--on", "2026-01-05").code == 0
    assert dock.run("cases", "show", "2026-7", "--json").json == {
        "number": "2026-7",
        "party": "李明建筑",
        "cause": "占道经营",
        "closed_on": "2026-01-05",
        "secrecy": "none",
    }


def test_without_a_day_it_is_closed_today_by_the_stations_calendar(dock: Dock) -> None:
    before = today().astimezone(ZoneInfo("Asia/Shanghai")).date()
    assert dock.run("cases", "close", "2026-7").code == 0
    after = today().astimezone(ZoneInfo("Asia/Shanghai")).date()
    closed = dock.run("cases", "show", "2026-7", "--json").json["closed_on"]
    assert closed in (before.isoformat(), after.isoformat())


def test_a_changed_entry_stays_closed(dock: Dock) -> None:
    dock.run("cases", "close", "2026-7", "--on", "2026-01-05")
    dock.run("cases", "add", "2026-7", "--party", "张三")
    case = dock.run("cases", "show", "2026-7", "--json").json
    assert (case["party"], case["closed_on"]) == ("张三", "2026-01-05")


def test_a_day_to_come_and_a_case_that_is_not_there_are_refused(dock: Dock) -> None:
    tomorrow = (today() + timedelta(days=2)).date().isoformat()
    assert dock.run("cases", "close", "2026-7", "--on", tomorrow).code == 2
    assert dock.run("cases", "close", "2026-8").code == 2
    assert dock.run("cases", "show", "2026-7", "--json").json["closed_on"] is None
