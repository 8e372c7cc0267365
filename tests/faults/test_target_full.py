"""The disk fills up at any point of an intake: it is said, and what fits is sealed."""

import random
import subprocess

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.faults.disk import FaultyDisk
from tests.faults.target import (
    Cards,
    check_mended,
    check_mended_on,
    check_plain,
    check_stopped,
    fill,
    held,
    use,
)
from tests.ingest.aftermath import mounted, partials, sealed, until

_PAGE = 4096


@pytest.mark.parametrize("pages", [0, 1, 2, 3])
def test_a_disk_with_no_room_beside_the_copies_seals_what_fits(
    dock: Dock, card: Card, media_files: MediaFiles, pages: int
) -> None:
    """There is room for the copies and for so many pages of descriptions and lists."""
    names = {"a.jpg": media_files.photo, "b.wav": media_files.audio}
    needed = sum(-(-card.put(n, f).stat().st_size // _PAGE) for n, f in names.items())
    dock.evidence.mkdir()
    size = f"size={(needed + pages) * _PAGE}"
    with mounted("-t", "tmpfs", "-o", size, "tmpfs", dock.evidence):
        done = dock.ingest(card)
        check_plain(done)
        assert "the disk is full" in done.out
        assert str(dock.evidence) in done.out or "evidence disk" in done.out
        assert "free space" in done.out
        subprocess.run(["mount", "-o", "remount,size=32m", dock.evidence], check=True)
        check_mended(dock, card, done, *names)


@pytest.mark.parametrize("leave", [0, 1024], ids=["nothing", "1 MiB"])
def test_a_disk_that_is_filled_during_a_copy_loses_nothing(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, hostile: Cards, leave: int
) -> None:
    use(dock, disk)
    card.put("large.mp4", media_files.video.read_bytes() + random.Random(1).randbytes(6 << 20))
    card.put("small.jpg", media_files.photo)
    with held(dock, hostile(card.path), "large.mp4", 4 << 20) as go_on:
        ballast = fill(disk.path, leave << 10)
        done = go_on()
    check_plain(done)
    assert "the disk is full" in done.out
    assert "free space" in done.out
    ballast.unlink(missing_ok=True)
    check_mended_on(disk, dock, card, done, "large.mp4", "small.jpg")


def _seals_in_log(dock: Dock) -> int:
    segments = (dock.state / "custody").glob("*.jsonl")
    return sum(segment.read_bytes().count(b'"act":"seal"') for segment in segments)


def test_recordings_that_fit_are_sealed_beside_one_that_does_not(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, hostile: Cards
) -> None:
    use(dock, disk)
    card.put("large.mp4", media_files.video.read_bytes() + random.Random(1).randbytes(6 << 20))
    card.put("small.jpg", media_files.photo)
    with held(dock, hostile(card.path), "large.mp4", 4 << 20) as go_on:
        ballast = fill(disk.path, 512 << 10)
        until(lambda: _seals_in_log(dock), "the seal of the recording that fits")
        done = go_on()
    assert [f["path"] for f in done.json["failures"]] == ["large.mp4"]
    assert set(sealed(dock)) == {b"small.jpg"}
    assert partials(dock) == []
    ballast.unlink()
    check_mended_on(disk, dock, card, done, "large.mp4", "small.jpg")


def test_a_state_folder_that_is_filled_during_a_copy_loses_nothing(
    dock: Dock, card: Card, media_files: MediaFiles, hostile: Cards
) -> None:
    """The custody log and the catalogue have no room for the seal."""
    card.put("clip.mp4", media_files.video)
    card.put("photo.jpg", media_files.photo)
    dock.state.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=4m", "tmpfs", dock.state):
        with held(dock, hostile(card.path), "photo.jpg") as go_on:
            ballast = fill(dock.state)
            done = go_on()
        check_stopped(done)
        assert "state folder" in done.err
        assert "full" in done.err
        ballast.unlink()
        check_mended(dock, card, done, "clip.mp4", "photo.jpg")


@pytest.mark.parametrize("pages", [1, 8, 64])
def test_a_state_folder_with_little_room_stops_the_run_at_the_custody_log_or_the_catalogue(
    dock: Dock, card: Card, media_files: MediaFiles, hostile: Cards, pages: int
) -> None:
    for number in range(40):
        card.put(f"{number:02}.jpg", media_files.photo.read_bytes() + bytes([number]))
    dock.state.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=4m", "tmpfs", dock.state):
        with held(dock, hostile(card.path), "39.jpg") as go_on:
            ballast = fill(dock.state, pages * _PAGE)
            done = go_on()
        check_stopped(done)
        ballast.unlink()
        check_mended(dock, card, done, *(f"{number:02}.jpg" for number in range(40)))
