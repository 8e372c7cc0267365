"""Somebody who has never been here comes in by a one-time link, and is never let in otherwise."""

from playwright.sync_api import expect

from tests.web.browser.conftest import Screen
from tests.web.served import PASSWORD, Service


def test_the_first_administrator_comes_in_by_a_link_that_works_once(
    screen: Screen, service: Service
) -> None:
    link = service.dock.run("accounts", "add", "admin", "--role", "administrator").out.strip()
    page = screen.page
    page.goto(link)
    screen.picture("invitation")
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=again]", PASSWORD)
    page.click("button.primary")
    expect(page.get_by_text("admin", exact=True)).to_be_visible()
    screen.picture("overview")
    page.click(".who summary")
    page.click(".who button")
    screen.picture("sign-in")
    page.goto(link)
    expect(page.get_by_role("alert")).to_contain_text("does not work any more")


def test_the_language_is_changed_by_one_touch(screen: Screen) -> None:
    page = screen.open("/sign-in")
    expect(page.get_by_role("heading")).to_have_text("Sign in")
    page.get_by_text("中文").click()
    expect(page.get_by_role("heading")).to_have_text("登录")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    screen.picture("sign-in-zh")
