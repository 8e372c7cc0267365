"""Interruptions within an action (Art. 20): explained by voice, or by two officers."""

from pathlib import Path

import pytest

from recorder_sync.custody.log import CustodyLog
from tests.conftest import Card, Dock, MediaFiles


@pytest.fixture
def office(dock: Dock, tmp_path: Path, media_files: MediaFiles) -> Dock:
    """A device that recorded 3 s at 10:00 and, after four minutes, 2 s at 10:04."""
    for cert_no, name in (("000001", "王芳"), ("000002", "李明")):
        dock.run("officers", "add", cert_no, "--name", name)
    card = Card(tmp_path / "camera")
    card.put("DCIM/DCAM_CAM001_000001_20261123_100000.mp4", media_files.other_video)
    card.put("DCIM/DCAM_CAM001_000001_20261123_100400.wav", media_files.audio)
    assert dock.ingest(card).json["sealed"] == 2
    return dock


def gaps(dock: Dock) -> list[dict[str, str]]:
    return list(dock.run("gaps", "list", "--json").json["gaps"])


def explained(dock: Dock) -> int:
    log = CustodyLog(dock.state / "custody", "test")
    return sum(entry.deed.act == "gap-explained" for entry in log.entries())


def test_art_20_an_interruption_asks_for_an_explanation(office: Dock) -> None:
    (gap,) = gaps(office)
    assert gap["device"] == "CAM001"
    assert gap["ends"] == "2026-11-23T02:04:00.000Z"
    listed = office.run("gaps", "list")
    assert listed.code == 1
    assert "王芳" in listed.out


def test_art_20_by_voice_at_a_second_of_the_recording_that_goes_on(office: Dock) -> None:
    (gap,) = gaps(office)
    for wrong in (("--second", "99"), ("--second", "1", "--recording", gap["before"])):
        assert office.run("gaps", "explain", gap["after"], *wrong).code == 2
    assert explained(office) == 0
    for _ in range(2):
        assert office.run("gaps", "explain", gap["after"], "--second", "1.5").code == 0
    assert explained(office) == 1, "the same again is not put on record twice"
    assert gaps(office) == []
    none = office.run("gaps", "list")
    assert (none.code, none.out.strip()) == (0, "No interruption is without an explanation.")
    assert "yes" in office.run("gaps", "list", "--all").out


def test_art_20_in_writing_by_two_different_officers(office: Dock) -> None:
    (gap,) = gaps(office)
    wrote = ("gaps", "explain", gap["after"], "--text", "暴雨，设备进水")
    for signers in (
        ("--officer", "000001"),
        ("--officer", "000001", "--officer", "000001"),
        ("--officer", "000001", "--officer", "999999"),
    ):
        assert office.run(*wrote, *signers).code == 2
    assert office.run(*wrote[:3]).code == 2, "neither by voice nor in writing"
    assert explained(office) == 0
    assert office.run(*wrote, "--officer", "000001", "--officer", "000002").code == 0
    assert gaps(office) == []


def test_a_recording_that_ends_no_interruption_is_refused(office: Dock) -> None:
    (gap,) = gaps(office)
    assert office.run("gaps", "explain", gap["before"], "--second", "1").code == 2
