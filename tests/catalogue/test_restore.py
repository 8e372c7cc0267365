"""A backup comes back brought up to the custody log, and an old catalogue is never believed."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from recorder_sync.catalogue.database import FILE_NAME
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.model import AlertKind
from tests.catalogue.test_backup import catalogues
from tests.catalogue.whole import whole
from tests.conftest import Card, Dock, MediaFiles
from tests.inspection.conftest import sealed_once, station

__all__ = ["sealed_once", "station"]


@pytest.fixture
def later(tmp_path: Path) -> Card:
    """A card that comes after the backup."""
    return Card(tmp_path / "later")


@pytest.fixture
def gone_on(station: Dock, later: Card, media_files: MediaFiles) -> tuple[Dock, Path]:
    """A station that was backed up, and took in, corrected and registered more since."""
    assert station.run("catalogue", "backup").code == 0
    (made,) = catalogues(station.state / "backups")
    later.put("later.wav", media_files.audio.read_bytes() + b"later")
    sealed = station.ingest(later).json["recordings"][0]["id"]
    why = ("--by", "王队", "--reason", "错")
    assert station.run("recordings", "tag", sealed, *why, "--case", "2026-9").code == 0
    assert station.run("devices", "add", "0031").code == 0
    return station, made


def test_a_backup_that_is_put_back_is_brought_up_to_the_log(gone_on: tuple[Dock, Path]) -> None:
    station, backup = gone_on
    before = whole(station.state / FILE_NAME)
    kept = whole(backup)
    done = station.run("catalogue", "restore", backup, "--json")
    assert done.code == 0, done.err
    assert done.json["sealed_since"] == 1
    assert whole(station.state / FILE_NAME) == before
    assert whole(backup) == kept, "the backup itself is only read"
    assert whole(Path(done.json["kept"])) == before, "the old file is kept"
    verified = station.run("verify", "--all", "--json")
    assert (verified.code, verified.json["findings"]) == (0, [])
    *_, entry = (
        e
        for e in CustodyLog(station.state / "custody", "test").entries()
        if e.deed.act is Act.CATALOGUE_REBUILT
    )
    assert entry.deed.facts["from"] == str(backup)


def _put_back_by_hand(station: Dock, backup: Path) -> None:
    for path in station.state.glob(f"{FILE_NAME}*"):
        path.unlink()
    shutil.copyfile(backup, station.state / FILE_NAME)


def test_a_person_is_told_that_a_catalogue_put_back_by_hand_is_older_than_the_log(
    gone_on: tuple[Dock, Path],
) -> None:
    station, backup = gone_on
    assert "older than the custody log" not in station.run("recordings", "list").err
    _put_back_by_hand(station, backup)
    done = station.run("recordings", "list", "--json")
    assert "older than the custody log" in done.err
    assert len(done.json["recordings"]) == 4


@pytest.mark.raises_and_resolves(AlertKind.STATION)
def test_promise_3_an_old_catalogue_makes_no_second_copy_and_is_brought_up_to_the_log(
    gone_on: tuple[Dock, Path], later: Card
) -> None:
    station, backup = gone_on
    before = whole(station.state / FILE_NAME)
    sealed = station.sealed_files()
    _put_back_by_hand(station, backup)
    done = station.ingest(later)
    assert (done.json["sealed"], done.json["already_sealed"]) == (0, 1), done.err
    assert station.sealed_files() == sealed
    after = whole(station.state / FILE_NAME)
    assert after["recordings"] == before["recordings"]
    assert after["devices"] == before["devices"]
    (alert,) = station.run("status", "--json").json["alerts"]
    assert (alert["kind"], alert["severity"]) == ("station", "warning")
    assert "did not know 1 sealed recording" in alert["text"]
    resolving = ("alerts", "resolve", str(alert["number"]), "--note", "查过了")
    assert station.run(*resolving).code == 0
    assert station.run("status", "--json").json["alerts"] == []
    assert "older than the custody log" not in station.run("status").err


def test_a_backup_of_another_log_is_refused(
    gone_on: tuple[Dock, Path], tmp_path: Path, media_files: MediaFiles
) -> None:
    station, _ = gone_on
    (tmp_path / "other").mkdir()
    other = Dock(tmp_path / "other")
    other.configure(ingest={"immutable": False})
    card = Card(tmp_path / "other" / "card")
    card.put("clip.jpg", media_files.photo.read_bytes() + b"of another station")
    assert other.ingest(card).json["sealed"] == 1
    copy = tmp_path / "other.db"
    assert other.run("catalogue", "backup", "--to", copy).code == 0
    before = whole(station.state / FILE_NAME)
    done = station.run("catalogue", "restore", copy, "--json")
    assert done.code == 3
    assert "no seal of" in done.json["error"]
    assert whole(station.state / FILE_NAME) == before


@pytest.mark.parametrize("what", ["not a database", "not there", "broken"])
def test_what_is_no_sound_backup_is_refused_and_the_catalogue_stays(
    what: str, gone_on: tuple[Dock, Path]
) -> None:
    station, backup = gone_on
    before = whole(station.state / FILE_NAME)
    if what == "not there":
        backup.unlink()
    elif what == "broken":
        data = bytearray(backup.read_bytes())
        for at in range(8192, len(data) - 4096, 4096):
            data[at + 8 : at + 60] = b"\xff" * 52
        backup.write_bytes(data)
    else:
        backup.write_bytes(b"not a database" * 1000)
    done = station.run("catalogue", "restore", backup, "--json")
    assert done.code == 3
    assert str(backup) in done.json["error"]
    assert whole(station.state / FILE_NAME) == before


def test_a_lost_state_folder_comes_back_from_backups_as_the_docs_say(station: Dock) -> None:
    """docs/catalogue.md, "The state folder is lost"."""
    station.configure(
        ingest={"immutable": False}, backup={"folder": str(station.state.parent / "disk")}
    )
    station.run("custody", "checkpoint")
    safe = station.state.parent / "signing-key.pem"
    shutil.copy2(station.state / "custody" / "signing-key.pem", safe)
    assert station.run("catalogue", "backup").code == 0
    before = whole(station.state / FILE_NAME)  # with the backup itself in the audit trail
    shutil.rmtree(station.state)
    shutil.copytree(station.state.parent / "disk" / "custody", station.state / "custody")
    shutil.copy2(safe, station.state / "custody" / "signing-key.pem")
    done = station.run("catalogue", "rebuild")
    assert done.code == 0, done.err
    assert whole(station.state / FILE_NAME) == before
    assert station.run("custody", "verify").code == 0
    assert station.run("custody", "checkpoint").code == 0
    assert station.run("verify", "--all", "--json").json["findings"] == []


def test_an_intent_to_seal_outlives_a_rebuild(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    """Killed before the custody entry, then rebuilt: the next intake still finishes it."""
    dock.configure(ingest={"immutable": False})
    card.put("clip.wav", media_files.audio)
    assert dock.ingest(card).json["sealed"] == 1
    (segment,) = (dock.state / "custody").glob("*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    seal = next(n for n, line in enumerate(lines) if line.startswith(b'{"act":"seal"'))
    segment.write_bytes(b"".join(lines[:seal]))
    with closing(sqlite3.connect(dock.state / FILE_NAME)) as db, db:
        db.execute(
            "update recordings set state = 'sealing', custody_seq = null,"
            " part = '.incoming/' || docking || '/0.part'"
        )
        db.execute("update inventory set outcome = null, recording = null")
        db.execute("update dockings set ended_at = null, outcome = null")
    assert dock.run("catalogue", "rebuild").code == 0
    done = dock.ingest(card)
    assert (done.json["failed"], done.json["already_sealed"]) == (0, 1), done.err
    assert dock.run("verify", "--all", "--json").json["findings"] == []
