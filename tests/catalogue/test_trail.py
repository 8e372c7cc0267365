"""The audit trail has what persons did, from the log alone, and is read a page at a time."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recorder_sync.access import audit
from recorder_sync.access.audit import Asked
from recorder_sync.access.database import open_accounts
from recorder_sync.access.sign_ins import Attempt
from recorder_sync.access.signing_in import sign_in
from recorder_sync.catalogue import trail
from recorder_sync.catalogue.rebuild import taken_up
from recorder_sync.catalogue.trail import Wanted
from recorder_sync.custody.log import Act, Deed
from recorder_sync.errors import UsageProblem
from recorder_sync.on_record import put
from recorder_sync.rules.access import Reach, Scope
from recorder_sync.station import Station
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


def test_a_search_goes_along_an_index_whatever_is_asked(tmp_path: Path) -> None:
    """With ten million entries anything else takes minutes."""
    station = Dock(tmp_path).station()
    db = station.catalogue
    plans = []
    run, db.conn.row_factory = db.execute, None
    for wanted in (
        Wanted(),
        Wanted(actor="a"),
        Wanted(subject="s"),
        Wanted(acts=frozenset({Act.VIEW})),
        Wanted(acts=frozenset({Act.VIEW, Act.EXPORT}), actor="a", subject="s", since=NOON),
    ):
        conditions, values = trail._conditions(wanted)
        query = (
            f"explain query plan select 1 from trail{trail._along(wanted)}"
            f" where {' and '.join(conditions) or '1'} order by at desc, custody_seq desc limit 5"
        )
        plans.append(" ".join(str(row[3]) for row in run(query, values)))
    db.close()
    assert not [plan for plan in plans if "TEMP B-TREE" in plan], plans


def test_corrections_of_a_device_are_within_a_scope(dock: Dock) -> None:
    station = dock.station()
    nobody = trail.about_device(station.catalogue, "0031", Scope(Reach.NONE), None, 5)
    station.catalogue.close()
    assert nobody == []
