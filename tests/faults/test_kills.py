"""Killed at any instant, and started again: nothing lost, nothing twice (promise 3)."""

import hashlib
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import (
    ask,
    check_evidence,
    descriptions,
    helpers,
    in_place,
    large,
    until,
)

_LONGEST_S = 0.05
"""Seconds after a chosen step of the intake within which a kill comes."""


def test_killed_at_a_random_moment_everything_is_sealed_exactly_once_by_the_next_run(
    tmp_path: Path, media_files: MediaFiles, rounds: int
) -> None:
    where: Counter[str] = Counter()
    for number in range(rounds):
        folder = tmp_path / str(number)
        folder.mkdir()
        where += _one_round(folder, media_files, Random(number))
    kills = where.total() - where["after the end"]
    print(f"\n{rounds} rounds, {kills} kills under way: {dict(where)}")
    assert kills > rounds / 2


def _one_round(folder: Path, media_files: MediaFiles, random: Random) -> Counter[str]:
    dock = Dock(folder)
    dock.configure(ingest={"reserve_mib": 0, "immutable": random.random() < 0.3})
    card = Card(folder / "card")
    names = _fill(card, media_files, random)
    left = Counter(
        _kill_under_way(dock, card, len(names), random) for _ in range(random.choice([1, 1, 2, 3]))
    )
    done = dock.ingest(card)
    assert done.code == 0, f"{left}: {done.out}{done.err}"
    check_evidence(dock, *names)
    _check_digests(dock, card)
    _check_log_has_no_gap(dock)
    return left


def _fill(card: Card, media_files: MediaFiles, random: Random) -> list[str]:
    """Put small recordings, large ones, or both on a card, every one with its own content."""
    names = []
    for n in range(random.choice([0, 7, 40, 300])):
        name = f"DCIM/{100 + n % 3}MEDIA/{n:03}.jpg"
        card.put(name, media_files.photo.read_bytes() + random.randbytes(random.randint(1, 9000)))
        names.append(name)
    for n in range(random.choice([0, 1, 3]) or (not names)):
        name = f"DCIM/100MEDIA/{n}.mp4"
        path = large(card, name, media_files.video, random.choice([3, 20, 90]) << 20)
        with path.open("r+b") as file:
            file.seek(-64, os.SEEK_END)
            file.write(random.randbytes(64))
        names.append(name)
    return names


def _kill_under_way(dock: Dock, card: Card, recordings: int, random: Random) -> str:
    """Start an intake, kill it a random time after its docking began; say what was left."""
    incoming = dock.evidence / ".incoming"
    known, steps = (
        len(list(incoming.glob("*-*"))),
        random.choice([0, 1, random.randint(0, recordings)]),
    )

    def has_come_so_far() -> bool:
        begun = len(list(incoming.glob("*-*"))) > known
        return begun and len(list(incoming.glob("*-*/*"))) + len(in_place(dock)) >= steps

    with subprocess.Popen(
        dock.command("ingest", card.path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        until(lambda: has_come_so_far() or child.poll() is not None, "the moment")
        time.sleep(random.uniform(0, _LONGEST_S))  # when exactly is the attack
        if child.poll() is not None:
            return "after the end"
        os.kill(child.pid, signal.SIGKILL)
    copies = "copies under way" if list(incoming.glob("*-*/*.part")) else "no copy under way"
    return f"{copies}, {'some' if dock.sealed_files() else 'none'} in place"


def _check_digests(dock: Dock, card: Card) -> None:
    for description in descriptions(dock):
        source = card.path / description["original_path"]
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        assert description["sha256"] == digest, description["original_path"]


def _check_log_has_no_gap(dock: Dock) -> None:
    station = dock.station()
    try:
        numbers = [entry.seq for entry in station.custody.entries()]
    finally:
        station.catalogue.close()
    assert numbers == list(range(len(numbers)))
    assert ask(dock, "catalogue", "check").code == 0


@pytest.mark.parametrize("victim", ["recorder_sync.ingest.copier", "recorder_sync.media.confined"])
@pytest.mark.parametrize("at_work", [False, True])
def test_a_helper_process_that_is_killed_costs_no_recording(
    dock: Dock, card: Card, media_files: MediaFiles, victim: str, at_work: bool
) -> None:
    names = [f"{n:04}.jpg" for n in range(600)]
    photo = media_files.photo.read_bytes()
    for n, name in enumerate(names):
        card.put(name, photo + n.to_bytes(4, "big"))
    with subprocess.Popen(
        dock.command("ingest", card.path, "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        running = until(lambda: helpers(child.pid, victim), "a helper process")
        if at_work:
            until(lambda: len(list(dock.evidence.glob(".incoming/*-*/*.part"))) > 64, "its work")
        os.kill(running[0], signal.SIGKILL)
        child.communicate(timeout=100)
    assert child.returncode == 0
    check_evidence(dock, *names)


def test_the_helper_processes_of_a_killed_intake_end_with_it(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    photo = media_files.photo.read_bytes()
    for n in range(600):
        card.put(f"{n:04}.jpg", photo + n.to_bytes(4, "big"))
    with subprocess.Popen(dock.command("ingest", card.path), stderr=subprocess.DEVNULL) as child:
        running = until(lambda: helpers(child.pid, "recorder_sync.ingest.copier"), "a helper")
        child.kill()
    until(lambda: not any(_is_running(pid) for pid in running), "the end of the helpers")


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
