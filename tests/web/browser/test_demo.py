"""`make demo`: a newcomer sees both faces of a running station, and leaves nothing behind."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.web.served import PASSWORD


class Terminal:
    """The demo on a terminal."""

    def __init__(self) -> None:
        self.shown = ""
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            for name in ("DISPLAY", "WAYLAND_DISPLAY"):
                os.environ.pop(name, None)
            os.environ |= {"COLUMNS": "200", "RECORDER_SYNC_LANGUAGE": "zh_CN"}
            os.execv(sys.executable, [sys.executable, "-m", "recorder_sync", "demo"])

    def read_until(self, pattern: str, within_s: float = 120.0) -> re.Match[str]:
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if found := re.search(pattern, self.shown):
                return found
            if select.select([self._screen], [], [], 1.0)[0]:
                try:
                    self.shown += os.read(self._screen, 65536).decode(errors="replace")
                except OSError:  # it has ended
                    break
        raise AssertionError(self.shown)

    def end(self) -> None:
        os.kill(self.pid, signal.SIGINT)
        os.waitpid(self.pid, 0)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    found = Terminal()
    yield found
    if subprocess.run(["kill", "-0", str(found.pid)], check=False, capture_output=True).returncode:
        return
    os.kill(found.pid, signal.SIGKILL)


def test_the_demo_shows_both_faces_of_a_running_station(
    terminal: Terminal, chromium: Browser
) -> None:
    address = terminal.read_until(r"(http://127\.0\.0\.1:\d+)/dock")[1]
    inspector = terminal.read_until(r"sifaju\s+(http://\S+/invitation/\S+)")[1]
    pin = terminal.read_until(r"PIN 码 (\d+)")[1]
    context = chromium.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{address}/dock")
    expect(page.locator(".tile.good").first).to_be_visible(timeout=90_000)
    page.locator(".tile.good [data-docking]:visible").first.click()
    page.locator("#officer .holder").click()
    for digit in pin:
        page.locator(f"#officer [data-digit='{digit}']").click()
    page.get_by_role("button", name="继续").click()
    expect(page.locator(".clip").first).to_be_visible()
    expect(page.locator(".cases button").first).to_be_visible()
    page.goto(inspector)
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=again]", PASSWORD)
    page.click("button.primary")
    page.goto(f"{address}/recordings")
    expect(page.locator("main")).to_contain_text("ZFY00")
    context.close()
    terminal.end()
