"""An alert as JSON and as words: how it stands, and what to do."""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from shlex import quote

from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.custody.log import Entry
from recorder_sync.language import T, tr
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Item, about_of
from recorder_sync.rules.reconcile import AlertState, ResolvedBy
from recorder_sync.shown import local
from recorder_sync.time_left import left
from recorder_sync.timestamps import iso


def due_words(one: RecordedAlert, now: datetime) -> str | None:
    return None if one.due is None or one.is_resolved else left(one.due, now)


def who_words(one: RecordedAlert) -> str:
    """Say how it stands, and who is on it."""
    match one.state:
        case AlertState.OPEN:
            return tr("nobody yet")
        case AlertState.ACKNOWLEDGED:
            return T("acknowledged by {who}", who=one.acknowledged_by).shown
        case AlertState.RESOLVED if one.resolved_by is ResolvedBy.PERSON:
            return T("resolved by {who}", who=one.resolver).shown
    return tr("resolved by itself")


def item_rows(items: Iterable[Item], zone: tzinfo) -> Iterator[tuple[object, ...]]:
    for item in items:
        yield item.name, local(item.since, zone), local(item.until, zone)


def life_json(entry: Entry) -> dict[str, object]:
    facts = entry.deed.facts
    return {
        "time": iso(entry.deed.time),
        "act": entry.deed.act.value,
        "actor": entry.deed.actor,
        "who": facts.get("who"),
        "note": facts.get("note"),
        "by": facts.get("by"),
        "severity": facts.get("severity"),
        "count": facts.get("count"),
        "is_worse": facts.get("is_worse"),
        "custody_seq": entry.seq,
    }


def next_commands(one: RecordedAlert) -> list[str]:
    """Return the commands with which a person goes on, to be copied as they are."""
    if one.is_resolved:
        return []
    name, text = tr("NAME"), tr("TEXT")
    commands = [f"recorder-sync dockings show {one.docking}"] if one.docking else []
    commands += _of_kind(one)
    if one.state is AlertState.OPEN:
        commands.append(f"recorder-sync alerts ack {one.number} --by {name}")
    commands.append(f"recorder-sync alerts resolve {one.number} --by {name} --note {text}")
    return commands


def _of_kind(one: RecordedAlert) -> list[str]:
    reason, second, time, number = tr("REASON"), tr("SECOND"), tr("TIME"), tr("NUMBER")
    device = quote(one.device) if one.device else None
    match one.kind:
        case AlertKind.GAP:
            return [
                f"recorder-sync gaps explain {item.name} --second {second}"
                for item in one.shown_items
            ]
        case AlertKind.NO_RECORDING | AlertKind.COVERAGE_HOLE:
            entry = quote(about_of(one.key)[0])
            return [f"recorder-sync calendar explain {entry} --reason {reason}"]
        case AlertKind.OUTSTANDING | AlertKind.DEVICE_OVERDUE if device:
            times = f"--begins {time} --expected {time}"
            return [
                f"recorder-sync devices show {device}",
                f"recorder-sync deferrals add --device {device} --reason {reason} {times}",
            ]
        case AlertKind.BACK_DATED_DEFERRAL:
            return ["recorder-sync deferrals list"]
        case AlertKind.DEVICE_HELD:
            return [f"recorder-sync devices add {number}"]
    return [f"recorder-sync devices show {device}"] if device else []
