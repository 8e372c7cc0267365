"""The hostile card does what it is told, and a reader of any kind really gets it."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from errno import EIO, ENOENT
from pathlib import Path
from random import Random

import pytest

from tests.faults.card import HostileCard, Read
from tests.faults.conftest import Cards
from tests.faults.reading import Reader, read_cached
from tests.ingest.aftermath import contents, until

_KIB = 1024
_CONTENT = Random(1).randbytes(256 * _KIB)
_NAME = "DCIM/REC_0001.mp4"


@pytest.fixture
def card(tmp_path: Path, hostile: Cards) -> HostileCard:
    """A card with one recording."""
    folder = tmp_path / "card"
    (folder / "DCIM").mkdir(parents=True)
    (folder / _NAME).write_bytes(_CONTENT)
    return hostile(folder)


@contextmanager
def _fails(number: int) -> Iterator[None]:
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the number is checked
        yield
    assert caught.value.errno == number


def test_a_card_without_faults_is_the_folder_it_shows(card: HostileCard, read: Reader) -> None:
    odd = os.fsencode(card.folder) + b"/odd-\xff\xfe"
    with open(odd, "wb") as file:
        file.write(b"odd")
    shown, real = (
        {path.removeprefix(os.fsencode(folder)): facts for path, facts in contents(folder).items()}
        for folder in (card.path, card.folder)
    )
    assert shown == real
    assert {b"/odd-\xff\xfe", b"/" + _NAME.encode()} < shown.keys()
    assert read(card.path / _NAME, len(_CONTENT), 0) == _CONTENT
    assert [read.length for read in card.reads(b"odd-\xff\xfe")] == [3]
    assert os.statvfs(card.path).f_blocks == os.statvfs(card.folder).f_blocks
    with _fails(30):  # EROFS
        (card.path / "new").write_bytes(b"")


def test_reads_that_touch_bad_bytes_fail_and_others_do_not(card: HostileCard, read: Reader) -> None:
    path = card.path / _NAME
    card.fail_reads(_NAME, 64 * _KIB, 1)
    assert read(path, 64 * _KIB, 0) == _CONTENT[: 64 * _KIB]
    assert read(path, 64 * _KIB, 68 * _KIB) == _CONTENT[68 * _KIB : 132 * _KIB]
    for _ in range(3):
        with _fails(EIO):
            read(path, 8 * _KIB, 60 * _KIB)
    assert card.errors_given(_NAME) == 3
    card.heal()
    assert read(path, 8 * _KIB, 60 * _KIB) == _CONTENT[60 * _KIB : 68 * _KIB]


def test_a_bad_place_recovers_after_so_many_tries(card: HostileCard, read: Reader) -> None:
    card.fail_reads(_NAME, times=2)
    for _ in range(2):
        with _fails(EIO):
            read(card.path / _NAME, 4 * _KIB, 0)
    assert read(card.path / _NAME, 4 * _KIB, 0) == _CONTENT[: 4 * _KIB]


def test_a_large_read_gives_what_came_before_the_bad_place(card: HostileCard, read: Reader) -> None:
    large = card.folder / "large"
    large.write_bytes(bytes(3 << 20))
    card.fail_reads("large", (3 << 20) - 1, 1)
    assert 0 < len(read(card.path / "large", 3 << 20, 0)) < 3 << 20


def test_short_reads_return_only_so_much(card: HostileCard, read: Reader) -> None:
    card.shorten_reads(_NAME, 1000)
    assert read(card.path / _NAME, 8 * _KIB, 4 * _KIB) == _CONTENT[4 * _KIB :][:1000]
    assert (card.path / _NAME).read_bytes() == _CONTENT, "a patient reader gets everything"


def test_a_reader_hangs_until_it_is_released(card: HostileCard, read: Reader) -> None:
    hang = card.hang_at(_NAME, 100 * _KIB)
    assert len(read(card.path / _NAME, 64 * _KIB, 0)) == 64 * _KIB
    with ThreadPoolExecutor(1) as readers:
        hanging = readers.submit(read, card.path / _NAME, 64 * _KIB, 64 * _KIB)
        hang.await_reader()
        assert not hanging.done()
        assert (card.path / _NAME).stat().st_size == len(_CONTENT), "others are served"
        hang.release()
        assert hanging.result(30) == _CONTENT[64 * _KIB : 128 * _KIB]


def test_a_reader_that_hangs_gets_an_error_when_the_card_is_pulled(card: HostileCard) -> None:
    hang = card.hang_at(_NAME, 0)
    with ThreadPoolExecutor(1) as readers:
        hanging = readers.submit(read_cached, card.path / _NAME, 4 * _KIB)
        hang.await_reader()
        card.pull_out()
        with _fails(EIO):
            hanging.result(30)


def test_a_killed_reader_does_not_keep_the_card_mounted(card: HostileCard) -> None:
    hang = card.hang_at(_NAME, 0)
    with subprocess.Popen(["cat", card.path / _NAME], stdout=subprocess.PIPE) as reader:
        hang.await_reader()
        reader.kill()
        card.__exit__(None, None, None)
        assert reader.wait(30) == -9
    assert not _mounted(card.path)
    card.__enter__()  # for the fixture, which takes it down once more


def test_a_card_that_is_pulled_out_is_gone_but_still_mounted(
    card: HostileCard, read: Reader
) -> None:
    path = card.path / _NAME
    handle = os.open(path, os.O_RDONLY)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        assert os.pread(handle, 4, 0) == _CONTENT[:4]
        card.pull_out()
        with _fails(EIO):
            os.pread(handle, 4, 0)
        for ask in (os.stat, lambda p: os.open(p, os.O_RDONLY), os.listdir):
            with _fails(ENOENT):
                ask(path)
        assert os.listdir(card.path) == []
        assert os.listdir(folder) == []
        assert os.fstat(handle).st_size == len(_CONTENT), "as it was when it was last seen"
        with _fails(EIO):
            os.statvfs(card.path)
        assert _mounted(card.path)
        card.come_back()
        assert read(path, 4 * _KIB, 0) == _CONTENT[: 4 * _KIB]
        with _fails(EIO):
            os.pread(handle, 4, 0)
    finally:
        os.close(handle)
        os.close(folder)


def test_a_card_goes_in_the_middle_of_a_file(card: HostileCard, read: Reader) -> None:
    card.pull_out(after=96 * _KIB)
    path = card.path / _NAME
    with path.open("rb", buffering=0) as file:
        assert len(file.read(64 * _KIB)) == 64 * _KIB
        assert file.read(64 * _KIB) == _CONTENT[64 * _KIB : 96 * _KIB]
        with _fails(EIO):
            file.read(64 * _KIB)
    with _fails(ENOENT):
        read(path, 4 * _KIB, 0)


def test_a_second_read_gives_other_bytes_in_the_range(card: HostileCard, read: Reader) -> None:
    card.change_after_first_read(_NAME, 8 * _KIB, 100)
    path = card.path / _NAME
    changed = bytes(byte ^ 0xFF for byte in _CONTENT[8 * _KIB :][:100])
    assert read(path, 16 * _KIB, 0) == _CONTENT[: 16 * _KIB]
    second = read(path, 16 * _KIB, 0)
    assert second == _CONTENT[: 8 * _KIB] + changed + _CONTENT[8 * _KIB + 100 : 16 * _KIB]
    assert read(path, 4 * _KIB, 12 * _KIB) == _CONTENT[12 * _KIB : 16 * _KIB]


def test_a_file_is_cut_off_while_it_is_read(card: HostileCard, read: Reader) -> None:
    path = card.path / _NAME
    before = path.stat()
    card.truncate(_NAME, 20 * _KIB, when_read=9 * _KIB)
    with path.open("rb") as file:
        assert len(read(path, 8 * _KIB, 0)) == 8 * _KIB
        assert os.fstat(file.fileno()).st_size == len(_CONTENT)
        assert len(read(path, 8 * _KIB, 8 * _KIB)) == 8 * _KIB
        after = os.fstat(file.fileno())
    assert after.st_size == path.stat().st_size == 20 * _KIB
    assert after.st_mtime_ns > before.st_mtime_ns
    assert path.read_bytes() == _CONTENT[: 20 * _KIB]
    card.heal()
    assert path.read_bytes() == _CONTENT


def test_a_file_grows_while_it_is_read(card: HostileCard, read: Reader) -> None:
    path = card.path / _NAME
    before = path.stat()
    card.append(_NAME, b"more" * _KIB, when_read=0)
    assert path.stat().st_size == len(_CONTENT)
    assert read(path, 4 * _KIB, 0) == _CONTENT[: 4 * _KIB]
    assert path.stat().st_size == len(_CONTENT) + 4 * _KIB
    assert path.stat().st_mtime_ns > before.st_mtime_ns
    assert path.read_bytes() == _CONTENT + b"more" * _KIB
    assert read(path, 8 * _KIB, len(_CONTENT)) == b"more" * _KIB


def test_what_was_read_is_counted(card: HostileCard, read: Reader) -> None:
    path = card.path / _NAME
    read(path, 16 * _KIB, 0)
    card.forget_reads()
    read(path, 16 * _KIB, 16 * _KIB)
    read(path, 8 * _KIB, 28 * _KIB)
    assert card.reads(_NAME) == [Read(16 * _KIB, 16 * _KIB), Read(28 * _KIB, 8 * _KIB)]
    assert card.bytes_read(_NAME) == 24 * _KIB
    assert card.bytes_read(_NAME, 0, 16 * _KIB) == 0, "the prefix was not read again"
    assert card.bytes_read(_NAME, 28 * _KIB, 32 * _KIB) == 8 * _KIB, "twice 4 KiB"


def test_many_readers_at_once_are_served(card: HostileCard, read: Reader) -> None:
    start = threading.Barrier(4)

    def read_all(_: int) -> bytes:
        start.wait(30)
        return b"".join(
            read(card.path / _NAME, 4 * _KIB, at) for at in range(0, len(_CONTENT), 4 * _KIB)
        )

    with ThreadPoolExecutor(4) as readers:
        assert set(readers.map(read_all, range(4))) == {_CONTENT}


def test_a_test_run_that_is_killed_leaves_no_mount(tmp_path: Path, card: HostileCard) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.faults.card import HostileCard\n"
        "with HostileCard(Path(sys.argv[1]), Path(sys.argv[2])): print('up', flush=True); input()"
    )
    where = tmp_path / "abandoned"
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", script, str(card.folder), str(where)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as run:
        assert run.stdout
        assert run.stdout.readline() == "up\n"
        assert _mounted(where)
        run.kill()
    until(lambda: not _mounted(where), "an abandoned card that is unmounted")


def _mounted(path: Path) -> bool:
    return f" {path} " in Path("/proc/self/mounts").read_text("utf-8")
