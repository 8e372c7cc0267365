"""The bed, and what takes cards in for all tests of a module."""

import shutil
from collections.abc import Iterator
from pathlib import Path

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
    """A fake: the disk of temporary files is half full, however full this computer's is."""
    disk, measured = tmp_path.stat().st_dev, shutil.disk_usage

    def usage(path: Path) -> tuple[int, int, int]:
        found = measured(path)
        if Path(path).stat().st_dev != disk:
            return found
        return type(found)(found.total, found.total // 2, found.total // 2)

    monkeypatch.setattr(shutil, "disk_usage", usage)
