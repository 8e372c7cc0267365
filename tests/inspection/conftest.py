"""A station with sealed recordings, made once, and a copy of it for each test."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.inspection.furnished import furnish


@pytest.fixture(scope="session")
def sealed_once(media_files: MediaFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a station that took in one card: two days, four recordings."""
    folder = tmp_path_factory.mktemp("sealed")
    dock = Dock(folder)
    dock.configure(ingest={"immutable": False})
    card = Card(folder / "card")
    card.put("DCIM/DCAM_CAM001_000001_20261122_160000.mp4", media_files.other_video)
    card.put("DCIM/DCAM_CAM001_000001_20261123_100000_IMP.wav", media_files.audio)
    card.put("DCIM/DCAM_CAM001_000001_20261123_110000.jpg", media_files.photo)
    card.put("DCIM/DCAM_CAM001_000001_20261123_120000.mp4", media_files.video)
    done = dock.ingest(card)
    assert done.json["sealed"] == 4, done.err
    return folder


@pytest.fixture
def station(sealed_once: Path, tmp_path: Path) -> Dock:
    """A copy of that station; its card lies beside it as `card`."""
    shutil.copytree(sealed_once / "card", tmp_path / "card")
    dock = Dock(tmp_path)
    dock.take_over(sealed_once)
    dock.configure(ingest={"immutable": False})
    return dock


@pytest.fixture(scope="session")
def furnished_once(media_files: MediaFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a station with rows in every table."""
    folder = tmp_path_factory.mktemp("furnished")
    dock = Dock(folder)
    dock.configure(ingest={"immutable": False})
    furnish(dock, Card(folder / "card"), media_files)
    return folder


@pytest.fixture
def furnished(furnished_once: Path, tmp_path: Path) -> Dock:
    """A copy of that station."""
    shutil.copytree(furnished_once / "card", tmp_path / "card")
    dock = Dock(tmp_path)
    dock.take_over(furnished_once)
    dock.configure(ingest={"immutable": False})
    return dock
