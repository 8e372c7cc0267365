"""A real daemon with simulated ports: from the plug-in to "safe to take", and what follows."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from recorder_sync.access import pins
from recorder_sync.access.database import open_accounts
from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind
from recorder_sync.custodian.duty import enter_calendar
from recorder_sync.custodian.moves import issue
from recorder_sync.custodian.registration import (
    DeviceEntry,
    register_cases,
    register_devices,
    register_officers,
)
from recorder_sync.model import Case, Officer, UsbIdentity
from tests.conftest import Card, Dock, MediaFiles
from tests.web.browser.conftest import Screen
from tests.web.served import Service

PIN = "582931"
CASE = "石执罚〔2026〕017号"
HOSTILE = "<img src=x onerror=document.title=1>"
_PACE = "2000000"
"""Bytes a second."""
BEGAN = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def furnish(dock: Dock) -> None:
    """Enter a device in the hands of an officer, who is on duty for a case; and a second one."""
    station = dock.station()
    with closing(station.catalogue), closing(open_accounts(dock.state)) as accounts:
        register_officers(
            station, [Officer("000001", HOSTILE, "综合行政执法队"), Officer("000010", "张伟")]
        )
        register_cases(station, [Case(CASE, "某某餐饮有限公司", "占道经营")])
        register_devices(
            station, [DeviceEntry("ZFY0031", usb=UsbIdentity("4255", "1000", "SIM31"))]
        )
        issue(station, "ZFY0031", "000001")
        duty = CalendarEntry(
            "执法-1", CalendarKind.ENFORCEMENT, BEGAN - timedelta(hours=1),
            BEGAN + timedelta(hours=1), officer="000001", case=CASE,
        )  # fmt: skip
        enter_calendar(station, [duty], "周敏")
        for officer in ("000001", "000010"):
            pins.set_pin(accounts, officer, PIN, station.now())


class Docking(Service):
    """A station whose ports are simulated: devices are plugged in by a word on its input."""

    def __init__(self, dock: Dock) -> None:
        super().__init__(dock, "run")

    def _started(self, env: dict[str, str]) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            self._daemon = subprocess.Popen(
                [sys.executable, "-m", "tests.web.simulated", str(self.dock.config), _PACE],
                env={**os.environ, **env},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        return self._daemon

    def say(self, *words: str) -> None:
        assert self._daemon.stdin is not None
        self._daemon.stdin.write(("\t".join(words) + "\n").encode())
        self._daemon.stdin.flush()


@pytest.fixture
def service(dock: Dock, tmp_path: Path) -> Iterator[Docking]:
    served = Docking(dock)
    served.configure(
        station={"language": "zh_CN"},
        paths={"runtime": str(tmp_path / "run")},
        web={"enabled": True, "dock_grid": [["1-1.1", "1-1.2"]]},
    )
    furnish(dock)
    with served:
        yield served


@pytest.fixture
def camera(card: Card, media_files: MediaFiles) -> Card:
    """Two clips of one action, three minutes apart, of a size whose copying can be watched."""
    clip, later = media_files.other_video.read_bytes(), BEGAN + timedelta(minutes=3)
    card.put("DCIM/DCAM_ZFY0031_000001_20261123_160000.mp4", clip + bytes(6 << 20), BEGAN)
    card.put("DCIM/DCAM_ZFY0031_000001_20261123_160300.mp4", clip, later)
    return card


def tile(page: Page, port: str) -> Locator:
    return page.locator(f".tile[data-port='{port}']")


def identified(page: Page, screen: Screen) -> Locator:
    """Say at the tile who it is, by touch alone."""
    drawer = page.locator("#officer")
    tile(page, "1-1.1").get_by_role("button", name="我的记录").click()
    drawer.locator(".holder").click()
    for digit in "111222":
        drawer.locator(f"[data-digit='{digit}']").click()
    drawer.get_by_role("button", name="继续").click()
    expect(drawer.get_by_role("alert")).to_contain_text("不正确")
    screen.picture("dock-identify")
    for digit in PIN:
        drawer.locator(f"[data-digit='{digit}']").click()
    drawer.get_by_role("button", name="继续").click()
    expect(drawer.locator(".clip")).to_have_count(2)
    return drawer


def test_a_camera_is_plugged_in_and_its_officer_says_which_case_it_was(
    screen: Screen, service: Docking, camera: Card
) -> None:
    page = screen.open("/dock")
    expect(page.locator(".tile.free")).to_have_count(2)
    service.say("plug", "1-1.1", str(camera.path), "SIM31")
    expect(tile(page, "1-1.1")).to_contain_text("请勿拔出")
    expect(tile(page, "1-1.1").locator(".officer")).to_have_text(HOSTILE)
    expect(tile(page, "1-1.1").locator("progress")).to_be_visible()
    expect(tile(page, "1-1.1")).to_contain_text("可以取走", timeout=30_000)
    assert page.locator("body").get_attribute("data-played") == "1", "no sound when it was done"

    drawer = identified(page, screen)
    drawer.locator(".cases button").filter(has_text=CASE).click()
    expect(drawer.get_by_role("status")).to_contain_text(CASE)
    drawer.locator(".stage summary").filter(has_text="调查取证").click()
    screen.picture("dock-stage")
    drawer.locator(".stage button").filter(has_text="现场检查").click()
    expect(drawer.locator(".clip em").filter(has_text="调查取证")).to_have_count(2)
    drawer.get_by_role("button", name="标为重要").click()
    expect(drawer.locator(".clip em").filter(has_text="重要")).to_have_count(2)
    drawer.get_by_role("button", name="已告知当事人").click()
    expect(drawer.locator(".clip em").filter(has_text="已告知")).to_have_count(2)
    screen.picture("dock-officer")
    gap = drawer.locator(".gap")
    gap.get_by_role("button", name="设备故障").click()
    gap.locator("input[name=other]").fill("000010")
    gap.locator("input[name=other_pin]").fill(PIN)
    gap.get_by_role("button", name="两人签字确认").click()
    expect(drawer.locator(".gap")).to_have_count(0)

    found = service.dock.run("recordings", "list", "--case", CASE, "--json").json["recordings"]
    assert len(found) == 2
    assert {one["tags"]["case"]["source"] for one in found} == {"person"}
    log = service.dock.run("custody", "log", "--json").out
    assert '"officer:000001"' in log
    assert service.dock.run("gaps", "list").code == 0

    drawer.get_by_role("button", name="完成").click()
    expect(drawer).to_be_hidden()
    service.say("unplug", "SIM31")
    expect(page.locator(".tile.free")).to_have_count(2)


def test_a_case_that_nothing_suggests_is_found_by_touch(
    screen: Screen, service: Docking, camera: Card
) -> None:
    """On the touch panel: nothing is typed on a keyboard, and every target is 44 pixels high."""
    other = "石执罚〔2026〕018号"
    station = service.dock.station()
    with closing(station.catalogue):
        register_cases(
            station,
            [Case(other, "张三建材经营部", "堆放物料"), Case("石执罚〔2026〕118号", "李四", None)],
        )
    page = screen.open("/dock")
    page.set_viewport_size({"width": 1024, "height": 600})
    service.say("plug", "1-1.1", str(camera.path), "SIM31")
    expect(tile(page, "1-1.1")).to_contain_text("可以取走", timeout=30_000)
    drawer = identified(page, screen)
    drawer.locator(".clip").first.click()
    drawer.locator(".finder summary").click()
    expect(drawer.locator(".found button")).to_have_count(3)
    for digit in "018":
        drawer.locator(f".finder [data-digit='{digit}']").click()
    expect(drawer.locator(".found button")).to_have_count(1)
    screen.picture("dock-finder")
    small = drawer.locator("button:visible, summary:visible").evaluate_all(
        "all => all.filter((one) => one.getBoundingClientRect().height < 44)"
        ".map((one) => one.textContent)"
    )
    assert small == []
    drawer.locator(".finder [data-digit='9']").click()
    expect(drawer.locator(".found")).to_contain_text("没有")
    drawer.locator(".finder [data-digit='back']").click()
    drawer.locator(".found button").filter(has_text=other).click()
    expect(drawer.get_by_role("status")).to_contain_text(other)
    expect(drawer.locator(".clip em.case")).to_have_count(1)
    found = service.dock.run("recordings", "list", "--case", other, "--json").json["recordings"]
    assert len(found) == 1
    page.evaluate(  # the minute passes, while the clock is set back by an hour
        "() => { const run = performance.now.bind(performance), wall = Date.now;"
        " performance.now = () => run() + 61e3; Date.now = () => wall() - 3600e3; }"
    )
    expect(drawer).to_be_hidden()
    expect(drawer.locator(".clip")).to_have_count(0)


def test_a_camera_that_is_pulled_out_too_early_is_called_back_on_its_port(
    screen: Screen, service: Docking, camera: Card, media_files: MediaFiles
) -> None:
    long = media_files.video.read_bytes() + bytes(6 << 20)
    camera.put("DCIM/DCAM_ZFY0031_000001_20261123_161000.mp4", long, BEGAN)
    page = screen.open("/dock")
    service.say("plug", "1-1.2", str(camera.path), "SIM31")
    expect(tile(page, "1-1.2").locator("progress")).to_be_visible()
    service.say("unplug", "SIM31")
    expect(tile(page, "1-1.2")).to_contain_text("过早拔出")
    screen.picture("dock-pulled", "desk")
    service.say("plug", "1-1.1", str(camera.path), "SIM31")
    expect(tile(page, "1-1.2")).not_to_contain_text("过早拔出")
    expect(tile(page, "1-1.1")).to_contain_text("可以取走", timeout=30_000)


def test_a_device_that_nobody_knows_calls_the_custodian(
    screen: Screen, service: Docking, card: Card, media_files: MediaFiles
) -> None:
    card.put("DCIM/MAH00001.MP4", media_files.other_video, BEGAN)
    page = screen.open("/dock")
    service.say("plug", "1-1.1", str(card.path), "NOBODYS")
    expect(tile(page, "1-1.1")).to_contain_text("未识别")
    expect(tile(page, "1-1.1")).to_contain_text("请联系设备管理员")
    expect(tile(page, "1-1.1").get_by_role("button")).to_have_count(0)
