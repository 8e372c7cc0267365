"""The disk that evidence or state is on gives errors: nothing is lost, nothing half sealed."""

import random
import subprocess

import pytest
from blake3 import blake3

from tests.conftest import Card, Dock, MediaFiles
from tests.faults.disk import FaultyDisk
from tests.faults.target import (
    Cards,
    check_mended_on,
    check_plain,
    check_promised,
    check_stopped,
    digest_on_medium,
    held,
    mount_again,
    promised,
    use,
)
from tests.ingest.aftermath import (
    check_done,
    check_evidence,
    check_failure,
    in_place,
    mounted,
    sealed,
)

_NAMES = ("clip.mp4", "other.mp4", "sound.wav", "photo.jpg")


@pytest.fixture
def full_card(card: Card, media_files: MediaFiles) -> Card:
    """A card with three small recordings, and a large one that is copied by itself."""
    large = media_files.video.read_bytes() + random.Random(1).randbytes(3 << 20)
    card.put("clip.mp4", large)
    card.put("other.mp4", media_files.other_video)
    card.put("sound.wav", media_files.audio)
    card.put("photo.jpg", media_files.photo)
    return card


@pytest.mark.parametrize("kib", [0, 1024, 3800, 4000])
def test_writes_that_fail_from_some_point_on_lose_nothing(
    dock: Dock, full_card: Card, disk: FaultyDisk, kib: int
) -> None:
    use(dock, disk, state=True)
    check_done(dock.run("recordings", "list", "--json"))
    disk.fail_writes(kib << 10)
    done = dock.ingest(full_card)
    check_plain(done)
    assert disk.given()["write"] > 0
    disk.heal()
    mount_again(disk)
    check_mended_on(disk, dock, full_card, done, *_NAMES)


@pytest.mark.parametrize(("after", "times"), [(0, 1), (2, None), (4, 1), (12, 1), (16, None)])
def test_a_sync_that_fails_loses_nothing(
    dock: Dock, full_card: Card, disk: FaultyDisk, after: int, times: int | None
) -> None:
    use(dock, disk, state=True)
    check_done(dock.run("recordings", "list", "--json"))
    disk.fail_flushes(times, after=after)
    done = dock.ingest(full_card)
    check_plain(done)
    assert disk.given()["flush"] > 0
    disk.heal()
    mount_again(disk)
    check_mended_on(disk, dock, full_card, done, *_NAMES)


def test_a_digest_list_whose_write_failed_is_not_taken_for_written_afterwards(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, hostile: Cards
) -> None:
    """The kernel forgets a lost write once it told of it, and memory has the lines."""
    use(dock, disk)
    first = card.put("first.jpg", media_files.photo)
    check_done(dock.ingest(card), sealed=1)
    first.unlink()
    card.put("second.jpg", media_files.photo.read_bytes() + b"another")  # of the same day
    (sums,) = dock.evidence.glob("*/*/*/*/B3SUMS")
    disk.fail_writes(offset=disk.place_of(sums), length=1)
    done = dock.ingest(card)
    check_stopped(done, "evidence folder")
    assert disk.given()["write"] > 0
    disk.heal()
    check_mended_on(disk, dock, card, done, "second.jpg", earlier=1)


def test_a_custody_log_whose_write_failed_has_every_seal_in_the_end(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, hostile: Cards
) -> None:
    use(dock, disk, state=True)
    card.put("clip.mp4", media_files.video)
    card.put("photo.jpg", media_files.photo)
    with held(dock, hostile(card.path), "photo.jpg") as go_on:
        (log,) = (dock.state / "custody").glob("*.jsonl")
        disk.fail_writes(offset=disk.place_of(log), length=1)
        done = go_on()
    check_stopped(done, "custody log", str(dock.state))
    assert disk.given()["write"] > 0
    disk.heal()
    mount_again(disk)  # else the kernel still has an error to tell of
    check_mended_on(disk, dock, card, done, "clip.mp4", "photo.jpg")


def test_a_catalogue_whose_write_failed_knows_every_seal_in_the_end(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, hostile: Cards
) -> None:
    use(dock, disk, state=True)
    check_done(dock.run("recordings", "list", "--json"))
    card.put("clip.mp4", media_files.video)
    card.put("photo.jpg", media_files.photo)
    with held(dock, hostile(card.path), "photo.jpg") as go_on:
        (log,) = dock.state.glob("*-wal")
        disk.fail_writes(offset=disk.place_of(log, log.stat().st_size - 1), length=1)
        done = go_on()
    check_stopped(done, "catalogue")
    assert disk.given()["write"] > 0
    disk.heal()
    mount_again(disk)
    check_mended_on(disk, dock, card, done, "clip.mp4", "photo.jpg")


def test_a_copy_that_goes_bad_between_its_place_and_its_seal_is_copied_anew(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, hostile: Cards
) -> None:
    """The custody log has no room for the seal; when it has, the copy is read once more."""
    use(dock, disk)
    card.put("clip.mp4", media_files.video)
    card.put("photo.jpg", media_files.photo)
    dock.state.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=4m", "tmpfs", dock.state):
        dock.run("recordings", "list")
        with held(dock, hostile(card.path), "photo.jpg") as go_on:
            (dock.state / "custody").rename(dock.state / "aside")
            (dock.state / "custody").write_bytes(b"")
            done = go_on()
        check_stopped(done, "custody log")
        (clip,) = (path for path in in_place(dock) if path.name.endswith("clip.mp4"))
        disk.flip(disk.place_of(clip))
        (dock.state / "custody").unlink()
        (dock.state / "aside").rename(dock.state / "custody")
        check_mended_on(disk, dock, card, done, "clip.mp4", "photo.jpg")


def test_a_disk_that_becomes_read_only_during_a_copy_is_said(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, hostile: Cards
) -> None:
    """As ext4 does by itself when it meets an error."""
    use(dock, disk)
    card.put("clip.mp4", media_files.video.read_bytes() + bytes(3 << 20))
    card.put("photo.jpg", media_files.photo)
    with held(dock, hostile(card.path), "clip.mp4", 3 << 20) as go_on:
        subprocess.run(["mount", "-o", "remount,abort", disk.path], check=True)
        done = go_on()
    check_plain(done)
    assert "read-only" in done.out
    # The small one may have been in before.
    assert not [path for path in promised(done) if path.endswith("clip.mp4")]
    mount_again(disk)
    check_promised(dock, promised(done))
    check_mended_on(disk, dock, card, done, "clip.mp4", "photo.jpg")


def test_a_disk_that_is_remounted_read_only_between_two_recordings_is_said(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, hostile: Cards
) -> None:
    use(dock, disk)
    card.put("known.jpg", media_files.photo)
    check_done(dock.ingest(card), sealed=1)
    card.put("new.mp4", media_files.video)
    with held(dock, hostile(card.path), "known.jpg") as go_on:
        subprocess.run(["mount", "-o", "remount,ro", disk.path], check=True)
        done = go_on()
    check_plain(done)
    assert "read-only" in done.out
    check_plain(dock.ingest(card))
    subprocess.run(["mount", "-o", "remount,rw", disk.path], check=True)
    check_mended_on(disk, dock, card, done, "known.jpg", "new.mp4")


def test_a_sync_of_a_copy_that_fails_once_is_never_tried_again(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, hostile: Cards
) -> None:
    use(dock, disk)
    card.put("clip.mp4", media_files.video.read_bytes() + random.Random(1).randbytes(3 << 20))
    with held(dock, hostile(card.path), "clip.mp4", 3 << 20) as go_on:
        disk.fail_flushes(times=1)
        done = go_on()
    check_plain(done)
    assert disk.given()["flush"] == 1
    assert promised(done) == {}
    disk.heal()
    mount_again(disk)
    check_mended_on(disk, dock, card, done, "clip.mp4")
    (copy,) = dock.sealed_files()
    assert digest_on_medium(copy) == blake3((card.path / "clip.mp4").read_bytes()).hexdigest()


def test_a_write_of_a_copy_that_fails_fails_this_recording_only(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, hostile: Cards
) -> None:
    use(dock, disk)
    data = media_files.video.read_bytes() + random.Random(1).randbytes(6 << 20)
    card.put("clip.mp4", data)
    card.put("photo.jpg", media_files.photo)
    with held(dock, hostile(card.path), "clip.mp4", 5 << 20) as go_on:
        disk.fail_writes_of(data[5 << 20 : (5 << 20) + 32])
        done = go_on()
    check_failure(done, "clip.mp4", "evidence disk")
    assert disk.given()["write"] > 0
    assert set(sealed(dock)) == {b"photo.jpg"}
    disk.heal()
    check_mended_on(disk, dock, card, done, "clip.mp4", "photo.jpg")


def test_a_copy_of_what_is_sealed_that_cannot_be_removed_is_an_outcome_all_the_same(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, hostile: Cards
) -> None:
    use(dock, disk)
    content = media_files.video.read_bytes() + bytes(3 << 20)
    card.put("a.mp4", content)
    check_done(dock.ingest(card), sealed=1)
    (card.path / "a.mp4").unlink()
    card.put("under-another-name.mp4", content)
    with held(dock, hostile(card.path), "under-another-name.mp4", 3 << 20) as go_on:
        (docking,) = (p for p in (dock.evidence / ".incoming").iterdir() if p.is_dir())
        subprocess.run(["chattr", "+a", docking], check=True)
        done = go_on()
    subprocess.run(["chattr", "-a", docking], check=True)
    check_done(done, sealed=0, already_sealed=1, failed=0)
    check_done(dock.ingest(card), sealed=0, already_sealed=1, failed=0)
    check_evidence(dock, "a.mp4")
