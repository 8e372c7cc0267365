"""The ledger's entries as the custody log holds them, and read back.

An entry is the whole of what is registered from then on. Entries from before a fact was
known leave it out: it was empty then.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from recorder_sync.custody.log import Entry
from recorder_sync.model import Case, Device, Officer, UsbIdentity
from recorder_sync.rules.access import Secrecy
from recorder_sync.rules.whereabouts import DeviceEvent, Happening


def device_facts(device: Device) -> dict[str, object]:
    return {
        "kind": device.kind,
        "maker": device.maker,
        "model": device.model,
        "officer": device.officer,
        "custodian": device.custodian,
        "features": list(device.features),
        "usb": str(device.usb) if device.usb else None,
        "fs_uuids": list(device.fs_uuids),
    }


def device_of(number: str, facts: Mapping[str, Any], at: datetime) -> Device:
    """Return the device that was registered with these facts at that time."""
    usb = facts.get("usb")
    return Device(
        number,
        facts.get("kind"),
        facts.get("maker"),
        facts.get("model"),
        facts.get("officer"),
        at,
        facts.get("custodian"),
        tuple(facts.get("features", ())),
        UsbIdentity.parse(usb) if usb else None,
        tuple(facts.get("fs_uuids", ())),
    )


def officer_facts(officer: Officer) -> dict[str, object]:
    return {"name": officer.name, "unit": officer.unit}


def case_facts(case: Case) -> dict[str, object]:
    return {
        "party": case.party,
        "cause": case.cause,
        "closed_on": case.closed_on.isoformat() if case.closed_on else None,
        "secrecy": case.secrecy.value,
    }


def case_of(number: str, facts: Mapping[str, Any]) -> Case:
    closed = facts.get("closed_on")
    return Case(
        number,
        facts.get("party"),
        facts.get("cause"),
        date.fromisoformat(closed) if closed else None,
        Secrecy(facts.get("secrecy", Secrecy.NONE)),
    )


def device_subject(number: str) -> str:
    return f"device:{number}"


def event_facts(
    what: Happening,
    officer: str | None = None,
    text: str | None = None,
    override: str | None = None,
    not_ready: tuple[str, ...] = (),
) -> dict[str, object]:
    return {
        "what": what.value,
        "officer": officer,
        "text": text,
        "override": override,
        "not_ready": list(not_ready),
    }


def event_of(entry: Entry) -> DeviceEvent:
    """Return what happened to a device by this entry of the custody log."""
    deed = entry.deed
    facts = deed.facts
    return DeviceEvent(
        device=deed.subject.partition(":")[2],
        time=deed.time,
        what=Happening(facts["what"]),
        actor=deed.actor,
        custody_seq=entry.seq,
        officer=facts["officer"],
        text=facts["text"],
        override=facts["override"],
        not_ready=tuple(facts["not_ready"]),
    )
