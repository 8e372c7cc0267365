"""Ended in the middle of a copy: the next run completes it (promise 3)."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, Done, MediaFiles
from tests.faults.card import HostileCard
from tests.ingest.aftermath import (
    ask,
    check_done,
    check_evidence,
    check_refused,
    contents,
    dockings,
    finish,
    large,
    partials,
    reached,
    sealed,
    under_way,
    until,
)

_MIDDLE = 5 << 20


@pytest.fixture
def names(card: Card, media_files: MediaFiles) -> list[str]:
    """A card with photos and a long clip; what is on it."""
    photo = media_files.photo.read_bytes()
    names = [f"{number}.jpg" for number in range(20)]
    for number, name in enumerate(names):
        card.put(name, photo + bytes([1, number]))
    large(card, "clip.mp4", media_files.video, 256 << 20)
    return [*names, "clip.mp4"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_intake_cleanly_and_the_next_one_completes_it(
    stocked: Dock,
    card: Card,
    names: list[str],
    hostile: Callable[[Path], HostileCard],
    number: signal.Signals,
) -> None:
    before = contents(card.path)
    source = hostile(card.path)
    done = _end_in_the_middle(stocked, source, number, names)
    check_refused(done, 128 + number, "Stopped", "again")
    assert partials(stocked) == []
    assert sealed(stocked)[b"clip.mp4"] == 0
    (docking, _) = dockings(stocked)
    assert docking["outcome"] == "interrupted"
    _check_completed(stocked, source, names)
    assert contents(card.path) == before


def test_a_kill_in_the_middle_of_a_copy_loses_nothing(
    stocked: Dock, card: Card, names: list[str], hostile: Callable[[Path], HostileCard]
) -> None:
    before = contents(card.path)
    source = hostile(card.path)
    done = _end_in_the_middle(stocked, source, signal.SIGKILL, names)
    assert done.code == -signal.SIGKILL
    _check_completed(stocked, source, names)
    assert contents(card.path) == before


def _end_in_the_middle(
    dock: Dock, source: HostileCard, number: signal.Signals, names: list[str]
) -> Done:
    """Take in a card, and send a signal while a read of its clip hangs.

    All else is sealed by then: a signal waits for a commit that is under way, which takes
    as long as the disk takes.
    """
    *photos, clip = names
    hang = source.hang_at(clip, _MIDDLE)
    with under_way(dock, "ingest", source.path, "--json") as child:
        try:
            hang.await_reader()
            reached(child, lambda: set(photos) <= _in_catalogue(dock), "photos in")
            child.send_signal(number)
            until(lambda: _has_seen(child, number), "that the signal was taken")
        finally:
            hang.release()
        return finish(child)


def _in_catalogue(dock: Dock) -> set[str]:
    listed = ask(dock, "recordings", "list", "--json").json["recordings"]
    return {recording["original_name"] for recording in listed}


def _has_seen(child: subprocess.Popen[str], number: signal.Signals) -> bool:
    """Tell whether the main thread is through with the signal, or the process dead."""
    if number is signal.SIGKILL:
        return True
    status = Path(f"/proc/{child.pid}/status").read_text(encoding="ascii")
    (pending,) = (line.split()[1] for line in status.splitlines() if line.startswith("ShdPnd"))
    return not int(pending, 16) & 1 << number - 1


def _check_completed(dock: Dock, source: HostileCard, names: list[str]) -> None:
    again = dock.run("ingest", str(source.path), "--json")
    check_done(again, failed=0)
    assert again.json["sealed"] + again.json["already_sealed"] == len(names)
    check_evidence(dock, *names, earlier=1)
