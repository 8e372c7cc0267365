"""The disk keeps other bytes than it was given: the read-back finds it, and refuses the seal."""

import random
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.faults.disk import FaultyDisk
from tests.faults.reading import read_cached
from tests.faults.target import Cards, check_mended_on, held, use
from tests.ingest.aftermath import ask, check_done, check_failure, mounted, sealed, until


def _noisy(source: Path, size: int) -> bytes:
    """Return a recording whose every block is like no other."""
    return source.read_bytes() + random.Random(1).randbytes(size)


@pytest.mark.parametrize("size", [1 << 20, 3 << 20], ids=["small", "large"])
def test_a_bit_that_flips_on_the_way_to_the_disk_is_found_by_the_read_back(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, size: int
) -> None:
    use(dock, disk)
    data = _noisy(media_files.video, size)
    card.put("bad.mp4", data)
    card.put("good.wav", media_files.audio)
    disk.flip_next_write(containing=data[-(300 << 10) :][:64])
    done = dock.ingest(card)
    assert disk.given()["flip"] == 1
    check_failure(done, "bad.mp4", "not good", "other bytes")
    assert set(sealed(dock)) == {b"good.wav"}
    disk.heal()
    check_mended_on(disk, dock, card, done, "bad.mp4", "good.wav")


@pytest.mark.parametrize("fault", ["damage", "unreadable"])
@pytest.mark.parametrize("size", [1 << 20, 12 << 20], ids=["small", "large"])
def test_what_the_medium_lost_before_the_read_back_is_found_though_the_cache_is_good(
    dock: Dock,
    card: Card,
    media_files: MediaFiles,
    disk: FaultyDisk,
    hostile: Cards,
    fault: str,
    size: int,
) -> None:
    use(dock, disk)
    data = _noisy(media_files.video, size)
    card.put("bad.mp4", data)
    card.put("good.wav", media_files.audio)
    small = size <= 2 << 20
    name, offset = ("good.wav", 0) if small else ("bad.mp4", 8 << 20)
    with held(dock, hostile(card.path), name, offset) as go_on:
        part = until(lambda: _part_of(dock, data, size if small else 4 << 20), "what to damage")
        assert part
        assert read_cached(part, 4096) == data[:4096], "the cache has it"
        place = disk.place_of(part)
        if fault == "damage":
            disk.flip(place)
            assert read_cached(part, 4096) == data[:4096], "the cache is good"
        else:
            disk.fail_reads(place, 1)
        done = go_on()
    given = disk.given()
    assert given["flip"] == 1 if fault == "damage" else given["read"] > 0
    check_failure(done, "bad.mp4", "not good")
    assert set(sealed(dock)) == {b"good.wav"}
    disk.heal()
    check_mended_on(disk, dock, card, done, "bad.mp4", "good.wav")


def _part_of(dock: Dock, data: bytes, least: int) -> Path | None:
    for part in (dock.evidence / ".incoming").glob("*/*.part"):
        if part.stat().st_size >= least and read_cached(part, 4096) == data[:4096]:
            return part
    return None


def test_what_only_memory_keeps_is_sealed_and_marked_as_not_verified(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    dock.evidence.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=16m", "tmpfs", dock.evidence):
        done = dock.ingest(card)
        check_done(done, sealed=1, failed=0)
        (recording,) = done.json["recordings"]
        assert recording["read_back"] == "unverified"
        assert "unverified-medium" in recording["flags"]
        (listed,) = ask(dock, "recordings", "list", "--json").json["recordings"]
        assert "unverified-medium" in listed["flags"]
        identifier = recording["id"]
        assert "unverified" in ask(dock, "recordings", "show", identifier).out
        assert "unverified-medium" in ask(dock, "recordings", "list").out.replace("\n", "")
