"""The catalogue is an index: made anew from the custody log it is the same (DESIGN, 5)."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.catalogue import trail
from recorder_sync.catalogue.rebuild import rebuild
from recorder_sync.catalogue.search import Search, search
from recorder_sync.catalogue.steps import STEPS
from recorder_sync.catalogue.taking_up import ACTS
from recorder_sync.custody.log import Act, CustodyLog
from tests.conftest import Card, Dock, MediaFiles

Rows = list[dict[str, Any]]
SURROGATE_KEYS = {"number", "key"}
"""Integer keys that full-text search needs; devices' `number` is a text, and is kept."""
TABLES = ("officers", "devices", "cases", "dockings", "recordings", "descriptions", "inventory")


def rows(dock: Dock, table: str) -> Rows:
    """Return the table's rows without surrogate keys, in an order of their own."""
    path = dock.state / "catalogue.db"
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    try:
        found = [
            {
                column: json.loads(row[column]) if column == "json" else row[column]
                for column in row.keys()  # noqa: SIM118 - a Row is a sequence of values
                if column not in SURROGATE_KEYS or isinstance(row[column], str)
            }
            for row in db.execute(f"select * from {table}")
        ]
    finally:
        db.close()
    return sorted(found, key=repr)


def everything(dock: Dock) -> dict[str, Rows]:
    return {table: rows(dock, table) for table in TABLES}


SEARCHES = (
    Search(),
    Search(party="李"),
    Search(cause="占道"),
    Search(name="现场"),
    Search(officer="李明"),
    Search(device="CAM002"),
    Search(device="CAM009"),
    Search(case="2026-7"),
    Search(case="2026-8"),
)


def found_in(dock: Dock) -> list[list[str]]:
    """Return what each of SEARCHES finds."""
    station = dock.station()
    try:
        return [[r.id for r in search(station.catalogue, one).found] for one in SEARCHES]
    finally:
        station.catalogue.close()


@dataclass(frozen=True)
class Rebuilt:
    dock: Dock
    before: dict[str, Rows]
    found_before: list[list[str]]
    printed: dict[str, Any]
    after: dict[str, Rows]
    found_after: list[list[str]]


@pytest.fixture(scope="module")
def rebuilt(media_files: MediaFiles, tmp_path_factory: pytest.TempPathFactory) -> Rebuilt:
    """A station with two cards taken in, one of them twice, and everything registered."""
    folder = tmp_path_factory.mktemp("station")
    dock = Dock(folder)
    dock.configure(ingest={"immutable": False})

    def done(*arguments: str) -> None:
        result = dock.run(*arguments)
        assert result.code == 0, result.err

    done("devices", "add", "CAM001", "--kind", "body camera", "--officer", "000001")
    one = Card(folder / "one")
    one.put("DCIM/DCAM_CAM001_000001_20261123_160000_IMP.mp4", media_files.video)
    one.put("DCIM/现场勘验.wav", media_files.audio)
    one.put("DCIM/现场勘验 copy.wav", media_files.audio)
    one.put("DCIM/100MEDIA/IMG00001.JPG", media_files.photo)
    one.put("notes.txt", b"text, not a recording\n")
    one.put("empty.mp4", b"")
    one.put("/".join(["deep"] * 70) + "/lost.mp4", media_files.other_video)
    two = Card(folder / "two")
    two.put(b"\xb2\xe2\xca\xd4.mp4", media_files.other_video)
    two.put("recorder.ini", "recorder_serial=CAM002\nuser_no=000010\nuser_name=李明\n".encode())
    two.put("DCAM_CAM003_000011_20261123_160000.wav", media_files.audio)
    assert dock.ingest(one, "--port", "1-2").code == 1  # too deep a folder is a failure
    assert dock.ingest(two, "--case", "2026-7").code in (0, 1)
    done("cases", "add", "2026-7", "--party", "李明建筑", "--cause", "涉嫌占道经营")
    done("officers", "add", "000010", "--name", "李明", "--unit", "一中队")
    done("devices", "add", " CAM002 ", "--maker", "海康")
    again = dock.ingest(one)
    assert again.json["sealed"] == 0
    by_name = {row["name"]: row["id"] for row in rows(dock, "recordings")}
    why = ("--by", "王队", "--reason", "别人拍的")
    done("recordings", "tag", by_name["IMG00001.JPG"], *why, "--officer", "000010")
    done("recordings", "tag", by_name["IMG00001.JPG"], *why, "--case", "2026-8")
    wrong_device = by_name["DCAM_CAM003_000011_20261123_160000.wav"]
    done("recordings", "tag", wrong_device, *why, "--device", "CAM009")
    before, found_before = everything(dock), found_in(dock)
    result = dock.run("catalogue", "rebuild", "--json")
    assert result.code == 0, result.err
    return Rebuilt(
        dock=dock,
        before=before,
        found_before=found_before,
        printed=result.json,
        after=everything(dock),
        found_after=found_in(dock),
    )


@pytest.mark.parametrize("table", TABLES)
def test_a_rebuilt_catalogue_is_the_same_row_by_row(table: str, rebuilt: Rebuilt) -> None:
    assert rebuilt.before[table], "the example has rows of every kind"
    assert rebuilt.after[table] == rebuilt.before[table]


def test_the_example_holds_what_can_get_lost(rebuilt: Rebuilt) -> None:
    outcomes = {row["outcome"] for row in rebuilt.before["inventory"]}
    assert outcomes == {"sealed", "already-sealed", "skipped", "failed"}
    assert {row["identity_state"] for row in rebuilt.before["dockings"]} >= {"known", "conflict"}
    assert any(row["name"].startswith("\ufffd") for row in rebuilt.before["recordings"])


def test_a_rebuilt_catalogue_finds_the_same(rebuilt: Rebuilt) -> None:
    assert all(rebuilt.found_before)
    assert rebuilt.found_after == rebuilt.found_before


def test_what_was_rebuilt_is_told_and_entered_in_the_custody_log(rebuilt: Rebuilt) -> None:
    assert rebuilt.printed["recordings"] == len(rebuilt.before["recordings"])
    assert rebuilt.printed["dockings"] == len(rebuilt.before["dockings"]) == 3
    entries = list(CustodyLog(rebuilt.dock.state / "custody", "test").entries())
    (entry,) = [e for e in entries if e.deed.act is Act.CATALOGUE_REBUILT]
    assert entry.deed.facts["recordings"] == rebuilt.printed["recordings"]


def test_the_old_file_is_kept_and_whole(rebuilt: Rebuilt) -> None:
    kept = Path(rebuilt.printed["kept"])
    assert kept.parent == rebuilt.dock.state
    db = sqlite3.connect(kept)
    (count,) = db.execute("select count(*) from recordings").fetchone()
    db.close()
    assert count == len(rebuilt.before["recordings"])


@pytest.fixture
def station(rebuilt: Rebuilt, tmp_path: Path) -> Dock:
    """A copy of that station to do things to."""
    shutil.copytree(rebuilt.dock.state, tmp_path / "state")
    shutil.copytree(rebuilt.dock.evidence, tmp_path / "evidence")
    dock = Dock(tmp_path)
    dock.configure(ingest={"immutable": False})
    return dock


def test_the_evidence_agrees_with_a_rebuilt_catalogue(station: Dock) -> None:
    done = station.run("verify", "--all", "--json")
    assert (done.code, done.json["findings"]) == (0, [])
    assert station.run("catalogue", "check").code == 0


def test_promise_3_after_a_rebuild_the_same_card_makes_no_second_copy(
    station: Dock, rebuilt: Rebuilt, tmp_path: Path
) -> None:
    shutil.copytree(rebuilt.dock.evidence.parent / "one", tmp_path / "card")
    before = station.sealed_files()
    done = station.run("ingest", tmp_path / "card", "--json")
    assert done.json["sealed"] == 0
    assert done.json["already_sealed"] == 4
    assert station.sealed_files() == before


def _removed(dock: Dock) -> None:
    for path in dock.state.glob("catalogue.db*"):
        path.unlink()


def _overwritten(dock: Dock) -> None:
    for path in dock.state.glob("catalogue.db*"):
        path.write_bytes(b"not a database" * 1000)


@pytest.mark.parametrize("harm", [_removed, _overwritten])
def test_a_catalogue_that_is_lost_or_broken_comes_back(
    harm: Callable[[Dock], None], station: Dock, rebuilt: Rebuilt
) -> None:
    harm(station)
    done = station.run("catalogue", "rebuild", "--json")
    assert done.code == 0, done.err
    assert everything(station) == rebuilt.after


def test_a_broken_custody_log_is_refused_and_the_catalogue_stays(
    station: Dock, rebuilt: Rebuilt
) -> None:
    (segment,) = (station.state / "custody").glob("*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[:2] + lines[3:]))
    done = station.run("catalogue", "rebuild", "--json")
    assert done.code == 1
    assert "broken" in done.json["error"]
    assert done.json["hint"]
    assert everything(station) == rebuilt.after


def test_two_rebuilds_in_one_second_keep_both_old_files(station: Dock) -> None:
    custody = CustodyLog(station.state / "custody", "test")
    at = datetime(2026, 11, 23, 8, tzinfo=UTC)
    kept = {rebuild(station.state, custody, at).kept for _ in range(2)}
    assert len(kept) == 2
    assert all(path is not None and path.exists() for path in kept)


def test_a_rebuild_that_was_cut_off_is_begun_anew(station: Dock, rebuilt: Rebuilt) -> None:
    (station.state / "catalogue.rebuilding.db").write_bytes(b"half a catalogue")
    assert station.run("catalogue", "rebuild").code == 0
    assert everything(station) == rebuilt.after
    assert not list(station.state.glob("*rebuilding.db*"))


def test_promise_9_a_log_with_a_wild_time_can_still_be_rebuilt(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    """A card that a station could not take in must not cost it its index."""
    wild = card.put("MAH00001.MP4", media_files.other_video)
    seconds = int(datetime(2300, 1, 1, tzinfo=UTC).timestamp())
    os.utime(wild, (seconds, seconds))
    if int(wild.stat().st_mtime) != seconds:
        pytest.skip("this file system cannot hold a time in 2300")
    dock.ingest(card)
    done = dock.run("catalogue", "rebuild", "--json")
    assert (done.code, "Traceback" in done.err) == (0, False)


def test_every_act_that_the_catalogue_has_something_of_has_a_step_or_a_row_of_the_trail() -> None:
    """The list stands apart from the steps, which most commands do not import."""
    assert frozenset(STEPS) | trail.ACTS == ACTS
