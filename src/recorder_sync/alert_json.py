"""An alert as JSON that other programs rely on."""

from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.device_json import Names, officer_json
from recorder_sync.timestamps import iso, iso_or_none


def alert_json(one: RecordedAlert, names: Names) -> dict[str, object]:
    """Return an alert as other programs rely on it."""
    return {
        "number": one.number,
        "kind": one.kind.value,
        "state": one.state.value,
        "severity": one.severity.value,
        "since": iso(one.since),
        "due": iso_or_none(one.due),
        "text": one.text.english,
        "hint": one.hint.english,
        "device": one.device,
        "docking": one.docking,
        "recording": one.recording,
        "officer": officer_json(one.officer, names),
        "case": one.case,
        "count": one.count,
        "items": [
            {"name": i.name, "since": iso_or_none(i.since), "until": iso_or_none(i.until)}
            for i in one.items
        ],
        "raised_at": iso(one.raised_at),
        "updated_at": iso_or_none(one.updated_at),
        "acknowledged_at": iso_or_none(one.acknowledged_at),
        "acknowledged_by": one.acknowledged_by,
        "resolved_at": iso_or_none(one.resolved_at),
        "resolved_by": one.resolved_by.value if one.resolved_by else None,
        "resolver": one.resolver,
        "note": one.note,
        "cause_gone": one.cause_gone,
        "times_worse": one.times_worse,
    }
