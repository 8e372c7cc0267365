"""Large recordings of one card: two together while that costs nobody anything, or one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest

from recorder_sync.ingest import sha256_pair
from recorder_sync.ingest.capacity import capacity_of
from recorder_sync.ingest.intake import Request, take_in
from recorder_sync.ingest.seal import Outcome
from recorder_sync.ingest.stopping import Stop
from recorder_sync.ingest.turns import Berth, CardTurns
from recorder_sync.language import Text
from recorder_sync.model import CardPath
from tests.conftest import Card, Dock, MediaFiles
from tests.faults.card import HostileCard
from tests.faults.conftest import Cards
from tests.ingest.aftermath import (
    check_evidence,
    finish,
    helpers,
    in_place,
    large,
    under_way,
    until,
)
from tests.ingest.test_sha256_pair import needs_it

_NAMES = ("0.mp4", "1.mp4", "2.mp4")


@pytest.fixture
def clips(card: Card, media_files: MediaFiles) -> Card:
    for number, name in enumerate(_NAMES):
        with large(card, name, media_files.video, 24 << 20).open("ab") as file:
            file.write(bytes([number]))
    return card


class Begun:
    """An observer that sees whether one recording is begun before another is copied."""

    def __init__(self) -> None:
        self.most = 0
        self._left: dict[CardPath, int] = {}

    def started(self, path: CardPath, size: int) -> None:
        self._left[path] = size
        self.most = max(self.most, sum(left > 0 for left in self._left.values()))

    def copied(self, path: CardPath, count: int) -> None:
        self._left[path] -= count

    def listing(self, files: int) -> None: ...
    def planned(self, recordings: int, size: int, already_sealed: int) -> None: ...
    def waiting(self, waits: bool) -> None: ...
    def read_back(self, path: CardPath, count: int) -> None: ...
    def finished(self, outcome: Outcome) -> None: ...
    def notice(self, text: Text) -> None: ...


def most_at_once(dock: Dock, card: Path, *, beside_another_card: bool = False) -> int:
    """Take a card in; return how many of its recordings were under way at the same time."""
    station, begun = dock.station(), Begun()
    with capacity_of(station.settings) as capacity:
        other = capacity.turns.card(Berth("another", None), lambda waits: None)
        if beside_another_card:
            with other.turn(lambda: None):
                take_in(station, Request(card), capacity, begun, Stop())
        else:
            take_in(station, Request(card), capacity, begun, Stop())
    station.catalogue.close()
    check_evidence(dock, *_NAMES)
    return begun.most


@contextmanager
def hanging(dock: Dock, shown: HostileCard, name: str) -> Iterator[Popen[str]]:
    """Take a card in that hangs in the middle of one recording; after the block it answers."""
    hang = shown.hang_at(name, 10 << 20)
    with under_way(dock, "ingest", shown.path, "--json") as child:
        try:
            hang.await_reader()
            yield child
        finally:
            hang.release()
        assert finish(child).code == 0
    check_evidence(dock, *_NAMES)


def test_what_describes_a_recording_is_ready_before_it_is_copied(
    dock: Dock, clips: Card, hostile: Cards
) -> None:
    with hanging(dock, hostile(clips.path), "0.mp4") as child:
        assert helpers(child.pid, "recorder_sync.media.confined")


@needs_it
def test_a_recording_that_hangs_does_not_keep_the_next_of_its_card_waiting(
    dock: Dock, clips: Card, hostile: Cards
) -> None:
    with hanging(dock, hostile(clips.path), "0.mp4"):
        until(lambda: len(in_place(dock)) == 2, "the two that do not hang, sealed")


def test_beside_another_card_they_go_one_by_one(dock: Dock, clips: Card) -> None:
    assert most_at_once(dock, clips.path, beside_another_card=True) == 1


def test_they_go_one_by_one_where_one_copy_of_a_card_is_the_limit(dock: Dock, clips: Card) -> None:
    dock.configure(ingest={"reserve_mib": 0, "copies_per_disk": 1})
    assert most_at_once(dock, clips.path) == 1


def test_what_goes_wrong_in_choosing_the_next_ends_the_intake_and_is_told(
    dock: Dock, clips: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No thread can be had, for instance: nobody may wait for a copy that nobody makes."""

    def fails(card: CardTurns) -> bool:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(CardTurns, "is_alone", fails)
    monkeypatch.setattr(sha256_pair, "is_there", lambda: True)
    with pytest.raises(RuntimeError, match="new thread"):
        most_at_once(dock, clips.path)
    monkeypatch.undo()
    assert dock.ingest(clips).code == 0
    check_evidence(dock, *_NAMES)
