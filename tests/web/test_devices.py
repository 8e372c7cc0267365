"""Devices at the console: what may go out, who may move it, and who sees it."""

from collections.abc import Iterator

import pytest

from recorder_sync.custodian.registration import DeviceEntry, register_devices
from tests.conftest import Dock
from tests.web.office import OFFICERS, furnish
from tests.web.served import Client, Service

HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    dock = Dock(tmp_path_factory.mktemp("devices"))
    service = Service(dock)
    service.configure()
    furnish(dock, 2)
    station = dock.station()
    register_devices(station, [DeviceEntry("0099", HOSTILE, features=(HOSTILE,))])
    station.catalogue.close()
    with service:
        service.account("wang", "custodian")
        service.account("leader", "team leader", "--unit", str(OFFICERS[0].unit))
        service.account("judge", "inspector")
        yield service


@pytest.fixture(scope="module")
def custodian(served: Service) -> Iterator[Client]:
    with served.signed_in("wang") as client:
        yield client


def test_art_22_a_device_that_is_not_ready_goes_out_with_a_reason_only(
    served: Service, custodian: Client
) -> None:
    form = "/device-issue?number=0033"
    assert "% are needed" in custodian.get(form).text
    fields = {"number": "0033", "officer": OFFICERS[2].cert_no}
    refused = custodian.post("/device-issue", form, **fields)
    assert refused.status_code == 400
    assert "may not go out" in refused.text
    issued = custodian.post("/device-issue", form, override="突发任务", **fields)
    assert issued.headers["location"] == "/devices/0033?done=issued"
    page = custodian.get("/devices/0033").text
    assert "张强" in page
    assert "突发任务" in page
    again = custodian.post("/device-issue", override="x", **fields)
    assert "is issued to" in again.text
    handover = custodian.get("/device-handover?number=0033").text
    assert "张强" in handover
    back = custodian.post("/device-moves/return", "/device-moves/return?number=0033", number="0033")
    assert back.status_code == 303
    assert '"where"' in served.dock.run("devices", "show", "0033", "--json").out


def test_art_24_a_device_with_an_open_fault_does_not_go_out_whatever_the_reason(
    custodian: Client,
) -> None:
    page = custodian.get("/device-issue?number=0038").text
    assert "镜头进水" in page
    assert 'name="override"' not in page
    answer = custodian.post(
        "/device-issue", number="0038", officer=OFFICERS[0].cert_no, override="急用"
    )
    assert answer.status_code == 400
    no_words = custodian.post("/device-moves/repair", number="0038", text=" ")
    assert no_words.status_code == 400
    mended = custodian.post("/device-moves/repair", number="0038", text="厂家更换镜头")
    assert mended.status_code == 303
    assert "厂家更换镜头" in custodian.get("/devices/0038").text


def test_a_slip_registers_nothing_and_an_entry_is_changed_whole(custodian: Client) -> None:
    form = "/device-registration"
    shared = custodian.post(form, form, number="0050", usb="0781:5581:4C530000")
    assert shared.status_code == 400
    assert "belongs to device 0031" in shared.text
    assert custodian.post(form, form, number="0050", usb="nonsense").status_code == 400
    assert custodian.get("/devices/0050").status_code == 404
    right = custodian.post(form, form, number="0050", kind="执法记录仪", fs_uuids="AA-1; BB-2")
    assert right.status_code == 303
    custodian.post(form, form, number="0050", kind="执法记录仪", fs_uuids="BB-2")
    page = custodian.get("/device-registration?number=0050").text
    assert "BB-2" in page
    assert "AA-1" not in page


def test_only_the_custodian_moves_devices_and_a_leader_sees_those_of_the_unit(
    served: Service,
) -> None:
    with served.signed_in("judge") as judge:
        assert judge.get("/devices/0034").status_code == 200
        assert judge.get("/device-issue?number=0034").status_code == 403
        moved = judge.post("/device-moves/fault", number="0034", text="x")
        assert moved.status_code == 403
    with served.signed_in("leader") as leader:
        page = leader.get("/devices").text
        assert "0031" in page
        assert "/devices/0034" not in page
        assert leader.get("/devices/0034").status_code == 404
        assert leader.get("/device-labels?number=0034").status_code == 404
        assert leader.get("/device-handover?number=0034").status_code == 404


def test_what_a_card_or_a_form_says_is_text_and_nothing_else(custodian: Client) -> None:
    for path in ("/devices", "/devices/0099", "/device-labels", "/devices?q=%3Cscript%3E"):
        page = custodian.get(path).text
        assert "<script>alert" not in page, path
        assert "Register a device" in page or "script" in page, path


def test_the_code_on_a_label_is_the_address_of_the_device(
    served: Service, custodian: Client
) -> None:
    page = custodian.get("/device-labels?number=0031").text
    assert f'aria-label="{served.address}/devices/0031"' in page
    assert page.count('class="label"') == 1
    assert custodian.get("/device-labels").text.count('class="label"') >= 9


@pytest.mark.parametrize("before", ["", "2026-11-21T00:00:00.000Z", "never"])
def test_the_history_goes_back_page_by_page(custodian: Client, before: str) -> None:
    answer = custodian.get("/devices/0031", params={"before": before})
    assert answer.status_code == 200
    assert "What happened to it" in answer.text
