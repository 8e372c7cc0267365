"""Hostile cards and a faulty disk for a test; all are gone again when the test ends."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.card import HostileCard
from tests.faults.disk import FaultyDisk
from tests.faults.reading import Reader, read_cached, read_direct
from tests.ingest.conftest import station_with_evidence, stocked

__all__ = ["station_with_evidence", "stocked"]

Cards = Callable[[Path], HostileCard]


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Cards]:
    """Show a folder as a hostile card, beside it."""
    with ExitStack() as cards:
        yield lambda folder: cards.enter_context(
            HostileCard(folder, folder.with_name(f"{folder.name}-hostile"))
        )


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FaultyDisk]:
    """A faulty disk of 32 MiB with ext4, mounted."""
    with FaultyDisk(tmp_path / "blocks", tmp_path / "disk") as disk:
        yield disk


@pytest.fixture(params=[read_cached, read_direct])
def read(request: pytest.FixtureRequest) -> Reader:
    """Both ways to read, one after the other."""
    reader: Reader = request.param
    return reader
