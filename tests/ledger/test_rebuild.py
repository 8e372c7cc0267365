"""The ledger is in the custody log whole: a catalogue made anew has the same (DESIGN, 5)."""

import sqlite3
from typing import Any

from recorder_sync.custody.log import Act
from tests.conftest import Dock

TABLES = ("devices", "device_file_systems", "device_events", "officers", "cases")


def everything(dock: Dock) -> dict[str, list[dict[str, Any]]]:
    db = sqlite3.connect(dock.state / "catalogue.db")
    db.row_factory = sqlite3.Row
    try:
        return {
            table: sorted(
                ({**row, "key": None} for row in map(dict, db.execute(f"select * from {table}"))),
                key=repr,
            )
            for table in TABLES
        }
    finally:
        db.close()


def rebuilt(dock: Dock) -> dict[str, list[dict[str, Any]]]:
    done = dock.run("catalogue", "rebuild")
    assert done.code == 0, done.err
    return everything(dock)


def test_a_rebuilt_ledger_is_the_same_row_by_row(dock: Dock) -> None:
    for arguments in (
        ("devices", "add", "0031", "--custodian", "老王", "--feature", "GPS", "--feature", "夜视"),
        ("devices", "add", "0031", "--usb", "0781:5581:A:B", "--fs-uuid", "2", "--fs-uuid", "1"),
        ("devices", "add", "0032", "--officer", "000002"),
        ("devices", "issue", "0031", "--officer", "000001", "--override", "no time"),
        ("devices", "fault", "0031", "--what", "lens broken"),
        ("devices", "return", "0031"),
        ("devices", "repair", "0031", "--what", "lens replaced"),
        ("devices", "lost", "0032", "--reason", "river"),
        ("devices", "found", "0032"),
        ("devices", "retire", "0032", "--reason", "wet"),
        ("officers", "add", "000001", "--name", "王芳"),
        ("cases", "add", "2026-7", "--party", "李明"),
        ("cases", "close", "2026-7", "--on", "2026-01-05"),
    ):
        done = dock.run(*arguments)
        assert done.code == 0, done.err
    before = everything(dock)
    assert all(before.values()), "the example has rows of every kind"
    assert len(before["device_events"]) == 7
    assert rebuilt(dock) == before


def test_entries_from_before_the_new_facts_still_replay(dock: Dock) -> None:
    station = dock.station()
    facts = {"kind": "body camera", "maker": None, "model": None, "officer": "000001"}
    station.custody.append(
        [
            station.deed(Act.LEDGER, "device:0031", facts),
            station.deed(Act.LEDGER, "officer:000001", {"name": "王芳", "unit": None}),
            station.deed(Act.LEDGER, "case:2026-7", {"party": "李明", "cause": None}),
        ]
    )
    station.catalogue.close()
    rebuilt(dock)
    (device,) = dock.run("devices", "list", "--json").json["devices"]
    assert (device["kind"], device["officer"]) == ("body camera", "000001")
    assert (device["custodian"], device["features"], device["usb"]) == (None, [], None)
    (case,) = dock.run("cases", "list", "--json").json["cases"]
    assert (case["party"], case["closed_on"]) == ("李明", None)
