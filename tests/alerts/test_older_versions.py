"""Alerts of a version from before alerts had a life: they are open, and stay what they are."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlite_utils.db import Database

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.alerts.record import acknowledge
from recorder_sync.catalogue import alerts
from recorder_sync.catalogue.schema import migrations
from recorder_sync.custody.log import Act
from recorder_sync.inspection.verification import Scope, verify
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.reconcile import AlertState
from recorder_sync.timestamps import iso
from tests.alerts.looking import opened
from tests.catalogue.whole import whole
from tests.conftest import Dock

DISK = {"template": "The disk {name} is full.", "values": {"name": "sdb"}}
ROOM = {"template": "Make room.", "values": {}}


def facts(docking: str | None = None) -> dict[str, Any]:
    return {"kind": "station", "device": None, "docking": docking, "text": DISK, "hint": ROOM}


@pytest.fixture
def old(dock: Dock) -> Dock:
    """A station whose catalogue has two alerts, raised by two cameras at once.

    The second was entered in the catalogue first, so their numbers are not in the order
    of the log.
    """
    with opened(dock) as station:
        began = station.now()
        deeds = [
            replace(
                station.deed(Act.ALERT, docking, facts(docking)),
                time=began + timedelta(milliseconds=n),
            )
            for n, docking in enumerate(("d-1", "d-2"))
        ]
        station.custody.append(deeds)
    (dock.state / "catalogue.db").unlink()
    db = Database(dock.state / "catalogue.db")
    migrations.apply(db, stop_before="m008_life_of_an_alert")
    for deed in reversed(deeds):
        said = {name: json.dumps(deed.facts[name], sort_keys=True) for name in ("text", "hint")}
        db.execute(
            "insert into alerts (kind, docking, text, hint, raised_at) values (?, ?, ?, ?, ?)",
            ["station", deed.subject, said["text"], said["hint"], iso(deed.time)],
        )
    db.conn.commit()
    db.close()
    return dock


def test_they_are_open_and_can_be_acknowledged(old: Dock) -> None:
    with opened(old) as station:
        found = alerts.live(station.catalogue)
        assert {one.docking for one in found} == {"d-1", "d-2"}
        assert found[0].text == T("The disk {name} is full.", name="sdb")
        acknowledge(station, found[0].number, "王队")
        assert alerts.alert(station.catalogue, found[0].number).state is AlertState.ACKNOWLEDGED
    shown = old.run("alerts", "show", str(found[0].number), "--json").json
    assert [one["act"] for one in shown["life"]] == ["alert", "alert-acknowledged"]


def test_the_same_matter_is_not_raised_anew_and_a_new_one_gets_a_number_of_its_own(
    old: Dock,
) -> None:
    with opened(old) as station:
        text, hint = T("The disk {name} is full.", name="sdb"), T("Make room.")
        raise_alert(station, AlertKind.STATION, text, hint, docking="d-1")
        assert len(alerts.live(station.catalogue)) == 2
        raise_alert(station, AlertKind.STATION, text, hint, docking="d-3")
        numbers = [one.number for one in alerts.live(station.catalogue)]
        assert numbers == [0, 1, 2]


def test_promise_5_they_are_the_same_after_a_rebuild_and_no_finding(old: Dock) -> None:
    with opened(old) as station:
        (one, _) = alerts.live(station.catalogue)
        acknowledge(station, one.number, "王队")
        later = replace(station, now=lambda: station.now() + timedelta(minutes=5))
        assert verify(later, Scope(), bodies=False).findings == []
    before = whole(old.state / "catalogue.db")
    assert old.run("catalogue", "rebuild").code == 0
    after = whole(old.state / "catalogue.db")
    for row in (*before["alerts"], *after["alerts"]):
        del row["number"]  # of older alerts it is that of the catalogue's row
    key = "docking"
    assert sorted(before.pop("alerts"), key=lambda row: row[key]) == sorted(
        after.pop("alerts"), key=lambda row: row[key]
    )
