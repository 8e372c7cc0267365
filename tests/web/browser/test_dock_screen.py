"""The dock screen: what an officer reads from two metres, and what it never pretends."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from recorder_sync.language import T
from recorder_sync.rules.docking import Stay
from tests.conftest import Dock
from tests.web.browser.conftest import Screen
from tests.web.made_dock import GRID, copying, full_dock, row, shown_by
from tests.web.served import Service

AN_HOUR_PASSES = "() => { const real = Date.now; Date.now = () => real() + 3600e3; }"
HOSTILE = "</script><img src=x onerror=document.title=1>"


@pytest.fixture
def service(dock: Dock, tmp_path: Path) -> Iterator[Service]:
    served = Service(dock)
    served.configure(
        station={"id": "dock-01", "language": "zh_CN"},
        paths={"runtime": str(tmp_path / "run")},
        web={"dock_grid": GRID},
    )
    for number, name in (("000001", "王芳"), ("000010", "张伟"), ("000023", "李明")):
        assert dock.run("officers", "add", number, "--name", name).code == 0
    with served:
        yield served


def tile(page: Page, port: str) -> Locator:
    return page.locator(f".tile[data-port='{port}']")


def test_sixteen_ports_fit_the_big_screen_and_scroll_on_the_small_one(
    screen: Screen, tmp_path: Path
) -> None:
    with shown_by(tmp_path / "run", full_dock()):
        page = screen.open("/dock")
        expect(tile(page, "1-1.3")).to_contain_text("可以取走")
        screen.picture("dock")
        assert page.evaluate("document.documentElement.scrollHeight") <= 1080
        ports = page.locator(".tile").evaluate_all("all => all.map(one => one.dataset.port)")
        assert ports == [port for line in GRID for port in line]
        cut = page.locator(".tile").evaluate_all(
            "all => all.filter(one => [...one.querySelectorAll('.state span, .device')]"
            ".some(part => part.scrollWidth > part.clientWidth + 1)).map(one => one.innerText)"
        )
        assert cut == []
        page.set_viewport_size({"width": 1024, "height": 600})
        last = tile(page, "1-1.16")
        last.scroll_into_view_if_needed()
        expect(last).to_be_in_viewport()


def test_states_are_pushed_as_they_change_and_a_hostile_name_stays_text(
    screen: Screen, tmp_path: Path
) -> None:
    with shown_by(tmp_path / "run", []) as board:
        page = screen.open("/dock")
        expect(page.locator(".tile.free")).to_have_count(16)
        screen.picture("dock-idle")
        board.show("a", row("1-1.5", Stay.COPYING, HOSTILE, officer="000001", progress=copying(9)))
        expect(tile(page, "1-1.5").locator(".device")).to_have_text(HOSTILE)
        expect(tile(page, "1-1.5").locator(".officer")).to_have_text("王芳")
        expect(tile(page, "1-1.5")).to_contain_text("请勿拔出")
        board.change("a", state=Stay.NEEDS_CUSTODIAN, message=T("{what}", what=HOSTILE))
        expect(tile(page, "1-1.5").locator(".says")).to_have_text(HOSTILE)
        expect(tile(page, "1-1.5")).to_contain_text("问题")
        board.remove("a")
        expect(page.locator(".tile.free")).to_have_count(16)
        assert page.title().startswith("采集屏")


def test_a_device_is_not_safe_before_each_of_its_cards_is(screen: Screen, tmp_path: Path) -> None:
    both = [
        row("1-1.1", Stay.SAFE, "0031", volume="sda1"),
        row("1-1.1", Stay.COPYING, "0031", volume="sdb1", progress=copying(10)),
    ]
    with shown_by(tmp_path / "run", both) as board:
        page = screen.open("/dock")
        expect(tile(page, "1-1.1")).to_have_count(1)
        expect(tile(page, "1-1.1")).to_contain_text("请勿拔出")
        expect(tile(page, "1-1.1")).to_contain_text("另一张")
        board.change("1", state=Stay.SAFE)
        expect(tile(page, "1-1.1")).to_contain_text("可以取走")


def test_a_lost_server_is_said_and_nothing_shown_may_be_relied_on(
    screen: Screen, service: Service, tmp_path: Path
) -> None:
    with shown_by(tmp_path / "run", full_dock()):
        page = screen.open("/dock")
        os.kill(service.pid, signal.SIGSTOP)  # it hangs: no line is closed, nothing answers
        try:
            expect(page.get_by_role("alert")).to_contain_text("连接已中断", timeout=20_000)
            expect(page.locator(".tile.good")).to_have_count(0)
            screen.picture("dock-lost", "desk")
        finally:
            os.kill(service.pid, signal.SIGCONT)
        expect(page.get_by_role("alert")).to_be_hidden(timeout=20_000)
        expect(tile(page, "1-1.3")).to_contain_text("可以取走")
    screen.problems.clear()  # that requests failed is what it was about


def test_a_daemon_that_ended_or_hangs_leaves_no_state_on_the_screen(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shown_by(tmp_path / "run", full_dock()) as board:
        page = screen.open("/dock")
        expect(tile(page, "1-1.3")).to_contain_text("可以取走")
        monkeypatch.setattr(board, "_write", lambda: None)  # the daemon's writer hangs
        expect(page.get_by_role("alert")).to_contain_text("没有响应", timeout=30_000)
        expect(page.locator(".tile.good")).to_have_count(0)
        screen.picture("dock-stale", "desk")
        monkeypatch.undo()
        expect(page.get_by_role("alert")).to_be_hidden(timeout=20_000)
    expect(page.get_by_role("alert")).to_contain_text("没有运行")
    expect(page.locator(".tile.good")).to_have_count(0)


def test_a_clock_that_is_set_back_hides_no_lost_server(
    screen: Screen, service: Service, tmp_path: Path
) -> None:
    """An hour may pass until such a clock has caught up with what it said before."""
    with shown_by(tmp_path / "run", full_dock()):
        page = screen.open("/dock")
        expect(tile(page, "1-1.3")).to_contain_text("可以取走")
        page.evaluate("() => { const real = Date.now; Date.now = () => real() - 3600e3; }")
        os.kill(service.pid, signal.SIGSTOP)
        try:
            expect(page.get_by_role("alert")).to_contain_text("连接已中断", timeout=20_000)
            expect(page.locator(".tile.good")).to_have_count(0)
        finally:
            os.kill(service.pid, signal.SIGCONT)
        expect(tile(page, "1-1.3")).to_contain_text("可以取走", timeout=20_000)
    screen.problems.clear()  # that requests failed is what it was about


def test_after_an_hour_asleep_nothing_of_before_is_shown_as_so(
    screen: Screen, tmp_path: Path
) -> None:
    with shown_by(tmp_path / "run", full_dock()):
        page = screen.open("/dock")
        expect(tile(page, "1-1.3")).to_contain_text("可以取走")
        page.evaluate(
            "() => { window.seen = new Promise(done => new MutationObserver(() => {"
            " if (document.querySelector('.tile.good') === null) done(true); })"
            ".observe(document.querySelector('.ports'), { subtree: true, attributes: true })); }"
        )
        page.evaluate(AN_HOUR_PASSES)
        assert page.evaluate("() => window.seen"), "the states went, before they came anew"
        expect(tile(page, "1-1.3")).to_contain_text("可以取走")


@pytest.mark.parametrize(
    "event",
    ["new Event('alive')", "new MessageEvent('message', { data: '{\"tiles\": {}}' })"],
    ids=["a sign of life", "a change"],
)
def test_what_came_before_an_hour_asleep_and_is_read_after_it_keeps_no_old_state(
    screen: Screen, tmp_path: Path, event: str
) -> None:
    with shown_by(tmp_path / "run", full_dock()):
        page = screen.open("/dock")
        expect(tile(page, "1-1.3")).to_contain_text("可以取走")
        page.wait_for_function("() => source !== null")
        left = page.evaluate(
            f"() => {{ ({AN_HOUR_PASSES})(); source.dispatchEvent({event});"
            " return document.querySelectorAll('.tile.good').length; }"
        )
        assert left == 0
        expect(tile(page, "1-1.3")).to_contain_text("可以取走")


def test_a_message_that_cannot_be_shown_leaves_no_old_state(screen: Screen, tmp_path: Path) -> None:
    with shown_by(tmp_path / "run", full_dock()) as board:
        page = screen.open("/dock")
        expect(tile(page, "1-1.3")).to_contain_text("可以取走")
        page.evaluate("() => { showMatters = showTiles = () => { throw new Error('a defect'); }; }")
        board.remove("2")
        expect(page.get_by_role("alert")).to_contain_text("连接已中断")
        expect(page.locator(".tile.good")).to_have_count(0)
    screen.problems.clear()  # the defect is what it was about


def test_an_open_screen_loads_itself_again_when_the_program_was_renewed(
    screen: Screen, service: Service, tmp_path: Path
) -> None:
    with shown_by(tmp_path / "run", full_dock()) as board:
        page = screen.open("/dock")
        page.evaluate("() => { document.body.dataset.build = 'older'; window.isOld = true; }")
        service.kill()
        with service:
            page.wait_for_function("() => !window.isOld", timeout=20_000)
            board.remove("2")
            expect(tile(page, "1-1.3")).to_have_class("tile free")
            page.close()
    screen.problems.clear()  # that the service was away is what it was about


def test_a_screen_whose_script_does_not_run_says_so(
    chromium: Browser, service: Service, tmp_path: Path
) -> None:
    with shown_by(tmp_path / "run", full_dock()):
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        quick = context.new_cdp_session(page)
        quick.send("Animation.enable")
        quick.send("Animation.setPlaybackRate", {"playbackRate": 10})
        page.goto(f"{service.address}/dock")
        expect(page.locator(".unkept")).to_be_visible()
        expect(tile(page, "1-1.3").locator(".state")).to_be_hidden()
        context.close()


def test_without_events_the_screen_asks(screen: Screen, tmp_path: Path) -> None:
    screen.page.route("**/dock/stream", lambda route: route.abort())
    with shown_by(tmp_path / "run", []) as board:
        page = screen.open("/dock")
        board.show("a", row("1-1.5", Stay.COPYING, "0031", progress=copying(9)))
        expect(tile(page, "1-1.5")).to_contain_text("请勿拔出")
    screen.problems.clear()  # that the stream was refused is what it was about


def test_the_first_picture_has_the_tiles_without_any_script(
    chromium: Browser, service: Service, tmp_path: Path
) -> None:
    """How soon it is painted is measured by benchmarks/dock_screens.py."""
    with shown_by(tmp_path / "run", full_dock()):
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{service.address}/dock")
        expect(tile(page, "1-1.3")).to_contain_text("可以取走")
        expect(tile(page, "1-1.1").locator("progress")).to_be_visible()
        context.close()


def test_everything_is_within_reach_of_the_keyboard_and_of_a_finger(
    screen: Screen, tmp_path: Path
) -> None:
    with shown_by(tmp_path / "run", full_dock()):
        page = screen.open("/dock")
        page.get_by_role("button", name="用语指引").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#guide")).to_contain_text("全程录音录像")
        screen.picture("dock-guide")
        page.keyboard.press("Escape")
        expect(page.locator("#guide")).to_be_hidden()
        for button in page.get_by_role("button").all():
            box = button.bounding_box()
            assert box is None or (box["height"] >= 44 and box["width"] >= 44), button
        page.get_by_role("button", name="声音已开").click()
        expect(page.get_by_role("button", name="声音已关")).to_be_visible()
        page.get_by_role("button", name="English").click()
        expect(tile(page, "1-1.3")).to_contain_text("Safe to take")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        screen.picture("dock-en")
