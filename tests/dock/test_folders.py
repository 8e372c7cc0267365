"""Drop folders: what others put there is handed on when it is complete, once, by device."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

import pytest

from recorder_sync.config import DropFolder
from recorder_sync.dock.folders import Batch, DropFolders

FAST_SCAN_S = 0.05
WITHIN_S = 20
"""How long a busy machine may take; nothing here waits for it when all is well."""


class Watching:
    """Drop folders, and what they hand on."""

    def __init__(self, folders: list[DropFolder], scan_s: float, gather_s: float) -> None:
        self.folders = DropFolders(folders, gather_s=gather_s, least_scan_s=scan_s)
        self._got: SimpleQueue[Batch | None] = SimpleQueue()
        self._thread = Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self) -> None:
        for batch in self.folders.batches():
            self._got.put(batch)
        self._got.put(None)

    def next(self) -> Batch:
        try:
            batch = self._got.get(timeout=WITHIN_S)
        except Empty:
            pytest.fail("nothing was handed on")
        assert batch is not None
        return batch

    def next_files(self) -> list[str]:
        return [path.text for path in self.next().files]

    def stop(self) -> list[Batch]:
        """Stop, and return what nobody had asked for."""
        self.folders.stop()
        left = []
        while (batch := self._got.get(timeout=WITHIN_S)) is not None:
            left.append(batch)
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive()
        return left


Watch = Callable[..., Watching]


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Watch folders until the test ends; scans are rare unless asked for."""
    started: list[Watching] = []

    def start(*folders: DropFolder, scan_s: float = 20.0, gather_s: float = 0.0) -> Watching:
        started.append(Watching(list(folders), scan_s, gather_s))
        assert started[-1].folders.wait_for_first_look(WITHIN_S)
        return started[-1]

    yield start
    for watching in started:
        watching.folders.stop()


def _folder(path: Path, **settings: object) -> DropFolder:
    return DropFolder.model_validate({"name": "room", "path": path, "settle_s": 0.0, **settings})


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    path = tmp_path / "drop"
    path.mkdir()
    return path


def _first_comes(watching: Watching, drop: Path) -> None:
    (drop / "first.mp4").write_bytes(b"first")
    assert watching.next_files() == ["first.mp4"]


def test_a_file_is_handed_on_when_its_writer_closes_it(watch: Watch, drop: Path) -> None:
    watching = watch(_folder(drop, device="room-1"))
    _first_comes(watching, drop)
    with (drop / "slow.mp4").open("wb", buffering=0) as slow:
        slow.write(b"half")
        (drop / "quick.mp4").write_bytes(b"whole")
        assert watching.next_files() == ["quick.mp4"]
        slow.write(b"half")
    batch = watching.next()
    assert [path.text for path in batch.files] == ["slow.mp4"]
    assert (batch.device, batch.root) == ("room-1", drop)


def test_a_file_is_handed_on_when_it_is_moved_in(watch: Watch, drop: Path, tmp_path: Path) -> None:
    watching = watch(_folder(drop))
    _first_comes(watching, drop)
    (tmp_path / "made-elsewhere.mp4").write_bytes(b"video")
    (tmp_path / "made-elsewhere.mp4").rename(drop / "moved.mp4")
    assert watching.next_files() == ["moved.mp4"]


def test_an_upload_is_handed_on_under_its_final_name_only(watch: Watch, drop: Path) -> None:
    watching = watch(_folder(drop))
    _first_comes(watching, drop)
    (drop / "a.mp4.part").write_bytes(b"video")
    (drop / ".hidden").write_bytes(b"state")
    (drop / "a.mp4.part").rename(drop / "a.mp4")
    assert watching.next_files() == ["a.mp4"]
    assert watching.stop() == []


def test_what_lay_there_before_is_handed_on_as_well(watch: Watch, drop: Path) -> None:
    (drop / "2026").mkdir()
    (drop / "2026/old.mp4").write_bytes(b"video")
    assert watch(_folder(drop), scan_s=FAST_SCAN_S).next_files() == ["2026/old.mp4"]


def test_files_in_new_folders_are_handed_on_by_their_device(watch: Watch, drop: Path) -> None:
    watching = watch(_folder(drop, device_folders=True), scan_s=FAST_SCAN_S)
    for number in ("0031", "0032"):
        (drop / number / "day").mkdir(parents=True)
        (drop / number / "day" / "a.mp4").write_bytes(b"video")
    batches = {batch.device: batch for batch in (watching.next(), watching.next())}
    assert {device: batch.files[0].text for device, batch in batches.items()} == {
        "0031": "0031/day/a.mp4",
        "0032": "0032/day/a.mp4",
    }


def test_what_becomes_complete_together_is_handed_on_together(watch: Watch, drop: Path) -> None:
    names = sorted(f"{number}.mp4" for number in range(20))
    for name in names:
        (drop / name).write_bytes(name.encode())
    watching = watch(_folder(drop), scan_s=FAST_SCAN_S)
    assert watching.next_files() == names


def test_what_becomes_complete_soon_after_comes_with_it(watch: Watch, drop: Path) -> None:
    watching = watch(_folder(drop), gather_s=2.0)
    (drop / "a.mp4").write_bytes(b"video")
    (drop / "b.mp4").write_bytes(b"video")
    assert watching.next_files() == ["a.mp4", "b.mp4"]


def test_a_file_is_handed_on_once_until_it_changes(watch: Watch, drop: Path) -> None:
    watching = watch(_folder(drop), scan_s=FAST_SCAN_S)
    _first_comes(watching, drop)
    with (drop / "first.mp4").open("rb+") as untouched:
        untouched.read()
    (drop / "second.mp4").write_bytes(b"second")
    assert watching.next_files() == ["second.mp4"]
    with (drop / "first.mp4").open("ab") as longer:
        longer.write(b" and more")
    assert watching.next_files() == ["first.mp4"]
    assert watching.stop() == []


def test_a_folder_may_be_missing_vanish_and_come_back(watch: Watch, tmp_path: Path) -> None:
    drop = tmp_path / "not-there-yet"
    watching = watch(_folder(drop), scan_s=FAST_SCAN_S)
    for name in ("first.mp4", "second.mp4"):
        drop.mkdir()
        (drop / name).write_bytes(b"video")
        assert watching.next_files() == [name]
        (drop / name).unlink()
        drop.rmdir()


def test_a_missing_folder_is_named_and_stops_no_other(
    watch: Watch, drop: Path, tmp_path: Path
) -> None:
    gone = _folder(tmp_path / "gone", name="gone")
    watching = watch(gone, _folder(drop), scan_s=FAST_SCAN_S)
    _first_comes(watching, drop)
    assert watching.folders.missing() == [gone]


def test_links_lead_nowhere(watch: Watch, drop: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.mp4").write_bytes(b"secret")
    (drop / "folder").symlink_to(outside)
    (drop / "link.mp4").symlink_to(outside / "secret.mp4")
    os.mkfifo(drop / "pipe.mp4")
    watching = watch(_folder(drop), scan_s=FAST_SCAN_S)
    _first_comes(watching, drop)
    (outside / "new.mp4").write_bytes(b"new")
    (drop / "last.mp4").write_bytes(b"last")
    assert watching.next_files() == ["last.mp4"]
    assert watching.stop() == []


def test_a_folder_that_is_a_link_itself_is_watched(
    watch: Watch, drop: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(drop)
    watching = watch(_folder(link))
    _first_comes(watching, drop)


def test_names_of_any_bytes_come_through_exactly(watch: Watch, drop: Path) -> None:
    watching = watch(_folder(drop))
    _first_comes(watching, drop)
    with open(os.fsencode(drop) + b"/\xff\n\xe6\x89\xa7.mp4", "wb") as odd:
        odd.write(b"video")
    assert [path.raw for path in watching.next().files] == [b"\xff\n\xe6\x89\xa7.mp4"]


def test_stopping_ends_the_batches_and_may_be_repeated(watch: Watch, drop: Path) -> None:
    watching = watch(_folder(drop))
    assert watching.stop() == []
    watching.folders.stop()
