"""Devices, officers and cases: what is registered, and what was only seen on a card.

A number seen on a card gets a row without `registered_at`, so that recordings can name
it; only a custodian's command registers it.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.schema import table
from recorder_sync.catalogue.words import words
from recorder_sync.model import Case, Claim, Device, Officer, Source, UsbIdentity
from recorder_sync.rules.access import Secrecy
from recorder_sync.timestamps import iso_or_none, moment


def see_device(db: Database, number: str) -> None:
    db.execute("insert into devices (number) values (?) on conflict do nothing", [number])


def see_officer(db: Database, cert_no: str, name: str | None) -> None:
    """Note an officer; a name from a card fills an empty one and replaces none."""
    db.execute(
        "insert into officers (cert_no, name, name_words) values (?, ?, ?) on conflict (cert_no)"
        " do update set name = coalesce(name, excluded.name),"
        " name_words = coalesce(name_words, excluded.name_words)",
        [cert_no, name, words(name) if name else None],
    )


def see_case(db: Database, number: str) -> None:
    db.execute("insert into cases (number) values (?) on conflict do nothing", [number])


def register_device(db: Database, device: Device) -> None:
    """Enter a device in the ledger, or replace its entry."""
    if device.officer:
        see_officer(db, device.officer, None)
    table(db, "devices").upsert(
        {
            "number": device.number,
            "kind": device.kind,
            "maker": device.maker,
            "model": device.model,
            "officer": device.officer,
            "registered_at": iso_or_none(device.registered_at),
            "custodian": device.custodian,
            "features": (
                json.dumps(device.features, ensure_ascii=False) if device.features else None
            ),
            "usb": str(device.usb) if device.usb else None,
        }
    )
    db.execute("delete from device_file_systems where device = ?", [device.number])
    table(db, "device_file_systems").insert_all(
        {"device": device.number, "uuid": uuid} for uuid in dict.fromkeys(device.fs_uuids)
    )


def register_officer(db: Database, officer: Officer, registered_at: str) -> None:
    table(db, "officers").upsert(
        {
            "cert_no": officer.cert_no,
            "name": officer.name,
            "name_words": words(officer.name) if officer.name else None,
            "unit": officer.unit,
            "registered_at": registered_at,
        }
    )


def register_case(db: Database, case: Case, registered_at: str) -> None:
    see_case(db, case.number)
    db.execute(
        "update cases set party = ?, party_words = ?, cause = ?, cause_words = ?,"
        " closed_on = ?, secrecy = ?, registered_at = ? where number = ?",
        [
            case.party,
            words(case.party) if case.party else None,
            case.cause,
            words(case.cause) if case.cause else None,
            case.closed_on.isoformat() if case.closed_on else None,
            None if case.secrecy is Secrecy.NONE else case.secrecy.value,
            registered_at,
            case.number,
        ],
    )


def registered_devices(db: Database) -> dict[str, Device]:
    """Return the devices of the ledger by number."""
    return {d.number: d for d in devices(db) if d.registered_at is not None}


def devices(db: Database) -> Iterable[Device]:
    """Yield every device, registered or only seen, by number."""
    cards: dict[str, list[str]] = {}
    for number, uuid in db.execute("select device, uuid from device_file_systems order by uuid"):
        cards.setdefault(number, []).append(uuid)
    for row in db.query("select * from devices order by number"):
        yield _device(row, cards.get(row["number"], ()))


def device(db: Database, number: str) -> Device | None:
    cards = db.execute(
        "select uuid from device_file_systems where device = ? order by uuid", [number]
    )
    for row in db.query("select * from devices where number = ?", [number]):
        return _device(row, [uuid for (uuid,) in cards])
    return None


def _device(row: Mapping[str, Any], cards: Iterable[str]) -> Device:
    return Device(
        row["number"],
        row["kind"],
        row["maker"],
        row["model"],
        row["officer"],
        moment(row["registered_at"]) if row["registered_at"] else None,
        row["custodian"],
        tuple(json.loads(row["features"] or "[]")),
        UsbIdentity.parse(row["usb"]) if row["usb"] else None,
        tuple(cards),
    )


def owners_of_usb(db: Database, usb: UsbIdentity) -> list[str]:
    """Return the devices registered with this identity: none where it has no serial."""
    if usb.serial is None:
        return []
    rows = db.query("select number from devices where usb = ? order by number", [str(usb)])
    return [row["number"] for row in rows]


def owners_of_file_system(db: Database, fs_uuid: str) -> list[str]:
    """Return the devices that this file system is registered for."""
    rows = db.query(
        "select device from device_file_systems where uuid = ? collate nocase order by device",
        [fs_uuid],
    )
    return [row["device"] for row in rows]


def claims_of(db: Database, usb: UsbIdentity | None, fs_uuid: str | None) -> list[Claim]:
    """Return which device the ledger says this is, by its USB identity and its card."""
    by_usb = owners_of_usb(db, usb) if usb else []
    by_card = owners_of_file_system(db, fs_uuid) if fs_uuid else []
    return [
        *(Claim(number, Source.LEDGER, f"USB identity {usb}") for number in by_usb),
        *(Claim(number, Source.LEDGER, f"file system {fs_uuid}") for number in by_card),
    ]


def officers(db: Database) -> Iterable[Officer]:
    for row in table(db, "officers").rows_where(order_by="cert_no"):
        yield Officer(row["cert_no"], row["name"], row["unit"])


def officer(db: Database, cert_no: str) -> Officer | None:
    # Asked for every recording; sqlite-utils would look at the schema each time.
    select = "select cert_no, name, unit from officers where cert_no = ?"
    row = db.execute(select, [cert_no]).fetchone()
    return Officer(*row) if row else None


def cases(db: Database) -> Iterable[Case]:
    for row in table(db, "cases").rows_where(order_by="number"):
        yield case_of_row(row)


def cases_named(db: Database, numbers: Sequence[str]) -> list[Case]:
    """Return those of these cases that there are."""
    marks = ", ".join("?" for _ in numbers)
    rows = db.query(f"select * from cases where number in ({marks})", list(numbers))
    return [case_of_row(row) for row in rows]


def cases_after(
    db: Database, number: str | None, limit: int, cleared: Collection[Secrecy]
) -> list[Case]:
    """Return so many cases of these secrecy classes after this number, in their order."""
    marks = ", ".join("?" for _ in cleared)
    rows = db.query(
        f"select * from cases where number > ? and coalesce(secrecy, ?) in ({marks})"
        " order by number limit ?",
        [number or "", Secrecy.NONE.value, *(one.value for one in cleared), limit],
    )
    return [case_of_row(row) for row in rows]


def case(db: Database, number: str) -> Case | None:
    for row in table(db, "cases").rows_where("number = ?", [number]):
        return case_of_row(row)
    return None


def case_of_row(row: Mapping[str, Any]) -> Case:
    """Return the case of a row of `cases`."""
    closed, secrecy = row["closed_on"], row["secrecy"]
    return Case(
        row["number"],
        row["party"],
        row["cause"],
        date.fromisoformat(closed) if closed else None,
        Secrecy(secrecy) if secrecy else Secrecy.NONE,
    )
