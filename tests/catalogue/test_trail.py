"""The audit trail has what persons did, from the log alone, and is read a page at a time."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import product, starmap

import pytest

from recorder_sync.access import audit
from recorder_sync.access.audit import Asked
from recorder_sync.access.database import open_accounts
from recorder_sync.access.sign_ins import Attempt
from recorder_sync.access.signing_in import sign_in
from recorder_sync.catalogue import trail
from recorder_sync.catalogue.taking_up import taken_up
from recorder_sync.catalogue.trail import Wanted
from recorder_sync.custody.log import Act, Deed
from recorder_sync.errors import UsageProblem
from recorder_sync.on_record import put
from recorder_sync.rules.access import Reach, Scope
from recorder_sync.station import Station
from recorder_sync.timestamps import iso
from tests.conftest import Card, Dock, MediaFiles

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)


def look(station: Station, minute: int, actor: str = "account:wang") -> None:
    at = NOON + timedelta(minutes=minute)
    put(station, [Deed(Act.VIEW, f"rec{minute % 3}", actor, at, {"what": "recording"})])


def test_art_4_a_look_is_in_the_trail_in_the_same_step_and_again_after_a_rebuild(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("a.mp4", media_files.video)
    identifier = dock.ingest(card, "--device", "0031").json["recordings"][0]["id"]
    assert dock.run("recordings", "show", identifier).code == 0
    assert dock.run("officers", "add", "000001", "--name", "王伟").code == 0
    station = dock.station()
    before = trail.steps(station.catalogue, Wanted())
    station.catalogue.close()
    assert [(one.act, one.subject) for one in before] == [
        (Act.LEDGER, "officer:000001"),
        (Act.VIEW, identifier),
    ]
    assert dock.run("catalogue", "rebuild").code == 0
    station = dock.station()
    rebuilt = trail.steps(station.catalogue, Wanted(limit=10))
    station.catalogue.close()
    assert [one for one in rebuilt if one.act is not Act.CATALOGUE_REBUILT] == before
    assert dock.run("verify", "--all").code == 0


def test_a_catalogue_of_an_older_version_gets_what_the_log_had_before(dock: Dock) -> None:
    station = dock.station()
    look(station, 1)
    station.catalogue.close()
    path = dock.state / "catalogue.db"
    with closing(sqlite3.connect(path)) as db:  # as it was before there was a trail
        db.execute("drop table trail")
        db.execute("delete from _sqlite_migrations where name like '%trail%'")
        db.commit()
    station = dock.station()
    assert taken_up(station.catalogue) == 0
    look(station, 2)
    found = trail.steps(station.catalogue, Wanted())
    station.catalogue.close()
    assert [one.at for one in found] == [NOON + timedelta(minutes=m) for m in (2, 1)]


def test_pages_follow_each_other_and_miss_nothing(dock: Dock) -> None:
    station = dock.station()
    accounts = open_accounts(dock.state)
    for minute in range(12):
        look(station, minute // 2 * 2, "account:wang" if minute % 2 else "account:li")
        if minute % 3 == 0:
            sign_in(accounts, "wang", "wrong", None, NOON + timedelta(minutes=minute))
    found: list[object] = []
    cursor: str | None = None
    while True:
        page = audit.page(station.catalogue, accounts, Asked(Wanted(limit=5), cursor=cursor))
        found += page.lines
        if (cursor := page.next) is None:
            break
    assert len(found) == len(set(map(repr, found))) == 16
    times = [one.at for one in found]  # type: ignore[attr-defined]
    assert times == sorted(times, reverse=True)
    of_wang = audit.page(
        station.catalogue, accounts, Asked(Wanted(actor="account:wang", limit=100))
    ).lines
    assert len([one for one in of_wang if isinstance(one, Attempt)]) == 4
    assert len(of_wang) == 10
    of_one = Wanted(subject="rec1", acts=frozenset({Act.VIEW}), since=NOON, limit=100)
    assert {one.subject for one in trail.steps(station.catalogue, of_one)} == {"rec1"}
    for cursor in ("x", "1~2~3~4", "2026-11-23T04:00:00.000Z~1~x"):
        with pytest.raises(UsageProblem):
            audit.page(station.catalogue, accounts, Asked(Wanted(), cursor=cursor))
    accounts.close()
    station.catalogue.close()


def test_whatever_is_asked_is_what_all_of_the_trail_has_of_it(dock: Dock) -> None:
    station = dock.station()
    acts = [Act.VIEW, Act.EXPORT, Act.EXPORT_FAILED]
    for number in range(40):
        deed = Deed(
            acts[number % 13 % 3],
            f"rec{number % 5}",
            f"account:{'wang' if number % 7 else 'li'}",
            NOON + timedelta(minutes=number // 3),
            {"what": "recording"},
        )
        put(station, [deed])
    everything = trail.steps(station.catalogue, Wanted(limit=100))
    assert len(everything) == 40
    groups = [frozenset[Act](), *(frozenset({one}) for one in acts), frozenset(acts[:2])]
    groups.append(frozenset({Act.ACCOUNT, Act.CALENDAR}))
    after = iso(NOON + timedelta(minutes=7)), everything[20].custody_seq
    for wanted in starmap(
        Wanted,
        product(
            *(groups, [None, "account:li", "account:zhou"], [None, "rec1"]),
            *([None, NOON + timedelta(minutes=3)], [None, NOON + timedelta(minutes=9)]),
            *([None, after], [4, 100]),
        ),
    ):
        fitting = [
            one
            for one in everything
            if (not wanted.acts or one.act in wanted.acts)
            and wanted.actor in (None, one.actor)
            and wanted.subject in (None, one.subject)
            and (wanted.since is None or one.at >= wanted.since)
            and (wanted.until is None or one.at < wanted.until)
            and (wanted.after is None or (iso(one.at), one.custody_seq) < wanted.after)
        ]
        assert trail.steps(station.catalogue, wanted) == fitting[: wanted.limit], wanted
    station.catalogue.close()


def test_a_search_goes_along_an_index_whatever_is_asked(dock: Dock) -> None:
    """With ten million entries anything else takes seconds."""
    station = dock.station()
    db = station.catalogue
    for wanted in (
        Wanted(),
        Wanted(actor="a"),
        Wanted(subject="s"),
        Wanted(acts=frozenset({Act.VIEW})),
        Wanted(acts=frozenset({Act.VIEW, Act.EXPORT}), since=NOON, after=(iso(NOON), 5)),
        Wanted(acts=frozenset({Act.VIEW, Act.EXPORT}), actor="a"),
        Wanted(acts=frozenset({Act.VIEW, Act.EXPORT}), actor="a", subject="s", since=NOON),
    ):
        asked: list[str] = []
        db.conn.set_trace_callback(asked.append)
        trail.steps(db, wanted)
        db.conn.set_trace_callback(None)
        (statement,) = asked
        plan = [str(row[3]) for row in db.execute(f"explain query plan {statement}")]
        # The pages of each act are put in order together, and nothing else is.
        assert len([line for line in plan if "TEMP B-TREE" in line]) <= 1, plan
        scans = [line for line in plan if re.match("SCAN trail", line)]
        in_order = [line for line in scans if "trail_by_time" in line]
        assert scans == in_order, plan
        assert len(in_order) == (wanted == Wanted()), plan
        named = [line for line in plan if line.startswith("SEARCH trail") and "by_a" in line]
        if wanted.actor and not wanted.subject:
            assert all("trail_by_actor (actor=? AND act=?" in line for line in named), plan
            assert len(named) == len(wanted.acts or trail.ACTS)
    db.close()


def test_corrections_of_a_device_are_within_a_scope(dock: Dock) -> None:
    station = dock.station()
    nobody = trail.about_device(station.catalogue, "0031", Scope(Reach.NONE), None, 5)
    station.catalogue.close()
    assert nobody == []
