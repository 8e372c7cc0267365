"""Promise 3: a command that is killed between the log and the catalogue is made good.

The real command is killed by itself at that instant: the moment its entry is synced.
"""

import signal
import sqlite3
import subprocess
from contextlib import closing

import pytest

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue.catching_up import take_up_rest
from recorder_sync.catalogue.taking_up import taken_up
from recorder_sync.custody.log import Act
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.on_record import turn
from tests.catalogue.cut_off import killed
from tests.catalogue.whole import whole
from tests.conftest import Card, Dock, MediaFiles
from tests.inspection.furnished import verify_here


def named(dock: Dock) -> set[str]:
    return {f.row.table for f in verify_here(dock, bodies=False) if f.row}


def raised(dock: Dock) -> None:
    """Raise an alert, as the daemon does."""
    station = dock.station()
    try:
        raise_alert(station, AlertKind.STATION, T("It is full."), T("Make room."))
    finally:
        station.catalogue.close()


@pytest.fixture
def begun(dock: Dock, card: Card, media_files: MediaFiles) -> Dock:
    """A station with a recording, a device and an officer."""
    dock.configure(ingest={"immutable": False})
    card.put("DCAM_CAM001_000001_20261123_100000.jpg", media_files.photo)
    assert dock.ingest(card).json["sealed"] == 1
    assert dock.run("devices", "add", "CAM001").code == 0
    assert dock.run("officers", "add", "000001").code == 0
    return dock


COMMANDS = {
    "tag": "recordings",
    "devices add": "devices",
    "officers add": "officers",
    "cases add": "cases",
    "devices fault": "device_events",
    "hold": "legal_holds",
}


def arguments_of(command: str, dock: Dock) -> list[str]:
    match command:
        case "tag":
            (found,) = dock.run("recordings", "list", "--json").json["recordings"]
            why = ("--by", "王队", "--reason", "案号", "--device", "CAM002")
            return ["recordings", "tag", found["id"], *why]
        case "hold":
            (found,) = dock.run("recordings", "list", "--json").json["recordings"]
            return ["recordings", "hold", found["id"], "--reason", "诉讼"]
        case "devices add":
            return ["devices", "add", "CAM009", "--maker", "海康", "--fs-uuid", "12AB-34CD"]
        case "officers add":
            return ["officers", "add", "000009", "--name", "李明"]
        case "cases add":
            return ["cases", "add", "2026-9", "--party", "李明"]
    return ["devices", "fault", "CAM001", "--what", "镜头"]


@pytest.mark.parametrize("command", COMMANDS)
def test_promise_3_the_next_writing_command_makes_it_good(command: str, begun: Dock) -> None:
    killed(begun, *arguments_of(command, begun))
    assert COMMANDS[command] in named(begun), "until then it is named"
    assert begun.run("officers", "add", "000002").code == 0
    assert verify_here(begun, bodies=False) == []
    caught_up = whole(begun.state / "catalogue.db")
    assert begun.run("catalogue", "rebuild").code == 0
    assert whole(begun.state / "catalogue.db") == caught_up


@pytest.mark.parametrize("command", COMMANDS)
def test_promise_3_whoever_raises_an_alert_makes_it_good(command: str, begun: Dock) -> None:
    killed(begun, *arguments_of(command, begun))
    assert named(begun), "until then it is named"
    raised(begun)
    assert verify_here(begun, bodies=False) == []


def test_an_entry_that_makes_no_sense_keeps_nobody_from_putting_something_on_record(
    begun: Dock,
) -> None:
    """Somebody wrote it into the log by hand; what comes after it is taken up all the same."""
    station = begun.station()
    try:
        for act in Act:
            station.custody.append([station.deed(act, "nothing", {"number": 1})])
    finally:
        station.catalogue.close()
    killed(begun, *arguments_of("cases add", begun))
    raised(begun)
    assert "2026-9" in begun.run("cases", "list").out


def test_a_second_seal_of_a_recording_keeps_nobody_from_putting_something_on_record(
    begun: Dock,
) -> None:
    station = begun.station()
    try:
        (seal,) = (e for e in station.custody.entries() if e.deed.act is Act.SEAL)
        station.custody.append([seal.deed])
    finally:
        station.catalogue.close()
    raised(begun)
    assert begun.run("cases", "add", "2026-9").code == 0
    assert named(begun) == {"recordings"}, "it is named"


def test_what_others_left_is_looked_at_once(begun: Dock) -> None:
    station = begun.station()
    try:
        seen = {"docking": "d", "path": "a.mp4"}
        again = station.deed(Act.SEEN_AGAIN, "nothing", seen)
        station.custody.append([again] * 100)
        assert taken_up(station.catalogue) == station.custody.size() - 100
        raise_alert(station, AlertKind.STATION, T("It is full."), T("Make room."))
        assert taken_up(station.catalogue) == station.custody.size()
        station.custody.append([again])
        with pytest.raises(ZeroDivisionError), turn(station):
            raise ZeroDivisionError
        assert taken_up(station.catalogue) == station.custody.size(), "nor is it looked at twice"
    finally:
        station.catalogue.close()


def test_an_intake_leaves_nothing_to_be_looked_at(begun: Dock) -> None:
    station = begun.station()
    try:
        assert taken_up(station.catalogue) == station.custody.size()
    finally:
        station.catalogue.close()


def test_promise_3_the_start_of_the_service_makes_it_good(begun: Dock) -> None:
    killed(begun, *arguments_of("cases add", begun))
    assert named(begun) == {"cases", "trail"}
    with subprocess.Popen(begun.command("dock"), stderr=subprocess.PIPE, text=True) as service:
        assert service.stderr is not None
        said = next(line for line in service.stderr if "recovered" in line or "Error" in line)
        service.send_signal(signal.SIGTERM)
        service.stderr.read()
    assert "recovered" in said
    assert verify_here(begun, bodies=False) == []


def test_a_command_that_only_reads_and_a_verification_leave_it_to_be_named(begun: Dock) -> None:
    killed(begun, *arguments_of("cases add", begun))
    assert begun.run("recordings", "list").code == 0
    done = begun.run("verify", "--metadata", "--json")
    assert {f["kind"] for f in done.json["findings"]} == {"not-in-catalogue"}


def test_an_alert_that_is_being_raised_meanwhile_is_not_entered_twice(begun: Dock) -> None:
    killed(begun, *arguments_of("cases add", begun))
    station, other = begun.station(), begun.station()
    try:
        for number in range(3):
            raise_alert(station, AlertKind.STATION, T("{n} is full.", n=number), T("Make room."))
            take_up_rest(other.catalogue, other.custody)
        take_up_rest(other.catalogue, other.custody)
        (alerts,) = station.catalogue.execute("select count(*) from alerts").fetchone()
    finally:
        station.catalogue.close()
        other.catalogue.close()
    assert alerts == 3
    assert verify_here(begun, bodies=False) == []


def test_a_log_that_is_broken_keeps_no_command_from_its_work(begun: Dock) -> None:
    killed(begun, *arguments_of("cases add", begun))
    (segment,) = (begun.state / "custody").glob("*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join([lines[0].replace(b"test", b"tset"), *lines[1:]]))
    done = begun.run("officers", "add", "000003")
    assert done.code == 0, done.err
    assert "is not brought up to the custody log" in done.err
    assert segment.stat().st_size > sum(map(len, lines))


def test_promise_5_what_somebody_changed_in_a_row_is_not_set_right_by_the_next_writer(
    begun: Dock,
) -> None:
    with closing(sqlite3.connect(begun.state / "catalogue.db")) as db, db:
        db.execute("update officers set name = 'x' where cert_no = '000001'")
    raised(begun)
    assert begun.run("cases", "add", "2026-1").code == 0
    assert named(begun) == {"officers"}


def test_a_log_that_is_broken_keeps_no_alert_from_being_raised_once(begun: Dock) -> None:
    killed(begun, *arguments_of("cases add", begun))
    station = begun.station()
    try:
        station.custody.append([station.deed(Act.VIEW, "nothing", {})])
        (segment,) = (begun.state / "custody").glob("*.jsonl")
        *before, last, after = segment.read_bytes().splitlines(keepends=True)
        assert b"2026-9" in last
        segment.write_bytes(b"".join([*before, last.replace(b"2026-9", b"2026-8"), after]))
        for _ in range(2):
            raise_alert(station, AlertKind.STATION, T("It is full."), T("Make room."))
        (alerts,) = station.catalogue.execute("select count(*) from alerts").fetchone()
        assert alerts == 1
        assert taken_up(station.catalogue) == len(before) + 1, "where it is broken"
    finally:
        station.catalogue.close()
