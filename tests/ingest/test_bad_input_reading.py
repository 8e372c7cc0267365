"""Recordings that change, vanish, may not be read or break while they are taken in."""

import errno
import fcntl
import os
import shutil
import signal
import struct
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.model import ItemOutcome
from tests.conftest import Card, Dock, Done, MediaFiles
from tests.ingest.aftermath import (
    ask,
    check_done,
    check_evidence,
    check_failure,
    contents,
    copying,
    descriptions,
    finish,
    growing,
    large,
    mounted,
    pause,
    reached,
    run_without_rights,
    take_in_here,
    under_way,
)

_LARGE = 64 << 20


@pytest.fixture
def one_by_one(stocked: Dock) -> Dock:
    """A station that reads the second large recording of a card after the first."""
    stocked.configure(ingest={"reserve_mib": 0, "copies_per_disk": 1})
    return stocked


def take_in_while(dock: Dock, card: Card, meddle: Callable[[], object]) -> Done:
    """Take in a card, and meddle with it in the middle of the copy of its large recording.

    The program stands still meanwhile, and changes nothing on the card itself.
    """
    with under_way(dock, "ingest", card.path, "--json") as child:
        reached(child, lambda: copying(dock, _LARGE), "a partial copy")
        pause(child)
        assert copying(dock, _LARGE), "the copy was over before it could be paused"
        meddle()
        before = contents(card.path)
        child.send_signal(signal.SIGCONT)
        done = finish(child)
        assert contents(card.path) == before
        return done


# -- what changes under our hands


@pytest.mark.long
def test_a_recording_that_never_stops_growing_fails_and_the_others_are_sealed(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("good.mp4", media_files.video)
    with growing(card.put("growing.mp4", media_files.other_video)):
        done = stocked.ingest(card)
    check_failure(done, "growing.mp4", "changed while it was read")
    assert done.json["sealed"] == 1
    again = stocked.ingest(card)
    check_done(again, sealed=1)
    check_evidence(stocked, "good.mp4", "growing.mp4", earlier=1)


def test_a_recording_that_changes_once_and_rests_is_sealed_as_it_ends(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("good.mp4", media_files.video)
    grown = large(card, "grown.mp4", media_files.other_video, _LARGE)
    done = take_in_while(stocked, card, lambda: os.truncate(grown, _LARGE + 5000))
    check_done(done, sealed=2)
    (description,) = (d for d in descriptions(stocked) if d["original_name"] == "grown.mp4")
    assert description["size"] == _LARGE + 5000
    check_evidence(stocked, "good.mp4", "grown.mp4", earlier=1)


def test_a_recording_cut_short_while_it_is_read_is_sealed_as_it_ends(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("good.mp4", media_files.video)
    cut = large(card, "cut.mp4", media_files.other_video, _LARGE)
    done = take_in_while(stocked, card, lambda: os.truncate(cut, 1 << 20))
    check_done(done, sealed=2)
    (description,) = (d for d in descriptions(stocked) if d["original_name"] == "cut.mp4")
    assert description["size"] == 1 << 20
    check_evidence(stocked, "good.mp4", "cut.mp4", earlier=1)


def test_a_recording_that_vanishes_after_the_inventory_fails_and_is_on_record(
    one_by_one: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("small.jpg", media_files.photo.read_bytes() + b"another")
    large(card, "first.mp4", media_files.other_video, _LARGE)
    victim = large(card, "second.mp4", media_files.video, 8 << 20)
    done = take_in_while(one_by_one, card, victim.unlink)
    check_failure(done, "second.mp4", "disappeared", "after the inventory")
    assert done.json["inventory"] == 3
    shown = ask(one_by_one, "dockings", "show", done.json["docking"], "--json").json
    (entry,) = (file for file in shown["files"] if file["path"] == "second.mp4")
    assert (entry["outcome"], entry["size"]) == ("failed", 8 << 20)
    assert entry["hint"]
    check_evidence(one_by_one, "small.jpg", "first.mp4", earlier=1)


@pytest.mark.parametrize("becomes", ["a link", "a folder", "a pipe"])
def test_a_recording_that_becomes_something_else_fails_and_nothing_foreign_is_sealed(
    one_by_one: Dock, card: Card, media_files: MediaFiles, tmp_path: Path, becomes: str
) -> None:
    large(card, "first.mp4", media_files.other_video, _LARGE)
    victim = large(card, "second.mp4", media_files.video, 8 << 20)
    foreign = tmp_path / "foreign.mp4"
    shutil.copy2(victim, foreign)

    def replace() -> None:
        victim.unlink()
        match becomes:
            case "a link":
                victim.symlink_to(foreign)
            case "a folder":
                victim.mkdir()
            case "a pipe":
                os.mkfifo(victim)

    done = take_in_while(one_by_one, card, replace)
    check_failure(done, "second.mp4")
    check_evidence(one_by_one, "first.mp4", earlier=1)


def test_a_folder_that_becomes_a_link_leads_nowhere(
    one_by_one: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    large(card, "first.mp4", media_files.other_video, _LARGE)
    large(card, "sub/second.mp4", media_files.video, 8 << 20)

    def replace() -> None:
        (card.path / "sub").rename(tmp_path / "sub")
        (card.path / "sub").symlink_to(tmp_path / "sub")

    done = take_in_while(one_by_one, card, replace)
    check_failure(done, "sub/second.mp4")
    check_evidence(one_by_one, "first.mp4", earlier=1)


def test_a_card_that_is_emptied_on_the_way_counts_as_unplugged(
    one_by_one: Dock, card: Card, media_files: MediaFiles
) -> None:
    large(card, "first.mp4", media_files.other_video, _LARGE)
    large(card, "second.mp4", media_files.video, 8 << 20)
    third = large(card, "third.mp4", media_files.video, 9 << 20)
    kept = third.read_bytes()

    def unplug() -> None:
        for file in card.path.iterdir():
            file.unlink()

    done = take_in_while(one_by_one, card, unplug)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert {f["path"] for f in done.json["failures"]} >= {"second.mp4", "third.mp4"}
    assert all("gone" in f["error"] and f["hint"] for f in done.json["failures"][-2:])
    card.put("third.mp4", kept)
    assert one_by_one.ingest(card).json["sealed"] == 1
    check_evidence(one_by_one, *(["first.mp4"] * done.json["sealed"]), "third.mp4", earlier=1)


# -- what may not be read


def test_one_recording_without_permission_fails_and_the_others_are_sealed(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("good.mp4", media_files.video)
    locked = card.put("locked.mp4", media_files.other_video)
    locked.chmod(0)
    before = contents(card.path)
    done = run_without_rights(stocked, "ingest", card.path, "--json")
    assert contents(card.path) == before
    check_failure(done, "locked.mp4", "permission denied")
    assert done.json["sealed"] == 1
    locked.chmod(0o644)
    again = stocked.ingest(card)
    check_done(again, sealed=1, already_sealed=1)
    check_evidence(stocked, "good.mp4", "locked.mp4", earlier=1)


def test_an_unknown_file_without_permission_fails_and_the_others_are_sealed(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("good.mp4", media_files.video)
    card.put("what is this", media_files.other_video).chmod(0)
    done = run_without_rights(stocked, "ingest", card.path, "--json")
    check_failure(done, "what is this", "permission denied")
    check_evidence(stocked, "good.mp4", earlier=1)


def test_a_folder_without_permission_fails_and_the_others_are_sealed(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("good.mp4", media_files.video)
    locked = card.put("locked/hidden.mp4", media_files.other_video).parent
    locked.chmod(0)
    try:
        done = run_without_rights(stocked, "ingest", card.path, "--json")
    finally:
        locked.chmod(0o755)
    check_failure(done, "locked", "permission denied")
    check_evidence(stocked, "good.mp4", earlier=1)


def test_somebody_elses_recordings_are_read_without_touching_them(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    names = ["clip.mp4", "unknown ending"]
    card.put(names[0], media_files.video)
    card.put(names[1], media_files.other_video)
    try:
        for name in names:
            os.chown(card.path / name, 65534, 65534)
    except PermissionError:
        pytest.skip("this user may not give files away")
    before = contents(card.path)
    done = run_without_rights(stocked, "ingest", card.path, "--json")
    check_done(done, sealed=2)
    assert contents(card.path) == before
    check_evidence(stocked, *names, earlier=1)


def test_reading_leaves_no_access_time_behind(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    """But for files of unknown endings: ffprobe opens those itself, and has no such option."""
    card.put("clip.mp4", media_files.video)
    card.put("note.wav", media_files.audio)
    card.put("sn.txt", b"000010\n")
    files = sorted(card.path.iterdir())
    for file in files:
        os.utime(file, (1_000_000_000, 1_700_000_000))
    done = stocked.ingest(card)
    assert done.json["sealed"] == 2, done.err
    touched = [file.name for file in files if file.stat().st_atime != 1_000_000_000]
    assert touched == []
    check_evidence(stocked, "clip.mp4", "note.wav", earlier=1)


# -- what cannot be read


def _block_in_the_middle(path: Path) -> int:
    """Return where on its disk the middle of a file lies, in bytes."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_blksize
        number = struct.pack("i", path.stat().st_size // 2 // size)
        (block,) = struct.unpack("i", fcntl.ioctl(file, 1, number))  # FIBMAP, linux/fs.h
    return int(block) * size


@contextmanager
def broken_disk(image: Path, mount: Path, files: Sequence[Path]) -> Iterator[str]:
    """Mount a disk with copies of `files` whose last part is gone: reading it gives EIO.

    Yields the name of the file that has its middle there. A loop device whose image was
    cut short afterwards answers so for real (loop(4)); a device mapper is not needed.
    """
    if not (shutil.which("mkfs.ext4") and shutil.which("losetup")):
        pytest.skip("mkfs.ext4 or losetup is not installed")
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-b", "4096", "-O", "^has_journal", image], check=True)
    found = subprocess.run(
        ["losetup", "--find", "--show", image], capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip(f"loop devices do not work here: {found.stderr.strip()}")
    device = found.stdout.strip()
    mount.mkdir()
    try:
        with mounted(device, mount):
            copies = [Path(shutil.copy2(original, mount)) for original in files]
            os.sync()
            middles = {_block_in_the_middle(copy): copy.name for copy in copies}
        cut = max(middles)
        os.truncate(image, cut)
        subprocess.run(["blockdev", "--flushbufs", device], check=True)
        with mounted("-o", "ro", device, mount):
            yield middles[cut]
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@pytest.mark.parametrize("size", [3 << 20, 16 << 20], ids=["small", "large"])
def test_a_bad_spot_on_the_card_fails_one_recording_and_the_others_are_sealed(
    stocked: Dock, tmp_path: Path, media_files: MediaFiles, size: int
) -> None:
    prepared = Card(tmp_path / "prepared")
    files = [prepared.put(f"{n}.mp4", media_files.video) for n in range(3)]
    for n, file in enumerate(files):
        with file.open("ab") as end:
            end.write(bytes([n]) * (size - file.stat().st_size))
    with broken_disk(tmp_path / "disk", tmp_path / "mount", files) as bad:
        done = stocked.run("ingest", tmp_path / "mount", "--json")
    check_failure(done, bad, "read")
    assert done.json["sealed"] == 2
    (salvaged,) = (d for d in descriptions(stocked) if d["missing"])
    assert salvaged["original_path"] == bad
    assert "salvaged" in salvaged["flags"]
    assert done.json["failures"][0]["salvage"] == salvaged["id"]
    whole = stocked.ingest(prepared)
    check_done(whole, sealed=1, already_sealed=2)
    check_evidence(stocked, *(file.name for file in files), earlier=1)


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOMEDIUM, errno.EUCLEAN, errno.ETIMEDOUT])
def test_any_read_error_fails_one_recording_and_the_others_are_sealed(
    dock: Dock,
    card: Card,
    media_files: MediaFiles,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    card.put("good.mp4", media_files.video)
    bad = card.put("bad.mp4", media_files.other_video).stat().st_ino
    card.put("good.jpg", media_files.photo)
    honest = os.preadv

    def preadv(handle: int, buffers: Sequence[Any], at: int, flags: int = 0) -> int:
        if os.fstat(handle).st_ino == bad:
            raise OSError(number, os.strerror(number))
        return honest(handle, buffers, at, flags)

    station = dock.station()
    monkeypatch.setattr(os, "preadv", preadv)
    report = take_in_here(station, card.path)
    monkeypatch.undo()
    station.catalogue.close()
    assert {o.path.raw for o in report.of(ItemOutcome.SEALED)} == {b"good.mp4", b"good.jpg"}
    (failed,) = report.of(ItemOutcome.FAILED)
    assert failed.path.raw == b"bad.mp4"
    assert failed.failure is not None
    assert failed.failure.hint is not None
    assert "read" in failed.failure.text.english
    check_evidence(dock, "good.mp4", "good.jpg")
