"""The life of an alert: opened once, updated, acknowledged, resolved; all of it on record."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from recorder_sync.alerts.record import acknowledge, put_on_record, resolve
from recorder_sync.catalogue import alerts
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.inspection.verification import Scope, verify
from recorder_sync.rules.escalation import Sent, Stage
from recorder_sync.rules.matter import Severity
from recorder_sync.rules.reconcile import AlertState, Changes, ResolvedBy
from recorder_sync.station import Station
from tests.alerts.looking import DUE, look, opened, outstanding
from tests.catalogue.whole import whole
from tests.conftest import Dock


def acts(station: Station) -> list[str]:
    return [entry.deed.act.value for entry in station.custody.entries()]


def test_a_matter_is_one_alert_however_often_it_is_looked_at(dock: Dock) -> None:
    with opened(dock) as station:
        for _ in range(3):
            look(station, outstanding("a.mp4"))
        (one,) = alerts.live(station.catalogue)
        assert (one.state, one.severity, one.due) == (AlertState.OPEN, Severity.WARNING, DUE)
        assert (one.device, one.officer, one.count) == ("0031", "000001", 1)
        assert acts(station) == ["alert"]


def test_five_hundred_files_are_one_alert_with_a_list(dock: Dock) -> None:
    names = [f"{number:04}.mp4" for number in range(500)]
    with opened(dock) as station:
        look(station, outstanding(*names))
        (one,) = alerts.live(station.catalogue)
        assert one.count == 500
        assert [item.name for item in one.items] == names
        assert acts(station) == ["alert"]


def test_an_acknowledged_alert_is_open_again_when_it_is_worse_and_not_when_it_is_better(
    dock: Dock,
) -> None:
    with opened(dock) as station:
        db = station.catalogue
        look(station, outstanding("a.mp4", "b.mp4"))
        (one,) = alerts.live(db)
        acknowledge(station, one.number, "王队", "在路上")
        look(station, outstanding("a.mp4"))
        better = alerts.alert(db, one.number)
        assert (better.state, better.acknowledged_by) == (AlertState.ACKNOWLEDGED, "王队")
        assert (better.count, better.times_worse) == (1, 0)
        look(station, outstanding("a.mp4", severity=Severity.BREACH))
        worse = alerts.alert(db, one.number)
        assert (worse.state, worse.acknowledged_by) == (AlertState.OPEN, None)
        assert (worse.severity, worse.times_worse) == (Severity.BREACH, 1)


def test_an_alert_is_resolved_by_itself_when_its_cause_is_gone(dock: Dock) -> None:
    with opened(dock) as station:
        look(station, outstanding("a.mp4"))
        look(station)
        assert alerts.live(station.catalogue) == []
        (one,) = alerts.newest(station.catalogue, 10)
        assert (one.resolved_by, one.cause_gone) == (ResolvedBy.CAUSE_GONE, True)
        look(station, outstanding("a.mp4"))
        assert len(alerts.live(station.catalogue)) == 1, "it began again: a new alert"


def test_what_a_person_resolved_stays_so_until_it_is_worse_or_begins_again(dock: Dock) -> None:
    with opened(dock) as station:
        db = station.catalogue
        look(station, outstanding("a.mp4"))
        (one,) = alerts.live(db)
        resolve(station, one.number, "王队", "卡已送修")
        assert look(station, outstanding("a.mp4")) == Changes()
        found = alerts.alert(db, one.number)
        assert (found.resolver, found.note) == ("王队", "卡已送修")
        look(station, outstanding("a.mp4", severity=Severity.BREACH))
        (worse,) = alerts.live(db)
        assert worse.number > one.number
        resolve(station, worse.number, "王队", "无法恢复")
        look(station)
        look(station, outstanding("a.mp4"))
        assert len(alerts.live(db)) == 1, "it ended, and began again"


def test_an_alert_opened_and_resolved_within_one_moment_can_open_again(dock: Dock) -> None:
    """A clock that stands makes two alerts of the same key and time."""
    with opened(dock, DUE) as station:
        for matters in ((outstanding("a"),), (), (outstanding("a"),)):
            look(station, *matters)
        assert len(alerts.live(station.catalogue)) == 1
        assert len(alerts.newest(station.catalogue, 10)) == 2


def test_people_cannot_act_on_what_is_not_there_or_is_over(dock: Dock) -> None:
    with opened(dock) as station:
        with pytest.raises(NotFound):
            acknowledge(station, 7, "王队")
        look(station, outstanding("a.mp4"))
        (one,) = alerts.live(station.catalogue)
        with pytest.raises(UsageProblem):
            resolve(station, one.number, "王队", "  ")
        resolve(station, one.number, "王队", "done")
        for again in (acknowledge, resolve):
            with pytest.raises(UsageProblem):
                again(station, one.number, "王队", "again")
        assert acts(station) == ["alert", "alert-resolved"]


def test_changes_that_are_on_record_already_are_not_put_there_again(dock: Dock) -> None:
    """A look that was cut off after it was put on record is made again."""
    with opened(dock) as station:
        db, now = station.catalogue, station.now()
        opening = reconciled = Changes(opened=(outstanding("a.mp4"),))
        put_on_record(station, opening, now)
        put_on_record(station, reconciled, now)
        (one,) = alerts.live(db)
        closing = Changes(resolved=(one.number,))
        put_on_record(station, closing, now)
        put_on_record(station, closing, now)
        assert acts(station) == ["alert", "alert-resolved"]


@pytest.mark.parametrize("act", ["open", "update", "acknowledge", "resolve", "end", "cause gone"])
def test_promise_3_power_that_fails_between_log_and_catalogue_loses_and_doubles_nothing(
    act: str, dock: Dock, tmp_path: Path
) -> None:
    """The entry is in the log and the catalogue does not know it: the next turn takes it up."""
    path = dock.state / "catalogue.db"
    with opened(dock) as station:
        if act != "open":
            look(station, outstanding("a.mp4"))
        number = next((one.number for one in alerts.live(station.catalogue)), 0)
        if act == "end":
            resolve(station, number, "王队", "卡已送修")
        else:
            look(station, *([outstanding("a.mp4")] if act != "open" else []))
    shutil.copyfile(path, tmp_path / "before.db")

    def do(station: Station) -> None:
        match act:
            case "open":
                look(station, outstanding("a.mp4"))
            case "update":
                look(station, outstanding("a.mp4", "b.mp4"))
            case "acknowledge":
                acknowledge(station, number, "王队")
            case "resolve":
                resolve(station, number, "王队", "卡已送修")
            case "end" | "cause gone":
                look(station)

    with opened(dock) as station:
        do(station)
        before = len(acts(station))
    after = whole(path)
    shutil.copyfile(tmp_path / "before.db", path)
    assert whole(path) != after
    with opened(dock) as station:
        if act == "resolve":
            with pytest.raises(UsageProblem, match="resolved already"):
                do(station)
        else:
            do(station)
        assert len(acts(station)) == before
    assert whole(path) == after


def test_promise_5_alerts_in_every_state_are_the_same_after_a_rebuild_and_verified(
    dock: Dock, tmp_path: Path
) -> None:
    matters = {
        name: replace(outstanding("a.mp4"), key=f"outstanding/{name}")
        for name in ("open", "acknowledged", "worse", "resolved", "gone", "ended")
    }
    with opened(dock) as station:
        db = station.catalogue
        look(station, *matters.values())
        number = {one.key.split("/")[1]: one.number for one in alerts.live(db)}
        for name in ("acknowledged", "worse"):
            acknowledge(station, number[name], "王队", "在办")
        for name in ("resolved", "ended"):
            resolve(station, number[name], "王队", "已处理")
        matters["worse"] = replace(matters["worse"], severity=Severity.BREACH)
        look(station, *(matters[name] for name in matters if name not in {"gone", "ended"}))
        states = {one.key.split("/")[1]: one.state.value for one in alerts.newest(db, 10)}
        assert states == {
            **dict.fromkeys(("open", "worse"), "open"),
            **dict.fromkeys(("resolved", "gone", "ended"), "resolved"),
            "acknowledged": "acknowledged",
        }
        alerts.note_told(db, [Sent(number["open"], Stage.FIRST)], station.now())
        db.conn.commit()
    path = dock.state / "catalogue.db"
    before = whole(path)
    assert dock.run("catalogue", "rebuild").code == 0
    assert whole(path) == before
    with opened(dock) as station:
        later = replace(station, now=lambda: station.now() + timedelta(minutes=5))
        assert verify(later, Scope(), bodies=False).findings == []
        assert alerts.told(station.catalogue) == [Sent(number["open"], Stage.FIRST)], (
            "nobody is told again because the catalogue is new"
        )
        assert dock.run("alerts", "show", str(number["worse"])).code == 0


def test_a_row_that_somebody_spoiled_hides_no_other_alert(dock: Dock) -> None:
    with opened(dock) as station:
        db = station.catalogue
        look(station, outstanding("a.mp4"), replace(outstanding("b.mp4"), key="outstanding/b"))
        first = alerts.live(db)[0].number
        db.execute("update alerts set severity = 'x' where number = ?", [first])
        db.conn.commit()
        assert len(alerts.live(db)) == 1
    listed = dock.run("alerts", "list", "--json")
    assert len(listed.json["alerts"]) == 1
    assert "an alert makes no sense" in listed.err
