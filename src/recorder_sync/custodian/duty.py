"""Puts the duty calendar on record, and why something of it was not recorded (Art. 16, 17)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from recorder_sync.catalogue import calendar
from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind, facts_of
from recorder_sync.custodian.deferring import is_far, refuse_unknown
from recorder_sync.custody.log import Act, Deed
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T, Text
from recorder_sync.on_record import enter, turn
from recorder_sync.rules.coverage import NoRecordingReason
from recorder_sync.station import Station

_LONGEST_ID = 64
"""Characters. A longer one is a slip of columns, and nothing can be taken back from the list."""
_LONGEST = timedelta(days=31)
"""A shift until the year 9999 would hide for good that its device was not docked."""


def problems_of(station: Station, entry: CalendarEntry) -> list[Text]:
    """Return why a line cannot be entered; nothing where it can."""
    return [
        *problems_of_id(entry.id),
        *problems_of_times(entry.begins, entry.ends, station.now()),
        *problems_of_people(station, entry.kind, entry.device, entry.officer),
    ]


def problems_of_id(identifier: str) -> list[Text]:
    problems = []
    if len(identifier) > _LONGEST_ID:
        problems.append(T("The id is longer than {most} characters.", most=_LONGEST_ID))
    if not identifier.isprintable():
        problems.append(T("The id has characters that cannot be shown."))
    if identifier.startswith("-"):
        problems.append(T("The id begins with a dash, as the options of a command do."))
    return problems


def problems_of_times(begins: datetime, ends: datetime, now: datetime) -> list[Text]:
    problems = []
    if ends <= begins:
        problems.append(T("It ends before it begins."))
    if ends - begins > _LONGEST:
        problems.append(T("It lasts longer than {days} days.", days=_LONGEST.days))
    if is_far(begins, now) or is_far(ends, now):
        problems.append(T("A time is more than ten years away."))
    return problems


def problems_of_people(
    station: Station, kind: CalendarKind | None, device: str | None, officer: str | None
) -> list[Text]:
    """Return what is wrong with who carries what; `kind` may not be known."""
    problems = []
    if kind is CalendarKind.SHIFT and officer is None:
        problems.append(T("A shift names its officer."))
    elif officer is None and device is None:
        problems.append(T("It names neither an officer nor a device."))
    for number, cert_no in ((None, officer), (device, None)):
        try:
            refuse_unknown(station, number, cert_no)
        except NotFound as problem:
            problems.append(problem.text)
    return problems


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
