"""Sums of months and years are what the recordings add up to, whatever is corrected and when."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils.db import Database

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.database import FILE_NAME, insert, open_catalogue
from recorder_sync.catalogue.day_figures import (
    Asked,
    Basis,
    bring_up,
    by_stretch,
    by_unit,
    by_value,
)
from recorder_sync.catalogue.time_line import free_places
from recorder_sync.catalogue.year_figures import Length, spans, sum_up
from recorder_sync.inspection.day_figures import compare_period_figures
from recorder_sync.model import Officer
from recorder_sync.rules.access import Reach, Scope, Secrecy
from recorder_sync.rules.figures import Step, Sum, stretch_of
from recorder_sync.rules.watch_limits import USUAL
from recorder_sync.timestamps import iso, moment

ZONE = ZoneInfo("Asia/Shanghai")
BASIS = Basis(ZONE, USUAL)
TODAY = date(2026, 11, 26)
BEGIN = datetime(2023, 12, 30, tzinfo=ZONE)
OFFICERS = {"000010": "一中队", "000011": "二中队", "000012": ""}
ALL = Scope(Reach.ALL, cleared=frozenset(Secrecy))


@dataclass(frozen=True, slots=True)
class Made:
    id: str
    begins: datetime
    device: str
    officer: str
    on_time: bool
    secrecy: Secrecy

    @property
    def day(self) -> date:
        return self.begins.astimezone(ZONE).date()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path: Path = tmp_path_factory.mktemp("state") / FILE_NAME
    db = open_catalogue(path)
    with db.conn:
        for cert_no, unit in OFFICERS.items():
            ledger.register_officer(db, Officer(cert_no, None, unit or None), iso(BEGIN))
        for device in "ABC":
            ledger.see_device(db, device)
        docking = {"id": "1", "source": "/", "started_at": iso(BEGIN), "identity_state": "known"}
        insert(db, "dockings", [docking])
    yield db
    db.close()


@pytest.fixture
def db(opened: Database) -> Database:
    return opened


def seal(db: Database, one: Made) -> None:
    (number,) = free_places(db, [(one.begins, one.id)])
    with db.conn:
        insert(
            db,
            "recordings",
            [
                {
                    "id": one.id,
                    "number": number,
                    "docking": "1",
                    "state": "sealed",
                    "device": one.device,
                    "officer": one.officer,
                    "kind": "video",
                    "name": one.id,
                    "path": one.id,
                    "size": 1000,
                    "blake3": one.id,
                    "sha256": one.id,
                    "fingerprint": b"",
                    "flags": "[]",
                    "recorded_start": iso(one.begins),
                    "recorded_end": iso(one.begins + timedelta(minutes=1)),
                    "duration_s": 60.0,
                    "sealed_at": iso(one.begins + timedelta(hours=30)),
                    "on_time": int(one.on_time),
                    "secrecy": None if one.secrecy is Secrecy.NONE else one.secrecy.value,
                }
            ],
        )


_hours = st.integers(0, 24 * 1050) | st.sampled_from([40, 47, 48, 24 * 32 + 1, 24 * 367, 24 * 733])
_made = st.builds(
    lambda hour, device, officer, on_time, secrecy: (hour, device, officer, on_time, secrecy),
    _hours,
    st.sampled_from("ABC"),
    st.sampled_from(sorted(OFFICERS)),
    st.booleans(),
    st.sampled_from([Secrecy.NONE, Secrecy.NONE, Secrecy.PERSONAL]),
)
_days = st.integers(0, 1070).map(lambda days: BEGIN.date() + timedelta(days=days))
_scopes = st.sampled_from(
    [
        *(ALL, ALL, Scope(Reach.ALL), Scope(Reach.UNIT, unit="一中队", cleared=frozenset(Secrecy))),
        *(Scope(Reach.UNIT, unit="二中队"), Scope(Reach.NONE)),
    ]
)
_changes = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["officer", "device", "late", "new", "sums"])),
    max_size=6,
)


def expected(made: list[Made], asked: Asked) -> list[Made]:
    return [
        one
        for one in made
        if asked.first <= one.day <= asked.last
        and asked.scope.holds(one.officer, OFFICERS[one.officer] or None, one.secrecy)
        and asked.unit in {None, OFFICERS[one.officer]}
    ]


def sum_of(made: list[Made]) -> Sum:
    late = sum(not one.on_time for one in made)
    return Sum(len(made), late, 60.0 * len(made), 1000 * len(made))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first_made=st.lists(_made, min_size=1, max_size=25),
    changes=_changes,
    ends=st.tuples(_days, _days),
    scope=_scopes,
    unit=st.sampled_from([None, None, "一中队"]),
    at_once=st.integers(1, 80),
)
def test_art_28_any_time_adds_up_to_what_is_counted_one_by_one(
    db: Database,
    first_made: list[tuple[int, str, str, bool, Secrecy]],
    changes: list[tuple[int, str]],
    ends: tuple[date, date],
    scope: Scope,
    unit: str | None,
    at_once: int,
) -> None:
    """Also of what was corrected after its month and year were summed up."""
    db.execute("delete from recordings")
    made = [
        Made(f"r{n}", BEGIN + timedelta(hours=hour), device, officer, on_time, secrecy)
        for n, (hour, device, officer, on_time, secrecy) in enumerate(first_made)
    ]
    for one in made:
        seal(db, one)
    keep_up(db, at_once)
    for number, what in changes:
        at = number % len(made)
        made = change(db, made, at, what, at_once)
    while bring_up(db, BASIS, 100):
        pass
    asked = Asked(min(ends), max(ends), scope, unit)
    wanted = expected(made, asked)
    for part, of in (("device", "device"), ("officer", "officer")):
        values = {getattr(one, of) for one in wanted}
        assert by_value(db, part, asked) == {
            value: sum_of([one for one in wanted if getattr(one, of) == value]) for value in values
        }
    units = {OFFICERS[one.officer] for one in wanted}
    assert set(by_unit(db, asked)) == units
    for step in (Step.MONTH, Step.WEEK):
        found = by_stretch(db, "kind", asked, step)
        begins = {stretch_of(one.day, step) for one in wanted}
        assert found == {
            (first, "video"): sum_of([m for m in wanted if stretch_of(m.day, step) == first])
            for first in begins
        }
    assert list(compare_period_figures(db, "main")) == []


def keep_up(db: Database, at_once: int) -> None:
    """Do what the background does in one look."""
    bring_up(db, BASIS, at_once)
    sum_up(db, TODAY, at_once)


def change(db: Database, made: list[Made], at: int, what: str, at_once: int) -> list[Made]:
    one = made[at]
    match what:
        case "officer":
            one = replace(one, officer="000011")
            db.execute("update recordings set officer = '000011' where id = ?", [one.id])
        case "device":
            one = replace(one, device="C")
            db.execute("update recordings set device = 'C' where id = ?", [one.id])
        case "late":
            one = replace(one, on_time=False)
            db.execute("update recordings set on_time = 0 where id = ?", [one.id])
        case "new":
            more = replace(one, id=f"{one.id}n{len(made)}")
            seal(db, more)
            return [*made, more]
        case "sums":
            keep_up(db, at_once)
    return [*made[:at], one, *made[at + 1 :]]


def test_whole_years_and_months_are_read_as_such_and_stale_ones_by_their_days(
    db: Database,
) -> None:
    db.execute("delete from recordings")
    for year in (2024, 2025):
        seal(db, made_on(f"y{year}", date(year, 5, 5)))
    keep_up(db, 1000)
    while sum_up(db, TODAY, 100):
        pass
    first, last = date(2023, 12, 15), date(2026, 2, 3)
    assert [(one.length, one.first, one.last) for one in spans(db, first, last, Length.YEAR)] == [
        (Length.DAY, "2023-12-15", "2023-12-31"),
        (Length.YEAR, "2024", "2025"),
        (Length.MONTH, "2026-01", "2026-01"),
        (Length.DAY, "2026-02-01", "2026-02-03"),
    ]
    db.execute("update recordings set on_time = 0 where id = 'y2025'")
    bring_up(db, BASIS, 1000)
    stale = spans(db, date(2024, 1, 1), date(2025, 12, 31), Length.YEAR)
    assert [(one.length, one.first, one.last) for one in stale] == [
        (Length.YEAR, "2024", "2024"),
        (Length.MONTH, "2025-01", "2025-04"),
        (Length.DAY, "2025-05-01", "2025-05-31"),
        (Length.MONTH, "2025-06", "2025-12"),
    ]


def test_the_month_of_today_is_not_summed_up(db: Database) -> None:
    db.execute("delete from recordings")
    seal(db, made_on("now", TODAY))
    keep_up(db, 1000)
    (span,) = spans(db, TODAY.replace(day=1), TODAY, Length.YEAR)
    assert span.length is Length.DAY
    assert sum_up(db, TODAY, 100) == 0
    assert sum_up(db, date(2027, 1, 1), 100) == 0, "once it is over"
    assert spans(db, date(2026, 1, 1), date(2026, 12, 31), Length.YEAR)[0].length is Length.YEAR


def test_art_28_another_zone_forgets_the_sums_of_months(db: Database) -> None:
    db.execute("delete from recordings")
    late_evening = datetime(2024, 3, 31, 23, 30, tzinfo=ZONE)
    seal(db, replace(made_on("z", date(2024, 3, 31)), begins=late_evening))
    keep_up(db, 1000)
    elsewhere = Basis(ZoneInfo("Pacific/Auckland"), USUAL)
    bring_up(db, elsewhere, 1000)
    sum_up(db, TODAY, 1000)
    april = by_value(db, "kind", Asked(date(2024, 4, 1), date(2024, 4, 30), ALL))
    assert april["video"].recordings == 1
    assert by_value(db, "kind", Asked(date(2024, 3, 1), date(2024, 3, 31), ALL)) == {}


def test_art_27_verification_names_a_month_that_is_not_the_sum_of_its_days(db: Database) -> None:
    db.execute("delete from recordings")
    seal(db, made_on("v", date(2024, 3, 3)))
    keep_up(db, 1000)
    while sum_up(db, TODAY, 100):
        pass
    assert list(compare_period_figures(db, "main")) == []
    db.execute("update period_figures set late = late + 1 where period = '2024-03'"
               " and part = 'kind'")  # fmt: skip
    found = {one.path.rpartition("/")[2] for one in compare_period_figures(db, "main")}
    assert found == {"2024-03"}


def made_on(identifier: str, day: date) -> Made:
    begins = datetime(day.year, day.month, day.day, 12, tzinfo=ZONE)
    assert moment(iso(begins)) == begins
    return Made(identifier, begins, "A", "000010", True, Secrecy.NONE)
