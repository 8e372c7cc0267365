"""CSV in and out: UTF-8 or GB 18030, whole or not at all, back as it went out."""

from pathlib import Path

import pytest

from recorder_sync.custody.log import CustodyLog
from tests.conftest import Dock, Done

DEVICES = (
    "number,kind,maker,model,officer,custodian,features,usb,fs_uuids\r\n"
    "0031,执法记录仪,海康,D5,000001,老王,night vision;GPS,"
    "0781:5581:4C530001,12AB-34CD;99EE-0001\r\n"
    '0032,"camera, ""big""",,,,,,,\r\n'
)


def put(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(dock: Dock, noun: str, file: Path) -> Done:
    done = dock.run(noun, "import", file)
    assert done.code == 2
    assert list(CustodyLog(dock.state / "custody", "test").entries()) == []
    return done


def test_devices_come_back_as_they_went_out(dock: Dock, tmp_path: Path) -> None:
    assert dock.run("devices", "import", put(tmp_path, DEVICES)).code == 0
    out = tmp_path / "out.csv"
    assert dock.run("devices", "export", out).code == 0
    assert out.read_bytes() == b"\xef\xbb\xbf" + DEVICES.encode()
    before = dock.run("devices", "list", "--json").json
    assert dock.run("devices", "import", out).code == 0
    after = dock.run("devices", "list", "--json").json
    for device in (*before["devices"], *after["devices"]):
        del device["registered_at"], device["where"]["since"]
    assert after == before


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_is_read_in_the_encodings_that_spreadsheets_write(
    encoding: str, dock: Dock, tmp_path: Path
) -> None:
    file = put(tmp_path, "cert_no,name,unit\n000001,王芳,一中队\n".encode(encoding))
    assert dock.run("officers", "import", file).code == 0
    assert dock.run("officers", "list", "--json").json["officers"] == [
        {"cert_no": "000001", "name": "王芳", "unit": "一中队"}
    ]


@pytest.mark.parametrize("data", ["编号".encode("utf-16"), b"\xff\xff\xff", b"number\n\0\n"])
def test_what_is_no_text_is_refused(data: bytes, dock: Dock, tmp_path: Path) -> None:
    assert "UTF-8" in refused(dock, "devices", put(tmp_path, data)).err


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        ("0031,\n,x\n", 3, "number is empty"),
        ("0031,\n0032,\n0031,\n", 4, "line 2 already"),
        ("0031,\n0032,nonsense\n", 3, "no USB identity"),
        ("0031,0781:5581:A\n0032,0781:5581:A\n", 3, "belongs to device 0031"),
        ("0031,,too,many\n", 2, "more cells"),
        ('0031,\n"0032,\n', 3, "no CSV"),
        ('"00\n31",\n,x\n', 4, "number is empty"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_nothing_is_imported(
    rows: str, line: int, said: str, dock: Dock, tmp_path: Path
) -> None:
    done = refused(dock, "devices", put(tmp_path, "number,usb\n" + rows))
    assert f"line {line}" in done.err
    assert said in done.err


def test_a_row_is_checked_against_the_ledger_too(dock: Dock, tmp_path: Path) -> None:
    dock.run("devices", "add", "0031", "--usb", "0781:5581:A")
    done = dock.run("devices", "import", put(tmp_path, "number,usb\n0032,0781:5581:A\n"))
    assert done.code == 2
    assert "line 2: USB identity 0781:5581:A belongs to device 0031" in done.err


def test_two_devices_change_their_cards_in_one_import(dock: Dock, tmp_path: Path) -> None:
    dock.run("devices", "add", "0031", "--usb", "0781:5581:A")
    dock.run("devices", "add", "0032", "--usb", "0781:5581:B")
    file = put(tmp_path, "number,usb\n0031,0781:5581:B\n0032,0781:5581:A\n")
    assert dock.run("devices", "import", file).code == 0


def test_a_list_without_its_key_column_names_the_columns(dock: Dock, tmp_path: Path) -> None:
    done = refused(dock, "officers", put(tmp_path, "name,unit\n王芳,一中队\n"))
    assert "cert_no, name, unit" in done.err


def test_an_empty_cell_and_a_missing_column_keep_what_is_there(dock: Dock, tmp_path: Path) -> None:
    dock.run(
        "devices", "add", "0031", "--maker", "海康", "--usb", "0781:5581:A", "--feature", "GPS"
    )
    assert dock.run("devices", "import", put(tmp_path, "number,maker\n0031,\n")).code == 0
    (device,) = dock.run("devices", "list", "--json").json["devices"]
    assert (device["maker"], device["usb"]) == ("海康", "0781:5581:A")
    assert device["features"] == ["GPS"]


def test_a_cell_is_never_a_formula_and_comes_back_as_it_was(dock: Dock, tmp_path: Path) -> None:
    dock.run("officers", "add", "000001", "--name", "=HYPERLINK(1)", "--unit", "-1")
    out = tmp_path / "out.csv"
    assert dock.run("officers", "export", out).code == 0
    assert out.read_text("utf-8-sig").splitlines()[1] == "000001,'=HYPERLINK(1),'-1"
    assert dock.run("officers", "import", out).code == 0
    (officer,) = dock.run("officers", "list", "--json").json["officers"]
    assert (officer["name"], officer["unit"]) == ("=HYPERLINK(1)", "-1")
    dock.run("officers", "add", "000002", "--name", "＝HYPERLINK(1)", "--unit", "＠SUM(A1)")
    wide = dock.run("officers", "export", "-").out.splitlines()[2]
    assert wide == "000002,'＝HYPERLINK(1),'＠SUM(A1)", "Chinese Excel runs these as well"


def test_an_export_to_the_screen_is_the_file(dock: Dock) -> None:
    dock.run("cases", "add", "2026-7", "--party", "李明建筑", "--cause", "占道经营")
    done = dock.run("cases", "export", "-")
    assert done.out == "\ufeffnumber,party,cause,closed_on\n2026-7,李明建筑,占道经营,\n"


def test_an_export_never_writes_over_a_file(dock: Dock, tmp_path: Path) -> None:
    file = put(tmp_path, "mine")
    assert dock.run("officers", "export", file).code == 2
    assert file.read_text() == "mine"


def test_a_file_that_is_not_there_is_named(dock: Dock, tmp_path: Path) -> None:
    done = dock.run("cases", "import", tmp_path / "none.csv")
    assert done.code == 3
    assert "none.csv" in done.err


def test_cases_come_with_the_day_they_were_closed(dock: Dock, tmp_path: Path) -> None:
    file = put(tmp_path, "number,party,closed_on\n1,李明,2026/1/5\n2,,2026-01-06\n3,,\n")
    assert dock.run("cases", "import", file).code == 0
    cases = dock.run("cases", "list", "--json").json["cases"]
    assert [case["closed_on"] for case in cases] == ["2026-01-05", "2026-01-06", None]


def test_a_day_that_is_none_is_named_by_its_line(dock: Dock, tmp_path: Path) -> None:
    done = refused(dock, "cases", put(tmp_path, "number,closed_on\n1,\n2,2026-02-30\n"))
    assert "line 3: 2026-02-30 is no date" in done.err
