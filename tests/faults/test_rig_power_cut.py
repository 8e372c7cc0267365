"""Crash images keep what was flushed, and can lose everything else."""

import os
from collections.abc import Callable
from pathlib import Path

from tests.faults.disk import FaultyDisk
from tests.faults.events import Event, Kind
from tests.faults.power_cut import crash_images

_CONTENT = b"footage of 0031!" * 4096


def test_what_was_synced_is_in_every_image_and_what_was_not_can_miss(
    disk: FaultyDisk, tmp_path: Path
) -> None:
    with disk.report.open("wb", buffering=0) as report:
        _write(disk.path / "synced", sync=True)
        report.write(b"synced")
        _write(disk.path / "unsynced", sync=False)
        report.write(b", written")
    disk.write_out()
    promised = found = missing = early = 0
    for image in disk.crash_images(seeds=(1, 2)):
        with image.mounted(tmp_path / "crashed") as left:
            contents = {path.name: path.read_bytes() for path in left.iterdir() if path.is_file()}
        if b"synced" in image.reported:
            promised += 1
            assert contents["synced"] == _CONTENT, image
        elif contents.get("synced") != _CONTENT:
            early += 1
        if b"written" in image.reported:
            found += contents.get("unsynced") == _CONTENT
            missing += contents.get("unsynced") != _CONTENT
    assert promised > 3
    assert found
    assert missing, "an image that shows the write was not safe"
    assert early, "an image from before the sync"


def test_a_promise_made_before_its_flush_is_broken_by_some_image(
    disk: FaultyDisk, tmp_path: Path
) -> None:
    """The lie that a test of the product must catch: reported first, flushed afterwards."""
    with disk.report.open("wb", buffering=0) as report:
        _write(disk.path / "copy", sync=False)
        report.write(b"safe")
    disk.write_out()
    broken = 0
    for image in disk.crash_images():
        if b"safe" in image.reported:
            with image.mounted(tmp_path / "crashed") as left:
                copy = left / "copy"
                broken += not (copy.exists() and copy.read_bytes() == _CONTENT)
    assert broken


def test_the_states_of_a_log(tmp_path: Path) -> None:
    """A log made by hand: sectors of one letter on a disk of four sectors."""
    base = tmp_path / "base"
    base.write_bytes(_sectors("...."))
    log = [
        _write_event(0, "a"),
        _report("1"),
        Event(Kind.FLUSH),
        _report("2"),
        Event(Kind.WRITE, 512, _sectors("x"), failed=True),
        Event(Kind.FLIP, 3 * 512, b"."),
        _write_event(1, "bb"),
        Event(Kind.FLUSH, failed=True),
        _report("3"),
    ]
    states = [
        (_saved(image.save, tmp_path), image.reported)
        for image in crash_images(base, log, tmp_path)
    ]
    assert states == [("....", b""), ("a...", b"12"), ("a...", b"12"), ("abb.", b"123")]
    every = {
        (_saved(image.save, tmp_path), image.reported)
        for image in crash_images(base, log, tmp_path, seeds=range(40))
    }
    assert {left for left, said in every if said == b"123"} == {"abb.", "ab..", "a.b.", "a..."}
    assert {left for left, said in every if said == b"1"} == {"....", "a..."}
    assert {left for left, said in every if said == b"12"} == {"a..."}, "flushed is kept"


def _write_event(sector: int, letters: str) -> Event:
    return Event(Kind.WRITE, sector * 512, _sectors(letters))


def _report(text: str) -> Event:
    return Event(Kind.REPORT, 0, text.encode())


def _sectors(letters: str) -> bytes:
    return b"".join(letter.encode() * 512 for letter in letters)


def _saved(save: Callable[[Path], None], folder: Path) -> str:
    save(folder / "saved")
    return (folder / "saved").read_bytes()[::512].decode()


def _write(path: Path, *, sync: bool) -> None:
    with path.open("wb", buffering=0) as file:
        file.write(_CONTENT)
        if sync:
            os.fsync(file.fileno())
