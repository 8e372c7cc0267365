"""How a device stands, as JSON and as words."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from sqlite_utils.db import Database

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.dockings import Docking
from recorder_sync.custodian.standing import Standing
from recorder_sync.language import T, tr
from recorder_sync.model import Device
from recorder_sync.rules.readiness import Reason, Verdict
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
    since = docked[0].started_at if docked else _since(standing.device, where)
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


def _since(device: Device, where: Whereabouts) -> datetime | None:
    return where.state_since or device.registered_at


def where_words(standing: Standing, names: Names, zone: tzinfo) -> str:
    """Say where a device is, for a table."""
    where = standing.where
    words = [
        T(
            "docked on {port} since {since}",
            port=docking.port or "—",
            since=_short(docking.started_at, zone),
        ).shown
        for docking in standing.docked[:1]
    ]
    if standing.device.registered_at is None:
        return words[0] if words else tr("only seen")
    since = _since(standing.device, where)
    shown = _short(since, zone) if since else "—"
    match where.state:
        case State.ISSUED:
            officer = names.get(where.officer or "") or where.officer or "—"
            words.append(T("issued to {officer} since {since}", officer=officer, since=shown).shown)
        case State.RETIRED:
            words.append(T("retired since {since}", since=shown).shown)
        case State.LOST:
            words.append(T("lost since {since}", since=shown).shown)
        case State.IN_REPAIR:
            words.append(T("in repair since {since}", since=shown).shown)
        case State.IN_STORE if not standing.docked:
            words.append(tr("in store"))
    if where.open_faults:
        faults = tr("; ").join(tr(fault.what) for fault in where.open_faults)
        words.append(T("open fault: {what}", what=faults).shown)
    return tr("; ").join(words)


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


def verdict_words(verdict: Verdict) -> str:
    """Say whether a device may go out, such as "ready; unknown: battery"."""
    parts = [tr("ready") if verdict.is_ready else tr("not ready")]
    parts += [finding.text.shown.rstrip(".") for finding in verdict.reasons]
    if verdict.unknown:
        parts.append(unknown_words(verdict))
    return tr("; ").join(parts)


def unknown_words(verdict: Verdict) -> str:
    names = {
        Reason.BATTERY: tr("battery"),
        Reason.FREE_SPACE: tr("free space"),
        Reason.CLOCK: tr("clock"),
        Reason.UNSEALED: tr("unsealed recordings"),
    }
    listed = tr(", ").join(names[reason] for reason in verdict.unknown)
    return T("unknown: {what}", what=listed).shown


def _short(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
