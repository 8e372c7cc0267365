"""Deferrals as people enter them (Art. 21): approved at once or later, and never unseen."""

import shutil
from pathlib import Path

import pytest

from recorder_sync.catalogue import deferrals
from recorder_sync.custody.log import CustodyLog
from tests.alerts.looking import opened
from tests.conftest import Dock, Done

PATROL = (
    *("--reason", "water", "--device", "0031", "--officer", "000001"),
    *("--begins", "2026-11-23T18:00", "--expected", "2026-11-25T12:00"),
)


@pytest.fixture
def office(dock: Dock) -> Dock:
    dock.run("devices", "add", "0031")
    dock.run("officers", "add", "000001", "--name", "王芳")
    return dock


def add(dock: Dock, *arguments: str) -> Done:
    return dock.run("deferrals", "add", *PATROL, *arguments, "--json")


def entries(dock: Dock) -> list[str]:
    log = CustodyLog(dock.state / "custody", "test")
    return [e.deed.facts["what"] for e in log.entries() if e.deed.act == "deferral"]


def test_art_21_a_deferral_counts_once_it_is_approved_and_is_back_when_it_is_back(
    office: Dock,
) -> None:
    added = add(office, "--note", "巡江", "--by", "王队").json
    assert (added["approver"], added["entered_by"]) == (None, "王队")
    assert added["officer"] == {"cert_no": "000001", "name": "王芳"}
    waits = office.run("deferrals", "list")
    assert waits.code == 1, "somebody has to approve it"
    assert "王芳" in waits.out
    assert office.run("deferrals", "approve", added["id"], "--approver", "刘局").code == 0
    assert office.run("deferrals", "list").code == 0
    assert office.run("deferrals", "return", added["id"], "--at", "2026-11-23T18:00").code == 0
    (one,) = office.run("deferrals", "list", "--json").json["deferrals"]
    assert one["approver"] == "刘局"
    assert one["returned_at"] == "2026-11-23T10:00:00.000Z"
    assert not one["back_dated"]
    assert entries(office) == ["added", "approved", "returned"]
    with opened(office) as station:
        (found,) = deferrals.deferrals(station.catalogue)
        assert found.is_approved
        assert found.back_at == found.returned_at


@pytest.mark.parametrize(
    "late", [("--approved-at", "2026-11-22T08:00"), ("--begins", "2026-11-20T08:00")]
)
def test_art_21_one_that_is_entered_after_the_fact_shows_it_everywhere(
    late: tuple[str, ...], office: Dock
) -> None:
    """By an approval long before, or a beginning whose limit has passed already."""
    added = add(office, "--approver", "刘局", *late).json
    assert added["back_dated"]
    assert office.run("deferrals", "list", "--json").json["deferrals"][0]["back_dated"]
    assert "after the fact" in office.run("deferrals", "list").out


def test_the_same_deferral_is_not_added_twice(office: Dock) -> None:
    assert add(office).json["id"] == add(office).json["id"]
    assert entries(office) == ["added"]


def test_promise_3_one_that_the_catalogue_lost_in_a_power_cut_comes_back(
    office: Dock, tmp_path: Path
) -> None:
    path = office.state / "catalogue.db"
    shutil.copyfile(path, tmp_path / "before.db")
    first = add(office).json
    shutil.copyfile(tmp_path / "before.db", path)
    assert office.run("deferrals", "list", "--json").json["deferrals"] == []
    assert add(office).json["id"] == first["id"]
    assert entries(office) == ["added"]


@pytest.mark.parametrize(
    "wrong",
    [
        ("--device", "0099"),
        ("--officer", "999999"),
        ("--expected", "2026-11-23T17:00"),
        ("--approver", "刘局", "--approved-at", "2026-12-24T08:00"),
        ("--approved-at", "2026-11-23T08:00"),
        ("--reason", "tired"),
        ("--begins", "gestern"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: tuple[str, ...], office: Dock) -> None:
    assert add(office, *wrong).code == 2
    assert entries(office) == []


def test_a_deferral_is_approved_once_and_returned_once(office: Dock) -> None:
    identifier = add(office, "--approver", "刘局").json["id"]
    assert office.run("deferrals", "approve", identifier, "--approver", "王局").code == 2
    too_early = office.run("deferrals", "return", identifier, "--at", "2026-11-23T09:00")
    assert too_early.code == 2
    assert office.run("deferrals", "return", identifier, "--at", "2026-11-23T18:00").code == 0
    assert office.run("deferrals", "return", identifier).code == 2
    assert office.run("deferrals", "approve", "20261123-9", "--approver", "王局").code == 2
