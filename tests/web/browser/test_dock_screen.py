"""The dock screen: what an officer reads from two metres, and what it never shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import Dock
from tests.web.browser.conftest import Screen
from tests.web.made_dock import GRID, full_dock, shown_by
from tests.web.served import Service


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
