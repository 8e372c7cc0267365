"""When a file in a drop folder is complete: closed or moved in, and at rest."""

import pytest

from recorder_sync.dock.arrivals import LOST_CLOSE_S, Arrivals, Change, by_device, is_temporary
from recorder_sync.ingest.volume import Stamp
from recorder_sync.model import CardPath

FILE = CardPath(b"0031/a.mp4")
PART = Stamp(100, 1)
WHOLE = Stamp(200, 2)


def test_a_closed_file_is_complete_when_it_has_rested() -> None:
    arrivals = Arrivals(settle_s=30)
    arrivals.seen(FILE, WHOLE, at=100, change=Change.CLOSED)
    assert arrivals.complete() == []
    assert arrivals.next_due() == 130
    assert arrivals.due(129) == []
    assert arrivals.due(130) == [FILE]
    arrivals.seen(FILE, WHOLE, at=130)
    assert arrivals.complete() == [FILE]


def test_without_a_time_to_settle_a_closed_file_is_complete_at_once() -> None:
    arrivals = Arrivals(settle_s=0)
    arrivals.seen(FILE, WHOLE, at=100, change=Change.CLOSED)
    assert arrivals.complete() == [FILE]


def test_a_file_that_changes_starts_to_rest_again() -> None:
    arrivals = Arrivals(settle_s=30)
    arrivals.seen(FILE, PART, at=100, change=Change.CLOSED)
    arrivals.seen(FILE, WHOLE, at=129, change=Change.CLOSED)
    arrivals.seen(FILE, WHOLE, at=158)
    assert arrivals.complete() == []
    arrivals.seen(FILE, WHOLE, at=159)
    assert arrivals.complete() == [FILE]


def test_a_file_that_only_scans_see_is_complete_when_it_has_rested() -> None:
    arrivals = Arrivals(settle_s=30)
    arrivals.seen_all({FILE: PART}, at=100)
    arrivals.seen_all({FILE: WHOLE}, at=130)
    assert arrivals.complete() == []
    arrivals.seen_all({FILE: WHOLE}, at=160)
    assert arrivals.complete() == [FILE]


def test_a_single_scan_never_makes_a_file_complete() -> None:
    arrivals = Arrivals(settle_s=0)
    arrivals.seen_all({FILE: WHOLE}, at=100)
    assert arrivals.complete() == []
    arrivals.seen_all({FILE: WHOLE}, at=101)
    assert arrivals.complete() == [FILE]


def test_a_writer_that_pauses_is_waited_for() -> None:
    arrivals = Arrivals(settle_s=30)
    arrivals.seen(FILE, PART, at=100, change=Change.WRITTEN)
    arrivals.seen_all({FILE: PART}, at=100 + LOST_CLOSE_S - 1)
    assert arrivals.complete() == []
    arrivals.seen(FILE, WHOLE, at=1000, change=Change.CLOSED)
    arrivals.seen(FILE, WHOLE, at=1030)
    assert arrivals.complete() == [FILE]


def test_a_closing_that_went_unseen_does_not_lose_the_file() -> None:
    arrivals = Arrivals(settle_s=30)
    arrivals.seen(FILE, WHOLE, at=100, change=Change.WRITTEN)
    arrivals.seen_all({FILE: WHOLE}, at=100 + LOST_CLOSE_S)
    assert arrivals.complete() == [FILE]


def test_an_empty_file_is_complete_only_when_it_was_closed() -> None:
    arrivals = Arrivals(settle_s=0)
    empty = Stamp(0, 1)
    arrivals.seen_all({FILE: empty}, at=100)
    arrivals.seen_all({FILE: empty}, at=99999)
    assert arrivals.complete() == []
    arrivals.seen(FILE, empty, at=99999, change=Change.CLOSED)
    assert arrivals.complete() == [FILE]


def test_a_file_is_handed_on_once_and_again_when_it_changed() -> None:
    arrivals = Arrivals(settle_s=0)
    for at in (100, 200):
        arrivals.seen(FILE, WHOLE, at=at, change=Change.CLOSED)
        assert arrivals.complete() == ([FILE] if at == 100 else [])
    arrivals.seen(FILE, Stamp(300, 3), at=300, change=Change.CLOSED)
    assert arrivals.complete() == [FILE]


def test_a_folder_that_vanishes_and_returns_hands_nothing_on_again() -> None:
    arrivals = Arrivals(settle_s=0)
    arrivals.seen(FILE, WHOLE, at=100, change=Change.CLOSED)
    assert arrivals.complete() == [FILE]
    arrivals.seen_all({}, at=200)
    arrivals.seen_all({FILE: WHOLE}, at=300)
    arrivals.seen_all({FILE: WHOLE}, at=400)
    assert arrivals.complete() == []


def test_a_file_that_was_taken_away_is_not_complete() -> None:
    arrivals = Arrivals(settle_s=30)
    arrivals.seen(FILE, WHOLE, at=100, change=Change.CLOSED)
    arrivals.seen_all({}, at=110)
    assert arrivals.next_due() is None
    arrivals.seen_all({FILE: WHOLE}, at=130)
    assert arrivals.complete() == []


@pytest.mark.parametrize(
    "name", ["a.mp4.part", "A.TMP", "a.filepart", "a.mp4~", "~a.mp4", ".a.mp4", ".in/a.mp4"]
)
def test_a_temporary_name_is_never_complete(name: str) -> None:
    path = CardPath(name.encode())
    assert is_temporary(path)
    arrivals = Arrivals(settle_s=0)
    arrivals.seen(path, WHOLE, at=100, change=Change.CLOSED)
    assert arrivals.complete() == []


@pytest.mark.parametrize("name", ["a.mp4", "part.mp4", "a.part.mp4", "a.b/c.tmp.avi"])
def test_an_ordinary_name_is_not_temporary(name: str) -> None:
    assert not is_temporary(CardPath(name.encode()))


def test_a_folder_is_named_by_the_number_of_its_device() -> None:
    loose, other = CardPath(b"loose.mp4"), CardPath(b"\xff\xfe/b.mp4")
    assert by_device([FILE, loose, other], None, by_folder=True) == {
        "0031": [FILE],
        None: [loose, other],
    }
    assert by_device([FILE, loose], "room-1", by_folder=False) == {"room-1": [FILE, loose]}
