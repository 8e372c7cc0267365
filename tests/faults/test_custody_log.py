"""The disk of the custody log fills, fails or loses its power: nothing half, nothing false."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recorder_sync.custody.checkpoint import opened
from recorder_sync.custody.checkpoints import Checkpoints
from recorder_sync.custody.log import Act, CustodyLog, Deed
from recorder_sync.errors import MissingPart
from tests.faults.disk import FaultyDisk
from tests.faults.target import fill, mount_again


def deed(number: int, size: int = 100) -> Deed:
    time = datetime(2026, 11, 23, 8, tzinfo=UTC)
    return Deed(Act.SERVICE, f"number-{number}", "os:test", time, {"text": "x" * size})


def log_on(disk: FaultyDisk) -> CustodyLog:
    return CustodyLog(disk.path / "custody", "test")


def subjects(log: CustodyLog) -> list[str]:
    return [entry.deed.subject for entry in log.entries()]


@pytest.mark.parametrize("room", [0, 4 << 10, 20 << 10])
def test_a_full_disk_takes_whole_batches_or_nothing_and_goes_on_when_there_is_room(
    disk: FaultyDisk, room: int
) -> None:
    log = log_on(disk)
    log.append([deed(n) for n in range(3)])
    ballast = fill(disk.path, room)
    done = 3
    with pytest.raises(MissingPart, match="the disk is full"):  # noqa: PT012 - the disk decides when
        while True:
            log.append([deed(done, 900), deed(done + 1, 900)])
            done += 2
    assert subjects(log) == [f"number-{n}" for n in range(done)]
    ballast.unlink()
    log.append([deed(done)])
    mount_again(disk)
    assert subjects(log) == [f"number-{n}" for n in range(done + 1)]
    assert not list((disk.path / "custody").glob("*.torn*"))


def test_a_sync_that_failed_is_not_taken_for_done_by_the_next_one(disk: FaultyDisk) -> None:
    """The kernel forgets what it could not write, and the next sync succeeds without it."""
    log = log_on(disk)
    log.append([deed(0)])
    disk.fail_writes_of(b"number-1")
    with pytest.raises(MissingPart):
        log.append([deed(1)])
    assert disk.given()["write"] > 0
    assert subjects(log) == ["number-0"]
    disk.heal()
    log.append([deed(2)])
    mount_again(disk)
    assert subjects(log) == ["number-0", "number-2"]


def test_a_checkpoint_on_a_full_disk_is_made_when_there_is_room_again(disk: FaultyDisk) -> None:
    log = log_on(disk)
    checkpoints = Checkpoints(disk.path / "custody", log, "test")
    log.append([deed(0)])
    checkpoints.make()
    log.append([deed(1)])
    ballast = fill(disk.path)
    with pytest.raises(MissingPart, match="the disk is full"):
        checkpoints.make()
    ballast.unlink()
    assert checkpoints.make().checkpoint.size == 2
    assert checkpoints.check() == 2


_ROTATING = """
import sys
from pathlib import Path
from recorder_sync.custody.checkpoints import Checkpoints
from recorder_sync.custody.log import CustodyLog, Deed
from tests.faults.test_custody_log import deed as any_deed

folder = Path(sys.argv[1])
log = CustodyLog(folder, "test")
checkpoints = Checkpoints(folder, log, "test")

def made(act, subject, facts):
    return Deed(act, subject, "os:test", any_deed(0).time, facts)

log.append([any_deed(0)])
print("appended", flush=True)
checkpoints.make()
print("signed", flush=True)
checkpoints.rotate(made)
print("rotated", flush=True)
"""


@pytest.mark.long
def test_promise_3_power_that_fails_at_any_write_of_a_rotation_leaves_a_station_that_signs(
    disk: FaultyDisk, tmp_path: Path, rounds: int
) -> None:
    folder = disk.path / "custody"
    disk.start_log()
    with disk.report.open("w") as report:
        subprocess.run(
            [sys.executable, "-c", _ROTATING, folder],
            stdout=report,
            stderr=report,
            check=True,
            cwd=Path(__file__).parents[2],
        )
    assert disk.reported().split() == [b"appended", b"signed", b"rotated"]
    looked_into = 0
    for image in disk.crash_images(seeds=range(max(1, rounds // 20))):
        with image.mounted(tmp_path / "crashed") as left:
            _check_signs(left / "custody", image.reported, f"{image.what} after {image.events}")
            looked_into += 1
    assert looked_into > 20


def _check_signs(folder: Path, reported: bytes, when: str) -> None:
    log = CustodyLog(folder, "test")
    checkpoints = Checkpoints(folder, log, "test")
    if b"appended" in reported:
        assert next(log.entries()).deed == deed(0), when
    signed = checkpoints.make()
    keys = checkpoints.succession()
    rotated = list(log.lines_of(Act.KEY_ROTATED))
    assert len(rotated) == len(keys.rotations), when
    if b"rotated" in reported:
        assert len(rotated) == 1, when
        assert {path.name for path in folder.glob("*.pem")} == {"signing-key.pem"}, when
    assert opened(signed.note, [keys.newest]).size == log.size(), when
    log.append([deed(9)])
    checkpoints.make()
    assert checkpoints.check() >= 1, when
