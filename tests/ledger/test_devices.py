"""Registering devices: what they are, how they are known again, where they are (Art. 22)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from recorder_sync.catalogue.dockings import Docking
from recorder_sync.catalogue.ledger import claims_of
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.model import Claim, Source, UsbIdentity
from recorder_sync.rules.docking import Stay
from tests.conftest import Dock
from tests.ledger.conftest import BEGIN, CAMERA


def registered(dock: Dock, number: str, *arguments: str) -> None:
    done = dock.run("devices", "add", number, *arguments)
    assert done.code == 0, done.err


def shown(dock: Dock, number: str = "0031") -> Any:
    done = dock.run("devices", "show", number, "--json")
    assert done.code == 0, done.err
    return done.json


def claims(dock: Dock, usb: UsbIdentity | None, fs_uuid: str | None) -> list[Claim]:
    station = dock.station()
    try:
        return claims_of(station.catalogue, usb, fs_uuid)
    finally:
        station.catalogue.close()


def test_everything_that_is_registered_is_shown_and_on_record(dock: Dock) -> None:
    registered(
        dock,
        *("0031", "--kind", "body camera", "--maker", "海康", "--model", "D5"),
        *("--officer", "000001", "--custodian", "老王", "--feature", "night vision"),
        *("--feature", "GPS", "--usb", "0781:5581:4C530001", "--fs-uuid", "12AB-34CD"),
        *("--fs-uuid", "99EE-0001"),
    )
    device = shown(dock)
    expected = {
        "kind": "body camera",
        "maker": "海康",
        "model": "D5",
        "officer": "000001",
        "custodian": "老王",
        "features": ["night vision", "GPS"],
        "usb": "0781:5581:4C530001",
        "fs_uuids": ["12AB-34CD", "99EE-0001"],
    }
    assert {key: device[key] for key in expected} == expected
    (entry,) = CustodyLog(dock.state / "custody", "test").entries()
    assert (entry.deed.act, entry.deed.subject) == (Act.LEDGER, "device:0031")
    assert entry.deed.facts == expected


def test_what_is_not_given_keeps_its_value_and_an_empty_text_clears_it(dock: Dock) -> None:
    registered(
        dock,
        *("0031", "--kind", "body camera", "--maker", "海康", "--feature", "GPS"),
        *("--usb", "0781:5581:4C530001", "--fs-uuid", "12AB-34CD"),
    )
    registered(dock, "0031", "--model", "D5", "--maker", "")
    device = shown(dock)
    assert (device["kind"], device["maker"], device["model"]) == ("body camera", None, "D5")
    assert device["features"] == ["GPS"]
    assert device["usb"] == "0781:5581:4C530001"
    assert device["fs_uuids"] == ["12AB-34CD"]


def test_cards_are_added_and_identities_are_forgotten_only_when_asked(dock: Dock) -> None:
    registered(dock, "0031", "--usb", "0781:5581:4C530001", "--fs-uuid", "12AB-34CD")
    registered(dock, "0031", "--fs-uuid", "99EE-0001")
    assert shown(dock)["fs_uuids"] == ["12AB-34CD", "99EE-0001"]
    registered(dock, "0031", "--forget-usb", "--forget-fs-uuid", "12ab-34cd")
    assert (shown(dock)["usb"], shown(dock)["fs_uuids"]) == (None, ["99EE-0001"])


def test_a_usb_identity_with_a_serial_belongs_to_one_device(dock: Dock) -> None:
    registered(dock, "0031", "--usb", "0781:5581:4C530001")
    done = dock.run("devices", "add", "0032", "--usb", "0781:5581:4C530001")
    assert done.code == 2
    assert "belongs to device 0031" in done.err
    assert "devices add 0031 --forget-usb" in done.err
    assert dock.run("devices", "show", "0032").code == 2


def test_a_card_belongs_to_one_device(dock: Dock) -> None:
    registered(dock, "0031", "--fs-uuid", "12AB-34CD")
    done = dock.run("devices", "add", "0032", "--fs-uuid", "12ab-34cd")
    assert done.code == 2
    assert "belongs to device 0031" in done.err


def test_devices_without_a_serial_share_a_usb_identity_and_it_claims_nothing(dock: Dock) -> None:
    registered(dock, "0031", "--usb", "0781:5581")
    registered(dock, "0032", "--usb", "0781:5581")
    assert claims(dock, UsbIdentity("0781", "5581", None), None) == []


@pytest.mark.parametrize("text", ["0781", "0781:xyz:1", "xx81:5581:1", ":", "07810:5581"])
def test_what_is_no_usb_identity_is_refused_with_an_example(text: str, dock: Dock) -> None:
    done = dock.run("devices", "add", "0031", "--usb", text)
    assert done.code == 2
    assert "0781:5581:4C530001" in done.err


def test_the_ledger_says_whose_a_usb_identity_and_a_card_are(dock: Dock) -> None:
    registered(dock, "0031", "--usb", "0781:5581:4C530001", "--fs-uuid", "12AB-34CD")
    registered(dock, "0032", "--fs-uuid", "99EE-0001")
    assert claims(dock, CAMERA, "12ab-34cd") == [
        Claim("0031", Source.LEDGER, "USB identity 0781:5581:4C530001"),
        Claim("0031", Source.LEDGER, "file system 12ab-34cd"),
    ]
    assert [one.value for one in claims(dock, CAMERA, "99EE-0001")] == ["0031", "0032"]
    assert claims(dock, UsbIdentity("0781", "5581", "4c530001"), "0000-0000") == []
    assert claims(dock, None, None) == []


def test_a_docking_fills_in_what_was_seen_there(
    dock: Dock, plugged: Callable[..., Docking]
) -> None:
    seen = plugged(device=None, state=Stay.HELD)
    station = dock.station()
    station.catalogue.execute(
        "update dockings set health = json_set(health, '$.maker', 'Hik', '$.model', 'D5')"
    )
    station.catalogue.conn.commit()
    station.catalogue.close()
    registered(dock, "0031", "--docking", seen.id[:15], "--maker", "海康")
    device = shown(dock)
    assert (device["usb"], device["fs_uuids"]) == (str(CAMERA), ["12AB-34CD"])
    assert (device["maker"], device["model"]) == ("海康", "D5")
    registered(dock, "0031", "--docking", seen.id)
    assert shown(dock)["maker"] == "海康"


def test_a_docking_where_nothing_was_seen_fills_in_nothing_and_says_so(
    dock: Dock, plugged: Callable[..., Docking]
) -> None:
    seen = plugged()
    station = dock.station()
    station.catalogue.execute("update dockings set usb = null, fs_uuid = null")
    station.catalogue.conn.commit()
    station.catalogue.close()
    done = dock.run("devices", "add", "0032", "--docking", seen.id)
    assert done.code == 2
    assert seen.id in done.err


def test_the_list_says_where_every_device_is(dock: Dock, plugged: Callable[..., Docking]) -> None:
    for number in ("0031", "0032", "0033", "0034", "0035", "0036"):
        registered(dock, number)
    dock.run("officers", "add", "000001", "--name", "王芳")
    dock.run("devices", "issue", "0032", "--officer", "000001")
    dock.run("devices", "fault", "0033", "--what", "lens broken")
    dock.run("devices", "retire", "0034", "--reason", "old")
    dock.run("devices", "lost", "0035", "--reason", "fell into the river")
    plugged(device="0036")
    plugged("20261122-090000-bbbbbb", device="0031", state=Stay.REMOVED, removed_at=BEGIN)
    plugged("20261122-090000-cccccc", device="0099", state=Stay.HELD)
    found = {
        one["number"]: one["where"] for one in dock.run("devices", "list", "--json").json["devices"]
    }
    assert {number: where["state"] for number, where in found.items()} == {
        "0031": "in-store",
        "0032": "issued",
        "0033": "in-repair",
        "0034": "retired",
        "0035": "lost",
        "0036": "docked",
        "0099": "docked",
    }
    assert found["0032"]["officer"] == {"cert_no": "000001", "name": "王芳"}
    assert found["0032"]["since"] == found["0032"]["issued_at"]
    assert found["0036"]["docked"][0]["port"] == "1-2"
    assert (found["0036"]["ledger"], found["0099"]["ledger"]) == ("in-store", None)
    printed = dock.run("devices", "list").out
    for words in ("issued to 王芳", "in repair", "lens broken", "docked on 1-2", "in store"):
        assert words in printed


@pytest.mark.parametrize("state", [Stay.REMOVED, Stay.REMOVED_EARLY, Stay.INTERRUPTED])
def test_a_device_whose_stay_has_ended_is_not_docked(
    state: Stay, dock: Dock, plugged: Callable[..., Docking]
) -> None:
    registered(dock, "0031")
    plugged(state=state)
    assert shown(dock)["where"]["state"] == "in-store"


def test_an_issued_device_that_is_docked_still_has_its_holder(
    dock: Dock, plugged: Callable[..., Docking]
) -> None:
    registered(dock, "0031")
    dock.run("devices", "issue", "0031", "--officer", "000001")
    plugged(started_at=BEGIN + timedelta(hours=8))
    where = shown(dock)["where"]
    assert (where["state"], where["ledger"]) == ("docked", "issued")
    assert where["officer"]["cert_no"] == "000001"


def test_a_device_that_nobody_knows_is_named(dock: Dock) -> None:
    done = dock.run("devices", "show", "0099")
    assert done.code == 2
    assert "0099" in done.err
