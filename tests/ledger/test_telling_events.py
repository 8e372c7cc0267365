"""Where a device is follows from its last move and what came after, however long its log is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils.db import Database

from recorder_sync.catalogue import device_events, ledger
from recorder_sync.catalogue.database import FILE_NAME, open_catalogue
from recorder_sync.rules.whereabouts import DeviceEvent, Happening, whereabouts

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_logs = st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(list(Happening))), max_size=25)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_catalogue(tmp_path_factory.mktemp("state") / FILE_NAME)
    with opened.conn:
        ledger.see_officer(opened, "000010", None)
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


def test_art_22_years_of_issues_and_returns_are_not_read_again(db: Database) -> None:
    with db.conn:
        db.execute("delete from device_events")
        for seq in range(400):
            what = Happening.ISSUED if seq % 2 == 0 else Happening.RETURNED
            officer = "000010" if what is Happening.ISSUED else None
            event = DeviceEvent("A", BEGIN, what, "account:zhou", seq, officer)
            device_events.enter(db, event)
    assert [one.custody_seq for one in device_events.telling_events(db)["A"]] == [399]
