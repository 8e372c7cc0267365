"""Pages can be read and used by everybody: by keyboard, on a phone, with weak eyes, by ear.

What a program can find is looked for on every page (WCAG 2.2 AA); the rest was looked at.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Dock, MediaFiles
from tests.web import evidence, office
from tests.web.browser.conftest import SIZES, Screen
from tests.web.served import Service

_LOOKED_OVER = Path(__file__).with_name("looked_over.js").read_text("utf-8")
_PAGES = (
    *("", "cases", "cases/new", "holds", "statistics"),
    *("devices", "device-registration", "device-labels", "dockings", "calendar", "alerts"),
    *("deadlines", "deferrals", "gaps", "stores", "verification", "custody", "about"),
    *("my-account", "no-such-page", "dock"),
)
_OF_THE_ADMINISTRATOR = ("accounts", "officers", "programs", "audit", "settings")
_ONE_OF_EACH = ("cases", "devices", "dockings", "alerts", "gaps")


@pytest.fixture
def service(
    request: pytest.FixtureRequest, dock: Dock, tmp_path: Path, media_files: MediaFiles
) -> Iterator[Service]:
    """An office with weeks of work on record or, where a test says so, with films to look at."""
    served = Service(dock)
    served.configure(
        station={"id": "dock-01", "language": "zh_CN"},
        web={"requests_per_s": 1000, "tries_at_once": 30},
        ingest={"reserve_mib": 0, "immutable": False},
    )
    if getattr(request, "param", None) == "films":
        evidence.furnish(dock, tmp_path, media_files)
    else:
        office.furnish(dock, days=6)
    served.account("周晓梅", "custodian")
    served.account("admin", "administrator")
    with served:
        yield served


with_films = pytest.mark.parametrize("service", ["films"], indirect=True)


def look_over(page: Page, name: str) -> list[str]:
    found = page.evaluate(_LOOKED_OVER)
    return [f"{name}: {one}" for one in found]


def test_every_page_has_contrast_names_and_an_order_of_headings(
    screen: Screen, service: Service
) -> None:
    found: list[str] = []
    for who, places in (("周晓梅", _PAGES), ("admin", _OF_THE_ADMINISTRATOR)):
        screen.page.context.clear_cookies()
        found += look_over(screen.open("/sign-in"), "sign-in")
        page = screen.sign_in(who)
        for size in ("desk", "phone"):
            width, height = SIZES[size]
            page.set_viewport_size({"width": width, "height": height})
            for place in places:
                found += look_over(screen.open(f"/{place}"), f"{place} {size}")
                link = page.locator(f"main table a[href^='/{place}/']")
                if place in _ONE_OF_EACH and link.count():
                    path = link.first.get_attribute("href") or ""
                    found += look_over(screen.open(path), f"{path} {size}")
    assert found == []


def test_a_phone_shows_each_row_of_a_list_with_what_its_values_are(
    screen: Screen, service: Service
) -> None:
    page = screen.sign_in("周晓梅")
    page.set_viewport_size({"width": 390, "height": 844})
    screen.open("/recordings")
    cell = page.locator("tbody tr").first.locator("td[data-heading='执法人员']")
    expect(cell).to_be_in_viewport()
    shown = cell.evaluate("e => getComputedStyle(e, '::before').content")
    assert shown == '"执法人员"'
    screen.picture("recordings-rows", "phone")
    page.set_viewport_size({"width": 1920, "height": 1080})
    shown = cell.evaluate("e => getComputedStyle(e, '::before').content")
    assert shown == "none"


@with_films
def test_by_keyboard_alone_what_was_opened_closes_and_the_focus_is_where_it_was(
    screen: Screen, service: Service
) -> None:
    page = screen.sign_in("周晓梅")
    screen.open("/recordings")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()

    page.locator(".who summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(".who .button").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".who .button").first).to_be_hidden()
    expect(page.locator(".who summary")).to_be_focused()

    page.locator("main table a").first.focus()
    page.keyboard.press("Enter")
    opener = page.get_by_role("button", name="更正").first
    opener.focus()
    outline = opener.evaluate("e => getComputedStyle(e).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#correct")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#correct")).to_be_hidden()
    expect(opener).to_be_focused()

    page.set_viewport_size({"width": 390, "height": 844})
    menu = page.get_by_role("button", name="菜单")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".side")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".side")).to_be_hidden()
    expect(menu).to_be_focused()


@with_films
def test_from_the_recording_it_is_one_touch_to_its_proof(screen: Screen, service: Service) -> None:
    page = screen.sign_in("周晓梅")
    assert look_over(screen.open("/recordings?view=sheet"), "sheet") == []
    assert look_over(screen.open("/recordings"), "recordings") == []
    page.locator("main table a").first.click()
    assert look_over(page, "recording") == []
    with page.expect_download() as taken:
        page.locator("#digests").get_by_role("link", name="下载证明").click()
    assert taken.value.suggested_filename.startswith("proof-")
    page.get_by_role("link", name="号条目封存").click()
    expect(page.locator("tbody")).to_contain_text("封存")
    page.locator("tbody a").first.click()
    expect(page.locator("#digests")).to_be_visible()


def test_who_is_signed_in_finds_the_way_back_from_the_dock_screen(
    screen: Screen, service: Service
) -> None:
    page = screen.open("/dock")
    expect(page.get_by_role("link", name="管理台")).to_have_count(0)
    screen.sign_in("周晓梅")
    screen.open("/dock")
    page.get_by_role("link", name="管理台").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("总览")


def test_who_is_turned_away_at_the_door_is_told_in_words_what_to_do(
    screen: Screen, service: Service
) -> None:
    page = screen.open("/sign-in")
    page.evaluate(
        "Promise.all([...Array(40)].map(() => fetch('/dock/officer/leave', {method: 'POST'})))"
    )
    page.fill("input[name=name]", "x")
    page.fill("input[name=password]", "x")
    page.click("main button.primary")
    expect(page.get_by_role("heading", level=1)).to_have_text("请求过于频繁。")
    expect(page.locator("main")).to_contain_text("请稍候再重新加载页面")
    screen.picture("too-many", "phone")
