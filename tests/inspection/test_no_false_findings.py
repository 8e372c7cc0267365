"""Whatever goes on at the same time, or was cut off before: nobody is accused of it."""

import os
import signal
import subprocess
import threading
import time
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.inspection.verification import Scope, verify
from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import until

_LONGEST_S = 0.7
"""Seconds after its start within which an intake is killed."""

_LOOKS = 8
"""How often it is verified while others are at work."""


def findings(dock: Dock, *arguments: str) -> list[Any]:
    done = dock.run("verify", "--json", *arguments)
    assert "findings" in done.json, done.out + done.err
    return list(done.json["findings"])


def fill(card: Card, media_files: MediaFiles, random: Random, photos: int) -> None:
    """Put photos on a card, each with its own content, and what is not taken in."""
    for number in range(photos):
        data = media_files.photo.read_bytes() + random.randbytes(500)
        card.put(f"DCIM/DCAM_CAM00{number % 3}_00001{number % 2}_{number:03}.jpg", data)
    card.put("notes.txt", b"no recording")
    card.put("empty.mp4", b"")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_while_cards_are_taken_in_corrected_and_registered(
    dock: Dock, tmp_path: Path, media_files: MediaFiles
) -> None:
    dock.configure(ingest={"immutable": False})
    enough, over = threading.Event(), threading.Event()
    troubles: list[str] = []

    def busy() -> None:
        try:
            for number in count():
                card = Card(tmp_path / f"card {number}")
                fill(card, media_files, Random(number), 60)
                run("ingest", card.path, "--json", allowed=(0, 1))
                run("ingest", card.path, "--json", allowed=(0, 1))
                ids = [r["id"] for r in run("recordings", "list", "--json")["recordings"]]
                for identifier in ids[:3]:
                    why = ("--by", "王队", "--reason", "案号", "--case", f"2026-{number}")
                    run("recordings", "tag", identifier, *why, "--json")
                run("devices", "add", f"CAM00{number}", "--maker", "海康")
                run("officers", "add", "000010", "--name", f"李明{number}")
                run("cases", "add", f"2026-{number}", "--party", "李明")
                if enough.is_set():
                    return
        except AssertionError as error:
            troubles.append(str(error))
        finally:
            over.set()

    def run(*arguments: str | Path, allowed: tuple[int, ...] = (0,)) -> Any:
        done = dock.run(*arguments)
        assert done.code in allowed, (arguments, done.out, done.err)
        return done.json if done.out.startswith("{") else None

    worker = threading.Thread(target=busy)
    worker.start()
    for number in range(_LOOKS):
        assert findings(dock, *(["--metadata"] if number % 2 else [])) == []
    assert not over.is_set(), troubles
    enough.set()
    worker.join()
    assert troubles == []
    assert findings(dock) == []


def test_what_is_sealed_while_it_looks(
    station: Dock, tmp_path: Path, media_files: MediaFiles
) -> None:
    """After the catalogue was looked at, and before the folders are."""
    card = Card(tmp_path / "another")
    card.put("DCIM/DCAM_CAM001_000001_20261123_130000.jpg", media_files.photo.read_bytes() + b"1")
    card.put("DCIM/DCAM_CAM009_000001_20261123_130000.jpg", media_files.photo.read_bytes() + b"2")
    opened = station.station()
    sealed: list[int] = []

    def checked(_path: str, _size: int) -> None:
        if not sealed:
            sealed.append(station.ingest(card).json["sealed"])

    try:
        assert verify(opened, Scope(), checked).findings == []
    finally:
        opened.catalogue.close()
    assert sealed == [2]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_after_an_intake_was_killed_at_a_random_moment(
    tmp_path: Path, media_files: MediaFiles, rounds: int
) -> None:
    for number in range(rounds):
        random = Random(number)
        folder = tmp_path / str(number)
        folder.mkdir()
        dock = Dock(folder)
        dock.configure(ingest={"immutable": False})
        card = Card(folder / "card")
        fill(card, media_files, random, random.choice([1, 20, 80]))
        if random.random() < 0.5:  # known files make entries of their own
            dock.ingest(card)
            card.put("DCIM/copy.jpg", next(card.path.glob("DCIM/*_000.jpg")))
        _kill_an_intake(dock, card, random)
        assert findings(dock) == [], number
        assert dock.ingest(card).code == 0
        assert findings(dock) == [], number


def _kill_an_intake(dock: Dock, card: Card, random: Random) -> None:
    with subprocess.Popen(
        dock.command("ingest", card.path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        incoming = dock.evidence / ".incoming"
        until(lambda: list(incoming.glob("*-*")) or child.poll() is not None, "a docking")
        time.sleep(random.uniform(0, _LONGEST_S))  # when exactly is the attack
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)


def test_after_a_kill_between_the_log_and_the_catalogue(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    """What a power cut between the two leaves: an entry that the catalogue never took up."""
    dock.configure(ingest={"immutable": False})
    card.put("MAH00001.MP4", media_files.video)
    assert dock.ingest(card).code == 0
    opened = dock.station()
    try:
        entries = list(opened.custody.entries())
        deeds = [
            opened.deed(entry.deed.act, "20261123-110000-ffffff", entry.deed.facts)
            for entry in entries
            if entry.deed.act in (Act.DOCKING_OPENED, Act.INVENTORY)
        ]
        (seal,) = (entry for entry in entries if entry.deed.act is Act.SEAL)
        again = {"docking": "20261123-110000-ffffff", "path": "MAH00001.MP4"}
        opened.custody.append([*deeds, opened.deed(Act.SEEN_AGAIN, seal.deed.subject, again)])
        (opened.evidence.incoming / "20261123-110000-ffffff").mkdir()
    finally:
        opened.catalogue.close()
    assert findings(dock) == []
    shown = dock.run("dockings", "show", "20261123-110000", "--json").json
    assert shown["outcome"] == "interrupted"
    log = list(CustodyLog(dock.state / "custody", "test").entries())
    assert [e.deed.act for e in log if e.deed.subject == "20261123-110000-ffffff"] == [
        *(Act.DOCKING_OPENED, Act.INVENTORY, Act.DOCKING_CLOSED)
    ]
