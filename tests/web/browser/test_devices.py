"""A device goes out and comes back by two touches, and is found by the code on its label."""

import re

from playwright.sync_api import expect

from tests.web.browser.conftest import Screen
from tests.web.office import furnish
from tests.web.served import Service


def chinese(screen: Screen) -> None:
    screen.page.context.add_cookies(
        [{"name": "language", "value": "zh_CN", "url": screen.service.address}]
    )


def test_art_22_a_device_is_issued_and_taken_back_by_two_touches_each(
    screen: Screen, service: Service
) -> None:
    furnish(service.dock)
    service.account("周晓梅", "custodian")
    chinese(screen)
    page = screen.sign_in("周晓梅")
    screen.open("/devices")
    screen.picture("devices")
    row = page.get_by_role("row", name=re.compile("0031"))
    row.get_by_role("link", name="领用").click()
    screen.picture("device-issue")
    reason = page.get_by_label("为何尚未就绪仍领出")
    if reason.count():
        reason.fill("临时任务")
    page.locator("main button[type=submit]").click()
    expect(page.get_by_role("status")).to_contain_text("已领出")
    screen.picture("device-issued")
    page.get_by_role("link", name="打印领用登记表").click()
    screen.picture("handover")
    page.emulate_media(media="print")
    screen.picture("handover-print", "desk")
    page.emulate_media(media="screen")
    screen.open("/devices/0031")
    page.get_by_role("link", name="归还").click()
    screen.picture("device-return", "desk")
    page.locator("main button[type=submit]").click()
    expect(page.locator(".device-top")).to_contain_text("在库")
    screen.open("/devices/0038")
    screen.picture("device-faulty")


def test_a_device_is_registered_and_its_label_leads_to_its_page(
    screen: Screen, service: Service
) -> None:
    service.account("周晓梅", "custodian")
    chinese(screen)
    page = screen.sign_in("周晓梅")
    screen.open("/devices")
    screen.picture("devices-none", "desk")
    screen.open("/device-registration")
    page.fill("input[name=number]", "0042")
    page.fill("input[name=kind]", "执法记录仪")
    page.fill("input[name=custodian]", "周晓梅")
    screen.picture("device-registration")
    page.locator("main button[type=submit]").click()
    page.get_by_role("link", name="二维码标签").click()
    screen.picture("labels")
    address = page.locator(".label svg").get_attribute("aria-label")
    assert address is not None
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("记录设备 0042")
    page.emulate_media(media="print")
    screen.picture("device-print", "desk")
