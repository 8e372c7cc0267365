"""The faulty disk does what it is told; what ext4 makes of it is written down here too."""

import mmap
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EIO, EROFS
from pathlib import Path

import pytest

from tests.faults.disk import FaultyDisk
from tests.faults.events import Kind
from tests.faults.reading import read_cached, read_direct
from tests.ingest.aftermath import until

_KIB = 1024
_MARK = b"footage of 0031!"
_CONTENT = _MARK * (64 * _KIB // len(_MARK))


@contextmanager
def _fails(number: int) -> Iterator[None]:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is checked
        yield
    assert caught.value.errno == number


def _write(path: Path, data: bytes = _CONTENT) -> Path:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        assert os.pwrite(handle, data, 0) == len(data)
        os.fsync(handle)
    finally:
        os.close(handle)
    return path


def _write_direct(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT)
    try:
        with mmap.mmap(-1, len(data)) as buffer:
            buffer[:] = data
            os.pwritev(handle, [buffer], 0)
    finally:
        os.close(handle)


def test_a_disk_without_faults_keeps_what_is_written(disk: FaultyDisk) -> None:
    path = _write(disk.path / "copy")
    assert read_cached(path, len(_CONTENT)) == read_direct(path, len(_CONTENT)) == _CONTENT
    assert disk.find(_CONTENT) == disk.place_of(path)
    assert disk.place_of(path, 5 * _KIB) == disk.place_of(path) + 5 * _KIB
    assert set(disk.given().values()) == {0}


def test_a_byte_flipped_under_a_good_cache_is_only_seen_round_it(disk: FaultyDisk) -> None:
    path = _write(disk.path / "copy")
    disk.flip(disk.place_of(path, 5000))
    assert read_cached(path, len(_CONTENT)) == _CONTENT
    damaged = bytearray(_CONTENT)
    damaged[5000] ^= 0xFF
    assert read_direct(path, len(_CONTENT)) == damaged


def test_a_byte_flipped_on_its_way_is_only_seen_round_the_cache(disk: FaultyDisk) -> None:
    disk.flip_next_write(_MARK, behind=3)
    path = _write(disk.path / "copy")
    assert read_cached(path, len(_CONTENT)) == _CONTENT
    damaged = bytearray(_CONTENT)
    damaged[3] ^= 0xFF
    assert read_direct(path, len(_CONTENT)) == damaged
    assert disk.given()["flip"] == 1
    again = _write(disk.path / "again")
    assert read_direct(again, len(_CONTENT)) == _CONTENT, "only one write"


def test_writes_fail_from_now_on(disk: FaultyDisk) -> None:
    disk.fail_writes()
    with _fails(EIO):
        _write(disk.path / "cached")
    with _fails(EIO):
        _write_direct(disk.path / "direct", _CONTENT)
    assert disk.given()["write"] >= 2
    disk.heal()
    _write_direct(disk.path / "direct", _CONTENT)
    assert read_direct(disk.path / "direct", len(_CONTENT)) == _CONTENT


def test_writes_fail_after_so_many_bytes(disk: FaultyDisk) -> None:
    disk.fail_writes(after=200 * _KIB)
    _write_direct(disk.path / "first", _CONTENT)
    with _fails(EIO):
        for number in range(4):
            _write_direct(disk.path / f"more-{number}", _CONTENT)
    written = [e for e in disk.log() if e.kind is Kind.WRITE and not e.failed]
    assert 64 * _KIB <= sum(len(event.data) for event in written) <= 200 * _KIB


def test_a_write_that_failed_is_forgotten_by_the_second_fsync(disk: FaultyDisk) -> None:
    """The kernel tells of lost data once; the second fsync succeeds over stale blocks."""
    path = _write(disk.path / "copy")
    disk.fail_writes(offset=disk.place_of(path, 8 * _KIB), length=1)
    handle = os.open(path, os.O_RDWR)
    try:
        os.pwrite(handle, bytes(16 * _KIB), 0)
        with _fails(EIO):
            os.fsync(handle)
        os.fsync(handle)
    finally:
        os.close(handle)
    assert read_direct(path, 16 * _KIB) != bytes(16 * _KIB)
    _write(disk.path / "elsewhere")


def test_a_flush_that_fails_once_makes_ext4_read_only(disk: FaultyDisk) -> None:
    path = _write(disk.path / "copy")
    disk.fail_flushes(1)
    with _fails(EIO):
        _write(disk.path / "other")
    assert disk.given()["flush"] == 1
    with _fails(EROFS):
        _write(disk.path / "third")
    assert read_direct(path, len(_CONTENT)) == _CONTENT
    assert [event.failed for event in disk.log() if event.kind is Kind.FLUSH].count(True) == 1


def test_flushes_fail_after_some_that_succeed(disk: FaultyDisk) -> None:
    _write(disk.path / "first")
    flushes = sum(event.kind is Kind.FLUSH for event in disk.log())
    disk.fail_flushes(after=flushes)
    _write(disk.path / "second")
    with _fails(EIO):
        _write(disk.path / "third")


def test_reads_of_a_range_fail_once_they_reach_the_medium(disk: FaultyDisk) -> None:
    path = _write(disk.path / "copy")
    disk.fail_reads(disk.place_of(path, 16 * _KIB), 1)
    assert read_cached(path, len(_CONTENT)) == _CONTENT, "the cache is good"
    assert read_direct(path, 16 * _KIB) == _CONTENT[: 16 * _KIB]
    with _fails(EIO):
        read_direct(path, 4 * _KIB, 16 * _KIB)
    handle = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        with _fails(EIO):
            os.pread(handle, 4 * _KIB, 16 * _KIB)
    finally:
        os.close(handle)


def test_a_report_is_ordered_with_the_writes(disk: FaultyDisk) -> None:
    """A child says what it does before and after its fsync, on both of its channels."""
    script = (
        "import os, sys\n"
        "print('writing', flush=True)\n"
        "f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)\n"
        f"os.write(f, {_MARK!r} * 4096); os.fsync(f)\n"
        "print('synced', file=sys.stderr, flush=True)\n"
    )
    with disk.report.open("w") as report:
        command = [sys.executable, "-c", script, str(disk.path / "copy")]
        subprocess.run(command, stdout=report, stderr=report, check=True)
    log = disk.log()
    assert disk.reported() == b"writing\nsynced\n"
    said = [at for at, event in enumerate(log) if event.kind is Kind.REPORT]
    data = [at for at, event in enumerate(log) if event.data.startswith(_MARK)]
    flushed = [at for at, event in enumerate(log) if event.kind is Kind.FLUSH]
    assert said[0] < data[0] <= data[-1] < flushed[-1] < said[-1]


def test_xfs_works_as_well(tmp_path: Path) -> None:
    with FaultyDisk(tmp_path / "blocks", tmp_path / "xfs", file_system="xfs") as disk:
        path = _write(disk.path / "copy")
        disk.flip(disk.place_of(path, 100))
        assert read_cached(path, len(_CONTENT)) == _CONTENT
        assert read_direct(path, len(_CONTENT)) != _CONTENT
        images = list(disk.crash_images())
        with images[-1].mounted(tmp_path / "crashed") as found:
            assert len((found / "copy").read_bytes()) == len(_CONTENT)


def test_a_disk_is_taken_down_though_somebody_uses_it(tmp_path: Path) -> None:
    with FaultyDisk(tmp_path / "blocks", tmp_path / "disk") as disk:
        handle = os.open(_write(disk.path / "copy"), os.O_RDONLY)
        report = os.open(disk.report, os.O_WRONLY)
    assert not _left_over(tmp_path)
    os.close(handle)
    os.close(report)


def test_a_test_run_that_is_killed_leaves_nothing(tmp_path: Path, disk: FaultyDisk) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.faults.disk import FaultyDisk\n"
        "folder = Path(sys.argv[1])\n"
        "with FaultyDisk(folder / 'b', folder / 'd'): print('up', flush=True); input()"
    )
    pipe = subprocess.PIPE
    folder = tmp_path / "abandoned"
    folder.mkdir()
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as run:
        assert run.stdout
        assert run.stdout.readline() == "up\n"
        assert len(_left_over(folder)) == 3, "a mount, its device, and what serves that"
        run.kill()
    until(lambda: not _left_over(folder), "an abandoned disk that is taken down")


def _left_over(folder: Path) -> list[str]:
    """Return the mounts and loop devices that stand on something in a folder."""
    devices = subprocess.run(["losetup", "-l", "-n"], capture_output=True, text=True, check=True)
    lines = Path("/proc/self/mounts").read_text("utf-8") + devices.stdout
    return [line for line in lines.splitlines() if f"{folder}/" in line]
