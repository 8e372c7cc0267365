"""Debian's chromium, driven by Playwright: what a person sees, at the sizes that people have.

Whatever a page does wrong by itself fails the test that looked at it: an error in the console, a
script or picture that the policy refused, a request to any other host.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.web.served import PASSWORD, Service

SIZES = {"panel": (1024, 600), "desk": (1920, 1080), "phone": (390, 844)}
_PATIENCE_MS = 15_000
"""How long a page may take to come to what is expected of it, on a busy machine."""

_PICTURES = "RECORDER_SYNC_PICTURES"
"""Names a folder that every picture of a page is also kept in, to be looked at."""

expect.set_options(timeout=_PATIENCE_MS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    why = None
    if not config.getoption("--browser"):
        why = "pages in a browser run by `make pages`"
    elif shutil.which("chromium") is None:
        why = "NO BROWSER: install chromium"
    for item in items:
        if why and here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                "--autoplay-policy=no-user-gesture-required",  # as a kiosk is started
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
            ],
        )
        yield browser
        browser.close()


class Screen:
    """One browser window, and what went wrong in it."""

    def __init__(self, page: Page, service: Service, pictures: Path) -> None:
        self.page = page
        self.service = service
        self._pictures = pictures
        self.problems: list[str] = []
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", self._look_at)

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "status of 4" not in text:
            self.problems.append(f"{kind}: {text}")

    def _look_at(self, request: Request) -> None:
        if not request.url.startswith((self.service.address, "data:", "blob:")):
            self.problems.append(f"a request to {request.url}")

    def open(self, path: str) -> Page:
        self.page.goto(self.service.address + path)
        return self.page

    def sign_in(self, name: str) -> Page:
        self.open("/sign-in")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main button.primary")
        self.page.wait_for_url(self.service.address + "/")
        return self.page

    def picture(self, name: str, *sizes: str) -> None:
        """Take the page as it is at these sizes, by default all, and look that it fits."""
        before = self.page.viewport_size
        for size in sizes or SIZES:
            width, height = SIZES[size]
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.screenshot(path=self._pictures / f"{name}-{size}.png")
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} wide at {size}"
        if before is not None:
            self.page.set_viewport_size(before)


@pytest.fixture
def screen(
    chromium: Browser, service: Service, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Screen]:
    """A window of 1920x1080; the test fails where the page itself did something wrong."""
    context = chromium.new_context(
        viewport={"width": 1920, "height": 1080}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    context.set_default_timeout(_PATIENCE_MS)
    kept = Path(os.environ.get(_PICTURES) or tmp_path / "pictures")
    kept.mkdir(parents=True, exist_ok=True)
    window = Screen(context.new_page(), service, kept)
    yield window
    context.close()
    assert window.problems == []
