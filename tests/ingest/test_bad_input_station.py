"""A station in trouble: full disks, rights taken away, a catalogue that is not ours."""

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import (
    ask,
    check_done,
    check_evidence,
    check_refused,
    contents,
    dockings,
    large,
    mounted,
    partials,
    run_without_rights,
    sealed,
)

# -- disks that are too small


@contextmanager
def small_disk(at: Path, options: str) -> Iterator[None]:
    """Mount a small disk at a new folder for a while."""
    at.mkdir()
    with mounted("-t", "tmpfs", "-o", options, "tmpfs", at):
        yield


def grow(at: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", at], check=True)


def test_a_disk_without_room_is_said_before_anything_is_copied(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    evidence, before = contents(stocked.evidence), contents(card.path)
    stocked.configure(ingest={"reserve_mib": 1 << 30})
    done = stocked.ingest(card)
    check_refused(done, 3, "too small", "Nothing was copied", "MiB")
    assert _recordings(contents(stocked.evidence)) == _recordings(evidence)
    assert contents(card.path) == before
    (docking, _) = dockings(stocked)
    assert (docking["outcome"], docking["missing"]) == ("interrupted", 1)
    stocked.configure()
    assert stocked.ingest(card).json["sealed"] == 1
    check_evidence(stocked, "clip.mp4", earlier=1)


def _recordings(found: dict[bytes, tuple[object, ...]]) -> dict[bytes, tuple[object, ...]]:
    return {path: facts for path, facts in found.items() if b"/.incoming" not in path}


def test_a_disk_that_really_is_too_small_is_said_before_anything_is_copied(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("photo.jpg", media_files.photo)
    large(card, "clip.mp4", media_files.video, 3 << 20)
    before = contents(card.path)
    with small_disk(dock.evidence, "size=2m"):
        check_refused(dock.ingest(card), 3, "too small", "Nothing was copied")
        assert dock.sealed_files() == []
        assert partials(dock) == []
        assert contents(card.path) == before
        grow(dock.evidence, "size=32m")
        done = dock.ingest(card)
        assert done.json["sealed"] == 2, done.err
        check_evidence(dock, "photo.jpg", "clip.mp4")


def test_a_disk_that_fills_up_on_the_way_loses_nothing(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    for number in range(12):
        card.put(f"{number}.jpg", media_files.photo.read_bytes() + bytes([number]))
    before = contents(card.path)
    with small_disk(dock.evidence, "size=32m,nr_inodes=24"):  # names run out, bytes do not
        done = dock.ingest(card)
        assert done.code in (1, 3), done.err
        assert "Traceback" not in done.err, done.err
        assert "full" in (done.out + done.err)
        assert contents(card.path) == before
        already = sealed(dock)
        assert all(count == 1 for count in already.values())
        grow(dock.evidence, "nr_inodes=1000")
        again = dock.ingest(card)
        check_done(again, failed=0)
        check_evidence(dock, *(f"{number}.jpg" for number in range(12)))


def test_a_state_folder_that_fills_up_loses_nothing(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    card.put("photo.jpg", media_files.photo)
    before = contents(card.path)
    with small_disk(dock.state, "size=4m"):
        assert ask(dock, "dockings", "list").code == 0
        filler = dock.state / "filler"
        free = os.statvfs(dock.state)
        filler.write_bytes(bytes(free.f_bavail * free.f_bsize))
        done = dock.ingest(card)
        check_refused(done, 3)
        assert contents(card.path) == before
        filler.unlink()
        again = dock.ingest(card)
        check_done(again, failed=0)
        check_evidence(dock, "clip.mp4", "photo.jpg")


@pytest.mark.parametrize(
    ("part", "rights"),
    [
        (".incoming/sealing.lock", 0),
        (".incoming", 0o500),
        ("unassigned/2026/11/23/B3SUMS", 0o440),
        ("unassigned/2026/11/23", 0o500),
    ],
    ids=["lock", "incoming area", "digest list", "folder of the day"],
)
def test_an_evidence_folder_that_may_not_be_written_is_said_and_loses_nothing(
    stocked: Dock, card: Card, media_files: MediaFiles, part: str, rights: int
) -> None:
    card.put("photo.jpg", media_files.photo.read_bytes() + b"another")  # of the same day
    before, earlier = contents(card.path), stocked.sealed_files()
    path = stocked.evidence / part
    whole = path.stat().st_mode
    path.chmod(rights)
    for _ in range(2):  # what the first one leaves, the second one meets
        done = run_without_rights(stocked, "ingest", card.path)
        assert "Traceback" not in done.err, done.err
        assert done.code in (1, 3)
        assert "permission denied" in done.out + done.err
        assert "→" in done.out + done.err
    path.chmod(whole)
    assert contents(card.path) == before
    assert set(earlier) <= set(stocked.sealed_files())
    again = run_without_rights(stocked, "ingest", card.path, "--json")
    check_done(again, failed=0)
    check_evidence(stocked, "photo.jpg", earlier=1)


# -- a catalogue that is not as we left it


def _garbage(catalogue: Path) -> None:
    catalogue.write_bytes(b"this is no database\n" * 1000)


def _damaged_pages(catalogue: Path) -> None:
    with catalogue.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (catalogue.stat().st_size - 4096))


def _cut_in_the_middle(catalogue: Path) -> None:
    os.truncate(catalogue, catalogue.stat().st_size // 2)


def _empty(catalogue: Path) -> None:
    os.truncate(catalogue, 0)


def _gone(catalogue: Path) -> None:
    catalogue.unlink()


@pytest.mark.parametrize("how", [_garbage, _damaged_pages, _cut_in_the_middle, _empty, _gone])
def test_a_broken_catalogue_is_refused_and_rebuilding_repairs_it(
    stocked: Dock,
    card: Card,
    media_files: MediaFiles,
    tmp_path: Path,
    how: Callable[[Path], None],
) -> None:
    card.put("earlier.jpg", media_files.photo)
    card.put("new.mp4", media_files.video)
    stocked.configure(ingest={"immutable": False})  # so that nothing but us protects evidence
    catalogue = stocked.state / "catalogue.db"
    assert not catalogue.with_name("catalogue.db-wal").exists()
    how(catalogue)
    evidence = contents(stocked.evidence / "unassigned")
    done = stocked.ingest(card)
    assert contents(stocked.evidence / "unassigned") == evidence
    check_refused(done, 3, "recorder-sync catalogue rebuild")
    rebuilt = ask(stocked, "catalogue", "rebuild")
    assert rebuilt.code == 0, rebuilt.err
    again = stocked.ingest(card)
    check_done(again, sealed=1, already_sealed=1)
    check_evidence(stocked, "new.mp4", earlier=1)
    assert ask(stocked, "catalogue", "check").code == 0


@pytest.mark.parametrize("immutable", [False, True], ids=["read-only", "immutable"])
def test_an_older_catalogue_put_back_costs_no_evidence(
    dock: Dock, card: Card, media_files: MediaFiles, immutable: bool
) -> None:
    dock.configure(ingest={"immutable": immutable})
    assert ask(dock, "dockings", "list").code == 0
    catalogue = dock.state / "catalogue.db"
    older = catalogue.read_bytes()
    card.put("clip.mp4", media_files.video)
    card.put("photo.jpg", media_files.photo)
    assert dock.ingest(card).json["sealed"] == 2
    evidence = _recordings(contents(dock.evidence))
    catalogue.write_bytes(older)
    done = dock.ingest(card)
    assert "Traceback" not in done.err, done.err
    files = {path: facts for path, facts in evidence.items() if not path.endswith(b"/.")}
    assert files.items() <= _recordings(contents(dock.evidence)).items()
    assert ask(dock, "catalogue", "rebuild").code == 0
    again = dock.ingest(card)
    check_done(again, sealed=0, already_sealed=2)
    check_evidence(dock, "clip.mp4", "photo.jpg")


def test_a_catalogue_of_a_newer_version_is_refused(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    catalogue = stocked.state / "catalogue.db"
    with closing(sqlite3.connect(catalogue)) as db, db:
        (columns,) = db.execute("select count(*) from pragma_table_info('_sqlite_migrations')")
        assert columns[0] >= 3
        db.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at)"
            " values ('recorder-sync', 'm999_of_the_future', '2036-01-01')"
        )
    evidence, kept = contents(stocked.evidence), catalogue.read_bytes()
    done = stocked.ingest(card)
    check_refused(done, 3, "newer version", "m999_of_the_future", "Install")
    assert contents(stocked.evidence) == evidence
    assert catalogue.read_bytes() == kept
    with closing(sqlite3.connect(catalogue)) as db, db:
        db.execute("delete from _sqlite_migrations where name = 'm999_of_the_future'")
    assert stocked.ingest(card).json["sealed"] == 1
    check_evidence(stocked, "clip.mp4", earlier=1)


def test_a_custody_log_with_a_line_that_is_none_is_refused_and_kept(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    (segment,) = (stocked.state / "custody").glob("*.jsonl")
    whole = segment.read_bytes()
    segment.write_bytes(whole + b"rubbish\n")
    evidence = _recordings(contents(stocked.evidence))
    done = stocked.ingest(card)
    assert done.code in (1, 3)
    check_refused(done, done.code, "custody log")
    assert segment.read_bytes() == whole + b"rubbish\n"
    assert _recordings(contents(stocked.evidence)) == evidence
    segment.write_bytes(whole)
    assert stocked.ingest(card).json["sealed"] == 1
    check_evidence(stocked, "clip.mp4", earlier=1)
