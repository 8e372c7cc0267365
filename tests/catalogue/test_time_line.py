"""Every recording has a place of its own on the time line, however many began at one moment."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils.db import Database

from recorder_sync.catalogue.time_line import first_place, free_places

_BEGAN = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)

starts = st.integers(0, 1).map(lambda ms: _BEGAN + timedelta(milliseconds=ms))
ids = st.sampled_from(["222a", "222b", "223a", "zzza", "zzzb"])
recordings = st.lists(st.tuples(starts, ids), max_size=9)


def entered(numbers: Sequence[int]) -> Database:
    """Return a catalogue that holds recordings at these places, and no more of them."""
    db = Database(memory=True)
    db.execute("create table recordings (number integer primary key)")
    db.conn.executemany("insert into recordings values (?)", [(n,) for n in numbers])
    return db


def one_by_one(there: Sequence[int], new: Sequence[tuple[datetime, str]]) -> list[int]:
    """Give each its place or the next that is free, as a person would with a list."""
    taken, places = set(there), []
    for start, recording in new:
        number = first_place(start, recording)
        while number in taken:
            number += 1
        taken.add(number)
        places.append(number)
    return places


@given(recordings, recordings)
def test_each_gets_its_place_or_the_next_that_is_free(
    earlier: list[tuple[datetime, str]], new: list[tuple[datetime, str]]
) -> None:
    there = one_by_one([], earlier)
    assert free_places(entered(there), new) == one_by_one(there, new)


def test_more_recordings_of_one_moment_than_are_asked_for_at_once() -> None:
    there = list(range(first_place(_BEGAN, "222a"), first_place(_BEGAN, "222a") + 300))
    new = [(_BEGAN, "222a")] * 600
    assert free_places(entered(there), new) == one_by_one(there, new)
