"""Checkpoints lie beside the evidence and on sticks; a stick that fails stops nothing."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.conftest import Dock
from tests.dock.test_service import Daemon
from tests.faults.target import fill
from tests.ingest.aftermath import mounted, run_without_rights, until
from tests.witnessing.conftest import add_entries, alerted, alerts, checkpoint


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A folder on a stick that is plugged in."""
    folder = tmp_path / "stick" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def use(dock: Dock, *sticks: Path) -> None:
    folders = [str(stick) for stick in sticks]
    dock.configure(witness={"folders": folders}, ingest={"immutable": False})


def beside_evidence(dock: Dock) -> list[Path]:
    return sorted((dock.evidence / ".checkpoints" / "test").iterdir())


def test_every_checkpoint_lies_beside_the_evidence_and_is_no_evidence(signed: Dock) -> None:
    add_entries(signed, "0004")
    newest = checkpoint(signed)
    paths = beside_evidence(signed)
    assert [path.name for path in paths] == [f"{3:020d}", f"{4:020d}"]
    assert paths[-1].read_text("utf-8") == newest
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o440}
    verified = signed.run("verify", "--json")
    assert (verified.code, verified.json["findings"]) == (0, []), verified.err
    assert signed.run("catalogue", "rebuild").code == 0


def test_a_stick_holds_the_last_checkpoint_and_all(signed: Dock, stick: Path) -> None:
    use(signed, stick)
    first = checkpoint(signed)
    add_entries(signed, "0004")
    second = checkpoint(signed)
    checkpoint(signed)
    assert (stick / "test.checkpoint").read_text("utf-8") == second
    assert (stick / "test.checkpoints").read_text("utf-8") == first + second
    for name in ("test.checkpoint", "test.checkpoints"):
        done = signed.run("custody", "verify", "--against", stick / name)
        assert done.code == 0, done.err


def test_a_stick_that_is_not_there_is_no_error_but_is_told(signed: Dock, stick: Path) -> None:
    use(signed, stick)
    shutil.move(stick.parent, stick.parent.with_name("pocket"))
    add_entries(signed, "0004")
    done = signed.run("custody", "checkpoint")
    assert done.code == 0
    assert str(stick) in done.err
    assert not stick.exists(), "nothing is written where the stick would be"
    shutil.move(stick.parent.with_name("pocket"), stick.parent)
    assert checkpoint(signed) == (stick / "test.checkpoint").read_text("utf-8")


def test_a_stick_that_is_full_stops_no_other_and_gets_the_newest_later(
    signed: Dock, stick: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    use(signed, stick, other)
    with mounted("-t", "tmpfs", "-o", "size=64k", "tmpfs", stick):
        first = checkpoint(signed)
        ballast = fill(stick)
        with (stick / "test.checkpoints").open("ab") as file:  # up to the end of its last page
            file.write(b"\n" * (4096 - file.tell() % 4096))
        add_entries(signed, "0004")
        done = signed.run("custody", "checkpoint")
        assert done.code == 0
        assert "the disk is full" in done.err
        assert (other / "test.checkpoint").read_text("utf-8") == done.out
        assert (stick / "test.checkpoint").read_text("utf-8") == first, "what was there is whole"
        ballast.unlink()
        assert checkpoint(signed) == (stick / "test.checkpoint").read_text("utf-8")
        assert signed.run("custody", "verify").code == 0


@pytest.mark.parametrize("bytes_", [40, 66, 120], ids=["head", "text", "signature"])
def test_what_was_torn_when_a_stick_was_pulled_harms_no_later_one(
    signed: Dock, stick: Path, bytes_: int
) -> None:
    use(signed, stick)
    first = checkpoint(signed)
    growing = stick / "test.checkpoints"
    growing.write_text(first + first[:bytes_], "utf-8")
    (stick / "test.checkpoint").write_bytes(b"")
    add_entries(signed, "0004")
    second = checkpoint(signed)
    assert growing.read_text("utf-8") == first + first[:bytes_].rstrip("\n") + "\n" + second
    assert (stick / "test.checkpoint").read_text("utf-8") == second
    assert signed.run("custody", "verify").code == 0


def test_nothing_is_kept_where_the_evidence_disk_is_not_mounted(signed: Dock) -> None:
    away = signed.evidence.with_name("away")
    signed.evidence.rename(away)
    signed.evidence.mkdir()
    assert signed.run("custody", "checkpoint").code == 3
    assert list(signed.evidence.iterdir()) == []


def test_a_link_in_the_place_of_the_checkpoints_is_not_followed(
    signed: Dock, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    shutil.rmtree(signed.evidence / ".checkpoints")
    (signed.evidence / ".checkpoints").symlink_to(tmp_path / "outside")
    done = signed.run("custody", "checkpoint")
    assert done.code == 0
    assert ".checkpoints" in done.err
    assert list((tmp_path / "outside").rglob("*")) == []


def test_a_pipe_in_the_place_of_a_note_is_told_and_never_waited_for(
    signed: Dock, stick: Path
) -> None:
    os.mkfifo(stick / "test.checkpoint")
    use(signed, stick)
    done = signed.run("custody", "checkpoint")
    assert done.code == 0
    assert "test.checkpoint" in done.err or str(stick) in done.err


def test_the_daemon_alerts_about_a_stick_that_fails_and_not_about_one_that_is_away(
    dock: Dock, stick: Path, tmp_path: Path
) -> None:
    """A file stands where the growing file would be a folder: it cannot be written."""
    (stick / "test.checkpoints").mkdir()
    dock.configure(
        paths={"runtime": str(tmp_path / "run")},
        witness={"folders": [str(stick), str(tmp_path / "away")]},
        ingest={"immutable": False},
    )
    daemon = Daemon(dock, tmp_path)
    try:
        daemon.told("READY=1")
        alerted(dock, str(stick))
        until(lambda: str(tmp_path / "away") in daemon.log(), "the missing one is told")
        daemon.stop()
    finally:
        daemon.end()
    (told,) = [text for text in alerts(dock) if "The evidence disk" not in text]
    assert str(stick) in told


def test_a_stick_that_may_only_be_read_is_told(signed: Dock, stick: Path) -> None:
    use(signed, stick)
    stick.chmod(0o500)
    done = run_without_rights(signed, "custody", "checkpoint")
    assert done.code == 0, done.err
    assert "permission denied" in done.err
