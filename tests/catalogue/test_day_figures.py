"""Sums of days are what the recordings add up to, whoever changes what, and within a scope."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlite_utils.db import Database

from recorder_sync.catalogue import recordings
from recorder_sync.catalogue.database import FILE_NAME
from recorder_sync.catalogue.day_figures import (
    Asked,
    Basis,
    bring_up,
    by_stretch,
    by_unit,
    by_value,
)
from recorder_sync.custodian.interruptions import explain_in_writing, interruptions
from recorder_sync.custodian.registration import register_officers
from recorder_sync.inspection.correction import Correction, correct
from recorder_sync.inspection.day_figures import compare_day_figures
from recorder_sync.rules.access import Reach, Scope, Secrecy
from recorder_sync.rules.figures import Step, Sum, day_of, total
from recorder_sync.rules.watch_limits import USUAL
from recorder_sync.station import Station
from recorder_sync.timestamps import moment
from tests.conftest import Dock
from tests.web.office import CASES, NEWEST_DAY, OFFICERS, ZONE, furnish

DAYS = 3
BASIS = Basis(ZONE, USUAL)
ALL = Scope(Reach.ALL, cleared=frozenset(Secrecy))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Dock:
    dock = Dock(tmp_path_factory.mktemp("office"))
    furnish(dock, DAYS)
    return dock


@pytest.fixture
def station(office: Dock, tmp_path: Path) -> Iterator[Station]:
    dock = Dock(tmp_path)
    dock.take_over(office.config.parent)
    opened = dock.station()
    yield opened
    opened.catalogue.close()


def asked(scope: Scope = ALL) -> Asked:
    return Asked(NEWEST_DAY - timedelta(days=30), NEWEST_DAY, scope)


def up_to_date(station: Station) -> None:
    while bring_up(station.catalogue, BASIS, 7):
        pass


def counted(station: Station, where: str = "1") -> Sum:
    """What the recordings add up to, without any of the sums."""
    row = station.catalogue.execute(
        "select count(*), sum(on_time = 0), sum(size) from recordings"
        f" where state = 'sealed' and {where}"
    ).fetchone()
    times = station.catalogue.execute(
        "select recorded_start, recorded_end from recordings where state = 'sealed'"
        f" and recorded_end is not null and {where}"
    )
    seconds = sum((moment(ends) - moment(begins)).total_seconds() for begins, ends in times)
    return Sum(row[0], row[1] or 0, seconds, row[2] or 0)


def same(one: Sum, other: Sum) -> bool:
    """Tell whether two sums are the same but for what adding fractions loses."""
    return abs(one.seconds - other.seconds) < 0.5 and (
        replace(one, seconds=0.0) == replace(other, seconds=0.0)
    )


def test_art_28_days_add_up_to_all_recordings_in_every_part(station: Station) -> None:
    up_to_date(station)
    everything = counted(station)
    assert everything.recordings > 40
    for part in ("kind", "device", "officer", "cause", "stored"):
        assert same(total(by_value(station.catalogue, part, asked()).values()), everything)
    rows = station.catalogue.execute("select recorded_start from recordings").fetchall()
    days = {day_of(moment(row[0]), ZONE) for row in rows}
    assert {day for day, _ in by_stretch(station.catalogue, "kind", asked(), Step.DAY)} == days


def test_what_changes_is_counted_anew(station: Station) -> None:
    db = station.catalogue
    up_to_date(station)
    before = by_value(db, "cause", asked())
    one = recordings.recording(db, recordings.sealed_ids(db)[-1]).recording
    correct(station, one, Correction("周", "查过", case=CASES[1].number))
    assert bring_up(db, BASIS, 0) >= 1, "the day of a corrected recording is stale"
    up_to_date(station)
    after = by_value(db, "cause", asked())
    cause = CASES[1].cause or ""
    assert after[cause].recordings == before.get(cause, Sum()).recordings + 1
    register_officers(station, [replace(OFFICERS[0], unit="机动中队")])
    up_to_date(station)
    of_officer = counted(station, f"officer = '{OFFICERS[0].cert_no}'")
    assert same(by_unit(db, asked())["机动中队"], of_officer)


def test_another_zone_has_other_days(station: Station) -> None:
    up_to_date(station)
    pacific = Basis(ZoneInfo("America/Los_Angeles"), USUAL)
    assert bring_up(station.catalogue, pacific, 100) == 0
    days = {day for day, _ in by_stretch(station.catalogue, "kind", asked(), Step.DAY)}
    starts = station.catalogue.execute("select recorded_start from recordings").fetchall()
    assert days == {day_of(moment(row[0]), pacific.zone) for row in starts}


def test_art_20_interruptions_are_those_that_are_found_one_by_one(station: Station) -> None:
    db = station.catalogue
    up_to_date(station)
    found = interruptions(station, None, moment("2026-01-01T00:00:00Z"))
    sums = total(by_value(db, "gap", asked()).values())
    assert (sums.recordings, sums.late) == (len(found), len(found))
    assert sums.recordings > 4
    after = found[0].gap.after
    explain_in_writing(station, after, [one.cert_no for one in OFFICERS[:2]], "换电池", "周晓梅")
    up_to_date(station)
    assert total(by_value(db, "gap", asked()).values()).late == len(found) - 1


def test_art_25_a_scope_narrows_every_sum(station: Station) -> None:
    db = station.catalogue
    up_to_date(station)
    unit = OFFICERS[0].unit
    of_unit = Scope(Reach.UNIT, unit=unit, cleared=frozenset(Secrecy))
    members = ", ".join(f"'{one.cert_no}'" for one in OFFICERS if one.unit == unit)
    expected = counted(station, f"officer in ({members})")
    for part in ("kind", "device", "cause"):
        assert same(total(by_value(db, part, asked(of_unit)).values()), expected)
    own = Scope(Reach.OWN, officer=OFFICERS[0].cert_no)
    assert by_value(db, "device", asked(own)) == {}
    assert by_value(db, "kind", asked(Scope(Reach.NONE))) == {}
    secret = recordings.sealed_ids(db)[0]
    with db.conn:
        db.execute("update recordings set secrecy = 'state secret' where id = ?", [secret])
    up_to_date(station)
    uncleared = Scope(Reach.ALL, cleared=frozenset({Secrecy.NONE}))
    seen = total(by_value(db, "kind", asked(uncleared)).values()).recordings
    assert seen == counted(station).recordings - 1


def test_days_beyond_those_asked_for_are_left_for_later(station: Station) -> None:
    last = NEWEST_DAY - timedelta(days=2)
    assert bring_up(station.catalogue, BASIS, 7, None, last) == 0
    days = {day for day, _ in by_stretch(station.catalogue, "kind", asked(), Step.DAY)}
    assert days
    assert max(days) <= last


def test_art_27_verification_names_a_day_whose_figures_somebody_changed(station: Station) -> None:
    up_to_date(station)
    db = station.catalogue
    with closing(Database(sqlite3.connect(":memory:"))) as looking:
        looking.execute("attach ? as stored", [str(station.settings.paths.state / FILE_NAME)])
        assert list(compare_day_figures(looking)) == []
        day = str(NEWEST_DAY - timedelta(days=1))
        with db.conn:
            db.execute("update day_figures set late = late + 1 where part = 'kind' and day = ?",
                       [day])  # fmt: skip
        (finding,) = compare_day_figures(looking)
        assert day in finding.path
        with db.conn:
            db.execute("update recordings set kind = kind where rowid in (select number from"
                       " recordings where recorded_start like ?)", [f"{day}%"])  # fmt: skip
        assert list(compare_day_figures(looking)) == [], "a stale day is added up anew"
        with db.conn:
            db.execute("delete from stale_hours")
            db.execute("delete from day_figures where day = ?", [day])
        (finding,) = compare_day_figures(looking)
        assert "—" in finding.text.english
