"""A station that forwarded all it had to one store, and then lost its state and its evidence."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Card, Dock, Done
from tests.forward.conftest import Forwarded
from tests.ingest.aftermath import until
from tests.on_the_day import today


class Lost:
    """The forwarded station, what it said before, and what is left of it."""

    def __init__(self, bed: Forwarded, folder: Path) -> None:
        self.bed = bed
        self.dock = bed.dock
        self.stick = folder / "stick"
        self.before: dict[str, Any] = {}
        self.log = b""
        self.evidence: dict[str, bytes] = {}

    @property
    def records(self) -> Path:
        return self.bed.nas / "_stations" / "test" / "custody"

    def forward_everything(
        self,
        store_log: Callable[[], bytes] | None = None,
        has_note: Callable[[str], object] | None = None,
    ) -> None:
        """Have all that is sealed confirmed, and the custody log there to its last entry."""
        store_log = store_log or self.pieces
        has_note = has_note or self.has_note
        assert self.dock.run("custody", "checkpoint").code == 0
        self.bed.start()
        sealed = self.bed.rows("select count(*) from recordings")[0][0]
        self.bed.until_confirmed(sealed)
        waiting = (
            "select count(*) from documents where id not in (select document from document_copies)"
        )
        until(lambda: self.bed.rows(waiting) == [(0,)], "every document is there")
        self.bed.stop()
        assert self.dock.run("custody", "checkpoint").code == 0
        self.log = self.here()
        self.bed.start()
        until(lambda: store_log() == self.log, "the whole log is there")
        note = max((self.dock.state / "custody" / "checkpoints").iterdir()).name
        until(lambda: has_note(note), "its newest checkpoint is there")
        until(lambda: store_log() == self.log, "the whole log is there")
        self.bed.stop()
        self.before = self.dock.run("recordings", "list", "--json").json
        self.evidence = self.files()

    def pieces(self) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(self.records.glob("log/*")))

    def has_note(self, name: str) -> bool:
        """Tell whether a checkpoint is there, and the key that it is checked with."""
        keys = list(self.records.glob("keys/*"))
        return (self.records / "checkpoints" / name).exists() and bool(keys)

    def here(self) -> bytes:
        segments = sorted((self.dock.state / "custody").glob("*.jsonl"))
        return b"".join(path.read_bytes() for path in segments)

    def files(self) -> dict[str, bytes]:
        """Return the evidence folder, with the lines of its lists sorted."""
        root = self.dock.evidence
        return {
            str(path.relative_to(root)): b"\n".join(sorted(path.read_bytes().split(b"\n")))
            if path.name.endswith("SUMS")
            else path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and not {".incoming", ".checkpoints"} & set(path.parts)
        }

    def lose(self, *, with_key: bool = True) -> None:
        """Lose state and evidence; the signing key was locked away, unless told otherwise."""
        self.stick.mkdir(exist_ok=True)
        key = self.dock.state / "custody" / "signing-key.pem"
        shutil.copy(key, self.stick / key.name)
        for folder in (self.dock.state, self.dock.evidence):
            subprocess.run(["chattr", "-R", "-f", "-i", str(folder)], check=False)
            shutil.rmtree(folder)
        (self.dock.state / "custody").mkdir(parents=True)
        if with_key:
            shutil.copy(self.stick / key.name, key)

    def rebuild(self, *arguments: str) -> Done:
        return self.dock.run("catalogue", "rebuild", "--from-store", "nas", "--json", *arguments)


@pytest.fixture
def station(dock: Dock, tmp_path: Path, card: Card) -> Iterator[Lost]:
    """A station that has not lost anything yet; its store is a directory."""
    today()
    yield from _station(dock, tmp_path, card)


def _station(dock: Dock, folder: Path, card: Card) -> Iterator[Lost]:
    bed = Forwarded(dock, folder, card)
    bed.set_up()
    bed.bind()
    bed.seal(3)
    yield Lost(bed, folder)
    bed.end()


@pytest.fixture(scope="session")
def lost_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lost]:
    """A station that lost everything after all of it was in the store; to be copied."""
    folder = tmp_path_factory.mktemp("lost")
    for station in _station(Dock(folder), folder, Card(folder / "card")):
        station.forward_everything()
        station.lose()
        yield station


@pytest.fixture
def lost(lost_once: Lost, dock: Dock, tmp_path: Path, card: Card) -> Iterator[Lost]:
    """A copy of that station, of its store and of the stick with its key."""
    bed = Forwarded(dock, tmp_path, card)
    bed.set_up()
    made = Lost(bed, tmp_path)
    for one, other in ((lost_once.bed.nas, bed.nas), (lost_once.stick, made.stick)):
        shutil.copytree(one, other, dirs_exist_ok=True)
    shutil.copytree(lost_once.dock.state, dock.state)
    made.before, made.log, made.evidence = lost_once.before, lost_once.log, lost_once.evidence
    yield made
    bed.end()
