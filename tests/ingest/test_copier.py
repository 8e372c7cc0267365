"""The process that copies small recordings: quick for one card, in nobody's way for others."""

import mmap
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from recorder_sync.direct_io import CHUNK
from recorder_sync.errors import RecordingFailure
from recorder_sync.ingest import copier
from recorder_sync.ingest.copier import Copier
from recorder_sync.ingest.engine import Writer
from recorder_sync.ingest.part import part_folder
from recorder_sync.ingest.small import SmallCopy, SmallFile, SmallGroup, copy_small
from recorder_sync.ingest.source import SourceChanged
from recorder_sync.ingest.volume import Volume
from recorder_sync.media.window import Window, place_of
from recorder_sync.model import CardPath
from tests.ingest.aftermath import until

Results = list[SmallCopy | RecordingFailure]


@pytest.fixture(autouse=True, scope="module")
def _has_little_patience() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copier, "_PATIENCE_S", 0.05)
        yield


class Card:
    """A card with two groups of three small files, and the folder that they are copied to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "card").mkdir(parents=True)
        self.copies = path / "copies"
        self.copies.mkdir()
        for n in range(6):
            (path / "card" / f"{n}.jpg").write_bytes(os.urandom(5000 + n))
        volume = Volume(path / "card")
        self.identity = volume.identity
        volume.close()

    def group(self, first: int) -> SmallGroup:
        files = []
        for n in range(first, first + 3):
            state = (self.path / "card" / f"{n}.jpg").stat()
            path = CardPath(f"{n}.jpg".encode())
            place = place_of(0, n, state.st_size)
            files.append(SmallFile(path, state.st_size, state.st_mtime_ns, f"{n}.part", place))
        folder = part_folder(self.copies)
        digests = ("blake3", "sha256")
        return SmallGroup(
            self.path / "card", self.identity, folder, tuple(files), digests, True, True
        )

    def check(self, first: int, results: Results) -> None:
        """Check that a group was copied, each file as it is on the card."""
        assert len(results) == 3
        for n, result in enumerate(results, first):
            assert isinstance(result, SmallCopy), result
            copy = (self.copies / f"{n}.part").read_bytes()
            assert copy == (self.path / "card" / f"{n}.jpg").read_bytes()


def asked(process: Copier, card: Card, first: int) -> Future[Results]:
    """Ask in a thread of its own."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(lambda: list(process.copy(card.group(first))))
    pool.shutdown(wait=False)
    return future


def stopped(process: Copier) -> int:
    """Stop the process as a card that hangs would; return its number."""
    process.start()
    until(lambda: len(_children()) == 1, "the process having its name")
    (pid,) = _children()
    os.kill(pid, signal.SIGSTOP)
    return pid


def test_groups_of_one_card_come_back_each_to_whoever_asked(tmp_path: Path) -> None:
    card = Card(tmp_path)
    with closing(Window()) as window, closing(Copier(window)) as process:
        both = asked(process, card, 0), asked(process, card, 3)
        for first, one in zip((0, 3), both, strict=True):
            card.check(first, one.result(timeout=30))


def test_a_quick_group_behind_a_slow_one_comes_back_to_whoever_asked(tmp_path: Path) -> None:
    card = Card(tmp_path)
    for n in range(3):
        (card.path / "card" / f"{n}.jpg").write_bytes(os.urandom(CHUNK))
    with closing(Window()) as window, closing(Copier(window)) as process:
        pid = stopped(process)
        slow = asked(process, card, 0)
        until(lambda: process._under_way == 1, "the slow group with the process")
        quick = asked(process, card, 3)
        until(lambda: process._under_way == 2, "both groups with the process")
        os.kill(pid, signal.SIGCONT)
        card.check(3, quick.result(timeout=30))
        card.check(0, slow.result(timeout=30))


@pytest.mark.parametrize("groups", [(0,), (0, 3)])
def test_a_card_that_hangs_in_the_process_holds_up_no_other_card(
    tmp_path: Path, groups: tuple[int, ...]
) -> None:
    hanging, other = Card(tmp_path / "hanging"), Card(tmp_path / "other")
    with closing(Window()) as window, closing(Copier(window)) as process:
        pid = stopped(process)
        waiting = [asked(process, hanging, first) for first in groups]
        until(lambda: process._under_way == len(groups), "the groups with the process")
        other.check(0, asked(process, other, 0).result(timeout=30))
        other.check(3, asked(process, other, 3).result(timeout=30))
        assert not any(one.done() for one in waiting)
        os.kill(pid, signal.SIGCONT)
        for first, one in zip(groups, waiting, strict=True):
            hanging.check(first, one.result(timeout=30))


def test_both_groups_that_a_killed_process_had_are_copied_all_the_same(tmp_path: Path) -> None:
    card = Card(tmp_path)
    with closing(Window()) as window, closing(Copier(window)) as process:
        pid = stopped(process)
        both = asked(process, card, 0), asked(process, card, 3)
        until(lambda: process._under_way == 2, "both groups with the process")
        os.kill(pid, signal.SIGKILL)
        for first, one in zip((0, 3), both, strict=True):
            card.check(first, one.result(timeout=30))
        card.check(0, _again(process, card))


def test_what_the_process_has_read_back_can_be_seen_in_the_window(tmp_path: Path) -> None:
    card = Card(tmp_path)
    with closing(Window()) as window, closing(Copier(window)) as process:
        results = asked(process, card, 3).result(timeout=30)
        card.check(3, results)
        with mmap.mmap(window.to_look_through, 0, access=mmap.ACCESS_READ) as seen:
            for n, one in enumerate(results, 3):
                assert isinstance(one, SmallCopy)
                assert one.shown is not None
                data = seen[one.shown.offset : one.shown.offset + one.shown.size]
                assert data == (card.copies / f"{n}.part").read_bytes()


def test_what_is_copied_without_the_process_is_not_said_to_be_in_the_window(
    tmp_path: Path,
) -> None:
    card = Card(tmp_path)
    with closing(Window()) as window, closing(Copier(window)) as process:
        pid = stopped(process)
        one = asked(process, card, 0)
        until(lambda: process._under_way == 1, "the group with the process")
        os.kill(pid, signal.SIGKILL)
        results = one.result(timeout=30)
        card.check(0, results)
        assert [done.shown for done in results if isinstance(done, SmallCopy)] == [None] * 3


@pytest.mark.parametrize("when", ["before it is opened", "while it is copied"])
def test_promise_2_a_small_file_that_changes_is_never_taken_for_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Its size is the same: only its time tells."""
    card = Card(tmp_path)
    group, file = card.group(0), card.path / "card" / "1.jpg"
    write = Writer.write

    def write_and_change(self: Writer, buffer: memoryview, count: int, at: int) -> None:
        write(self, buffer, count, at)
        if count == file.stat().st_size:
            file.write_bytes(os.urandom(count))

    if when == "while it is copied":
        monkeypatch.setattr(Writer, "write", write_and_change)
    else:
        file.write_bytes(os.urandom(5001))
    first, second, third = copy_small(group)
    assert isinstance(second, SourceChanged)
    assert isinstance(first, SmallCopy)
    assert isinstance(third, SmallCopy)


def _again(process: Copier, card: Card) -> Results:
    """Ask once more: the process is started anew."""
    for part in card.copies.iterdir():
        part.unlink()
    return asked(process, card, 0).result(timeout=30)


def _children() -> list[int]:
    found = psutil.Process().children()
    return [one.pid for one in found if "recorder_sync.ingest.copier" in one.cmdline()]
