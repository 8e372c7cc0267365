"""What custody commands write for people never takes the place of anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import mounted


@pytest.fixture
def station(dock: Dock, card: Card, media_files: MediaFiles) -> Dock:
    card.put("clip.mp4", media_files.video)
    assert dock.ingest(card).code == 0
    dock.run("custody", "checkpoint")
    return dock


def _commands(station: Dock, to: Path) -> Iterator[list[str]]:
    recording = station.run("recordings", "list", "--json").json["recordings"][0]["id"]
    sizes = [path.name.lstrip("0") for path in (station.state / "custody/checkpoints").iterdir()]
    yield ["custody", "prove", recording, "--to", str(to)]
    yield ["custody", "request", "--since", "0", "--to", str(to)]
    yield ["custody", "consistency", sizes[0], sizes[0], "--to", str(to)]


@pytest.mark.parametrize(
    "name", ["00000000000000000000.jsonl", "signing-key.pem", "verifier-key", "new-name"]
)
def test_promise_5_no_command_writes_into_the_state_folder(station: Dock, name: str) -> None:
    to = station.state / "custody" / name
    before = to.read_bytes() if to.exists() else None
    for command in _commands(station, to):
        done = station.run(*command)
        assert done.code == 2, done.out
        assert str(to) in done.err
    assert (to.read_bytes() if to.exists() else None) == before or name.endswith(".jsonl")
    assert station.run("custody", "verify").code == 0


def test_promise_5_no_command_writes_into_the_evidence_folder(station: Dock) -> None:
    to = station.evidence / "proof.json"
    for command in _commands(station, to):
        assert station.run(*command).code == 2
    assert not to.exists()


def test_a_file_that_is_there_is_not_replaced(station: Dock, tmp_path: Path) -> None:
    to = tmp_path / "precious.txt"
    to.write_text("mine")
    for command in _commands(station, to):
        done = station.run(*command)
        assert done.code == 2
        assert "already there" in done.err
    assert to.read_text() == "mine"


def test_a_full_disk_leaves_no_file_that_is_not_whole(station: Dock, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=4k", "tmpfs", small):
        (small / "ballast").write_bytes(bytes(4096))
        for command in _commands(station, small / "proof.json"):
            done = station.run(*command)
            assert done.code == 3
            assert "the disk is full" in done.err
            assert [path.name for path in small.iterdir()] == ["ballast"]
