"""How long do a rebuild, a restore and a backup of the catalogue take?

Rebuild and restore: a custody log with the seals of --sealed recordings, ten to a docking,
each with its inventory, written by the product's own log. The backup that is restored is
the catalogue as it was ten dockings earlier. Backup: a catalogue of --recordings made-up
recordings (made_catalogue.py), while a process commits to it as fast as it can.

Not to be concluded: how long it takes on other disks, and what a rebuild of a log costs
that holds other acts in other proportions. The backup's disk and the catalogue's are one.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from made_catalogue import PER_DOCKING, make_catalogue, sealed_recordings
from rich.console import Console

from recorder_sync.catalogue.backup import copy_catalogue
from recorder_sync.catalogue.database import FILE_NAME
from recorder_sync.catalogue.rebuild import rebuild
from recorder_sync.catalogue.restore import restore
from recorder_sync.custody.log import Act, CustodyLog, Deed
from recorder_sync.timestamps import moment

screen = Console(width=100, highlight=False)

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_LATER = 10
"""Dockings after the backup that is put back."""

_WRITER = """
import sys
from pathlib import Path
from recorder_sync.catalogue.database import open_catalogue, transaction
db = open_catalogue(Path(sys.argv[1]))
number = 0
while True:
    with transaction(db):
        db.execute("insert into officers (cert_no) values (?)", [f"made-{number}"])
    number += 1
    print(number, flush=True)
"""


def deeds(recordings: int) -> Iterator[list[Deed]]:
    """Yield what a docking puts on record, docking by docking."""
    for opened, described in sealed_recordings(recordings):
        docking, at = opened["id"], moment(opened["started_at"])

        def deed(act: Act, subject: str, facts: dict[str, Any], at: datetime = at) -> Deed:
            return Deed(act, subject, "os:recorder-sync", at, facts)

        begun = {
            "source": "/media/card",
            "port": None,
            "device": described[0]["device"],
            "identity_source": "name",
            "identity_state": "known",
            "claims": [],
            "storage": None,
            "started_at": opened["started_at"],
        }
        files = [
            {
                "path": one["original_path"],
                "size": one["size"],
                "mtime": one["mtime"],
                "kind": one["kind"],
                "skipped": None,
                "failure": None,
            }
            for one in described
        ]
        yield [
            deed(Act.DOCKING_OPENED, docking, begun),
            deed(Act.INVENTORY, docking, {"files": files, "of": len(files)}),
            *(
                deed(
                    Act.SEAL,
                    one["id"],
                    {
                        "recording": one,
                        "description_blake3": one["blake3"],
                        "description_sha256": one["sha256"],
                        "fingerprint": one["blake3"][:32],
                    },
                )
                for one in described
            ),
            deed(Act.DOCKING_CLOSED, docking, {"outcome": "done", "sealed": len(files)}),
        ]


def make_log(folder: Path, recordings: int) -> None:
    """Make the custody log of these recordings, and a backup from before its end."""
    log = CustodyLog(folder / "custody", "benchmark")
    batch: list[Deed] = []
    backup, before = folder / "backup.db", -(-recordings // PER_DOCKING) - _LATER
    for number, one in enumerate(deeds(recordings), start=1):
        batch += one
        if number == before or len(batch) > 20_000:
            log.append(batch)
            batch = []
        if number == before:
            rebuild(folder, log, _AT)
            copy_catalogue(folder / FILE_NAME, backup)
    log.append(batch)


def time_rebuild(folder: Path, recordings: int) -> None:
    log = CustodyLog(folder / "custody", "benchmark")
    size = sum(path.stat().st_size for path in (folder / "custody").glob("*.jsonl"))
    screen.print(f"{recordings:,} recordings, a log of {log.size():,} entries, {size / 1e6:.0f} MB")
    begin = time.perf_counter()
    rebuilt = rebuild(folder, log, _AT)
    screen.print(f"rebuild: {time.perf_counter() - begin:.1f} s", style="bold")
    assert rebuilt.recordings == recordings
    begin = time.perf_counter()
    restored, since = restore(folder, log, folder / "backup.db", _AT)
    screen.print(f"restore: {time.perf_counter() - begin:.1f} s, {since} since", style="bold")
    assert restored.recordings == recordings


def time_backup(path: Path) -> None:
    """Time the copying, and apart from it the check of the copy, while somebody writes."""
    to = path.with_name("backup.db")
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, path], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        parts = []
        begin = time.perf_counter()

        def goes_on() -> bool:
            parts.append(time.perf_counter() - begin)
            return True

        size = copy_catalogue(path, to, goes_on)
        whole = time.perf_counter() - begin
        writer.kill()
        commits = len(writer.stdout.read().split())
    screen.print(
        f"backup of {size / 1e9:.2f} GB while {commits / whole:.0f} commits a second were made: "
        f"{whole:.1f} s, of which copying {parts[-1]:.1f} s, the rest checking and syncing",
        style="bold",
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sealed", type=int, default=100_000, help="0: no rebuild")
    parser.add_argument("--recordings", type=int, default=1_000_000, help="0: no backup")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a real disk")
    parser.add_argument("--use", type=Path, help="folder of a catalogue that was kept")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="recorder-sync-bench-", dir=given.folder))
    try:
        if given.sealed:
            (folder / "rebuilt").mkdir()
            make_log(folder / "rebuilt", given.sealed)
            time_rebuild(folder / "rebuilt", given.sealed)
            shutil.rmtree(folder / "rebuilt")
        if given.recordings:
            made = given.use or folder
            if not given.use:
                make_catalogue(folder / FILE_NAME, given.recordings)
            time_backup(made / FILE_NAME)
            (made / "backup.db").unlink()
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
