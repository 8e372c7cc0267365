"""A station with evidence of its own, made once and copied for each attack."""

from pathlib import Path

import pytest

from tests.conftest import Card, Dock, MediaFiles


@pytest.fixture(scope="session")
def station_with_evidence(
    tmp_path_factory: pytest.TempPathFactory, media_files: MediaFiles
) -> Path:
    """The folders of a station that has sealed one recording, `earlier.jpg`."""
    folder = tmp_path_factory.mktemp("stocked")
    dock = Dock(folder)
    dock.configure(ingest={"immutable": False})
    earlier = Card(folder / "card")
    earlier.put("earlier.jpg", media_files.photo)
    done = dock.ingest(earlier)
    assert (done.code, done.json["sealed"]) == (0, 1), done.err
    return folder


@pytest.fixture
def stocked(dock: Dock, station_with_evidence: Path) -> Dock:
    """A station that has sealed one recording before, `earlier.jpg`."""
    dock.take_over(station_with_evidence)
    return dock
