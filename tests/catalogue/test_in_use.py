"""Nobody replaces a catalogue that somebody has open, and a kill leaves no lock behind."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recorder_sync.catalogue.database import FILE_NAME, alone, open_catalogue
from recorder_sync.errors import CatalogueProblem
from tests.catalogue.whole import whole
from tests.conftest import Card, Dock, MediaFiles

_OPENS = """
import sys
from pathlib import Path
from recorder_sync.catalogue.database import open_catalogue
db = open_catalogue(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold the catalogue open in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", _OPENS, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        yield child
        child.kill()


@pytest.fixture
def used(dock: Dock, card: Card, media_files: MediaFiles) -> Dock:
    """A station with one recording, and a backup of its catalogue."""
    dock.configure(ingest={"immutable": False})
    card.put("clip.wav", media_files.audio)
    assert dock.ingest(card).json["sealed"] == 1
    assert dock.run("catalogue", "backup", "--to", dock.state.parent / "backup.db").code == 0
    return dock


@pytest.mark.parametrize("replaces", ["rebuild", "restore"])
def test_a_catalogue_that_is_open_is_not_replaced(used: Dock, replaces: str) -> None:
    path = used.state / FILE_NAME
    arguments = [used.state.parent / "backup.db"] if replaces == "restore" else []
    before, inode = whole(path), path.stat().st_ino
    with another_process(path) as child:
        done = used.run("catalogue", replaces, *arguments, "--json")
        assert done.code == 3
        assert "is in use" in done.json["error"]
        assert "Stop the service" in done.json["hint"]
        assert (whole(path), path.stat().st_ino) == (before, inode)
        child.send_signal(signal.SIGKILL)
        child.wait()
        done = used.run("catalogue", replaces, *arguments)
        assert done.code == 0, done.err
    assert path.stat().st_ino != inode
    assert whole(path) == before


def test_commands_are_refused_while_it_is_replaced_and_work_again_after(used: Dock) -> None:
    with alone(used.state / FILE_NAME):
        done = used.run("recordings", "list", "--json")
        assert done.code == 3
        assert "being replaced" in done.json["error"]
    assert len(used.run("recordings", "list", "--json").json["recordings"]) == 1


def test_several_may_have_it_open_and_each_holds_it(used: Dock) -> None:
    path = used.state / FILE_NAME
    first, second = open_catalogue(path), open_catalogue(path)
    first.close()
    with pytest.raises(CatalogueProblem), alone(path):
        pass
    second.close()
    with alone(path):
        pass


def test_one_that_could_not_be_opened_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(CatalogueProblem):
        open_catalogue(path)
    with alone(path):
        pass


def test_a_rebuild_leaves_no_file_of_its_own(used: Dock) -> None:
    assert used.run("catalogue", "rebuild").code == 0
    assert not list(used.state.glob("*rebuilding*"))
