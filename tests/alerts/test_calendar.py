"""The duty calendar from a spreadsheet (Art. 16, 17): whole or not at all, and explained."""

from pathlib import Path

import pytest

from recorder_sync.catalogue import calendar
from recorder_sync.custody.log import CustodyLog
from recorder_sync.rules.coverage import NoRecordingReason
from tests.alerts.looking import opened
from tests.conftest import Dock

HEAD = "id,kind,begins,ends,officer,device,case,in_full\n"
GOOD = (
    "检查-1,执法活动,2026/11/23 9:00,2026/11/23 10:00,000001,,2026-7,是\n"
    "S1,shift,2026-11-23 22:00,2026-11-24 06:00:30,000001,0031,,\n"
)


@pytest.fixture
def office(dock: Dock) -> Dock:
    dock.run("devices", "add", "0031")
    dock.run("officers", "add", "000001", "--name", "王芳")
    return dock


def put(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "calendar.csv"
    path.write_bytes(text if isinstance(text, bytes) else (HEAD + text).encode())
    return path


def entries(dock: Dock) -> int:
    log = CustodyLog(dock.state / "custody", "test")
    return sum(entry.deed.act == "calendar-entry" for entry in log.entries())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_calendar_is_read_as_spreadsheets_write_it(
    encoding: str, office: Dock, tmp_path: Path
) -> None:
    file = put(tmp_path, (HEAD + GOOD).replace("\n", "\r\n").encode(encoding))
    assert office.run("calendar", "import", file).code == 0
    enforcement, shift = office.run("calendar", "list", "--json").json["calendar"]
    assert enforcement["id"] == "检查-1"
    assert enforcement["begins"] == "2026-11-23T01:00:00.000Z"
    assert enforcement["in_full"]
    assert enforcement["officer"] == {"cert_no": "000001", "name": "王芳"}
    assert (shift["kind"], shift["ends"]) == ("shift", "2026-11-23T22:00:30.000Z")


def test_the_same_file_again_changes_nothing_and_a_changed_line_only_itself(
    office: Dock, tmp_path: Path
) -> None:
    for _ in range(2):
        office.run("calendar", "import", put(tmp_path, GOOD))
    assert entries(office) == 2
    assert office.run("calendar", "explain", "检查-1", "--reason", "device-fault").code == 0
    office.run("calendar", "import", put(tmp_path, GOOD.replace("10:00", "10:30")))
    assert entries(office) == 4
    (moved, _) = office.run("calendar", "list", "--json").json["calendar"]
    assert (moved["ends"], moved["reason"]) == ("2026-11-23T02:30:00.000Z", "device-fault")


def test_every_problem_is_named_with_its_line_and_nothing_is_entered(
    office: Dock, tmp_path: Path
) -> None:
    rubbish = (
        GOOD
        + "E2,duty,2026/11/23 9:00,2026/11/23 8:00,999999,,,vielleicht\n"
        + "S2,shift,gestern,2026-13-45 09:00,,0031,,\n"
        + "E3,enforcement,2026-11-23 09:00,2026-11-23 10:00,,,,no\n"
        + "E4,enforcement,2026-11-23 09:00,2026-11-23 10:00,,0099,,no\n"
    )
    done = office.run("calendar", "import", put(tmp_path, rubbish))
    assert done.code == 2
    for said in (
        *("line 4: kind", "line 4: in_full", "line 4: It ends before it begins", "999999"),
        *("line 5: begins", "line 5: ends", "line 5: A shift names its officer"),
        *("line 6: It names neither", "line 7: There is no device 0099"),
    ):
        assert said in done.err
    assert "line 2" not in done.err
    assert entries(office) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01",
        b"",
        "编号,类别\n".encode(),
        (HEAD + GOOD + GOOD).encode(),
        (HEAD + '"open,\n').encode(),
        (HEAD + ",shift,2026-11-23 09:00,2026-11-23 10:00,000001,,,,,,\n").encode(),
    ],
)
def test_what_is_no_calendar_is_refused(data: bytes, office: Dock, tmp_path: Path) -> None:
    assert office.run("calendar", "import", put(tmp_path, data)).code == 2
    assert entries(office) == 0


def test_art_16_an_enforcement_without_a_recording_is_explained_with_a_reason(
    office: Dock, tmp_path: Path
) -> None:
    office.run("calendar", "import", put(tmp_path, GOOD))
    explain = ("calendar", "explain", "检查-1", "--reason")
    assert office.run(*explain, "other").code == 2, "without saying which"
    assert office.run(*explain, "no-idea").code == 2
    assert office.run("calendar", "explain", "S1", "--reason", "forgotten").code == 2, "a shift"
    assert office.run("calendar", "explain", "X", "--reason", "forgotten").code == 2
    assert office.run(*explain, "other", "--note", "停电", "--by", "王队").code == 0
    with opened(office) as station:
        one = calendar.entry_of(station.catalogue, "检查-1")
    assert one.expected.reason is NoRecordingReason.OTHER
    assert (one.reason_note, one.explained_by) == ("停电", "王队")
    assert "停电" in office.run("calendar", "list").out
