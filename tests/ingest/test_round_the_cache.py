"""Whoever reads or writes round the page cache knows whether he does, and leaves nothing in it."""

import fcntl
import mmap
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder_sync.direct_io import page_aligned
from recorder_sync.ingest import engine, source
from recorder_sync.ingest.engine import Writer
from recorder_sync.ingest.source import Source
from recorder_sync.ingest.volume import stamp
from recorder_sync.page_cache import may_be_in_memory

_SIZE = 64 << 10


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[int]:
    """A file of its own, of which memory has nothing."""
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    os.write(file, b"x" * _SIZE)
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    yield file
    os.close(file)


def is_direct(handle: int) -> bool:
    return bool(fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_DIRECT)


def without_direct_io(module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a file system is hard to come by: here the kernel is not asked for O_DIRECT."""
    monkeypatch.setattr(module, "prefer_direct", lambda handle, flags: False)


def test_promise_2_a_writer_says_of_its_handle_what_the_kernel_does(
    handle: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-back that took another word for it would be called direct without being so."""
    assert Writer(handle).flags == (os.O_DIRECT if is_direct(handle) else 0)
    fcntl.fcntl(handle, fcntl.F_SETFL, 0)
    without_direct_io(engine, monkeypatch)
    assert (Writer(handle).flags, is_direct(handle)) == (0, False)


def test_promise_2_nor_does_a_writer_that_had_to_leave_direct_writing(handle: int) -> None:
    writer = Writer(handle)
    if not is_direct(handle):
        pytest.skip("the file system of temporary files has no direct writing (O_DIRECT)")
    with page_aligned(2 * mmap.PAGESIZE) as buffer:
        writer.write(buffer[1 : 1 + mmap.PAGESIZE], mmap.PAGESIZE, 0)  # such memory is refused
    assert (writer.flags, is_direct(handle)) == (0, False)


@pytest.mark.parametrize("is_round_it", [True, False])
def test_what_was_read_off_a_card_leaves_no_pages(
    handle: int, monkeypatch: pytest.MonkeyPatch, is_round_it: bool
) -> None:
    if not is_round_it:
        without_direct_io(source, monkeypatch)
    card = Source(handle, stamp(handle), lambda: None, time.sleep)
    with page_aligned(_SIZE) as buffer:
        assert card.fill(buffer, 0) == _SIZE
        assert buffer == b"x" * _SIZE
    assert may_be_in_memory(handle, 0, _SIZE) is not is_direct(handle)
    card.leave_no_pages()
    assert not may_be_in_memory(handle, 0, _SIZE)
