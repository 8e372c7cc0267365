"""The disk that evidence or state is on gives errors: nothing is lost, nothing half sealed."""

import random
import subprocess

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.faults.disk import FaultyDisk
from tests.faults.target import (
    Cards,
    check_mended_on,
    check_plain,
    check_stopped,
    digest_on_medium,
    held,
    mount_again,
    promised,
    use,
)
from tests.ingest.aftermath import check_done, check_evidence, check_failure, sealed

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


@pytest.mark.parametrize("kib", [0, 64, 1024, 3800, 4000])
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


@pytest.mark.parametrize(("after", "times"), [(0, 1), (2, None), (4, 1), (8, 1), (12, 1), (16, None)])
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
