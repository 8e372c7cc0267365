"""Charts with their tables, and files that a spreadsheet opens."""

import shutil
import zipfile
from datetime import timedelta

from playwright.sync_api import expect

from recorder_sync.catalogue import disk_samples
from recorder_sync.rules.forecast import DiskSample
from tests.web.browser.conftest import Screen
from tests.web.browser.test_devices import chinese
from tests.web.office import furnish
from tests.web.served import Service


def test_art_28_the_statistics_of_a_month_and_its_workbook(
    screen: Screen, service: Service
) -> None:
    furnish(service.dock, 20)
    _samples(service)
    service.account("周晓梅", "custodian")
    chinese(screen)
    page = screen.sign_in("周晓梅")
    screen.open("/statistics?first=2026-11-01&last=2026-11-23")
    expect(page.locator(".figures b").first).not_to_have_text("0")
    screen.picture("statistics")
    page.locator("main").screenshot(path=screen._pictures / "statistics-whole.png")
    page.get_by_text("表格显示").first.click()
    expect(page.get_by_role("table").first).to_be_visible()
    with page.expect_download() as arriving:
        page.get_by_role("link", name="XLSX").click()
    path = arriving.value.path()
    assert zipfile.is_zipfile(path)
    page.get_by_role("link", name="本月").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("统计分析")


def _samples(service: Service) -> None:
    station = service.dock.station()
    disk = str(station.settings.paths.evidence)
    now = station.now()
    used_now = shutil.disk_usage(station.settings.paths.evidence).used
    for day in range(40, 0, -1):
        used = used_now - day * 2**28 + day % 5 * 2**27
        disk_samples.add(station.catalogue, disk, DiskSample(now - timedelta(days=day), used))
    station.catalogue.close()
