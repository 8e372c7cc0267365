"""The virtual dock: only run when asked for, as it needs QEMU, root and some minutes."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e import footage, warm
from tests.e2e.agent import NotInTime
from tests.e2e.base_image import base_image
from tests.e2e.camera import Camera, Workshop
from tests.e2e.dock import Dock
from tests.e2e.machine import Machine, run_folder
from tests.e2e.product import installed

Booting = Callable[[Dock, Sequence[Camera]], AbstractContextManager[Dock]]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "smoke: the part of the virtual dock that always runs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--e2e"):
        return
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="the virtual dock runs by `make e2e`"))


@pytest.fixture(scope="session")
def debian() -> warm.Guest:
    """Debian that has booted, without the product."""
    return warm.bare(base_image())


@pytest.fixture(scope="session")
def all_footage(tmp_path_factory: pytest.TempPathFactory) -> footage.Footage:
    return footage.film(tmp_path_factory.mktemp("footage"))


@pytest.fixture
def workshop(tmp_path: Path, all_footage: footage.Footage, debian: warm.Guest) -> Workshop:
    return Workshop(tmp_path, all_footage, debian)


@pytest.fixture
def bare(debian: warm.Guest) -> Iterator[Machine]:
    """A machine without the product, running."""
    with debian.resumed() as running:
        yield running


@pytest.fixture(scope="session")
def product() -> warm.Guest:
    """The guest in which the product was installed and runs."""
    return installed()


@pytest.fixture
def dock(product: warm.Guest, request: pytest.FixtureRequest) -> Iterator[Dock]:
    """A dock PC that is running, on which nothing was ever docked."""
    with product.resumed() as running:
        dock = Dock(running)
        yield dock
        _tell_of_failure(request.node, dock)


@pytest.fixture
def booting(product: warm.Guest, request: pytest.FixtureRequest) -> Booting:
    """Cut a dock's power, plug cameras in, and boot it again."""

    @contextmanager
    def booting(dock: Dock, cameras: Sequence[Camera]) -> Iterator[Dock]:
        dock.machine.power_cut()

        def plug(machine: Machine) -> None:
            nonlocal dock
            dock = Dock(machine)
            for number, camera in enumerate(cameras, 1):
                dock.plug(camera, str(number))

        with (
            run_folder() as folder,
            warm.booted(product, dock.machine.disks, folder, plug),
        ):
            try:
                yield dock
            except BaseException:
                _add_journal(request.node, dock)
                raise

    return booting


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


def _tell_of_failure(item: pytest.Item, dock: Dock) -> None:
    if item.stash.get(_FAILED, False) and dock.machine.is_running():
        _add_journal(item, dock)


def _add_journal(item: pytest.Item, dock: Dock) -> None:
    with suppress(NotInTime):
        item.add_report_section("teardown", "guest", dock.journal())
