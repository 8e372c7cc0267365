"""`recorder-sync alerts` as people use it: who is on it, what became of it, what to do."""

from dataclasses import replace

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue import alerts
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Severity
from tests.alerts.looking import look, opened, outstanding
from tests.conftest import Dock


def number_of(dock: Dock) -> str:
    """Put one matter on record and return its alert's number."""
    with opened(dock) as station:
        look(station, outstanding("a.mp4"))
        (one,) = alerts.live(station.catalogue)
    return str(one.number)


def test_the_list_has_the_worst_first_and_asks_for_a_person_while_one_is_open(dock: Dock) -> None:
    assert dock.run("alerts", "list").code == 0
    with opened(dock) as station:
        raise_alert(station, AlertKind.STATION, T("The lamp is out."), T("Change it."))
        breach = replace(
            outstanding("b.mp4", severity=Severity.BREACH), key="outstanding/0032", device="0032"
        )
        look(station, outstanding("a.mp4"), breach)
    done = dock.run("alerts", "list", "--json")
    assert done.code == 1
    found = done.json["alerts"]
    assert [one["severity"] for one in found] == ["breach", "warning", "warning"]
    assert [one["device"] for one in found] == ["0032", "0031", None], "one without a limit is last"
    shown = dock.run("alerts", "list")
    assert "left" in shown.out, "the time that is left until the limit"
    for one in found:
        assert dock.run("alerts", "ack", str(one["number"]), "--by", "王队").code == 0
    assert dock.run("alerts", "list").code == 0, "somebody is on all of them"
    assert "王队" in dock.run("alerts", "list").out


def test_an_alert_shows_its_whole_life_its_list_and_the_commands(dock: Dock) -> None:
    number = number_of(dock)
    dock.run("alerts", "ack", number, "--by", "王队", "--note", "在路上")
    with opened(dock) as station:
        look(station, outstanding("a.mp4", "b.mp4", severity=Severity.BREACH))
    life = dock.run("alerts", "show", number, "--json").json["life"]
    assert [one["act"] for one in life] == ["alert", "alert-acknowledged", "alert-updated"]
    assert life[1]["who"] == "王队"
    assert life[1]["actor"].startswith("os:"), "who ran the command stands beside who was named"
    assert life[2]["is_worse"]
    shown = dock.run("alerts", "show", number).out
    for words in ("a.mp4", "b.mp4", "在路上", "worse", f"alerts ack {number}", "deferrals add"):
        assert words in shown
    assert dock.run("alerts", "resolve", number, "--by", "王队", "--note", "已入库").code == 0
    over = dock.run("alerts", "show", number).out
    assert "已入库" in over
    assert "alerts ack" not in over


def test_a_resolved_alert_is_listed_only_with_all(dock: Dock) -> None:
    number = number_of(dock)
    dock.run("alerts", "resolve", number, "--note", "已入库")
    assert dock.run("alerts", "list", "--json").json["alerts"] == []
    (one,) = dock.run("alerts", "list", "--all", "--json").json["alerts"]
    assert (one["state"], one["resolved_by"], one["note"]) == ("resolved", "person", "已入库")
    assert one["resolver"].startswith("os:")


def test_what_makes_no_sense_is_refused(dock: Dock) -> None:
    number = number_of(dock)
    assert dock.run("alerts", "show", "4711").code == 2
    assert dock.run("alerts", "resolve", number).code == 2, "without a note"
    assert dock.run("alerts", "resolve", number, "--note", " ").code == 2
    assert dock.run("alerts", "ack", number, "--by", " ").code == 2
    assert dock.run("alerts", "list", "--json").json["alerts"][0]["state"] == "open"


def test_status_tells_how_many_of_each_severity_are_open(dock: Dock) -> None:
    number = number_of(dock)
    found = dock.run("status", "--json").json
    assert found["alerts_by_severity"] == {"notice": 0, "warning": 1, "breach": 0}
    (one,) = found["alerts"]
    assert (one["number"], one["kind"], one["severity"]) == (int(number), "outstanding", "warning")
    assert "1 (1 warning)" in dock.run("status").out
