"""A station with one sealed recording, made once, and a copy of it for each test."""

from pathlib import Path

import pytest

from tests.conftest import Card, Dock, MediaFiles


@pytest.fixture(scope="session")
def sealed_photo(media_files: MediaFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed-photo")
    dock = Dock(folder)
    dock.configure(ingest={"immutable": False})
    card = Card(folder / "card")
    card.put("photo.jpg", media_files.photo)
    assert dock.ingest(card).code == 0
    assert dock.run("custody", "checkpoint").code == 0
    return folder


@pytest.fixture
def sealed(dock: Dock, card: Card, media_files: MediaFiles, sealed_photo: Path) -> Dock:
    """A station with a sealed recording and a checkpoint after it."""
    dock.take_over(sealed_photo)
    dock.configure(ingest={"immutable": False})
    card.put("photo.jpg", media_files.photo)
    return dock
