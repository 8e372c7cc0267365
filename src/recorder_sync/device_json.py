"""How a device stands, as JSON that other programs rely on."""

from collections.abc import Mapping
from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.dockings import Docking
from recorder_sync.custodian.standing import Standing
from recorder_sync.model import Device
from recorder_sync.rules.readiness import Verdict
from recorder_sync.rules.whereabouts import State, Whereabouts
from recorder_sync.timestamps import iso, iso_or_none

DOCKED = "docked"
"""Where a device is that is plugged in just now, whatever the ledger says of it."""

Names = Mapping[str, str | None]
"""Officers' names by certificate number."""


def officer_names(db: Database) -> Names:
    return {officer.cert_no: officer.name for officer in ledger.officers(db)}


def device_json(standing: Standing, names: Names) -> dict[str, object]:
    """Return a device of the ledger as other programs rely on it."""
    device = standing.device
    return {
        "number": device.number,
        "kind": device.kind,
        "maker": device.maker,
        "model": device.model,
        "officer": device.officer,
        "registered_at": iso_or_none(device.registered_at),
        "custodian": device.custodian,
        "features": list(device.features),
        "usb": str(device.usb) if device.usb else None,
        "fs_uuids": list(device.fs_uuids),
        "where": _where_json(standing, names),
    }


def _where_json(standing: Standing, names: Names) -> dict[str, object]:
    where, docked = standing.where, standing.docked
    by_ledger = where.state if standing.device.registered_at else None
    since = docked[0].started_at if docked else since_of(standing.device, where)
    return {
        "state": DOCKED if docked else by_ledger.value if by_ledger else None,
        "since": iso_or_none(since),
        "ledger": by_ledger.value if by_ledger else None,
        "officer": officer_json(where.officer, names),
        "issued_at": iso_or_none(where.since) if where.state is State.ISSUED else None,
        "docked": [_stay_json(docking) for docking in docked],
        "open_faults": [
            {"what": fault.what, "since": iso(fault.since)} for fault in where.open_faults
        ],
    }


def officer_json(cert_no: str | None, names: Names) -> dict[str, object] | None:
    return {"cert_no": cert_no, "name": names.get(cert_no)} if cert_no else None


def _stay_json(docking: Docking) -> dict[str, object]:
    return {
        "docking": docking.id,
        "port": docking.port,
        "since": iso(docking.started_at),
        "state": docking.state.value if docking.state else None,
    }


def since_of(device: Device, where: Whereabouts) -> datetime | None:
    """Return since when a device is where it is, or since it was registered."""
    return where.state_since or device.registered_at


def verdict_json(verdict: Verdict, measured: Docking | None) -> dict[str, object]:
    """Return what the readiness check says, and when its readings were taken."""
    return {
        "ready": verdict.is_ready,
        "reasons": [
            {
                "reason": finding.reason.value,
                "measured": finding.measured,
                "text": finding.text.english,
            }
            for finding in verdict.reasons
        ],
        "unknown": [reason.value for reason in verdict.unknown],
        "docking": measured.id if measured else None,
        "measured_at": iso(measured.started_at) if measured else None,
    }
