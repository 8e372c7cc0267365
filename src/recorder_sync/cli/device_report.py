"""How a device stands, in words."""

from datetime import datetime, tzinfo

from recorder_sync.custodian.standing import Standing
from recorder_sync.device_json import Names, since_of
from recorder_sync.language import T, tr
from recorder_sync.rules.readiness import Reason, Verdict
from recorder_sync.rules.whereabouts import State


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
    since = since_of(standing.device, where)
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
