"""What is read for a store is hashed on the way; the line is shared; a halt ends every wait."""

import hashlib
import itertools
import mmap
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.direct_io import page_aligned, prefer_direct
from recorder_sync.forward import source as reading
from recorder_sync.forward.line import Halt, Line
from recorder_sync.forward.source import source_of_bytes, sources_of_file
from recorder_sync.page_cache import may_be_in_memory
from recorder_sync.protection import Wanted
from recorder_sync.stores.evidence import EvidenceFolder
from recorder_sync.stores.store import FillingSource, Interrupted, SourceChanged

FREE = Line(lambda: None)
Large = tuple[bytes, Callable[[], FillingSource], int]


@given(st.binary(max_size=2000), st.lists(st.integers(1, 700), min_size=1, max_size=8))
def test_every_byte_comes_once_however_it_is_asked_for(content: bytes, sizes: list[int]) -> None:
    source = source_of_bytes(content, "x", FREE, Halt())()
    found, at = [], 0
    while part := source.read(sizes[at % len(sizes)]):
        found.append(part)
        at += 1
    assert b"".join(found) == content


def _file(folder: Path, content: bytes) -> EvidenceFolder:
    (folder / "0031").mkdir(parents=True)
    (folder / "0031" / "a.mp4").write_bytes(content)
    return EvidenceFolder(folder, Wanted(immutable=False, verity=False))


@pytest.mark.parametrize("change", [b"X", b"", b"12"], ids=["another", "shorter", "longer"])
def test_promise_5_the_end_of_a_changed_file_is_never_given_out(
    tmp_path: Path, change: bytes
) -> None:
    sealed = b"a" * 999 + b"1"
    evidence = _file(tmp_path / "e", b"a" * 999 + change)
    digest = blake3(sealed).hexdigest()
    with sources_of_file(evidence, "0031/a.mp4", 1000, digest, FREE, Halt()) as opens:
        source = opens()
        assert source.read(500) == b"a" * 500
        with pytest.raises(SourceChanged):
            source.read(500)


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Large]:
    """A recording of many pages and a bit, what opens it, and a handle of it."""
    content = hashlib.shake_128(b"large").digest((5 << 20) + 123)
    evidence = _file(tmp_path / "e", content)
    path = "0031/a.mp4"
    handle = os.open(tmp_path / "e" / path, os.O_RDONLY)
    os.fsync(handle)
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    digest = blake3(content).hexdigest()
    with sources_of_file(evidence, path, len(content), digest, FREE, Halt()) as opens:
        yield content, cast(Callable[[], FillingSource], opens), handle
    os.close(handle)


def test_a_large_recording_is_read_round_the_page_cache(large: Large) -> None:
    content, opens, handle = large
    with open(f"/proc/self/fd/{handle}", "rb", buffering=0) as again:
        if not prefer_direct(again.fileno()):
            pytest.skip("the file system of temporary files has no direct reading (O_DIRECT)")
    assert not may_be_in_memory(handle, 0, 4 << 20)
    with page_aligned(len(content) + mmap.PAGESIZE) as memory:
        assert opens().read_into(memory) == len(content)
        assert memory[: len(content)] == content
    assert not may_be_in_memory(handle, 0, 4 << 20)


def test_where_it_cannot_be_read_round_it_what_was_read_leaves_the_page_cache(
    large: Large, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a file system is hard to come by: here the kernel is not asked for O_DIRECT."""
    monkeypatch.setattr(reading, "prefer_direct", lambda handle: False)
    monkeypatch.setattr(reading, "_FORGET", 1 << 20)
    content, opens, handle = large
    source = opens()
    assert source.read(1 << 16) == content[: 1 << 16]
    assert may_be_in_memory(handle, 0, 1 << 16)
    while source.read(1 << 20):
        pass
    assert not may_be_in_memory(handle, 0, 4 << 20)


@pytest.mark.parametrize("change", [b"X", b"", b"12"], ids=["another", "shorter", "longer"])
def test_promise_5_nor_is_that_of_one_that_is_read_round_the_page_cache(
    tmp_path: Path, change: bytes
) -> None:
    sealed = bytes((4 << 20) - 1) + b"1"
    evidence = _file(tmp_path / "e", sealed[:-1] + change)
    digest = blake3(sealed).hexdigest()
    with (
        sources_of_file(evidence, "0031/a.mp4", len(sealed), digest, FREE, Halt()) as opens,
        page_aligned(len(sealed)) as memory,
    ):
        source = cast(FillingSource, opens())
        assert source.read_into(memory[: 2 << 20]) == 2 << 20
        with pytest.raises(SourceChanged):
            source.read_into(memory[2 << 20 :])


@pytest.mark.parametrize("sizes", [(1 << 20, 4096, 999), (3 << 20, 17, 1 << 20), (700_001,)])
def test_a_large_recording_comes_whole_in_whatever_pieces(
    large: Large, sizes: tuple[int, ...]
) -> None:
    content, opens, _ = large
    for _again in range(2):
        source, found = opens(), bytearray()
        for size in itertools.cycle(sizes):
            if not (part := source.read(size)):
                break
            found += part
        assert found == content


def test_promise_8_a_link_in_the_place_of_evidence_is_not_followed(tmp_path: Path) -> None:
    evidence = _file(tmp_path / "e", b"secret")
    digest = blake3(b"secret").hexdigest()
    (tmp_path / "e" / "0032").symlink_to(tmp_path / "e" / "0031")
    (tmp_path / "e" / "0031" / "b.mp4").symlink_to("a.mp4")
    os.mkfifo(tmp_path / "e" / "0031" / "c.mp4")
    for path in ("0032/a.mp4", "0031/b.mp4"):
        with (
            pytest.raises(OSError),  # noqa: PT011 - which one depends on the kernel
            sources_of_file(evidence, path, 6, digest, FREE, Halt()),
        ):
            pass
    with (
        pytest.raises(SourceChanged),
        sources_of_file(evidence, "0031/c.mp4", 6, digest, FREE, Halt()),
    ):
        pass


def test_a_limited_line_is_shared_by_all_who_send() -> None:
    line, halt = Line(lambda: 1_000_000), Halt()
    content = bytes(100_000)

    def send() -> None:
        source = source_of_bytes(content, "x", line, halt)()
        while source.read(10_000):
            pass

    threads = [threading.Thread(target=send) for _ in range(3)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    assert took >= 0.25, "300 000 bytes at a million a second"


def test_a_halt_ends_a_wait_for_the_line_at_once() -> None:
    line, halt = Line(lambda: 1), Halt()
    line.take(1000, halt)
    threading.Timer(0.05, halt.ask).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        line.take(1000, halt)
    assert time.monotonic() - began < 10, "not the thousand seconds of its turn"
    halt.lift()
    halt.check()


def test_a_limit_that_is_lifted_ends_the_wait() -> None:
    rate: list[int | None] = [1]
    line = Line(lambda: rate[0])
    line.take(1000, Halt())
    threading.Timer(0.05, lambda: rate.__setitem__(0, None)).start()
    began = time.monotonic()
    line.take(1000, Halt())
    assert time.monotonic() - began < 10
