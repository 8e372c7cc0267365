"""What one question settles of years of enforcement is what the rule settles one by one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils.db import Database

from recorder_sync.catalogue import calendar, ledger
from recorder_sync.catalogue.database import FILE_NAME, insert, open_catalogue
from recorder_sync.catalogue.footage import plainly_shown, shown
from recorder_sync.catalogue.time_line import free_places
from recorder_sync.rules.coverage import showing
from recorder_sync.rules.watch_limits import USUAL
from recorder_sync.timestamps import iso

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
EXACTLY = replace(USUAL, covered_within=timedelta(0))


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_catalogue(tmp_path_factory.mktemp("state") / FILE_NAME)
    with opened.conn:
        for officer in ("000010", "000011"):
            ledger.see_officer(opened, officer, None)
        docking = {"id": "1", "source": "/", "started_at": iso(BEGIN), "identity_state": "known"}
        insert(opened, "dockings", [docking])
    yield opened
    opened.close()


_minutes = st.tuples(st.integers(0, 400), st.sampled_from([0, 0, -1, 1, 500])).map(
    lambda one: one[0] + one[1] / 60_000
)
"""Mostly whole ones, and a few that are some milliseconds off."""
_officers = st.sampled_from([None, "000010", "000011"])
_recordings = st.lists(
    st.tuples(_minutes, st.sampled_from([None, 0, 30, 2000]), _officers), max_size=5
)
_enforcement = st.lists(
    st.tuples(_minutes, st.integers(0, 60), _officers, st.booleans()), min_size=1, max_size=5
)


@settings(max_examples=150)
@given(recorded=_recordings, wanted=_enforcement)
def test_art_16_what_is_plainly_shown_is_what_the_rule_finds_shown(
    db: Database,
    recorded: list[tuple[float, int | None, str | None]],
    wanted: list[tuple[float, int, str | None, bool]],
) -> None:
    with db.conn:
        db.execute("delete from recordings")
        db.execute("delete from calendar")
        for number, one in enumerate(recorded):
            _seal(db, number, *one)
        for number, (begins, length, officer, in_full) in enumerate(wanted):
            at = BEGIN + timedelta(minutes=begins)
            row = {
                "id": str(number),
                "kind": "enforcement",
                "begins": iso(at),
                "ends": iso(at + timedelta(minutes=length)),
                "officer": officer,
                "in_full": int(in_full),
                "entered_at": iso(at),
                "entered_by": "zhou",
                "custody_seq": number,
            }
            insert(db, "calendar", [row])
    by_rule = {
        one.id
        for one in calendar.unexplained(db)
        if one.officer is not None and not one.in_full
        if showing(one, shown(db, one.span, one.officer, one.device), EXACTLY)
    }
    assert plainly_shown(db) == by_rule


def _seal(
    db: Database, number: int, begins: float, length: int | None, officer: str | None
) -> None:
    at = BEGIN + timedelta(minutes=begins)
    (place,) = free_places(db, [(at, f"r{number}")])
    row = {
        "id": f"r{number}",
        "number": place,
        "docking": "1",
        "state": "sealed",
        "officer": officer,
        "kind": "video",
        "name": "A",
        "path": f"r{number}",
        "size": 1,
        "blake3": "x",
        "sha256": "x",
        "fingerprint": b"",
        "flags": "[]",
        "recorded_start": iso(at),
        "recorded_end": None if length is None else iso(at + timedelta(minutes=length)),
    }
    insert(db, "recordings", [row])
