"""Cards that read badly: errors, short answers, files that change; the whole way to the seal."""

from random import Random

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.faults.card import HostileCard
from tests.faults.conftest import Cards
from tests.faults.footage import MIB, check_rebuilt, check_whole, described, footage
from tests.ingest.aftermath import ask, check_done, check_evidence, check_failure, large

_PAGE = 4096
_SMALL = 1 * MIB + 12_345
_LARGE = 10 * MIB + 12_345

_MORE = Random(5000).randbytes(5000)
"""What a camera adds to its recording."""

by_size = pytest.mark.parametrize("size", [_SMALL, _LARGE], ids=["small", "large"])


@pytest.fixture
def shown(card: Card, hostile: Cards, media_files: MediaFiles) -> HostileCard:
    """The card as a hostile one, with two good recordings on it, a small and a large one."""
    footage(card, "good.mp4", media_files.video, 300_000)
    footage(card, "better.mp4", media_files.other_video, 5 * MIB)
    return hostile(card.path)


GOOD = ("good.mp4", "better.mp4")


# -- errors that go away


@by_size
def test_a_read_error_that_goes_away_costs_nothing(
    dock: Dock, card: Card, shown: HostileCard, media_files: MediaFiles, size: int
) -> None:
    bad = footage(card, "bad.mp4", media_files.video, size)
    shown.fail_reads("bad.mp4", Random(size).randrange(size), 1, times=2)
    done = dock.run("ingest", shown.path, "--json")
    assert shown.errors_given("bad.mp4") == 2
    check_done(done, sealed=3, failed=0)
    check_evidence(dock, *GOOD, "bad.mp4")
    check_whole(dock, bad, *(card.path / name for name in GOOD))


def test_a_recording_that_is_read_in_the_end_is_in_although_it_was_given_up_before(
    dock: Dock, shown: HostileCard, card: Card, media_files: MediaFiles
) -> None:
    """The reader recovers just before the salvage: then nothing is missing, and it is whole."""
    bad = footage(card, "bad.mp4", media_files.video, _SMALL)
    shown.fail_reads("bad.mp4", 0, 1, times=4)
    done = dock.run("ingest", shown.path, "--json")
    assert shown.errors_given("bad.mp4") == 4
    check_done(done, sealed=3, failed=0)
    check_evidence(dock, *GOOD, "bad.mp4")
    check_whole(dock, bad)
    assert described(dock, "bad.mp4")["flags"] == described(dock, "good.mp4")["flags"]


# -- errors that stay


def test_what_is_readable_of_a_damaged_recording_is_salvaged_and_the_others_are_sealed(
    dock: Dock, card: Card, shown: HostileCard, media_files: MediaFiles
) -> None:
    bad = footage(card, "bad.mp4", media_files.video, _LARGE)
    at, length = _LARGE // 2 + 77, 3 * _PAGE
    shown.fail_reads("bad.mp4", at, length)

    done = dock.run("ingest", shown.path, "--json")
    assert shown.errors_given("bad.mp4") > 0
    check_failure(done, "bad.mp4", "cannot be read from the card", "salvage copy")
    assert "another reader" in done.json["failures"][0]["hint"]
    assert done.json["sealed"] == 2
    assert {r["original_name"] for r in done.json["recordings"]} == set(GOOD)
    check_evidence(dock, *GOOD)

    salvaged = described(dock, "bad.mp4", salvage=True)
    first, end = at // _PAGE * _PAGE, -(-(at + length) // _PAGE) * _PAGE
    assert salvaged["missing"] == [{"offset": first, "length": end - first}]
    assert "salvaged" in salvaged["flags"]
    assert "_SALVAGE_" in salvaged["path"]
    true = bad.read_bytes()
    copy = dock.evidence / salvaged["path"]
    assert copy.read_bytes() == true[:first] + bytes(end - first) + true[end:]
    listed = ask(dock, "recordings", "list", "--json").json["recordings"]
    assert {r["id"] for r in listed if "salvaged" in r["flags"]} == {salvaged["id"]}

    # The same bad place again: nothing new. A good reader: the whole recording, once.
    again = dock.run("ingest", shown.path, "--json")
    check_failure(again, "bad.mp4", "salvage copy")
    check_done(again, 1, sealed=0, already_sealed=2)
    assert described(dock, "bad.mp4", salvage=True) == salvaged
    check_evidence(dock, *GOOD)
    shown.heal()
    check_done(dock.run("ingest", shown.path, "--json"), sealed=1, already_sealed=2)
    check_done(dock.run("ingest", shown.path, "--json"), sealed=0, already_sealed=3)
    check_evidence(dock, *GOOD, "bad.mp4")
    check_whole(dock, bad)
    assert described(dock, "bad.mp4", salvage=True) == salvaged
    assert copy.read_bytes() == true[:first] + bytes(end - first) + true[end:]
    check_rebuilt(dock)


@pytest.mark.long
def test_every_readable_page_is_salvaged_up_to_the_last_byte_and_nothing_where_none_is(
    dock: Dock, card: Card, shown: HostileCard, media_files: MediaFiles
) -> None:
    bad = footage(card, "bad.mp4", media_files.video, _SMALL)
    footage(card, "dead.mp4", media_files.video, _LARGE)
    tail = _SMALL // _PAGE * _PAGE
    for at, length in ((40 * _PAGE, 1), (41 * _PAGE, 1), (100 * _PAGE + 1, 1), (_SMALL - 1, 1)):
        shown.fail_reads("bad.mp4", at, length)
    shown.fail_reads("dead.mp4")
    done = dock.run("ingest", shown.path, "--json")
    assert shown.errors_given("bad.mp4") > 0
    assert shown.errors_given("dead.mp4") > 0
    assert shown.reads("dead.mp4") == []
    check_done(done, 1, sealed=2, failed=2)
    errors = {f["path"]: f["error"] for f in done.json["failures"]}
    assert "salvage copy" in errors["bad.mp4"]
    assert "cannot be read from the card" in errors["dead.mp4"]
    assert "salvage copy" not in errors["dead.mp4"]
    salvaged = described(dock, "bad.mp4", salvage=True)
    assert salvaged["missing"] == [
        {"offset": 40 * _PAGE, "length": 2 * _PAGE},
        {"offset": 100 * _PAGE, "length": _PAGE},
        {"offset": tail, "length": _SMALL - tail},
    ]
    expected = bytearray(bad.read_bytes())
    for gap in salvaged["missing"]:
        expected[gap["offset"] : gap["offset"] + gap["length"]] = bytes(gap["length"])
    assert (dock.evidence / salvaged["path"]).read_bytes() == expected
    assert len(dock.sealed_files()) == 3
    check_evidence(dock, *GOOD)
    shown.heal()
    check_done(dock.run("ingest", shown.path, "--json"), sealed=2, already_sealed=2)
    check_evidence(dock, *GOOD, "bad.mp4", "dead.mp4")


def test_a_salvage_copy_that_equals_the_recording_by_chance_is_not_taken_for_it(
    dock: Dock, card: Card, shown: HostileCard, media_files: MediaFiles
) -> None:
    """Zeros that cannot be read are zeros in the salvage copy too."""
    large(card, "bad.mp4", media_files.video, _LARGE)
    shown.fail_reads("bad.mp4", _LARGE - 2 * _PAGE, 1)
    done = dock.run("ingest", shown.path, "--json")
    assert shown.errors_given("bad.mp4") > 0
    check_failure(done, "bad.mp4", "salvage copy")
    check_evidence(dock, *GOOD)
    shown.heal()
    check_done(dock.run("ingest", shown.path, "--json"), sealed=1, already_sealed=2)
    check_evidence(dock, *GOOD, "bad.mp4")
    salvaged, whole = (described(dock, "bad.mp4", salvage=salvage) for salvage in (True, False))
    assert salvaged["blake3"] == whole["blake3"]
    assert salvaged["id"] != whole["id"]
    check_rebuilt(dock)


@pytest.mark.long
def test_a_card_that_goes_while_it_is_salvaged_leaves_nothing_half_done(
    dock: Dock, card: Card, shown: HostileCard, media_files: MediaFiles
) -> None:
    bad = footage(card, "bad.mp4", media_files.video, _LARGE)
    shown.fail_reads("bad.mp4", 5 * MIB, 1)
    # All of the good ones, 5 MiB of the bad one, and once more the first 2 MiB for the salvage.
    shown.pull_out(after=300_000 + 5 * MIB + 5 * MIB + 2 * MIB)
    done = dock.run("ingest", shown.path, "--json")
    check_failure(done, "bad.mp4")
    assert done.json["sealed"] == 2
    assert shown.bytes_read("bad.mp4") == 7 * MIB
    assert len(dock.sealed_files()) == 2
    check_evidence(dock, *GOOD)
    shown.heal()
    shown.come_back()
    check_done(dock.run("ingest", shown.path, "--json"), sealed=1, already_sealed=2)
    check_evidence(dock, *GOOD, "bad.mp4")
    check_whole(dock, bad)


# -- odd answers


@pytest.mark.parametrize(("size", "most"), [(_SMALL, 1000), (_LARGE, _PAGE)])
def test_short_answers_are_put_together(
    dock: Dock, card: Card, shown: HostileCard, media_files: MediaFiles, size: int, most: int
) -> None:
    odd = footage(card, "odd.mp4", media_files.video, size)
    shown.shorten_reads("odd.mp4", most)
    done = dock.run("ingest", shown.path, "--json")
    check_done(done, sealed=3, failed=0)
    reads = shown.reads("odd.mp4")
    assert len(reads) >= size // most
    assert max(read.length for read in reads) <= most
    check_evidence(dock, *GOOD, "odd.mp4")
    check_whole(dock, odd)


def test_what_is_sealed_is_what_was_read_also_when_a_second_look_would_show_another(
    dock: Dock, card: Card, shown: HostileCard, media_files: MediaFiles
) -> None:
    bad = footage(card, "bad.mp4", media_files.video, _LARGE)
    shown.change_after_first_read("bad.mp4")
    done = dock.run("ingest", shown.path, "--json")
    check_done(done, sealed=3, failed=0)
    assert shown.bytes_read("bad.mp4") == _LARGE
    check_whole(dock, bad)
    with (shown.path / "bad.mp4").open("rb") as file:
        assert file.read(_PAGE) != bad.read_bytes()[:_PAGE]
    check_evidence(dock, *GOOD, "bad.mp4")


# -- files that change


def test_a_recording_that_grows_while_it_is_read_is_sealed_as_it_ends(
    dock: Dock, card: Card, shown: HostileCard, media_files: MediaFiles
) -> None:
    grown = footage(card, "grown.mp4", media_files.video, _LARGE)
    shown.append("grown.mp4", _MORE, when_read=_LARGE // 2)
    done = dock.run("ingest", shown.path, "--json")
    check_done(done, sealed=3, failed=0)
    assert shown.bytes_read("grown.mp4", 0, _PAGE) > _PAGE, "it was not read a second time"
    copy = dock.evidence / described(dock, "grown.mp4")["path"]
    assert copy.read_bytes() == grown.read_bytes() + _MORE
    check_evidence(dock, *GOOD, "grown.mp4")


def test_a_recording_cut_short_while_it_is_read_is_sealed_as_it_ends(
    dock: Dock, card: Card, shown: HostileCard, media_files: MediaFiles
) -> None:
    cut = footage(card, "cut.mp4", media_files.video, _SMALL)
    shown.truncate("cut.mp4", _SMALL // 3, when_read=_SMALL // 2)
    done = dock.run("ingest", shown.path, "--json")
    check_done(done, sealed=3, failed=0)
    assert shown.bytes_read("cut.mp4", 0, _PAGE) > _PAGE, "it was not read a second time"
    copy = dock.evidence / described(dock, "cut.mp4")["path"]
    assert copy.read_bytes() == cut.read_bytes()[: _SMALL // 3]
    check_evidence(dock, *GOOD, "cut.mp4")
    check_done(dock.run("ingest", shown.path, "--json"), sealed=0, already_sealed=3)


def test_a_damaged_recording_that_still_grows_is_not_salvaged_as_a_mixture(
    dock: Dock, card: Card, shown: HostileCard, media_files: MediaFiles
) -> None:
    footage(card, "bad.mp4", media_files.video, _SMALL)
    shown.fail_reads("bad.mp4", 600_000, 1)
    shown.append("bad.mp4", _MORE, when_read=100_000)  # also read by the salvage
    done = dock.run("ingest", shown.path, "--json")
    check_failure(done, "bad.mp4", "cannot be read from the card")
    assert len(dock.sealed_files()) == 2
    check_evidence(dock, *GOOD)
