"""Promise 2: what is sealed was read back from the device, and gave the same digest."""

import mmap
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from blake3 import blake3

from recorder_sync.direct_io import CHUNK, page_aligned
from recorder_sync.ingest import readback, small
from recorder_sync.ingest.medium import file_system_of, has_device
from recorder_sync.ingest.readback import Read, ReadBack, read_back
from recorder_sync.model import ItemOutcome
from recorder_sync.page_cache import may_be_in_memory
from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import check_evidence, mounted, take_in_here

_MARK = b"footage!" * 512  # one block of 4 KiB that is easy to find on the disk


def test_damage_under_a_good_cache_is_found_though_an_ordinary_read_misses_it(
    tmp_path: Path,
) -> None:
    if not (shutil.which("mkfs.ext4") and shutil.which("losetup")):
        pytest.skip("mkfs.ext4 or losetup is not installed")
    image, mount = tmp_path / "disk", tmp_path / "mount"
    with image.open("wb") as file:
        file.truncate(32 << 20)
    mount.mkdir()
    subprocess.run(["mkfs.ext4", "-q", "-b", "4096", image], check=True)
    with mounted("-o", "loop", str(image), mount):
        path = mount / "copy"
        with path.open("wb") as copy:
            copy.write(_MARK * 256)
            copy.flush()
            os.fsync(copy.fileno())
        whole = blake3(path.read_bytes()).hexdigest()
        where = image.read_bytes().index(_MARK)
        with image.open("r+b") as disk:
            disk.seek(where)
            disk.write(b"X")
        assert blake3(path.read_bytes()).hexdigest() == whole, "the cache was not good"
        found = _read_back(path)
        assert (found.blake3 != whole, found.proof) == (True, ReadBack.DIRECT)


def _read_back(path: Path) -> Read:
    handle = os.open(path, os.O_RDONLY)
    try:
        with page_aligned() as buffer:
            return read_back(handle, buffer, has_device(file_system_of(path)))
    finally:
        os.close(handle)


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5, 7 * CHUNK - 4096]
)
def test_what_is_hashed_while_the_next_is_read_has_the_same_digest(
    tmp_path: Path, size: int
) -> None:
    path, data = tmp_path / "copy", os.urandom(size)
    path.write_bytes(data)
    seen: list[int] = []
    with path.open("rb") as copy, page_aligned() as buffer, page_aligned() as spare:
        os.fsync(copy.fileno())
        read = read_back(copy.fileno(), buffer, True, seen.append, spare=spare)
    assert (read.blake3, read.size, sum(seen)) == (blake3(data).hexdigest(), size, size)


def test_a_buffer_is_not_filled_again_before_what_is_in_it_is_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    third_was_read = threading.Event()

    class Slow:
        def __init__(self) -> None:
            self._digest = blake3()

        def update(self, data: memoryview) -> None:
            third_was_read.wait(0.3)
            self._digest.update(data)

        def hexdigest(self) -> str:
            return self._digest.hexdigest()

    def advanced(count: int) -> None:
        steps.append(count)
        if len(steps) == 3:
            third_was_read.set()

    monkeypatch.setattr(readback, "blake3", Slow)
    steps: list[int] = []
    path, data = tmp_path / "copy", os.urandom(4 * CHUNK)
    path.write_bytes(data)
    with path.open("rb") as copy, page_aligned() as buffer, page_aligned() as spare:
        read = read_back(copy.fileno(), buffer, True, advanced, spare=spare)
    assert (read.blake3, len(steps)) == (blake3(data).hexdigest(), 5)


def test_nothing_is_hashed_any_more_when_a_read_back_was_stopped(tmp_path: Path) -> None:
    """Its buffers are somebody else's then."""
    path, steps = tmp_path / "copy", []
    path.write_bytes(bytes(8 * CHUNK))

    def stopped() -> None:
        steps.append(threading.active_count())
        if len(steps) == 4:
            raise InterruptedError

    before = threading.active_count()
    with path.open("rb") as copy, page_aligned() as buffer, page_aligned() as spare:
        with pytest.raises(InterruptedError):
            read_back(copy.fileno(), buffer, True, between=stopped, spare=spare)
        assert (max(steps), threading.active_count()) == (before + 1, before)


def test_memory_proves_nothing_about_a_medium(tmp_path: Path) -> None:
    with mounted("-t", "tmpfs", "tmpfs", tmp_path):
        path = tmp_path / "copy"
        path.write_bytes(_MARK)
        assert _read_back(path).proof is ReadBack.UNVERIFIED


def test_a_disk_that_cannot_be_read_round_the_cache_is_proven_by_a_cache_that_has_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a file system is hard to come by: here the kernel is not asked for O_DIRECT.

    A question that begins to read is answered by a quick disk itself, once in some hundred times.
    """
    monkeypatch.setattr(readback, "prefer_direct", lambda handle, flags: False)
    path = tmp_path / "copy"
    found = []
    with path.open("w+b", buffering=0) as raw, page_aligned() as buffer:
        for _ in range(1000):
            raw.seek(0)
            raw.write(_MARK)
            os.fsync(raw.fileno())
            found.append(read_back(raw.fileno(), buffer, on_device=True).proof)
    assert set(found) == {ReadBack.UNCACHED}
    with path.open("r+b") as copy, mmap.mmap(copy.fileno(), 0) as mapped:
        assert mapped[0]  # what is mapped cannot be dropped
        assert _read_back(path).proof is ReadBack.UNVERIFIED


def test_to_ask_whether_memory_has_it_does_not_bring_it_there(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.write_bytes(_MARK * 4)
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
        assert may_be_in_memory(handle, 0, len(_MARK) * 4)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        for _ in range(100):
            assert not may_be_in_memory(handle, 0, len(_MARK) * 4)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_RANDOM)
        os.pread(handle, 1, 2 * len(_MARK))
        assert may_be_in_memory(handle, 2 * len(_MARK), 1)
        assert not may_be_in_memory(handle, 0, len(_MARK))
    finally:
        os.close(handle)


def test_a_copy_that_reads_back_otherwise_is_never_sealed(
    dock: Dock, card: Card, media_files: MediaFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is honest here; the byte is changed between the write and the read-back."""
    card.put("bad.mp4", media_files.video)
    card.put("good.wav", media_files.audio)
    of_video = media_files.video.stat().st_size

    def damaged(handle: int, buffer: memoryview, on_device: bool, *, size: int, flags: int) -> Read:
        if size == of_video:
            with open(f"/proc/self/fd/{handle}", "r+b") as copy:
                copy.write(b"X")
        return read_back(handle, buffer, on_device, size=size, flags=flags)

    monkeypatch.setattr(small, "read_back", damaged)
    station = dock.station()
    report = take_in_here(station, card.path)
    station.catalogue.close()
    (failed,) = report.of(ItemOutcome.FAILED)
    assert failed.path.raw == b"bad.mp4"
    assert failed.failure is not None
    assert "not good" in failed.failure.text.english
    check_evidence(dock, "good.wav")
