"""The catalogue as it is made and opened: durable, strict, and never half up to date."""

import multiprocessing
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlite_utils.db import Database

from recorder_sync.catalogue.database import (
    FILE_NAME,
    check_catalogue,
    open_catalogue,
    transaction,
)
from recorder_sync.errors import CatalogueProblem, MissingPart

TABLES = {
    *("officers", "devices", "device_file_systems", "device_events", "cases"),
    *("dockings", "inventory", "recordings", "descriptions"),
}
DOCKING = (
    "insert into dockings (id, source, identity_state, started_at)"
    " values ('d', '/card', 'unknown', '2026-11-23T08:00:00.000Z')"
)
RECORDING = (
    "insert into recordings (id, docking, state, path, size, blake3, sha256, fingerprint,"
    " recorded_start{columns}) values ('r', 'd', 'sealed', 'p', 1, 'b', 's', x'00',"
    " '2026-11-23T08:00:00.000Z'{values})"
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    found = open_catalogue(tmp_path / FILE_NAME)
    yield found
    found.close()


def pragma(db: Database, name: str) -> object:
    return db.execute(f"pragma {name}").fetchone()[0]


def test_promise_2_what_is_committed_survives_a_power_cut(db: Database) -> None:
    assert pragma(db, "journal_mode") == "wal"
    assert pragma(db, "synchronous") == 2  # FULL


def test_promise_2_it_is_so_at_every_opening(tmp_path: Path) -> None:
    for _ in range(2):
        db = open_catalogue(tmp_path / FILE_NAME)
        assert [pragma(db, p) for p in ("journal_mode", "synchronous", "foreign_keys")] == [
            "wal",
            2,
            1,
        ]
        db.close()


def test_all_tables_are_there_and_strict(db: Database) -> None:
    assert set(db.table_names()) >= TABLES
    strict = {row[1] for row in db.execute("pragma table_list") if row[5]}
    assert strict >= TABLES
    assert check_catalogue(db) == []


@pytest.mark.parametrize("column", ["device", "officer", "case_no"])
def test_what_a_recording_names_has_to_be_there(column: str, db: Database) -> None:
    db.execute(DOCKING)
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        db.execute(RECORDING.format(columns=f", {column}", values=", 'nobody'"))


def test_a_recording_belongs_to_a_docking(db: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        db.execute(RECORDING.format(columns="", values=""))


def test_nothing_that_others_name_can_be_removed(db: Database) -> None:
    db.execute(DOCKING)
    db.execute(RECORDING.format(columns="", values=""))
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        db.execute("delete from dockings")


@pytest.mark.parametrize("column", ["id", "path"])
def test_promise_3_no_two_recordings_share_an_id_or_a_place(column: str, db: Database) -> None:
    db.execute(DOCKING)
    db.execute(RECORDING.format(columns="", values=""))
    other = RECORDING.format(columns="", values="").replace(
        "'r'" if column == "path" else "'p'", "'another'"
    )
    with pytest.raises(sqlite3.IntegrityError, match=f"recordings.{column}"):
        db.execute(other)


def test_a_second_opening_finds_nothing_to_do_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    first = open_catalogue(path)
    schema = first.schema
    first.close()
    second = open_catalogue(path)
    assert second.schema == schema
    second.close()


def test_promise_3_an_upgrade_that_fails_at_its_end_leaves_the_catalogue_as_it_was(
    tmp_path: Path,
) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as before:
        before.execute("create table document_uploads (of_the_last_migration)")
    with pytest.raises(MissingPart, match="document_uploads"):
        open_catalogue(tmp_path / FILE_NAME)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as after:
        tables = after.execute("select name from sqlite_master").fetchall()
        assert tables == [("document_uploads",)]
        after.execute("drop table document_uploads")
    open_catalogue(tmp_path / FILE_NAME).close()


def test_words_are_still_found_after_the_file_was_compacted(db: Database) -> None:
    """VACUUM renumbers hidden keys; full-text search would then point at other rows."""
    db.execute(DOCKING)
    for number in range(20):
        statement = RECORDING.format(columns=", name_words", values=f", 'word{number}'")
        db.execute(statement.replace("'r'", f"'r{number}'").replace("'p'", f"'p{number}'"))
    db.execute("delete from recordings where id in ('r0', 'r3', 'r7')")
    db.conn.commit()
    db.execute("vacuum")
    for number in (1, 12, 19):
        found = db.execute(
            "select id from recordings where number in"
            " (select rowid from recordings_fts where recordings_fts match ?)",
            [f'"word{number}"'],
        ).fetchall()
        assert found == [(f"r{number}",)]


def test_a_transaction_is_written_whole_or_not_at_all(db: Database) -> None:
    def half_written() -> None:
        with transaction(db):
            db.execute("insert into devices (number) values ('0031')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_written()
    assert db.execute("select count(*) from devices").fetchone() == (0,)
    with transaction(db):
        db.execute("insert into devices (number) values ('0031')")
    assert db.execute("select count(*) from devices").fetchone() == (1,)


def test_a_reference_to_nothing_is_found_by_the_check(db: Database) -> None:
    db.execute("pragma foreign_keys=off")
    db.execute(RECORDING.format(columns="", values=""))
    db.conn.commit()
    (problem,) = check_catalogue(db)
    assert "recordings" in problem
    assert "dockings" in problem


# Catalogues that cannot be used.


def test_a_catalogue_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    db = open_catalogue(path)
    db.execute(
        "insert into _sqlite_migrations (migration_set, name, applied_at)"
        " values ('recorder-sync', 'm999_from_the_future', '2030-01-01')"
    )
    db.conn.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(CatalogueProblem) as caught:
        open_catalogue(path)
    assert "m999_from_the_future" in caught.value.text.english
    assert caught.value.exit_code == 3
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database, but text" * 100, b"SQLite format 3\0" * 64])
def test_a_broken_catalogue_says_how_to_make_it_anew(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    with pytest.raises(CatalogueProblem) as caught:
        open_catalogue(path)
    assert caught.value.hint is not None
    assert "rebuild" in caught.value.hint.english
    assert path.read_bytes() == content


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file stands where the folder should be")
    with pytest.raises(MissingPart) as caught:
        open_catalogue(tmp_path / "state" / FILE_NAME)
    assert "state" in caught.value.text.english
    assert caught.value.hint is not None


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(MissingPart) as caught:
        open_catalogue(tmp_path / FILE_NAME)
    assert FILE_NAME in caught.value.text.english


def _open(path: Path, together: Barrier) -> None:
    together.wait(30)
    db = open_catalogue(path)
    assert set(db.table_names()) >= TABLES
    db.close()


def test_processes_that_open_a_new_catalogue_at_once_make_one(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    path = tmp_path / FILE_NAME
    together = spawn.Barrier(3)
    workers = [spawn.Process(target=_open, args=(path, together)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    db = open_catalogue(path)
    names = [row[0] for row in db.execute("select name from _sqlite_migrations")]
    db.close()
    assert len(names) == len(set(names))
