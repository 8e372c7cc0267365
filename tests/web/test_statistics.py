"""The statistics are those of the recordings within reach, on the page and in the files."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from recorder_sync.custodian.registration import DeviceEntry, register_devices
from recorder_sync.custodian.sheets import Table, as_csv, as_xlsx
from tests.conftest import Dock
from tests.web.office import NEWEST_DAY, OFFICERS, furnish
from tests.web.served import Client, Service

PERIOD = f"first=2026-11-01&last={NEWEST_DAY}"
DAYS = 2


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    dock = Dock(tmp_path_factory.mktemp("statistics"))
    service = Service(dock)
    service.configure()
    furnish(dock, DAYS)
    with service:
        service.account("wang", "custodian")
        service.account("leader", "team leader", "--unit", str(OFFICERS[0].unit))
        yield service


@pytest.fixture(scope="module")
def custodian(served: Service) -> Iterator[Client]:
    with served.signed_in("wang") as client:
        yield client


def rows(client: Client, table: str, more: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/statistics/table.csv?table={table}&{PERIOD}{more}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_art_28_every_table_adds_up_to_the_same(custodian: Client) -> None:
    whole = sum(int(one["Recordings"]) for one in rows(custodian, "kinds"))
    assert whole > 30
    for table in ("on-time", "devices", "officers", "units", "causes"):
        assert sum(int(one["Recordings"]) for one in rows(custodian, table)) == whole
    for step in ("day", "week", "month"):
        found = rows(custodian, "on-time", f"&step={step}")
        assert sum(int(one["Recordings"]) for one in found) == whole
    page = custodian.get(f"/statistics?{PERIOD}").text
    assert f"<b>{whole}</b>" in page
    assert page.count("<svg viewBox") >= 3
    assert page.count('role="img" aria-labelledby') == page.count("<desc") >= 3


def test_art_21_a_team_leader_sees_the_unit_only(served: Service) -> None:
    with served.signed_in("leader") as leader:
        units = {one["Unit"] for one in rows(leader, "units")}
        others = {one["Unit"] for one in rows(leader, "units", f"&unit={OFFICERS[5].unit}")}
        officers = {one["Certificate number"] for one in rows(leader, "officers")}
    assert units == others == {OFFICERS[0].unit}
    assert officers <= {one.cert_no for one in OFFICERS if one.unit == OFFICERS[0].unit}


def test_a_workbook_opens_and_runs_nothing_that_came_in(served: Service, custodian: Client) -> None:
    station = served.dock.station()
    register_devices(station, [DeviceEntry("=HYPERLINK(1)")])
    station.catalogue.close()
    answer = custodian.get(f"/statistics/tables.xlsx?{PERIOD}")
    assert answer.headers["content-disposition"].endswith('.xlsx"')
    sheets = 0
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        assert book.testzip() is None
        for name in book.namelist():
            tree = ElementTree.fromstring(book.read(name)) if name.endswith(".xml") else None
            if tree is not None and name.startswith("xl/worksheets/"):
                sheets += 1
                assert not [one for one in tree.iter() if one.tag.endswith("}f")], "a formula"
    assert sheets == 9


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1"])
def test_a_cell_is_never_a_formula(evil: str) -> None:
    table = Table("t", ["head"], [[evil], [-1]])
    cells = list(csv.reader(io.StringIO(as_csv(table).decode("utf-8-sig"), newline="")))
    assert cells[1:] == [["'" + evil], ["-1"]]
    with zipfile.ZipFile(io.BytesIO(as_xlsx([table]))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        strings = book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet
    assert evil.strip() in strings


@pytest.mark.parametrize(
    "query", ["first=2026-11-30&last=2026-11-01", "first=x&last=y&step=z", "first=1000-01-01"]
)
def test_a_time_that_makes_no_sense_is_no_defect(custodian: Client, query: str) -> None:
    answer = custodian.get(f"/statistics?{query}")
    assert answer.status_code in (200, 400)
    assert re.search(r"<h1>Statistics</h1>", answer.text)
