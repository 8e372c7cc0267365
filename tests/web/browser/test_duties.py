"""Duties as people do them in a browser: by touch, in Chinese, and nothing by who may not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.conftest import Dock, MediaFiles
from tests.web import duties
from tests.web.browser.conftest import Screen
from tests.web.served import Service


@pytest.fixture
def service(dock: Dock, tmp_path: Path, media_files: MediaFiles) -> Iterator[Service]:
    served = Service(dock)
    served.configure(
        stores=duties.STORES,  # type: ignore[arg-type]
        ingest={"immutable": False},
        station={"language": "zh_CN"},
        forward={"bandwidth": [{"begins": "08:00", "ends": "18:00", "mb_s": 4.0}]},
    )
    duties.make(dock, tmp_path, media_files)
    duties.accounts(dock)
    with served:
        yield served


def test_a_day_of_duties(screen: Screen, service: Service) -> None:
    """An officer asks, a team leader approves and has a gap explained, a custodian tidies up."""
    page = screen.sign_in("wang")
    page.get_by_role("link", name="顺延", exact=True).click()
    page.select_option("select[name=reason]", "remote")
    page.fill("input[name=note]", "偏远山区")
    page.get_by_role("button", name="提交申请").click()
    expect(page.locator(".deferral", has_text="偏远山区")).to_contain_text("待批准")
    expect(page.get_by_role("button", name="批准")).to_have_count(0)
    _sign_out(screen)

    page = screen.sign_in("chen")
    expect(page.get_by_text("张伟")).to_have_count(0)
    page.get_by_role("link", name="顺延", exact=True).click()
    waiting = page.locator(".deferral", has_text="偏远山区")
    waiting.get_by_role("button", name="批准").click()
    expect(page.locator(".deferral", has_text="偏远山区")).to_contain_text("已批准")
    screen.picture("deferrals")

    page.get_by_role("link", name="中断", exact=True).click()
    screen.picture("gaps")
    page.locator("tbody a").first.click()
    screen.picture("gap")
    signers = page.locator("input[name=officer]")
    signers.nth(0).fill(duties.WANG)
    signers.nth(1).fill(duties.LI)
    page.fill("textarea[name=text]", "暴雨，设备进水")
    page.locator("button[value=writing]").click()
    expect(page.locator(".notice.good")).to_be_visible()
    expect(page.get_by_text("暴雨，设备进水")).to_be_visible()
    _sign_out(screen)

    page = screen.sign_in("custodian")
    screen.picture("overview")
    page.get_by_role("link", name="全部预警").click()
    boxes = page.locator("input[name=number]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(page.locator("[data-count]")).to_have_text("已选 2 条")
    screen.picture("alerts")
    page.get_by_role("button", name="接手处理").click()
    expect(page.locator(".badge", has_text="处理中")).to_have_count(2)
    page.locator("td.what a").first.click()
    page.fill("textarea[name=note]", "已处理完毕")
    page.get_by_role("button", name="解除").click()
    expect(page.locator(".matter.done")).to_be_visible()
    screen.picture("alert")


def test_the_overview_renews_itself_without_a_reload(screen: Screen, service: Service) -> None:
    page = screen.page
    page.clock.install()
    screen.sign_in("custodian")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    mark = "() => { window.stays = true; return document.querySelector('.now').innerHTML }"
    before = page.evaluate(mark)
    assert service.dock.run("cases", "add", "新案").code == 0
    done = service.dock.run("alerts", "list", "--json").json["alerts"]
    service.dock.run("alerts", "ack", str(done[0]["number"]), "--by", "王队")
    page.clock.run_for(16_000)
    expect(page.locator(".now")).to_contain_text("王队")
    assert page.evaluate("() => window.stays"), "the page itself was not loaded again"
    assert before != page.evaluate(mark)
    assert [url for url in asked if "static" not in url] == [f"{service.address}/overview/now"]
    service.kill()
    page.clock.run_for(16_000)
    expect(page.locator(".lost")).to_be_visible()
    screen.problems.clear()  # the browser itself says that the connection was refused


@pytest.mark.parametrize("role", ["custodian", "inspector"])
def test_every_page_holds_at_every_size(role: str, screen: Screen, service: Service) -> None:
    page = screen.sign_in(role)
    for path in (
        *("deadlines", "calendar", "dockings", "stores", "verification", "custody", "cases"),
    ):
        screen.open(f"/{path}")
        screen.picture(path if role == "custodian" else f"{path}-{role}")
    if role == "inspector":
        for path in ("alerts", "deferrals", "stores", "calendar", "cases"):
            screen.open(f"/{path}")
            expect(page.locator("main form[method=post]")).to_have_count(0)
        return
    page.locator("tbody a").last.click()
    screen.picture("case")
    screen.open("/dockings")
    page.locator("tbody a").nth(1).click()
    screen.picture("docking")


def _sign_out(screen: Screen) -> None:
    screen.page.click(".who summary")
    screen.page.click(".who form button")
    screen.page.wait_for_url("**/sign-in*")
