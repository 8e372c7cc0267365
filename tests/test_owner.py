"""What root does at a station, the daemon can go on with."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, MediaFiles

_NOBODY = 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")
def test_what_a_command_of_root_makes_belongs_to_the_owner_of_the_station(
    open_folder: Path, media_files: MediaFiles
) -> None:
    dock, card = Dock(open_folder), Card(open_folder / "card")
    dock.configure(ingest={"immutable": False})
    for folder in (dock.state, dock.evidence):
        folder.mkdir()
        os.chown(folder, _NOBODY, _NOBODY)
    card.put("clip.mp4", media_files.video)
    card.path.chmod(0o700)
    done = dock.ingest(card)
    assert done.code == 0, done.err
    assert done.json["sealed"] == 1
    made = subprocess.run(
        ["find", dock.state, dock.evidence, "!", "-uid", str(_NOBODY)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == ""
    log = b"".join(path.read_bytes() for path in (dock.state / "custody").glob("*.jsonl"))
    assert b'"actor":"os:' in log
    assert b'"actor":"os:nobody"' not in log
