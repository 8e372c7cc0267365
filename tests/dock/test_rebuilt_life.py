"""A rich life of a station, and the same catalogue after it: rebuilt, and restored.

Every table is compared row by row (tests/catalogue/whole.py).
"""

import json
import random
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from recorder_sync.catalogue.database import open_catalogue
from recorder_sync.rules.docking import Stay
from tests.catalogue.whole import MAY_DIFFER, NOT_COMPARED, whole
from tests.conftest import Card, Dock, MediaFiles
from tests.dock.conftest import Port
from tests.documents.handing_in import paper
from tests.faults.card import HostileCard
from tests.inspection.furnished import CALENDAR, explain_gap
from tests.inspection.test_resuming import stopped_after

pytestmark = pytest.mark.long

Cards = Callable[[Path], HostileCard]


def _done(dock: Dock, *arguments: str) -> None:
    result = dock.run(*arguments)
    assert result.code == 0, f"{arguments}: {result.err}"


def _live(port: Port, folder: Path, media: MediaFiles, hostile: Cards) -> Path:
    """Have everything happen at a station that can; return a backup from the middle of it."""
    dock = port.dock
    camera = Card(folder / "camera")
    camera.put("device.json", b'{"device": "0031"}')
    _ledger_before(dock)
    _several_cards(dock, folder, media)
    _held_and_registered(port, folder, media)
    _done(dock, "catalogue", "backup", "--to", str(folder / "middle.db"))
    _pulled_out_and_back(port, camera, media, hostile)
    _damaged(port, folder, media, hostile)
    _killed_and_gone_on_with(dock, folder, media, hostile)
    _looked_at_and_corrected(dock, folder)
    _ledger_after(dock)
    _written_record(dock, folder)
    _put_on_record(dock, folder)
    port.plug(camera.path)
    port.shows(Stay.SAFE, Stay.SAFE_WITH_PROBLEMS)
    port.pull()
    return folder / "middle.db"


def _ledger_before(dock: Dock) -> None:
    _done(dock, "devices", "add", "0031", "--custodian", "老王", "--feature", "GPS")
    _done(dock, "officers", "add", "000001", "--name", "王芳", "--unit", "一中队")
    _done(dock, "devices", "issue", "0031", "--officer", "000001", "--override", "急用")
    _done(dock, "cases", "add", "2026-7", "--party", "李明", "--cause", "占道经营")


def _several_cards(dock: Dock, folder: Path, media: MediaFiles) -> None:
    one, two = Card(folder / "one"), Card(folder / "two")
    one.put("DCIM/DCAM_CAM001_000001_20261123_160000_IMP.mp4", media.video)
    one.put("DCIM/现场勘验.wav", media.audio)
    one.put("DCIM/现场勘验 copy.wav", media.audio)
    one.put("notes.txt", b"text, not a recording\n")
    one.put("/".join(["deep"] * 70) + "/lost.mp4", media.other_video)
    two.put(b"\xb2\xe2\xca\xd4.mp4", media.other_video)
    two.put("recorder.ini", "recorder_serial=CAM002\nuser_no=000010\nuser_name=李明\n".encode())
    two.put("DCAM_CAM003_000011_20261123_160000.jpg", media.photo)
    assert dock.ingest(one, "--port", "1-2").code == 1
    assert dock.ingest(two, "--case", "2026-8").code in (0, 1)


def _held_and_registered(port: Port, folder: Path, media: MediaFiles) -> None:
    unknown = Card(folder / "unknown")
    unknown.put("clip.wav", media.audio.read_bytes() + b"of another device")
    port.plug(unknown.path)
    docking = port.shows(Stay.HELD)["docking"]
    _done(port.dock, "devices", "add", "0077", "--docking", docking)
    port.shows(Stay.SAFE, Stay.SAFE_WITH_PROBLEMS)
    port.pull()


def _pulled_out_and_back(port: Port, camera: Card, media: MediaFiles, hostile: Cards) -> None:
    camera.put("clip.mp4", media.video.read_bytes() + random.Random(1).randbytes(8 << 20))
    card = hostile(camera.path)
    hang = card.hang_at("clip.mp4", 3 << 20)
    port.plug(card.path)
    hang.await_reader()
    card.pull_out()
    hang.release()
    port.pull()
    assert port.newest()["state"] == Stay.REMOVED_EARLY


def _damaged(port: Port, folder: Path, media: MediaFiles, hostile: Cards) -> None:
    """Read errors that stay: a failure with a salvage copy."""
    damaged = Card(folder / "damaged")
    damaged.put("device.json", b'{"device": "0077"}')
    damaged.put("broken.mp4", media.video.read_bytes() + random.Random(2).randbytes(4 << 20))
    card = hostile(damaged.path)
    card.fail_reads("broken.mp4", 1 << 20, 64 << 10)
    assert port.dock.run("ingest", card.path, "--json").json["failed"] == 1


def _killed_and_gone_on_with(dock: Dock, folder: Path, media: MediaFiles, hostile: Cards) -> None:
    """Killed in the middle of a large recording; the next intake closes that docking."""
    killed = Card(folder / "killed")
    killed.put("DCIM/photo.jpg", media.photo.read_bytes() + b"another one")
    killed.put("DCIM/long.mp4", media.video.read_bytes() + random.Random(3).randbytes(20 << 20))
    card = hostile(killed.path)
    hang = card.hang_at("DCIM/long.mp4", 12 << 20)
    with subprocess.Popen(
        dock.command("ingest", card.path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        hang.await_reader()
        child.kill()
        hang.release()
    assert dock.ingest(killed).code == 0


def _looked_at_and_corrected(dock: Dock, folder: Path) -> None:
    found = dock.run("recordings", "list", "--json").json["recordings"]
    first, second = found[0]["id"], found[1]["id"]
    why = ("--by", "王队", "--reason", "别人拍的")
    _done(dock, "recordings", "show", first)
    _done(dock, "recordings", "tag", first, *why, "--officer", "000010")
    _done(dock, "recordings", "tag", first, *why, "--case", "2026-9")
    _done(dock, "recordings", "tag", second, *why, "--device", "CAM009")
    _done(dock, "recordings", "export", first, second, "--to", str(folder / "court"))
    long = next(one["id"] for one in found if one["duration_s"])
    _done(dock, "recordings", "mark", long, "--important", "--notified")
    _done(dock, "recordings", "bookmark", long, "0.5", "--kind", "scene")
    _done(dock, "recordings", "hold", long, "--reason", "复议期间")
    dock.run("verify", "--all")
    stopped_after(dock, 2)


def _ledger_after(dock: Dock) -> None:
    _done(dock, "devices", "fault", "0031", "--what", "镜头破裂")
    _done(dock, "devices", "return", "0031")
    _done(dock, "devices", "repair", "0031", "--what", "已更换")
    _done(dock, "devices", "lost", "0077", "--reason", "掉进河里")
    _done(dock, "officers", "add", "000010", "--name", "李明明")
    _done(dock, "cases", "add", "2026-9", "--party", "赵四")
    _done(dock, "cases", "close", "2026-7", "--on", "2026-11-20")


def _written_record(dock: Dock, folder: Path) -> None:
    """A document of a case, and a recording that belongs to it."""
    words = ("--title", "行政处罚决定书", "--kind", "issued document", "--json")
    document = dock.run("cases", "documents", "add", "2026-9", paper(folder), *words).json["id"]
    recording, *_ = dock.run("recordings", "list", "--case", "2026-9", "--json").json["recordings"]
    _done(dock, "recordings", "document", recording["id"], document)


def _put_on_record(dock: Dock, folder: Path) -> None:
    """Alerts in every state, a deferral, the calendar, and an interruption explained."""
    raised = dock.run("alerts", "list", "--json").json["alerts"]
    first, second, *_ = (str(alert["number"]) for alert in raised)
    _done(dock, "alerts", "ack", first, "--by", "王队")
    _done(dock, "alerts", "resolve", second, "--by", "王队", "--note", "已处理")
    (folder / "calendar.csv").write_text(CALENDAR.replace("CAM001", "0031"), encoding="utf-8")
    _done(dock, "calendar", "import", str(folder / "calendar.csv"))
    _done(dock, "calendar", "explain", "检查-1", "--reason", "forgotten")
    when = ("--begins", "2026-11-23T08:00", "--expected", "2026-11-25T12:00")
    added = dock.run("deferrals", "add", "--reason", "water", "--device", "0031", *when, "--json")
    _done(dock, "deferrals", "approve", added.json["id"], "--approver", "刘局")
    _done(dock, "deferrals", "return", added.json["id"])
    explain_gap(dock)


def test_a_catalogue_that_is_made_anew_or_put_back_is_the_lost_one(
    port: Port, tmp_path: Path, media_files: MediaFiles, hostile: Cards
) -> None:
    middle = _live(port, tmp_path, media_files, hostile)
    dock, path = port.dock, port.dock.state / "catalogue.db"
    before = whole(path)
    _holds_what_can_get_lost(before)
    port.close()
    for file in dock.state.glob("catalogue.db*"):
        file.unlink()
    _done(dock, "catalogue", "rebuild")
    assert whole(path) == before
    assert len(whole(middle)["recordings"]) < len(before["recordings"])
    restored = dock.run("catalogue", "restore", middle, "--json")
    assert restored.code == 0, restored.err
    assert whole(path) == before
    assert restored.json["sealed_since"] == len(before["recordings"]) - len(
        whole(middle)["recordings"]
    )
    assert dock.run("catalogue", "check").code == 0


def _holds_what_can_get_lost(tables: dict[str, list[dict[str, object]]]) -> None:
    empty = {name for name, rows in tables.items() if not rows}
    # Nothing is forwarded in this life; what stores have is rebuilt in tests/forward and
    # tests/from_store.
    of_stores = {"copies", "uploads", "document_copies", "document_uploads", "stores"}
    assert empty <= {*of_stores, "copies_looked_at", "brought_back"}, f"no rows in {empty}"
    inventory = {row["outcome"] for row in tables["inventory"]}
    assert inventory >= {"sealed", "already-sealed", "skipped", "failed", None}
    assert {row["outcome"] for row in tables["dockings"]} >= {"done", "interrupted"}
    assert {row["state"] for row in tables["dockings"]} >= {None, "removed", "removed-early"}
    assert {row["kind"] for row in tables["alerts"]} >= {"removed-early", "device-held"}
    assert any("salvaged" in str(row["flags"]) for row in tables["recordings"])


def test_what_may_differ_is_there_to_differ(dock: Dock) -> None:
    """The list of exceptions names only what is in the catalogue."""
    open_catalogue(dock.state / "catalogue.db").close()
    with closing(sqlite3.connect(dock.state / "catalogue.db")) as db:
        for table, column in MAY_DIFFER:
            columns = {row[1] for row in db.execute(f"pragma table_info({table})")}
            assert column in columns
    assert len(MAY_DIFFER) + len(NOT_COMPARED) < 8, "a long list hides what it should show"


def _entries(device: str, officer: str, case: str, named: str) -> dict[str, list[tuple[str, ...]]]:
    return {
        "ledger": [
            ("devices", "add", device, "--officer", officer),
            ("officers", "add", officer, "--name", named),
            ("cases", "add", case, "--party", named),
            ("cases", "close", case, "--on", "2026-11-20"),
        ],
        "moves": [
            ("devices", "issue", device, "--officer", officer, "--override", named),
            ("devices", "return", device),
            ("devices", "fault", device, "--what", named),
            ("devices", "repair", device, "--what", named),
        ],
    }


class _Life:
    """Commands in a random order, most of which change something."""

    def __init__(self, dock: Dock, folder: Path, media: MediaFiles, chance: random.Random) -> None:
        self._dock = dock
        self._folder = folder
        self._media = media
        self._chance = chance

    def step(self) -> None:
        chance = self._chance
        device, officer = f"00{chance.randrange(3)}", f"0000{chance.randrange(3)}"
        case = f"2026-{chance.randrange(3)}"
        named = f"{chance.choice('赵钱孙李')}{chance.randrange(9)}"
        what = chance.choice(["intake", "intake", "tag", "tag", "ledger", "moves"])
        if what == "intake":
            self._intake(device, officer, case)
        elif what == "tag":
            self._tag(device, officer, case)
        else:
            self._run(*chance.choice(_entries(device, officer, case, named)[what]))

    def _intake(self, device: str, officer: str, case: str) -> None:
        number = len(list(self._folder.glob("card-*")))
        card = Card(self._folder / f"card-{number}")
        for turn in range(self._chance.randrange(4)):
            content = self._media.audio.read_bytes() + bytes([self._chance.randrange(12)])
            name = f"DCAM_{device}_{officer}_2026112{self._chance.randrange(4)}_16000{turn}.wav"
            card.put(self._chance.choice([name, f"{turn}.wav", "notes.txt"]), content)
        self._run("ingest", str(card.path), *self._chance.choice([(), ("--case", case)]))

    def _tag(self, device: str, officer: str, case: str) -> None:
        found = self._dock.run("recordings", "list", "--json").json["recordings"]
        if found:
            tag = self._chance.choice(
                [("--device", device), ("--officer", officer), ("--case", case)]
            )
            one = self._chance.choice(found)["id"]
            self._run("recordings", "tag", one, "--by", "王队", "--reason", "错", *tag)

    def _run(self, *arguments: str) -> None:
        """Run a command; what makes no sense just now is refused, and that is fine."""
        done = self._dock.run(*arguments)
        assert done.code in (0, 1, 2), f"{arguments}: {done.err}"


@pytest.mark.timeout(600)
def test_any_life_of_a_station_can_be_made_anew_and_any_backup_of_it_be_put_back(
    tmp_path: Path, media_files: MediaFiles, rounds: int
) -> None:
    for number in range(max(1, rounds // 5)):
        folder = tmp_path / str(number)
        folder.mkdir()
        dock, chance = Dock(folder), random.Random(number)
        dock.configure(ingest={"immutable": False})
        life = _Life(dock, folder, media_files, chance)
        steps = 25
        backup_after = chance.randrange(steps)
        for turn in range(steps):
            life.step()
            if turn == backup_after:
                _done(dock, "catalogue", "backup", "--to", str(folder / "backup.db"))
        before = whole(dock.state / "catalogue.db")
        _done(dock, "catalogue", "rebuild")
        assert whole(dock.state / "catalogue.db") == before, f"life {number}, rebuilt"
        _done(dock, "catalogue", "restore", str(folder / "backup.db"))
        assert whole(dock.state / "catalogue.db") == before, f"life {number}, restored"
        assert json.loads(dock.run("verify", "--all", "--json").out)["findings"] == []
