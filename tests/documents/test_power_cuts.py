"""The power fails at any write: what was said to be handed in, or sealed, is there (promise 2, 3).

The station lies on a disk whose writes and flushes are recorded, and what is said between them.
Every state that a cut could leave is then mounted as the next start would find it.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from blake3 import blake3

from recorder_sync.custody.log import Act
from recorder_sync.ingest.documents import seal_handed_in
from recorder_sync.ingest.recovery import recover
from recorder_sync.ingest.stopping import Stop
from recorder_sync.ingest.tray import FOLDER, Tray
from tests.conftest import Dock
from tests.documents.handing_in import CASE, PDF, begun, entries, left_in_incoming, listed, paper
from tests.faults.disk import FaultyDisk
from tests.inspection.furnished import verify_here

pytestmark = pytest.mark.long

_HANDS_IN = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from recorder_sync.ingest.tray import Tray
from recorder_sync.model import CardPath
from recorder_sync.rules.documents import DocumentKind, Given

state, *files = map(Path, sys.argv[1:])
for file in files:
    at = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    given = Given("{case}", file.stem, DocumentKind.ISSUED, CardPath(file.name.encode()), "王", at)
    data = file.read_bytes()
    with Tray(state).receiving(len(data), 0) as received:
        for start in range(0, len(data), 65536):
            received.write(data[start : start + 65536])
        received.complete(given, "custodian")
    print("handed in:", file.stem, flush=True)
"""


def _dock_on(folder: Path, disk: Path) -> Dock:
    folder.mkdir(exist_ok=True)
    dock = Dock(folder)
    dock.evidence, dock.state = disk / "evidence", disk / "state"
    dock.configure(ingest={"immutable": False})
    return dock


def _papers(folder: Path) -> dict[str, bytes]:
    contents = {"small": PDF, "large": PDF * 30, "other": PDF + b"!"}
    for name, content in contents.items():
        paper(folder, content, f"{name}.pdf")
    return contents


def test_what_is_in_the_tray_is_whole_there_after_a_power_cut_and_is_sealed(tmp_path: Path) -> None:
    contents = _papers(tmp_path)
    with FaultyDisk(tmp_path / "blocks", tmp_path / "disk") as disk:
        begun(_dock_on(tmp_path, disk.path))
        disk.start_log()
        with disk.report.open("w") as report:
            files = [tmp_path / f"{name}.pdf" for name in contents]
            script = _HANDS_IN.format(case=CASE)
            command: list[str | Path] = [sys.executable, "-c", script, disk.path / "state", *files]
            subprocess.run(command, stdout=report, stderr=report, check=True)
        assert disk.reported().count(b"handed in") == len(contents)
        images = promised = sealed = 0
        for image in disk.crash_images(seeds=(1,)):
            images += 1
            said = re.findall(rb"^handed in: (\w+)$", image.reported, re.MULTILINE)
            with image.mounted(tmp_path / "crashed") as left:
                waiting = Tray(left / "state").waiting()
                titles = {one.given.title for one in waiting}
                assert titles >= {name.decode() for name in said}, image.what
                for one in waiting:  # also what was not said yet: a note stands for a whole file
                    file = left / "state" / FOLDER / f"{one.token}.file"
                    assert blake3(file.read_bytes()).hexdigest() == one.blake3, image.what
                    assert file.read_bytes() == contents[one.given.title]
                promised += len(said)
                if images % 20 == 0:
                    sealed += _sealed_by_the_next_start(left, tmp_path / f"next{images}", titles)
        print(f"\n{images} states, {promised} promises, {sealed} sealed by the next start")
        assert promised > len(contents)
        assert sealed


def _sealed_by_the_next_start(left: Path, folder: Path, titles: set[str]) -> int:
    dock = _dock_on(folder, left)
    station = dock.station()
    with closing(station.catalogue):
        tray = Tray(dock.state)
        tray.clear()
        for one in tray.waiting():
            assert seal_handed_in(station, tray, one, Stop())
    assert {one["title"] for one in listed(dock)} == titles
    assert list((dock.state / FOLDER).iterdir()) == [], "what was never handed in is gone"
    assert verify_here(dock) == []
    return len(titles)


def test_what_was_reported_sealed_of_documents_survives_a_power_cut(tmp_path: Path) -> None:
    contents = _papers(tmp_path)
    with FaultyDisk(tmp_path / "blocks", tmp_path / "disk") as disk:
        dock = begun(_dock_on(tmp_path, disk.path))
        disk.start_log()
        with disk.report.open("w") as report:
            for name in contents:
                words = ("--title", name, "--kind", "issued document", "--by", "王")
                file = tmp_path / f"{name}.pdf"
                command = dock.command("cases", "documents", "add", CASE, file, *words)
                subprocess.run(command, stdout=report, stderr=report, check=True)
        assert disk.reported().count(b"Sealed as") == len(contents), disk.reported()
        images = promised = looked_into = 0
        for image in disk.crash_images(seeds=(1,)):
            images += 1
            said = re.findall(rb"^Sealed as (\S+): ", image.reported, re.MULTILINE)
            if images % 8:
                continue
            with image.mounted(tmp_path / "crashed") as left:
                copy = tmp_path / f"look{images}"
                shutil.copytree(left, copy / "disk")  # looking writes
                look = _dock_on(copy, copy / "disk")
                seals = {e.deed.subject: e.deed.facts for e in entries(look, Act.DOCUMENT)}
                for one in map(bytes.decode, said):
                    path = look.evidence / seals[one]["document"]["path"]
                    text = Path(f"{path}.json").read_bytes()
                    described = hashlib.sha256(text).hexdigest()
                    assert described == seals[one]["description_sha256"], image.what
                    assert path.read_bytes() == contents[seals[one]["document"]["title"]]
                promised += len(said)
                if images % 40 == 0:
                    looked_into += 1
                    _finished_by_the_next_start(look)
        print(f"\n{images} states, {promised} promises, {looked_into} next starts")
        assert promised > len(contents)
        assert looked_into


def _finished_by_the_next_start(dock: Dock) -> None:
    station = dock.station()
    with closing(station.catalogue):
        recover(station)
    seals = [entry.deed.subject for entry in entries(dock, Act.DOCUMENT)]
    assert sorted(one["id"] for one in listed(dock)) == sorted(seals), "each once, none half"
    assert left_in_incoming(dock) == []
    assert verify_here(dock) == []
