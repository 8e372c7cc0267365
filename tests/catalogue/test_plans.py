"""What pages ask goes along an index, so that years of work do not make them slow."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlite_utils.db import Database

from recorder_sync.catalogue import (
    calendar,
    cases,
    day_figures,
    deferrals,
    device_events,
    device_looks,
    footage,
    gap_explanations,
    reported,
    seen_by,
    stays,
    today,
    trail,
)
from recorder_sync.catalogue.database import FILE_NAME, open_catalogue
from recorder_sync.catalogue.day_figures import Asked
from recorder_sync.catalogue.pieces import pieces
from recorder_sync.rules.access import Reach, Scope, Secrecy
from recorder_sync.rules.coverage import Span
from recorder_sync.rules.figures import Step

NOW = datetime(2026, 11, 26, tzinfo=UTC)
EVERYBODY = Scope(Reach.ALL)
LEADER = Scope(Reach.UNIT, unit="一中队", cleared=frozenset({Secrecy.NONE, Secrecy.PERSONAL}))
OFFICER = Scope(Reach.OWN, officer="000010")
LARGE = {
    *("recordings", "descriptions", "dockings", "inventory", "device_events", "calendar"),
    *("gap_explanations", "trail", "day_figures", "period_figures", "copies", "verified"),
}
"""Tables that grow as the years go by."""
SHORT = {"inventory_not_in", "dockings_on_port", "dockings_open"}
"""Indexes that hold only what is open."""

Ask = Callable[[Database, Scope], object]
ASKED: dict[str, Ask] = {
    "devices": lambda db, _: device_events.telling_events(db),
    "one device": lambda db, _: device_events.telling_events(db, "A"),
    "its batteries": lambda db, _: device_looks.look(db, "A"),
    "its checks": lambda db, _: stays.checks(db, "A"),
    "its history": lambda db, scope: trail.about_device(db, "A", scope, None, 40),
    "devices of a unit": lambda db, _: seen_by.mine(db, LEADER),
    "came in": lambda db, scope: today.came_in(db, scope, NOW),
    "held": today.held_now,
    "nobody's": lambda db, _: today.without_officer(db),
    "deferrals": deferrals.waiting,
    "missing files": lambda db, scope: reported.missing(db, NOW, NOW, scope),
    "faults": lambda db, scope: reported.faults(db, NOW, NOW, scope),
    "gaps": lambda db, _: pieces(db, None, NOW - timedelta(days=8), NOW),
    "explained": lambda db, _: gap_explanations.explanations(db, None, NOW, NOW),
    "a case's days": lambda db, _: calendar.of_case(db, "1", 10),
    "cases": lambda db, scope: cases.page(db, cases.CaseSearch(), scope, NOW.date()),
    "a case": lambda db, scope: cases.recordings_of(db, "1", scope),
    "statistics": lambda db, scope: day_figures.by_value(
        db, "device", Asked(NOW.date() - timedelta(days=1000), NOW.date(), scope)
    ),
    "over time": lambda db, scope: day_figures.by_stretch(
        db, "kind", Asked(NOW.date() - timedelta(days=1000), NOW.date(), scope), Step.MONTH
    ),
    "enforcement of an officer": lambda db, _: footage.shown(db, Span(NOW, NOW), "000010", "A"),
}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_catalogue(tmp_path_factory.mktemp("state") / FILE_NAME)
    yield opened
    opened.close()


def plan_of(db: Database, ask: Ask, scope: Scope) -> list[str]:
    """Return how SQLite finds what these statements ask for."""
    statements: list[str] = []
    db.conn.set_trace_callback(statements.append)
    try:
        ask(db, scope)
    finally:
        db.conn.set_trace_callback(None)
    found = []
    for one in statements:
        if one.lstrip().lower().startswith(("select", "with")):
            found += [row[3] for row in db.conn.execute(f"explain query plan {one}")]
    assert found, "nothing was asked"
    return found


def names_in(statement_plan: str) -> tuple[str, str | None]:
    """Return what is scanned, and along which index."""
    found = re.match(r"SCAN (\S+)(?: USING (?:COVERING )?INDEX (\w+))?", statement_plan)
    assert found is not None
    return found[1], found[2]


ALIASES = {"r": "recordings", "d": "dockings", "i": "inventory", "e": "device_events",
           "k": "calendar", "t": "trail"}  # fmt: skip


@pytest.mark.parametrize("scope", [EVERYBODY, LEADER, OFFICER], ids=["all", "unit", "own"])
@pytest.mark.parametrize("name", sorted(ASKED))
def test_no_page_goes_through_a_table_that_grows_for_years(
    name: str, scope: Scope, db: Database
) -> None:
    for line in plan_of(db, ASKED[name], scope):
        if line.startswith("SCAN "):
            scanned, index = names_in(line)
            assert ALIASES.get(scanned, scanned) not in LARGE or index in SHORT, line
