"""The rows of many recordings: a few statements for all, and each row what it would be alone."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils.db import Database

from recorder_sync.catalogue import dockings
from recorder_sync.catalogue.database import (
    FILE_NAME,
    as_values,
    insert,
    open_catalogue,
    transaction,
)
from recorder_sync.catalogue.dockings import Became, Docking, InventoryEntry
from recorder_sync.model import CardPath, Identity, IdentityState, ItemOutcome

FILES = [CardPath(b"DCIM/%04d.jpg" % number) for number in range(300)]
NOBODYS = Identity(None, None, IdentityState.UNKNOWN)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    found = open_catalogue(tmp_path / FILE_NAME)
    with transaction(found):
        for docking in ("now", "before"):
            begun = datetime(2026, 11, 27, tzinfo=UTC)
            dockings.open_docking(found, Docking(docking, "/card", None, NOBODYS, None, begun))
            entries = (InventoryEntry(path, 1, 2, None) for path in FILES)
            dockings.add_inventory(found, docking, entries)
    yield found
    found.close()


@given(st.lists(st.tuples(st.integers(), st.text()), max_size=600))
def test_no_row_is_left_out_and_there_are_few_kinds_of_statements(
    rows: list[tuple[int, str]],
) -> None:
    made = list(as_values(rows))
    assert [value for _, values in made for value in values] == [one for row in rows for one in row]
    assert all(len(values) == marks.count("?") for marks, values in made)
    assert all(marks == ", ".join(["(?, ?)"] * (len(values) // 2)) for marks, values in made)
    lengths = [len(values) // 2 for _, values in made]
    assert set(lengths) <= {1, 2, 4, 8, 16, 32, 64, 128}
    assert len(lengths) <= len(rows) // 128 + 7


def test_each_file_of_an_inventory_is_entered_once(db: Database) -> None:
    assert [one.path for one in dockings.inventory_of(db, "now")] == FILES


def test_what_became_of_a_file_is_noted_for_this_file_of_this_docking(db: Database) -> None:
    became = [
        Became("now", path, ItemOutcome.FAILED, None, f"reason {path.text}", None)
        for path in FILES[:-1]
    ]
    with transaction(db):
        dockings.set_outcomes(db, became)
    now = dockings.inventory_of(db, "now")
    assert [one.reason for one in now] == [*(one.reason for one in became), None]
    assert {one.outcome for one in now[:-1]} == {ItemOutcome.FAILED}
    assert {one.outcome for one in dockings.inventory_of(db, "before")} == {None}


def test_of_what_is_said_twice_of_a_file_the_last_counts(db: Database) -> None:
    said = [
        Became("now", FILES[0], outcome) for outcome in (ItemOutcome.FAILED, ItemOutcome.SKIPPED)
    ]
    with transaction(db):
        dockings.set_outcomes(db, said)
    assert dockings.inventory_of(db, "now")[0].outcome is ItemOutcome.SKIPPED


def test_of_rows_of_which_one_cannot_be_none_is_entered(db: Database) -> None:
    rows = [{"docking": "other", "path": path.raw, "size": 1, "mtime_ns": 2} for path in FILES]
    with pytest.raises(sqlite3.IntegrityError), transaction(db):
        insert(db, "inventory", [*rows, {**rows[0], "docking": "now"}])
    assert db.execute("select count(*) from inventory").fetchone() == (2 * len(FILES),)
