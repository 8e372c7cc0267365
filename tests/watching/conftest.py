"""The bed, and what takes cards in for all tests of a module."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from recorder_sync.config import load
from recorder_sync.ingest.capacity import Capacity, capacity_of
from tests.conftest import Dock
from tests.watching.bed import Bed


@pytest.fixture(scope="package")
def capacity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Capacity]:
    dock = Dock(tmp_path_factory.mktemp("capacity"))
    with capacity_of(load(dock.config)) as capacity:
        yield capacity


@pytest.fixture
def bed(dock: Dock, capacity: Capacity, tmp_path: Path) -> Iterator[Bed]:
    dock.configure(backup={"keep": 0})
    made = Bed(dock, capacity)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def half_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fake: the disk of temporary files is half full, however full this computer's is.

    Evidence, state and cards are on it, and each of them is told of when it is nearly full.
    """
    disk = tmp_path.stat().st_dev
    monkeypatch.setattr(shutil, "disk_usage", _half_of(disk, shutil.disk_usage))
    monkeypatch.setattr(psutil, "disk_usage", _half_of(disk, psutil.disk_usage))


def _half_of(disk: int, measured: Callable[[str], Any]) -> Callable[[str | Path], Any]:
    def usage(path: str | Path) -> Any:
        found = measured(str(path))
        if Path(path).stat().st_dev != disk:
            return found
        return found._replace(used=found.total // 2, free=found.total // 2)

    return usage
