"""Issue, return, fault, repair, retirement, loss: checked, refused, on record (Art. 22, 24)."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from recorder_sync.catalogue.dockings import Docking
from recorder_sync.custodian.moves import issue, report_fault
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.errors import RecorderSyncError
from recorder_sync.language import T
from recorder_sync.model import Battery, ItemOutcome
from recorder_sync.rules.docking import Stay
from tests.conftest import Dock, Done
from tests.ledger.conftest import BEGIN, GOOD

LOW = replace(GOOD, battery=Battery(41, "sysfs"))


@pytest.fixture(autouse=True)
def _registered(dock: Dock) -> None:
    assert dock.run("devices", "add", "0031").code == 0
    assert dock.run("officers", "add", "000001", "--name", "王芳").code == 0


def issued(dock: Dock, *arguments: str) -> Done:
    return dock.run("devices", "issue", "0031", "--officer", "000001", *arguments)


def ledger_state(dock: Dock) -> str:
    return str(dock.run("devices", "show", "0031", "--json").json["where"]["ledger"])


def events(dock: Dock) -> list[Any]:
    entries = CustodyLog(dock.state / "custody", "test").entries()
    return [e.deed.facts for e in entries if e.deed.act is Act.DEVICE_EVENT]


def report(dock: Dock, device: str = "0031", what: str = "Recordings could not be read.") -> bool:
    station = dock.station()
    try:
        return report_fault(station, device, T(what))
    finally:
        station.catalogue.close()


def test_a_ready_device_goes_out_and_comes_back(
    dock: Dock, plugged: Callable[..., Docking]
) -> None:
    plugged()
    done = issued(dock)
    assert done.code == 0, done.err
    assert "issued to 王芳" in done.err
    assert ledger_state(dock) == "issued"
    assert dock.run("devices", "return", "0031").code == 0
    assert ledger_state(dock) == "in-store"
    assert [one["what"] for one in events(dock)] == ["issued", "returned"]


def test_art_22_a_device_that_is_not_ready_is_refused_with_every_reason(
    dock: Dock, plugged: Callable[..., Docking]
) -> None:
    plugged(
        health=LOW, outcomes=(ItemOutcome.SEALED, ItemOutcome.FAILED, None, ItemOutcome.SKIPPED)
    )
    done = issued(dock)
    assert done.code == 1
    assert "The battery has 41 %; 80 % are needed." in done.err
    assert "2 recording(s) on it are not sealed." in done.err
    assert events(dock) == []
    readiness = dock.run("devices", "show", "0031", "--json").json["readiness"]
    assert readiness["ready"] is False
    assert {one["reason"]: one["measured"] for one in readiness["reasons"]} == {
        "battery": 41,
        "unsealed-recordings": 2,
    }


def test_it_goes_out_all_the_same_for_a_reason_which_is_put_on_record(
    dock: Dock, plugged: Callable[..., Docking]
) -> None:
    plugged(health=LOW)
    done = issued(dock, "--override", "the only one left")
    assert done.code == 0, done.err
    (event,) = events(dock)
    assert event["override"] == "the only one left"
    assert event["not_ready"] == ["The battery has 41 %; 80 % are needed."]
    assert "although not ready: the only one left" in dock.run("devices", "log", "0031").out


def test_an_empty_reason_overrides_nothing(dock: Dock, plugged: Callable[..., Docking]) -> None:
    plugged(health=LOW)
    assert issued(dock, "--override", " ").code == 2
    assert events(dock) == []


def test_promise_7_what_nobody_measured_stands_as_unknown_and_keeps_nothing_back(
    dock: Dock,
) -> None:
    done = issued(dock)
    assert done.code == 0
    assert "unknown: battery, free space, clock, unsealed recordings" in done.err


def test_the_newest_docking_counts_and_the_settings_say_how_much(
    dock: Dock, plugged: Callable[..., Docking]
) -> None:
    plugged("old", health=LOW, state=Stay.REMOVED, removed_at=BEGIN, outcomes=(None,))
    plugged("new", started_at=BEGIN + timedelta(hours=1))
    assert issued(dock).code == 0
    dock.run("devices", "return", "0031")
    dock.configure(readiness={"least_battery_percent": 96})
    assert "95 %" in issued(dock).err


def test_every_card_that_is_plugged_in_is_looked_at(
    dock: Dock, plugged: Callable[..., Docking]
) -> None:
    plugged("memory", outcomes=(None,), state=Stay.NEEDS_CUSTODIAN)
    plugged("card", started_at=BEGIN + timedelta(seconds=1))
    assert "1 recording(s)" in issued(dock).err


def test_art_24_a_fault_keeps_a_device_in_until_a_repair_closes_it(dock: Dock) -> None:
    assert dock.run("devices", "fault", "0031", "--what", "lens broken").code == 0
    done = issued(dock, "--override", "we need it")
    assert done.code == 1
    assert "Open fault: lens broken." in done.err
    assert "devices repair 0031" in done.err
    assert dock.run("devices", "repair", "0031", "--what", "lens replaced by the maker").code == 0
    assert issued(dock).code == 0


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        ([], ["return"], "in store"),
        ([], ["found"], "in store"),
        (["issue", "--officer", "000001"], ["issue", "--officer", "000002"], "issued to 000001"),
        (["issue", "--officer", "000001"], ["retire", "--reason", "x"], "issued to 000001"),
        (["lost", "--reason", "x"], ["issue", "--officer", "000001"], "devices found 0031"),
        (["retire", "--reason", "x"], ["issue", "--officer", "000001"], "retired"),
        (["retire", "--reason", "x"], ["fault", "--what", "x"], "retired"),
    ],
)
def test_a_move_that_makes_no_sense_is_refused_and_leaves_no_trace(
    first: list[str], then: list[str], said: str, dock: Dock
) -> None:
    if first:
        assert dock.run("devices", first[0], "0031", *first[1:]).code == 0
    before = events(dock)
    done = dock.run("devices", then[0], "0031", *then[1:])
    assert done.code == 2
    assert said in done.err
    assert events(dock) == before


def test_a_lost_device_that_is_found_is_in_store(dock: Dock) -> None:
    dock.run("devices", "lost", "0031", "--reason", "left in a car")
    assert ledger_state(dock) == "lost"
    assert dock.run("devices", "found", "0031").code == 0
    assert ledger_state(dock) == "in-store"


def test_a_device_that_is_not_registered_is_not_issued(
    dock: Dock, plugged: Callable[..., Docking]
) -> None:
    plugged(device="0099")
    for number in ("0099", "0100"):
        done = dock.run("devices", "issue", number, "--officer", "000001")
        assert done.code == 2
        assert number in done.err


def test_two_who_issue_a_device_at_once_do_not_both_succeed(dock: Dock) -> None:
    ended: list[str] = []
    together = threading.Barrier(2)

    def give(officer: str) -> None:
        station = dock.station()
        try:
            together.wait(30)
            issue(station, "0031", officer)
            ended.append("issued")
        except RecorderSyncError:
            ended.append("refused")
        finally:
            station.catalogue.close()

    both = [threading.Thread(target=give, args=(officer,)) for officer in ("000001", "000002")]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert sorted(ended) == ["issued", "refused"]
    assert len(events(dock)) == 1


def test_art_24_the_program_reports_a_fault_once_while_it_is_open(dock: Dock) -> None:
    assert report(dock)
    assert not report(dock)
    assert report(dock, what="Its file system is damaged.")
    assert len(events(dock)) == 2
    assert ledger_state(dock) == "in-repair"
    dock.run("devices", "repair", "0031", "--what", "card replaced")
    assert report(dock)
    assert len(events(dock)) == 4


def test_a_fault_of_a_device_that_was_only_seen_is_on_record_too(dock: Dock) -> None:
    assert report(dock, "0099")
    done = dock.run("devices", "show", "0099", "--json")
    assert [one["what"] for one in done.json["where"]["open_faults"]] == [
        "Recordings could not be read."
    ]


def test_a_retired_device_gets_no_more_faults(dock: Dock) -> None:
    dock.run("devices", "retire", "0031", "--reason", "old")
    assert not report(dock)


def test_the_log_is_one_time_line_of_dockings_readings_and_moves(
    dock: Dock, plugged: Callable[..., Docking]
) -> None:
    plugged("first", outcomes=(ItemOutcome.SEALED, ItemOutcome.FAILED), health=LOW)
    dock.run("devices", "fault", "0031", "--what", "lens broken")
    dock.run("devices", "repair", "0031", "--what", "lens replaced")
    log = dock.run("devices", "log", "0031", "--json").json
    assert log["device"] == "0031"
    assert [one["what"] for one in log["log"]] == ["repaired", "fault", "docking"]
    docking = log["log"][-1]
    assert (docking["docking"], docking["sealed"], docking["failed"]) == ("first", 1, 1)
    assert docking["health"]["battery"]["percent"] == 41
    assert log["log"][1]["text"] == "lens broken"
    printed = dock.run("devices", "log", "0031").out
    for words in ("lens broken", "battery 41 %", "90 % free", "1 sealed", "1 failed"):
        assert words in printed
    assert len(dock.run("devices", "log", "0031", "--limit", "1", "--json").json["log"]) == 1
