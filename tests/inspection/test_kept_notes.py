"""Art. 27: checkpoints that were kept elsewhere and are gone, and what lies among them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder_sync.inspection.findings import Finding
from tests.conftest import Dock
from tests.inspection.furnished import verify_here

NAME = "0" * 19 + "1"


def kept(dock: Dock) -> Path:
    return dock.evidence / ".checkpoints" / "test"


def findings(dock: Dock) -> set[tuple[str, str]]:
    return {(f.kind.value, f.path) for f in verify_here(dock, bodies=False)}


def checkpoint(dock: Dock, number: int = 1) -> None:
    """Sign the log, grown by one entry."""
    assert dock.run("officers", "add", f"{number:06}").code == 0
    assert dock.run("custody", "checkpoint").code == 0


@pytest.fixture
def furnished(furnished: Dock) -> Dock:
    """The station has a checkpoint more, made where it stands now: its places are known."""
    checkpoint(furnished, 9)
    return furnished


def removed(path: Path, unlock: Callable[[Path], None]) -> None:
    unlock(path)
    path.unlink()


def test_art_27_a_folder_of_checkpoints_that_was_emptied_is_named(
    furnished: Dock, unlock: Callable[[Path], None]
) -> None:
    for path in list(kept(furnished).iterdir()):
        removed(path, unlock)
    assert findings(furnished) == {("checkpoint-missing", str(kept(furnished)))}


def test_art_27_one_that_is_gone_together_with_its_folder_is_named(furnished: Dock) -> None:
    shutil.rmtree(furnished.evidence / ".checkpoints")
    assert findings(furnished) == {("checkpoint-missing", str(kept(furnished)))}


def test_art_27_the_next_checkpoint_does_not_hide_that_earlier_ones_are_gone(
    furnished: Dock,
) -> None:
    shutil.rmtree(furnished.evidence / ".checkpoints")
    checkpoint(furnished)
    (finding,) = verify_here(furnished, bodies=False)
    assert finding.kind.value == "checkpoint-missing"
    assert "2 checkpoint(s)" in finding.text.english


@pytest.fixture
def stick(furnished: Dock, tmp_path: Path) -> Path:
    """A stick with one checkpoint."""
    folder = tmp_path / "stick"
    folder.mkdir()
    furnished.configure(witness={"folders": [str(folder)]}, ingest={"immutable": False})
    checkpoint(furnished)
    assert {path.name for path in folder.iterdir()} == {"test.checkpoint", "test.checkpoints"}
    return folder


def test_art_27_a_stick_that_was_emptied_is_named(furnished: Dock, stick: Path) -> None:
    assert findings(furnished) == set()
    for path in stick.iterdir():
        path.unlink()
    assert findings(furnished) == {("checkpoint-missing", str(stick))}


def test_a_stick_that_is_away_or_missed_one_is_no_finding(furnished: Dock, stick: Path) -> None:
    away = stick.rename(stick.with_name("away"))
    checkpoint(furnished, 2)
    assert findings(furnished) == set()
    away.rename(stick)
    assert findings(furnished) == set()


def test_another_stick_at_the_same_place_is_no_finding(furnished: Dock, stick: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "other", str(stick)]
    if os.geteuid() != 0 or os.spawnvp(os.P_WAIT, "mount", mount) != 0:
        pytest.skip("another file system cannot be mounted here")
    try:
        assert findings(furnished) == set()
    finally:
        os.spawnvp(os.P_WAIT, "umount", ["umount", str(stick)])


def test_a_new_evidence_disk_is_no_finding(furnished: Dock, tmp_path: Path) -> None:
    shutil.copytree(furnished.evidence, tmp_path / "new disk")
    shutil.rmtree(tmp_path / "new disk" / ".checkpoints")
    furnished.evidence = tmp_path / "new disk"
    furnished.configure(ingest={"immutable": False})
    assert findings(furnished) == set()


def hidden_file(folder: Path) -> Path:
    (folder / ".hidden").write_text("x")
    return folder / ".hidden"


def folder_of_a_checkpoints_name(folder: Path) -> Path:
    (folder / NAME).mkdir()
    return folder / NAME


def link_of_a_checkpoints_name(folder: Path) -> Path:
    (folder / NAME).symlink_to(next(iter(folder.iterdir())))
    return folder / NAME


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / NAME)
    return folder / NAME


def file_beside_the_folders(folder: Path) -> Path:
    (folder.parent / "footage.mp4").write_text("x")
    return folder.parent / "footage.mp4"


def hidden_file_in_a_folder_of_another_station(folder: Path) -> Path:
    other = folder.with_name("other")
    other.mkdir()
    return hidden_file(other)


def what_looks_like_an_unfinished_checkpoint(folder: Path) -> Path:
    (folder / f".{NAME}.new").write_text("footage")
    return folder / f".{NAME}.new"


FOREIGN = (
    hidden_file,
    folder_of_a_checkpoints_name,
    link_of_a_checkpoints_name,
    pipe,
    file_beside_the_folders,
    hidden_file_in_a_folder_of_another_station,
    what_looks_like_an_unfinished_checkpoint,
)


@pytest.mark.parametrize("put", FOREIGN, ids=lambda put: put.__name__)
def test_art_27_what_is_no_checkpoint_is_named_among_them(
    put: Callable[[Path], Path], furnished: Dock
) -> None:
    path = put(kept(furnished))
    assert ("extra", str(path.relative_to(furnished.evidence))) in findings(furnished)


def test_a_checkpoint_that_a_power_cut_left_unfinished_is_no_finding_and_goes_with_the_next(
    furnished: Dock,
) -> None:
    note = max((furnished.state / "custody" / "checkpoints").iterdir())
    left = kept(furnished) / f".{note.name}.new"
    left.write_bytes(note.read_bytes()[:40])
    assert findings(furnished) == set()
    checkpoint(furnished)
    assert not left.exists()
    assert findings(furnished) == set()


def false_stamps(dock: Dock) -> dict[str, Finding]:
    found = verify_here(dock, bodies=False)
    return {f.path: f for f in found if f.kind.value == "timestamp-differs"}


def test_art_5_a_time_stamp_that_is_none_is_named(furnished: Dock) -> None:
    witnessed = furnished.state / "custody" / "witnessed"
    witnessed.mkdir(exist_ok=True)
    note = max((furnished.state / "custody" / "checkpoints").iterdir())
    false = (f"{note.name}.tsr", "9" * 20 + ".tsr", "later.tsr", f"{note.name}.tsr.false")
    for name in false:
        (witnessed / name).write_bytes(b"")
    assert set(false_stamps(furnished)) == {f"custody/witnessed/{name}" for name in false}
