"""Puts the duty calendar on record, and why something of it was not recorded (Art. 16, 17)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from recorder_sync.catalogue import calendar
from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind, facts_of
from recorder_sync.custody.log import Act, Deed
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.on_record import enter, turn
from recorder_sync.rules.coverage import NoRecordingReason
from recorder_sync.station import Station


def enter_calendar(station: Station, wanted: Sequence[CalendarEntry], who: str) -> int:
    """Enter lines of the calendar, all or none; return how many were new or changed.

    A line of the same id is replaced; the reason that somebody gave for it stays. Raises
    MissingPart or CustodyProblem.
    """
    with turn(station):
        known = {one.id: one for one in calendar.entries(station.catalogue)}
        entered = [_with_reason(one, known.get(one.id)) for one in wanted]
        changed = [one for one in entered if one != known.get(one.id)]
        enter(station, _deeds(station, "entered", changed, who))
    return len(changed)


def explain(
    station: Station, identifier: str, reason: NoRecordingReason, note: str | None, who: str
) -> CalendarEntry:
    """Put on record why an enforcement was not recorded.

    Raises NotFound, or UsageProblem for a shift, or for `other` without a note.
    """
    if reason is NoRecordingReason.OTHER and not (note and note.strip()):
        raise UsageProblem(T("The note is empty."), T("Say why, after --note."))
    with turn(station):
        known = calendar.entry_of(station.catalogue, identifier)
        if known.kind is not CalendarKind.ENFORCEMENT:
            raise UsageProblem(
                T("{id} is a shift; only enforcement is explained.", id=identifier),
                T("recorder-sync calendar list shows them."),
            )
        explained = replace(
            known, reason=reason, reason_note=note.strip() if note else None, explained_by=who
        )
        if explained != known:
            enter(station, _deeds(station, "explained", [explained], who))
        return explained


def _with_reason(wanted: CalendarEntry, known: CalendarEntry | None) -> CalendarEntry:
    if known is None:
        return wanted
    return replace(
        wanted,
        reason=known.reason,
        reason_note=known.reason_note,
        explained_by=known.explained_by,
    )


def _deeds(station: Station, what: str, entries: Iterable[CalendarEntry], who: str) -> list[Deed]:
    return [
        station.deed(Act.CALENDAR, one.id, {"what": what, "who": who, **facts_of(one)})
        for one in entries
    ]
