"""Two intakes at once, and intakes that end suddenly."""

import fcntl
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recorder_sync.custody.log import Act
from tests.catalogue.cut_off import killed
from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import (
    check_done,
    check_evidence,
    check_refused,
    contents,
    copying,
    dockings,
    finish,
    growing,
    in_place,
    large,
    reached,
    under_way,
)

_LARGE = 64 << 20

# -- two at once


def test_two_cards_at_once_are_both_sealed_whole(
    stocked: Dock, card: Card, tmp_path: Path, media_files: MediaFiles
) -> None:
    other = Card(tmp_path / "other card")
    photo = media_files.photo.read_bytes()
    for number in range(40):
        card.put(f"left {number}.jpg", photo + bytes([1, number]))
        other.put(f"right {number}.jpg", photo + bytes([2, number]))
    large(card, "left.mp4", media_files.video, 16 << 20)
    large(other, "right.mp4", media_files.other_video, 16 << 20)
    before = contents(card.path), contents(other.path)
    with (
        under_way(stocked, "ingest", card.path, "--json") as one,
        under_way(stocked, "ingest", other.path, "--json") as two,
    ):
        for done in (finish(one), finish(two)):
            check_done(done, sealed=41, failed=0)
    assert (contents(card.path), contents(other.path)) == before
    names = [f"{side} {n}.jpg" for side in ("left", "right") for n in range(40)]
    check_evidence(stocked, *names, "left.mp4", "right.mp4", earlier=1)


def test_the_same_card_twice_at_once_is_sealed_once(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    photo = media_files.photo.read_bytes()
    names = [f"{number}.jpg" for number in range(40)]
    for number, name in enumerate(names):
        card.put(name, photo + bytes([1, number]))
    large(card, "clip.mp4", media_files.video, 16 << 20)
    before = contents(card.path)
    with (
        under_way(stocked, "ingest", card.path, "--json") as one,
        under_way(stocked, "ingest", card.path, "--json") as two,
    ):
        done = [finish(one), finish(two)]
    for each in done:
        check_done(each, failed=0)
    assert contents(card.path) == before
    assert sum(d.json["sealed"] for d in done) == 41
    assert [d.json["sealed"] + d.json["already_sealed"] for d in done] == [41, 41]
    check_evidence(stocked, *names, "clip.mp4", earlier=1)


def test_verifying_during_an_intake_finds_nothing_wrong(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("photo.jpg", media_files.photo.read_bytes() + b"another")
    large(card, "clip.mp4", media_files.video, _LARGE)
    with under_way(stocked, "ingest", card.path, "--json") as child:
        reached(child, lambda: copying(stocked, _LARGE), "a partial copy")
        verified = stocked.run("verify", "--all")
        done = finish(child)
    check_done(done, sealed=2)
    assert verified.code == 0, verified.out + verified.err
    check_evidence(stocked, "photo.jpg", "clip.mp4", earlier=1)


# -- a sudden end


def test_kills_while_sealing_lose_nothing(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    names = [f"{number}.jpg" for number in range(60)]
    photo = media_files.photo.read_bytes()
    for number, name in enumerate(names):
        card.put(name, photo + bytes([1, number]))
    before = contents(card.path)
    for wanted in (1, 20, 40):
        _kill_when_in_place(stocked, card, wanted)
    _check_completed(stocked, card, names)
    assert contents(card.path) == before


def _kill_when_in_place(dock: Dock, card: Card, wanted: int) -> None:
    with under_way(dock, "ingest", card.path, "--json") as child:
        reached(child, lambda: len(in_place(dock)) >= wanted, f"{wanted} recordings in place")
        child.kill()
        finish(child)


def _check_completed(dock: Dock, card: Card, names: list[str]) -> None:
    again = dock.ingest(card)
    check_done(again, failed=0)
    check_evidence(dock, *names, earlier=1)
    outcomes = [d["outcome"] for d in dockings(dock)]
    assert outcomes[0] == outcomes[-1] == "done"
    assert set(outcomes[1:-1]) == {"interrupted"}


def test_a_kill_before_the_custody_entry_is_made_good_by_the_next_start(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    large(card, "clip.mp4", media_files.video, _LARGE)
    with under_way(stocked, "ingest", card.path, "--json") as child:
        reached(child, lambda: copying(stocked, _LARGE), "a partial copy")
        with turn_at_the_custody_log(stocked):
            reached(child, lambda: protected(stocked), "a protected recording")
            child.kill()
            finish(child)
    check_made_good(stocked, card)


def test_a_kill_before_the_catalogue_says_sealed_is_made_good_by_the_next_start(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video.read_bytes() + b"another")
    killed(stocked, "ingest", card.path, act=Act.SEAL)
    check_made_good(stocked, card)


@contextmanager
def turn_at_the_custody_log(dock: Dock) -> Iterator[None]:
    """Hold the custody log's lock: the program waits before its next entry."""
    with (dock.state / "custody" / "lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def protected(dock: Dock) -> bool:
    """Tell whether a new recording is in place and in both digest lists: all but sealed."""
    return any(
        path.name in (path.parent / "SHA256SUMS").read_text("utf-8")
        for path in in_place(dock)
        if (path.parent / "SHA256SUMS").exists()
    )


def check_made_good(dock: Dock, card: Card) -> None:
    again = dock.ingest(card)
    check_done(again, sealed=0, already_sealed=1, failed=0)
    check_evidence(dock, "clip.mp4", earlier=1)
    (latest, cut_off, _) = dockings(dock)
    assert (latest["outcome"], cut_off["outcome"]) == ("done", "interrupted")


def test_a_signal_while_a_growing_recording_is_waited_for_ends_at_once(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("good.mp4", media_files.video)
    with (
        growing(card.put("growing.mp4", media_files.other_video)),
        under_way(stocked, "ingest", card.path, "--json") as child,
    ):
        reached(child, lambda: in_place(stocked), "a sealed recording")
        child.send_signal(signal.SIGTERM)
        done = finish(child)
    check_refused(done, 143)
    assert stocked.ingest(card).code == 0
    check_evidence(stocked, "good.mp4", "growing.mp4", earlier=1)
