"""Hostile cards and faulty disks for a test; each is gone again when the test ends."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.card import HostileCard

Cards = Callable[[Path], HostileCard]


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Cards]:
    """Show a folder as a hostile card, beside it."""
    with ExitStack() as cards:
        yield lambda folder: cards.enter_context(
            HostileCard(folder, folder.with_name(f"{folder.name}-hostile"))
        )
