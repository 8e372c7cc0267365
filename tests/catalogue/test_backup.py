"""A backup is whole whoever writes meanwhile, and comes back brought up to the log."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from recorder_sync.backups import Backups
from recorder_sync.catalogue.backup import BackupStopped, copy_catalogue
from recorder_sync.catalogue.database import FILE_NAME, open_catalogue
from recorder_sync.custody.log import Act, CustodyLog
from tests.catalogue.whole import whole
from tests.conftest import Dock
from tests.ingest.aftermath import until
from tests.inspection.conftest import sealed_once, station

__all__ = ["sealed_once", "station"]

_WRITES_PAIRS = """
import sys
from pathlib import Path
from recorder_sync.catalogue.database import open_catalogue, transaction
db = open_catalogue(Path(sys.argv[1]))
number = 0
while True:
    with transaction(db):
        for which in ("officers (cert_no)", "devices (number)"):
            db.execute(f"insert into {which} values (?)", [f"pair-{number}"])
    number += 1
    print(number, flush=True)
"""

_PAIRS = "select count(*) from officers where cert_no like 'pair-%'"


def catalogues(folder: Path) -> list[Path]:
    return sorted(folder.glob("catalogue-*.db"))


def test_a_backup_is_one_state_of_the_catalogue_whoever_writes_to_it(station: Dock) -> None:
    path, to = station.state / FILE_NAME, station.state.parent / "copy.db"
    with closing(open_catalogue(path)) as db:  # large enough to be written to meanwhile
        db.execute("create table ballast (bytes blob)")
        db.execute("begin")
        for _ in range(100):
            db.execute("insert into ballast values (randomblob(1048576))")
        db.execute("commit")
    with subprocess.Popen(
        [sys.executable, "-c", _WRITES_PAIRS, path], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        there: list[int] = []

        def count() -> int:
            with closing(sqlite3.connect(path)) as source:
                found: int = source.execute(_PAIRS).fetchone()[0]
                return found

        def goes_on() -> bool:
            if len(there) == 1:
                until(lambda: count() > there[0], "a pair written between two parts of the copy")
            there.append(count())
            return True

        copy_catalogue(path, to, goes_on)
        writer.kill()
    assert there[1] > there[0], "it was written to between two parts of the copy"
    with closing(sqlite3.connect(to)) as copy:
        officers, devices = (
            {row[0] for row in copy.execute(f"select {key} from {name} where {key} like 'pair-%'")}
            for name, key in (("officers", "cert_no"), ("devices", "number"))
        )
        assert officers == devices
        assert len(officers) <= there[0], "whoever writes never makes it begin anew"
        assert copy.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert copy.execute("pragma journal_mode").fetchone() == ("delete",)
    assert not list(to.parent.glob("copy.db?*")), "one file, nothing beside it"


def test_a_backup_holds_everything_and_is_for_its_owner_only(station: Dock) -> None:
    done = station.run("catalogue", "backup", "--json")
    assert done.code == 0, done.err
    (made,) = catalogues(station.state / "backups")
    assert done.json == {"catalogue": str(made), "bytes": made.stat().st_size}
    assert whole(made) == whole(station.state / FILE_NAME)
    assert made.stat().st_mode & 0o777 == 0o600
    assert made.parent.stat().st_mode & 0o777 == 0o700


def test_art_5_what_others_need_to_check_the_log_is_copied_and_the_key_is_not(
    station: Dock,
) -> None:
    station.run("custody", "checkpoint")
    assert station.run("catalogue", "backup").code == 0
    custody, copy = station.state / "custody", station.state / "backups" / "custody"
    (segment,) = custody.glob("*.jsonl")
    assert (copy / segment.name).read_bytes() == segment.read_bytes()
    assert (copy / "verifier-key").read_bytes() == (custody / "verifier-key").read_bytes()
    notes = {path.name: path.read_bytes() for path in (custody / "checkpoints").iterdir()}
    assert {path.name: path.read_bytes() for path in (copy / "checkpoints").iterdir()} == notes
    secret = (custody / "signing-key.pem").read_bytes()
    copied = [path for path in (station.state / "backups").rglob("*") if path.is_file()]
    assert not [path for path in copied if secret in path.read_bytes()]
    assert not [path for path in copied if path.stat().st_mode & 0o077 and path.name != "lock"]


def test_that_a_backup_was_made_is_on_record_before_it_is_there(station: Dock) -> None:
    to = station.state.parent / "copy.db"
    assert station.run("catalogue", "backup", "--to", to).code == 0
    *_, entry = CustodyLog(station.state / "custody", "test").entries()
    assert (entry.deed.act, entry.deed.subject) == (Act.EXPORT, FILE_NAME)
    assert entry.deed.facts["to"] == str(to)


def test_a_file_that_is_there_is_never_replaced(station: Dock) -> None:
    to = station.state.parent / "mine"
    to.write_text("something else")
    done = station.run("catalogue", "backup", "--to", to, "--json")
    assert (done.code, to.read_text()) == (2, "something else")
    assert "already there" in done.json["error"]


def test_nothing_is_put_into_the_evidence_folder(station: Dock) -> None:
    done = station.run("catalogue", "backup", "--to", station.evidence / "copy.db", "--json")
    assert done.code == 2
    assert not (station.evidence / "copy.db").exists()


def test_only_the_newest_are_kept_and_nothing_else_is_removed(station: Dock) -> None:
    folder = station.state.parent / "elsewhere"
    station.configure(ingest={"immutable": False}, backup={"folder": str(folder), "keep": 2})
    folder.mkdir()
    for name in ("catalogue-20261120T020000.db", "catalogue-20261121T020000.db", "notes.db"):
        (folder / name).write_text("older")
    (folder / "catalogue-20261122T020000.db.part").write_text("cut off")
    assert station.run("catalogue", "backup").code == 0
    left = sorted(path.name for path in folder.iterdir() if path.is_file())
    assert left[0] == "catalogue-20261121T020000.db"
    assert left[1].startswith("catalogue-20261123T")
    assert left[2:] == ["lock", "notes.db"]


def test_a_backup_never_takes_the_space_that_the_station_needs(station: Dock) -> None:
    free = shutil.disk_usage(station.state).free
    station.configure(ingest={"immutable": False, "reserve_mib": (free >> 20) + 1000})
    done = station.run("catalogue", "backup", "--json")
    assert done.code == 3
    assert "too little space" in done.json["error"]
    assert catalogues(station.state / "backups") == []


def test_a_broken_catalogue_makes_no_backup(station: Dock) -> None:
    path = station.state / FILE_NAME
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute(
            "select rootpage from sqlite_schema where name = 'inventory_by_docking'"
        ).fetchone()
        (size,) = db.execute("pragma page_size").fetchone()
        db.execute("pragma wal_checkpoint(truncate)")
    with path.open("r+b") as file:
        file.seek((page - 1) * size + size - 40)
        file.write(b"\xff" * 30)
    done = station.run("catalogue", "backup", "--json")
    assert done.code == 3
    assert "broken" in done.json["error"]
    assert not [p for p in (station.state / "backups").iterdir() if p.name.startswith("catal")]


@pytest.mark.parametrize("asked", [1, 2], ids=["while copying", "while checking"])
def test_one_that_is_asked_to_stop_leaves_nothing(
    asked: int, station: Dock, tmp_path: Path
) -> None:
    left = iter(range(asked - 1))
    with pytest.raises(BackupStopped):
        copy_catalogue(
            station.state / FILE_NAME, tmp_path / "copy.db", lambda: next(left, None) is not None
        )
    assert not list(tmp_path.glob("copy.db*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")
def test_what_root_backs_up_and_puts_back_belongs_to_the_owner_of_the_station(
    sealed_once: Path, open_folder: Path
) -> None:
    station = Dock(open_folder)
    station.take_over(sealed_once)
    station.configure(ingest={"immutable": False})
    subprocess.run(["chown", "-R", "65534:65534", station.state, station.evidence], check=True)
    _back_up_and_put_back(station)
    made = ["find", str(station.state), "!", "-uid", "65534"]
    others = subprocess.run(made, capture_output=True, text=True, check=True)
    assert others.stdout == ""


def _back_up_and_put_back(station: Dock) -> None:
    assert station.run("catalogue", "backup").code == 0
    (made,) = catalogues(station.state / "backups")
    for arguments in (("restore", made), ("rebuild",)):
        done = station.run("catalogue", *arguments)
        assert done.code == 0, done.err


# A copy of the log that only grows.


def test_only_what_is_new_of_the_log_is_copied(station: Dock) -> None:
    assert station.run("catalogue", "backup").code == 0
    copy = station.state / "backups" / "custody"
    (segment,) = copy.glob("*.jsonl")
    first = segment.read_bytes()
    station.run("devices", "add", "0031")
    assert station.run("catalogue", "backup").code == 0
    assert segment.read_bytes().startswith(first)
    assert b'"device:0031"' in segment.read_bytes()[len(first) :]


@pytest.mark.parametrize("attack", ["cut", "rewritten", "removed"])
def test_art_5_a_log_that_does_not_go_on_where_its_copy_ends_is_noticed(
    attack: str, station: Dock
) -> None:
    assert station.run("catalogue", "backup").code == 0
    custody = station.state / "custody"
    (segment,) = custody.glob("*.jsonl")
    (copy,) = (station.state / "backups" / "custody").glob("*.jsonl")
    known = copy.read_bytes()
    lines = segment.read_bytes().splitlines(keepends=True)
    if attack == "cut":
        segment.write_bytes(b"".join(lines[:-2]))
    elif attack == "removed":
        segment.unlink()
    else:  # every link made anew, with one fact changed, and then more than there was
        deeds = [entry.deed for entry in CustodyLog(custody, "test").entries()]
        segment.unlink()
        CustodyLog(custody, "test").append([*deeds[1:], *deeds])
    done = station.run("catalogue", "backup", "--json")
    assert done.code == 1
    assert "does not go on where its copy" in done.json["error"]
    assert copy.read_bytes() == known


def test_the_folder_of_backups_is_never_the_evidence(station: Dock) -> None:
    station.configure(backup={"folder": str(station.evidence / "backups")})
    done = station.run("config", "check")
    assert done.code == 2
    assert "backup.folder" in done.err


def test_backups_are_of_the_station_that_is_open(station: Dock) -> None:
    opened = station.station()
    try:
        assert Backups(opened).make().parent == station.state / "backups"
    finally:
        opened.catalogue.close()
