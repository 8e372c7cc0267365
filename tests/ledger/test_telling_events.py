"""Where a device is follows from its last move and what came after, however long its log is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlite_utils.db import Database

from recorder_sync.catalogue import device_events, ledger
from recorder_sync.catalogue.database import FILE_NAME, open_catalogue
from recorder_sync.rules.whereabouts import (
    DeviceEvent,
    Happening,
    holder_at,
    holdings,
    whereabouts,
)

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_logs = st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(list(Happening))), max_size=25)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_catalogue(tmp_path_factory.mktemp("state") / FILE_NAME)
    with opened.conn:
        for officer in ("000010", "000011"):
            ledger.see_officer(opened, officer, None)
        for device in "ABC":
            ledger.see_device(opened, device)
    yield opened
    opened.close()


@settings(max_examples=200)
@given(log=_logs)
def test_art_22_the_telling_events_say_of_each_device_what_all_of_them_say(
    db: Database, log: list[tuple[str, Happening]]
) -> None:
    with db.conn:
        db.execute("delete from device_events")
        for seq, (device, what) in enumerate(log):
            officer = "000010" if what is Happening.ISSUED else None
            at = BEGIN + timedelta(hours=seq)
            event = DeviceEvent(device, at, what, "account:zhou", seq, officer, text=f"{seq}")
            device_events.enter(db, event)
    together = device_events.telling_events(db)
    for device in "ABC":
        everything = whereabouts(device_events.events_of(db, device))
        alone = device_events.telling_events(db, device)
        assert whereabouts(together.get(device, ())) == everything
        assert whereabouts(alone.get(device, ())) == everything
        assert set(alone) <= {device}


_moves = st.lists(
    st.tuples(
        st.sampled_from("AAAB"),
        st.sampled_from([Happening.ISSUED] * 5 + [Happening.RETURNED] * 3 + list(Happening)),
        st.integers(0, 12),
        st.sampled_from(["000010", "000011", None]),
    ),
    max_size=20,
)
_halves = st.lists(st.integers(-1, 25).map(lambda half: half / 2), max_size=4)


@settings(max_examples=100)
@given(log=_moves, hours=_halves)
@example(
    log=[
        *[("A", Happening.ISSUED, 0, "000010"), ("A", Happening.RETURNED, 1, None)],
        *[("A", Happening.ISSUED, 2, "000011"), ("A", Happening.RETURNED, 5, None)],
        *[("A", Happening.ISSUED, 6, "000010"), ("A", Happening.FAULT, 7, None)],
    ],
    hours=[1.0, 1.5, 2.0, 3.0, 5.0],
)
def test_art_21_who_held_a_device_at_a_time_is_found_without_reading_all_of_its_moves(
    db: Database, log: list[tuple[str, Happening, int, str | None]], hours: list[float]
) -> None:
    """Also where a clock was set back, and what came later in the log was earlier."""
    with db.conn:
        db.execute("delete from device_events")
        for seq, (device, what, hour, officer) in enumerate(log):
            whom = officer if what is Happening.ISSUED else None
            at = BEGIN + timedelta(hours=hour)
            device_events.enter(db, DeviceEvent(device, at, what, "account:zhou", seq, whom))
    times = [BEGIN + timedelta(hours=hour, microseconds=300) for hour in hours]
    for device in "AB":
        everything = holdings(device_events.events_of(db, device))
        told = device_events.holdings_about(db, device, times)
        assert set(told) <= set(everything)
        assert told[:1] == everything[:1]
        for at in times:
            assert holder_at(told, at) == holder_at(everything, at)


def test_art_22_years_of_issues_and_returns_are_not_read_again(db: Database) -> None:
    with db.conn:
        db.execute("delete from device_events")
        for seq in range(400):
            what = Happening.ISSUED if seq % 2 == 0 else Happening.RETURNED
            officer = "000010" if what is Happening.ISSUED else None
            event = DeviceEvent("A", BEGIN, what, "account:zhou", seq, officer)
            device_events.enter(db, event)
    assert [one.custody_seq for one in device_events.telling_events(db)["A"]] == [399]
    assert len(device_events.holdings_about(db, "A", [BEGIN - timedelta(days=1)])) == 1
