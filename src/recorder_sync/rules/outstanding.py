"""Which recordings are not stored yet, and is the limit near or past? (Art. 21)

A recording is outstanding from the moment the station has seen its name until it is sealed:
the docking was interrupted, the copy failed, the device is held, the file is damaged, or a
store has not confirmed it. The limit runs from the recording's end or, where the file tells
none, from its modification time. Both are a device's word, and a device may lie about the
future: the limit never runs from later than when the station first saw the file.

All that is outstanding of one device is one matter, however many files it is.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from recorder_sync.language import T, Text
from recorder_sync.model import UNASSIGNED, AlertKind, RecordedTime, TimeSource
from recorder_sync.rules.deadline import Deadline, Deferral, deadline_for
from recorder_sync.rules.matter import Item, Matter, Severity, begun, key_of, only, severity_by
from recorder_sync.rules.watch_limits import USUAL, WatchLimits


class Why(StrEnum):
    """What keeps a recording out; the first of several is what a person does first."""

    HELD = "held"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    DAMAGED = "damaged"
    QUEUED = "queued"
    """Sealed here, and not confirmed by a store that has to confirm it."""


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A recording that is not stored yet."""

    name: str
    """Its path on the card, in a form to show."""
    why: Why
    seen_at: datetime
    """When the station listed it, by the station's clock."""
    mtime: datetime
    docking: str | None = None
    """The one that listed it."""
    device: str | None = None
    officer: str | None = None
    case: str | None = None
    ended_at: datetime | None = None
    """None: the file does not tell, or was never read."""
    store: str | None = None
    """The store that has to confirm it, where that is what is missing."""
    underway: bool = False
    """Whether the docking that listed it is just taking it in."""


def outstanding_deadline(
    one: Outstanding, deferrals: Iterable[Deferral], limits: WatchLimits
) -> Deadline:
    """Return when an outstanding recording must be stored by."""
    ended = min(one.ended_at or one.mtime, one.seen_at)
    recorded = RecordedTime(ended, ended, TimeSource.MTIME, {})
    return deadline_for(
        recorded,
        limits.stored_within,
        deferrals,
        device=one.device,
        officer=one.officer,
        back_dated_by=limits.back_dated_by,
    )


def outstanding_recordings(
    facts: Iterable[Outstanding],
    deferrals: Sequence[Deferral],
    now: datetime,
    limits: WatchLimits = USUAL,
) -> Iterator[Matter]:
    """Yield a matter for each device (or unknown card, or store) near or past a limit.

    A file that several dockings listed counts once. The list has every outstanding
    recording of the device, also those whose own limit is not near yet; but what a docking
    is just taking in, and nothing listed before, only once its own limit is near.
    Otherwise each docking would make an old matter worse until it is through.
    """
    for about, found in groupby(sorted(facts, key=_sorting), key=_about):
        files = [(one, outstanding_deadline(one, deferrals, limits).due) for one in _files(found)]
        due = {
            id(one): limit
            for one, limit in files
            if not one.underway or severity_by(limit, limits.lead, now) is not None
        }
        if not due:
            continue
        group = [one for one, _ in files if id(one) in due]
        earliest = min(due.values())
        severity = severity_by(earliest, limits.lead, now)
        if severity is None:
            continue
        items = sorted(
            (Item(_name(one), one.ended_at or one.mtime, due[id(one)]) for one in group),
            key=lambda item: (item.until or earliest, item.name, item.since or earliest),
        )
        yield Matter(
            kind=AlertKind.OUTSTANDING,
            key=key_of(AlertKind.OUTSTANDING, *about),
            severity=severity,
            since=begun(earliest, limits.lead, severity),
            text=_text(group, severity),
            hint=_HINTS[min((one.why for one in group), key=list(Why).index)],
            due=earliest,
            device=only(one.device for one in group),
            docking=only(one.docking for one in group),
            officer=only(one.officer for one in group),
            case=only(one.case for one in group),
            count=len(items),
            items=tuple(items),
        )


def _about(one: Outstanding) -> tuple[str, str]:
    if one.store is not None:
        return "store", one.store
    return ("docking", one.docking or UNASSIGNED) if one.device is None else ("device", one.device)


def _sorting(one: Outstanding) -> tuple[object, ...]:
    at = one.seen_at, one.docking or ""
    return (*_about(one), *_file(one), *at, one.why, one.officer or "", one.case or "")


def _file(one: Outstanding) -> tuple[str, str, datetime]:
    return one.device or one.docking or UNASSIGNED, one.name, one.mtime


def _files(sorted_facts: Iterable[Outstanding]) -> Iterator[Outstanding]:
    """Yield each file once: as its newest docking listed it, with the earliest times."""
    for _, listings in groupby(sorted_facts, key=_file):
        same = list(listings)
        ended = min((one.ended_at for one in same if one.ended_at), default=None)
        yield replace(
            same[-1],
            seen_at=same[0].seen_at,
            ended_at=ended,
            underway=all(one.underway for one in same),
        )


def _name(one: Outstanding) -> str:
    # Cameras of one maker name their files alike.
    return (
        one.name if one.store is None else f"{one.device or one.docking or UNASSIGNED}/{one.name}"
    )


def _text(group: Sequence[Outstanding], severity: Severity) -> Text:
    values: dict[str, object] = {"count": len(group)}
    is_late = severity is Severity.BREACH
    first = group[0]
    if first.store is not None:
        values["store"] = first.store
        return (
            T("{count} recording(s) are not in store {store}, and the limit has passed.", **values)
            if is_late
            else T("{count} recording(s) are not in store {store}; the limit is near.", **values)
        )
    if first.device is None:
        values["docking"] = first.docking or UNASSIGNED
        return (
            T(
                "{count} recording(s) of docking {docking} are not stored, and the limit has"
                " passed.",
                **values,
            )
            if is_late
            else T(
                "{count} recording(s) of docking {docking} are not stored; the limit is near.",
                **values,
            )
        )
    values["device"] = first.device
    return (
        T(
            "{count} recording(s) of device {device} are not stored, and the limit has passed.",
            **values,
        )
        if is_late
        else T(
            "{count} recording(s) of device {device} are not stored; the limit is near.", **values
        )
    )


_HINTS = {
    Why.HELD: T("Register the device, or plug it in again: it is taken in by itself then."),
    Why.INTERRUPTED: T("Plug the device in again, on any port: it goes on where it stopped."),
    Why.FAILED: T("Plug the device in again. If it fails again: recorder-sync dockings show ID"),
    Why.DAMAGED: T("Plug the device in again, and keep the card: what can be read is kept."),
    Why.QUEUED: T("Check the store: recorder-sync stores check"),
}
