"""Cards that go or hang in the middle of a copy, and what the next docking makes of it."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, Done, MediaFiles
from tests.faults.card import HostileCard
from tests.faults.conftest import Cards
from tests.faults.disk import FaultyDisk
from tests.faults.footage import (
    MIB,
    check_rebuilt,
    check_whole,
    described,
    footage,
    kept,
    refill,
    sparse_footage,
)
from tests.faults.target import use
from tests.ingest.aftermath import (
    ask,
    check_done,
    check_evidence,
    check_failure,
    finish,
    in_place,
    partials,
    under_way,
    until,
)
from tests.on_the_day import today

_LONG = 80 * MIB
_GONE_AT = 71 * MIB
_KEPT_FROM = 64 * MIB
_COMPARED = 66 * (64 << 10)
"""Most bytes of a kept copy that are read from the card again, to compare them."""


@pytest.fixture
def long(card: Card, media_files: MediaFiles) -> Path:
    """A recording that is worth going on with."""
    return footage(card, "long.mp4", media_files.video, _LONG)


@pytest.fixture
def shown(card: Card, hostile: Cards, long: Path) -> HostileCard:
    """A hostile card with a long recording."""
    return hostile(card.path)


def take_in(dock: Dock, shown: HostileCard, *arguments: str) -> Done:
    return dock.run("ingest", shown.path, "--json", *arguments)


def come_back(shown: HostileCard) -> None:
    """The card is plugged in again, and is sound."""
    shown.heal()
    shown.come_back()
    shown.forget_reads()


def cut_off(dock: Dock, shown: HostileCard, *arguments: str) -> tuple[Path, int]:
    """Pull the card out while its long recording is copied; return what is kept of it."""
    shown.pull_out(after=_GONE_AT)
    check_failure(take_in(dock, shown, *arguments), "long.mp4", "gone")
    assert shown.errors_given("long.mp4") > 0
    part, length = kept(dock)
    assert _KEPT_FROM <= length <= shown.bytes_read("long.mp4")
    come_back(shown)
    return part, length


# -- gone


def test_a_card_pulled_out_in_a_long_recording_goes_on_there_when_it_is_back(
    dock: Dock, card: Card, shown: HostileCard, long: Path, media_files: MediaFiles
) -> None:
    footage(card, "small.mp4", media_files.other_video, 200_000)
    shown.pull_out(after=200_000 + _GONE_AT)
    done = take_in(dock, shown)
    check_failure(done, "long.mp4", "the card is gone")
    assert "plug the device in again" in done.json["failures"][0]["hint"].casefold()
    assert done.json["sealed"] == 1
    files = ask(dock, "dockings", "show", done.json["docking"], "--json").json["files"]
    assert {f["path"]: f["outcome"] for f in files} == {"small.mp4": "sealed", "long.mp4": "failed"}
    _, length = kept(dock)
    assert _KEPT_FROM <= length <= shown.bytes_read("long.mp4") < _LONG
    come_back(shown)

    check_done(take_in(dock, shown), sealed=1, already_sealed=1, failed=0)
    assert shown.bytes_read("long.mp4", 0, length) <= _COMPARED
    assert shown.bytes_read("long.mp4", length) == _LONG - length
    assert described(dock, "long.mp4")["resumed_at"] == length
    assert described(dock, "small.mp4")["resumed_at"] is None
    check_whole(dock, long)
    check_evidence(dock, "small.mp4", "long.mp4")
    check_rebuilt(dock)


def test_what_is_kept_of_a_recording_counts_as_room_for_the_rest_of_it(
    dock: Dock, shown: HostileCard, long: Path, tmp_path: Path
) -> None:
    """Or on a disk that is nearly full it would be thrown away, and nothing copied."""
    dock.configure(ingest={"reserve_mib": 4})
    with FaultyDisk(tmp_path / "disk", tmp_path / "mounted", mib=128) as disk:
        use(dock, disk)
        _, length = cut_off(dock, shown)
        assert _LONG - length < shutil.disk_usage(disk.path).free < _LONG
        check_done(take_in(dock, shown), sealed=1, failed=0)
        assert described(dock, "long.mp4")["resumed_at"] == length
        check_whole(dock, long)


def test_a_card_pulled_out_again_and_again_is_in_at_last(
    dock: Dock, shown: HostileCard, long: Path
) -> None:
    _, length = cut_off(dock, shown)
    shown.pull_out(after=100_000)  # while the kept copy is compared
    check_failure(take_in(dock, shown), "long.mp4", "gone")
    assert kept(dock)[1] == length
    come_back(shown)
    shown.pull_out(after=_COMPARED + 5 * MIB)
    check_failure(take_in(dock, shown), "long.mp4", "gone")
    _, further = kept(dock)
    assert length < further < _LONG
    come_back(shown)
    check_done(take_in(dock, shown), sealed=1, failed=0)
    assert shown.bytes_read("long.mp4", 0, further) <= _COMPARED
    assert described(dock, "long.mp4")["resumed_at"] == further
    check_whole(dock, long)
    check_evidence(dock, "long.mp4")


@pytest.mark.parametrize("after", [400_000, 500_000], ids=["between two", "in the third"])
def test_a_card_pulled_out_among_small_recordings_loses_none(
    dock: Dock, card: Card, hostile: Cards, media_files: MediaFiles, after: int
) -> None:
    names = [f"{n}.mp4" for n in range(4)]
    recordings = [footage(card, name, media_files.video, 200_000) for name in names]
    shown = hostile(card.path)
    shown.pull_out(after=after)
    done = take_in(dock, shown)
    check_done(done, 1, sealed=2, failed=2)
    assert [f["path"] for f in done.json["failures"]] == names[2:]
    assert all("gone" in f["error"] and f["hint"] for f in done.json["failures"])
    assert sum(shown.bytes_read(name) for name in names) == after
    check_evidence(dock, *names[:2])
    come_back(shown)
    check_done(take_in(dock, shown), sealed=2, already_sealed=2, failed=0)
    check_whole(dock, *recordings)
    check_evidence(dock, *names)


def test_many_small_recordings_are_all_in_after_a_bad_one_and_a_card_pulled_out(
    dock: Dock, card: Card, hostile: Cards, media_files: MediaFiles
) -> None:
    """So many that a process of its own copies them."""
    photo = media_files.photo.read_bytes()
    names = [f"{n:03}.jpg" for n in range(256)]
    recordings = [card.put(name, photo + name.encode()) for name in names]
    size = recordings[0].stat().st_size
    shown = hostile(card.path)
    shown.fail_reads("000.jpg")
    shown.fail_reads("001.jpg", times=1)
    shown.pull_out(after=250 * size)
    done = take_in(dock, shown)
    assert shown.errors_given("001.jpg") == 1
    assert sum(shown.bytes_read(name) for name in names) == 250 * size
    check_done(done, 1, sealed=250, failed=6)
    errors = {f["path"]: f["error"] for f in done.json["failures"]}
    assert "cannot be read from the card" in errors["000.jpg"]
    assert sum("gone" in error for error in errors.values()) == 5
    assert all(f["hint"] for f in done.json["failures"])
    check_evidence(dock, *(name for name in names if name not in errors))
    come_back(shown)
    check_done(take_in(dock, shown), sealed=6, already_sealed=250, failed=0)
    check_whole(dock, recordings[0], recordings[1], recordings[-1])
    check_evidence(dock, *names)


def test_a_copy_that_had_only_begun_is_not_kept(
    dock: Dock, card: Card, hostile: Cards, media_files: MediaFiles
) -> None:
    short = footage(card, "short.mp4", media_files.video, 20 * MIB)
    shown = hostile(card.path)
    shown.pull_out(after=10 * MIB)
    check_failure(take_in(dock, shown), "short.mp4", "gone")
    assert partials(dock) == []
    come_back(shown)
    check_done(take_in(dock, shown), sealed=1, failed=0)
    assert shown.bytes_read("short.mp4") == 20 * MIB
    assert described(dock, "short.mp4")["resumed_at"] is None
    check_whole(dock, short)
    check_evidence(dock, "short.mp4")


# -- what is not gone on with


def damage(part: Path) -> None:
    with part.open("r+b") as file:
        file.seek(33 * MIB)
        file.write(b"something else")


def forget_the_note(part: Path) -> None:
    part.with_suffix(".note").write_bytes(b"\0" * 100)


def cut_off_the_note(part: Path) -> None:
    """Leave what a power cut leaves while the note is written."""
    part.with_suffix(".note").rename(part.with_suffix(".fresh"))


def lie_in_the_note(part: Path) -> None:
    note = part.with_suffix(".note")
    facts = json.loads(note.read_bytes())
    note.write_text(json.dumps({**facts, "length": 1 << 62}))


def let_it_wait(part: Path) -> None:
    week_ago = (today() - timedelta(days=7, minutes=1)).timestamp()
    os.utime(part, (week_ago, week_ago))


@pytest.mark.parametrize(
    "spoil", [damage, forget_the_note, cut_off_the_note, lie_in_the_note, let_it_wait]
)
def test_a_kept_copy_that_is_damaged_or_too_old_is_thrown_away(
    dock: Dock, shown: HostileCard, long: Path, spoil: Callable[[Path], None]
) -> None:
    part, _ = cut_off(dock, shown)
    spoil(part)
    check_done(take_in(dock, shown), sealed=1, failed=0)
    assert shown.bytes_read("long.mp4") == _LONG
    assert described(dock, "long.mp4")["resumed_at"] is None
    check_whole(dock, long)
    check_evidence(dock, "long.mp4")


def test_another_recording_of_the_same_name_size_and_time_is_no_continuation(
    dock: Dock, shown: HostileCard, long: Path, media_files: MediaFiles
) -> None:
    cut_off(dock, shown)
    before = long.stat()
    refill(long, media_files.video, "another take")
    assert (long.stat().st_size, long.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    check_done(take_in(dock, shown), sealed=1, failed=0)
    assert described(dock, "long.mp4")["resumed_at"] is None
    check_whole(dock, long)
    check_evidence(dock, "long.mp4")


def test_another_device_does_not_go_on_with_what_is_kept_of_the_first(
    dock: Dock, shown: HostileCard, long: Path
) -> None:
    part, length = cut_off(dock, shown, "--device", "A1")
    check_done(take_in(dock, shown, "--device", "B2"), sealed=1, failed=0)
    assert shown.bytes_read("long.mp4") == _LONG
    assert described(dock, "long.mp4")["resumed_at"] is None
    assert kept(dock) == (part, length)
    check_done(take_in(dock, shown, "--device", "A1"), sealed=1, failed=0)
    check_evidence(dock, "long.mp4", "long.mp4")
    found = ask(dock, "recordings", "list", "--json").json["recordings"]
    assert {r["device"]: r["resumed_at"] for r in found} == {"A1": length, "B2": None}


# -- cut off from our side


def interrupt(child: subprocess.Popen[str]) -> None:
    """Send Ctrl-C, and wait until it is no longer pending."""
    child.send_signal(signal.SIGINT)
    status = Path(f"/proc/{child.pid}/status")
    bit = 1 << (signal.SIGINT - 1)

    def arrived() -> bool:
        lines = status.read_text().splitlines()
        pending = [int(x.split()[1], 16) for x in lines if x.startswith(("SigPnd:", "ShdPnd:"))]
        return not any(mask & bit for mask in pending)

    until(arrived, "the signal's arrival")


def test_ctrl_c_in_a_long_recording_ends_at_once_and_the_next_run_goes_on(
    dock: Dock, shown: HostileCard, long: Path
) -> None:
    hang = shown.hang_at("long.mp4", _GONE_AT)
    with under_way(dock, "ingest", shown.path, "--json") as child:
        try:
            hang.await_reader()
            interrupt(child)
        finally:
            hang.release()
        done = finish(child)
    assert done.code == 130, done.out + done.err
    assert "Traceback" not in done.err
    _, length = kept(dock)
    assert _KEPT_FROM <= length < _LONG
    shown.forget_reads()
    check_done(take_in(dock, shown), sealed=1, failed=0)
    assert shown.bytes_read("long.mp4", 0, length) <= _COMPARED
    assert described(dock, "long.mp4")["resumed_at"] == length
    check_whole(dock, long)
    check_evidence(dock, "long.mp4")


def test_a_run_that_is_killed_after_it_took_a_note_is_gone_on_with(
    dock: Dock, card: Card, hostile: Cards, media_files: MediaFiles
) -> None:
    size, noted = 264 * MIB, 256 * MIB
    film = sparse_footage(card, "film.mp4", media_files.video, size)
    shown = hostile(card.path)
    hang = shown.hang_at("film.mp4", noted + MIB)
    with under_way(dock, "ingest", shown.path, "--json") as child:
        try:
            hang.await_reader()
            child.kill()
        finally:
            hang.release()
        finish(child)
    shown.forget_reads()
    check_done(take_in(dock, shown), sealed=1, failed=0)
    assert shown.bytes_read("film.mp4", 0, noted) <= _COMPARED
    assert described(dock, "film.mp4")["resumed_at"] == noted
    check_whole(dock, film)
    check_evidence(dock, "film.mp4")


# -- a card that does not answer


@pytest.fixture
def hanging(tmp_path: Path, card: Card, hostile: Cards, media_files: MediaFiles) -> HostileCard:
    """A card with a large and a small recording, beside the healthy `card` with the same."""
    other = Card(tmp_path / "other")
    for each, prefix in ((card, ""), (other, "other-")):
        footage(each, f"{prefix}large.mp4", media_files.video, 5 * MIB)
        footage(each, f"{prefix}small.mp4", media_files.video, 200_000)
    return hostile(other.path)


def test_a_card_that_hangs_holds_up_no_other_and_not_its_own_small_recordings(
    dock: Dock, card: Card, hanging: HostileCard
) -> None:
    hang = hanging.hang_at("other-large.mp4", 3 * MIB)
    with under_way(dock, "ingest", hanging.path, card.path, "--json") as child:
        try:
            hang.await_reader()
            until(lambda: len(in_place(dock)) == 3, "all but the recording that hangs, sealed")
            assert child.poll() is None
        finally:
            hang.release()
        done = finish(child)
    assert done.code == 0, done.out + done.err
    assert [d["sealed"] for d in done.json["dockings"]] == [2, 2]
    names = ("large.mp4", "small.mp4")
    check_whole(dock, *(card.path / name for name in names))
    check_whole(dock, *(hanging.folder / f"other-{name}" for name in names))
    check_evidence(dock, *names, *(f"other-{name}" for name in names))


@pytest.mark.long
def test_a_card_that_gives_no_data_is_told_of_until_it_does(
    dock: Dock, hanging: HostileCard
) -> None:
    hang = hanging.hang_at("other-large.mp4", 3 * MIB)
    with under_way(dock, "ingest", hanging.path) as child:
        try:
            hang.await_reader()
            assert child.stderr is not None
            told = next((line for line in child.stderr if "no data from the card" in line), None)
        finally:
            hang.release()
        done = finish(child)
    assert told is not None, done.err
    assert "for 10 s" in told
    assert done.code == 0, done.err
    check_evidence(dock, "other-large.mp4", "other-small.mp4")
