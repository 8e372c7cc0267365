"""Several cards taken in by one command: side by side, and in fair turns."""

import hashlib
import os
import re
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import (
    check_evidence,
    check_refused,
    copying,
    large,
    reached,
    under_way,
    until,
)


@pytest.fixture
def cards(tmp_path: Path, media_files: MediaFiles) -> list[Card]:
    """Three cards, each with a video and a photo of its own."""
    made = [Card(tmp_path / f"camera {n}") for n in range(3)]
    for n, card in enumerate(made):
        card.put(f"{n}.mp4", media_files.video.read_bytes() + bytes([n]))
        card.put(f"{n}.jpg", media_files.photo.read_bytes() + bytes([n]))
    return made


def test_every_card_is_a_docking_of_its_own(dock: Dock, cards: list[Card]) -> None:
    done = dock.run("ingest", *(card.path for card in cards), "--json")
    assert done.code == 0, done.err
    dockings = done.json["dockings"]
    assert [one["sealed"] for one in dockings] == [2, 2, 2]
    assert len({one["docking"] for one in dockings}) == 3
    check_evidence(dock, *(f"{n}.{ending}" for n in range(3) for ending in ("mp4", "jpg")))


def test_a_card_that_cannot_be_taken_in_stops_no_other(dock: Dock, cards: list[Card]) -> None:
    done = dock.run("ingest", cards[0].path, "/nowhere", cards[1].path, "--json")
    assert done.code == 2
    assert [one.get("sealed") for one in done.json["dockings"]] == [2, None, 2]
    assert "/nowhere" in done.json["dockings"][1]["error"]


def test_a_person_reads_what_came_of_each_card(dock: Dock, cards: list[Card]) -> None:
    done = dock.run("ingest", cards[0].path, "/nowhere")
    assert str(cards[0].path) in done.out
    assert "Safe to take" in done.out
    assert "no folder /nowhere" in done.err


@pytest.mark.parametrize("option", ["--device", "--port"])
def test_several_cards_cannot_be_given_one_device_or_port(
    dock: Dock, cards: list[Card], option: str
) -> None:
    done = dock.run("ingest", cards[0].path, cards[1].path, option, "1")
    check_refused(done, 2, "several cards")


def test_a_small_card_is_done_before_a_large_one_that_came_with_it(
    dock: Dock, tmp_path: Path, media_files: MediaFiles
) -> None:
    """Only one recording is copied at a time, and the large card's come first in line."""
    dock.configure(ingest={"reserve_mib": 0, "copies": 1, "immutable": False})
    big, little = Card(tmp_path / "big"), Card(tmp_path / "little")
    for n in range(4):
        path = large(big, f"{n}.mp4", media_files.video, 700 << 20)
        with path.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(bytes([n]))
    little.put("little.mp4", media_files.video.read_bytes() + bytes(3 << 20))
    done = dock.run("ingest", big.path, little.path)
    assert done.code == 0, done.err
    assert "waiting for its turn" in done.err
    order = re.findall(r"^(\w+): sealed: ", done.err, re.MULTILINE)
    assert order.index("little") < len(order) - 1, order


def test_copies_step_back_for_whoever_has_a_screen_to_draw(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    large(card, "clip.mp4", media_files.video, 1 << 30)
    with under_way(dock, "ingest", card.path, "--json") as child:
        reached(child, lambda: copying(dock, 1 << 30), "a partial copy")
        threads = [int(task.name) for task in Path(f"/proc/{child.pid}/task").iterdir()]
        priorities = [_io_priority(thread) for thread in threads]
    # SQLite and others may have begun threads before; the copying ones came after.
    assert priorities.count((psutil.IOPRIO_CLASS_BE, 7)) >= 3


def _io_priority(thread: int) -> tuple[int, int]:
    done = subprocess.run(["ionice", "-p", str(thread)], capture_output=True, text=True, check=True)
    kind, _, level = done.stdout.strip().partition(": prio ")
    return {"best-effort": psutil.IOPRIO_CLASS_BE}.get(kind, psutil.IOPRIO_CLASS_NONE), int(
        level or 0
    )


def test_sm3_is_computed_on_request(dock: Dock, card: Card, media_files: MediaFiles) -> None:
    """GB/T 32905, beside the two that are always computed."""
    if "sm3" not in hashlib.algorithms_available:
        pytest.skip("this OpenSSL has no SM3")
    dock.configure(ingest={"reserve_mib": 0, "digests": ["blake3", "sha256", "sm3"]})
    small = card.put("small.jpg", media_files.photo)
    clip = large(card, "clip.mp4", media_files.video, 9 << 20)
    recordings = {r["original_path"]: r for r in dock.ingest(card).json["recordings"]}
    for path in (small, clip):
        assert recordings[path.name]["sm3"] == hashlib.new("sm3", path.read_bytes()).hexdigest()
    check_evidence(dock, "small.jpg", "clip.mp4")


def test_without_a_request_there_is_no_sm3(dock: Dock, card: Card, media_files: MediaFiles) -> None:
    card.put("a.jpg", media_files.photo)
    assert dock.ingest(card).json["recordings"][0]["sm3"] is None


def test_no_helper_process_outlives_the_command(dock: Dock, cards: list[Card]) -> None:
    done = dock.run("ingest", *(card.path for card in cards), "--json")
    assert done.code == 0
    until(lambda: not _mentioning(dock.config), "the end of all that the command started")


def _mentioning(config: Path) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if str(config) in (p.info["cmdline"] or [])]
