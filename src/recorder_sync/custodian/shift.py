"""What an officer adds, at the dock, to the recordings of the shift that was just taken in.

The officer sees the clips of one docking that are theirs, and of those only what no secrecy
class keeps from them; says which case they belong to, that one is important, that the person
was told of the recorder (Art. 23), and why the recording was interrupted (Art. 20). It goes on
record as what that officer said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from recorder_sync.catalogue import calendar, dockings, ledger, marks, recordings
from recorder_sync.catalogue.calendar import CalendarKind
from recorder_sync.catalogue.cases import seen_case
from recorder_sync.catalogue.cases_of import open_cases, recent_cases
from recorder_sync.catalogue.seen_by import visible_of
from recorder_sync.custodian.interruptions import Interruption, interruptions
from recorder_sync.custodian.marking import mark
from recorder_sync.custodian.standing import standing_of
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.inspection.correction import Correction, correct
from recorder_sync.language import T
from recorder_sync.model import Case, ItemOutcome, Officer, Recording
from recorder_sync.rules.access import Reach, Scope
from recorder_sync.rules.marks import Change, Markable, Marks
from recorder_sync.rules.stage import Stage
from recorder_sync.rules.whereabouts import State
from recorder_sync.station import Station

_SHIFT = timedelta(hours=24)
"""What was sealed at an earlier docking is of this shift when it began so lately."""
_MOST_CLIPS = 120
_MOST_LOOKED_AT = 1000
"""Files of a card that are looked at, the last of its list."""
_AROUND = timedelta(hours=1)
"""Of a calendar entry: officers set out early and come back late."""
_MOST_CASES = 8
_MOST_FOUND = 12


class Why(StrEnum):
    """The reason of what is corrected or taken back at a tile, where nobody types one."""

    CHOSEN = "chosen at the dock"
    TAKEN_BACK = "taken back at the dock"


@dataclass(frozen=True, slots=True)
class ShiftClip:
    recording: Recording
    marks: Marks


@dataclass(frozen=True, slots=True)
class SuggestedCase:
    case: Case
    begins: datetime | None = None
    """Of the calendar entry that suggests it; None: an open case of the officer."""
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    docking: str
    device: str | None
    officer: Officer
    clips: tuple[ShiftClip, ...]
    cases: tuple[SuggestedCase, ...]
    gaps: tuple[Interruption, ...]
    """Interruptions that nobody explained yet."""

    def clip(self, recording: str) -> ShiftClip:
        """Return one clip. Raises NotFound for one that is not of this shift."""
        for one in self.clips:
            if one.recording.id == recording:
                return one
        raise NotFound(T("There is no recording {id} of this shift.", id=recording), T("Go back."))


def shift_of(station: Station, docking: str, officer: str) -> Shift:
    """Return what an officer may add to. Raises NotFound for an unknown docking or officer."""
    db = station.catalogue
    person = ledger.officer(db, officer)
    if person is None:
        raise NotFound(T("There is no officer {number}.", number=officer), T("Ask the custodian."))
    found = dockings.docking(db, docking)
    device = found.identity.device
    clips = _clips(station, found.id, device, officer)
    return Shift(
        found.id, device, person, tuple(clips), _cases(station, clips, officer),
        _gaps(station, clips),
    )  # fmt: skip


def _clips(station: Station, docking: str, device: str | None, officer: str) -> list[ShiftClip]:
    db, since = station.catalogue, station.now() - _SHIFT
    fresh = {
        one.recording: one.outcome is ItemOutcome.SEALED
        for one in dockings.inventory_of(db, docking)
        if one.recording and one.outcome in (ItemOutcome.SEALED, ItemOutcome.ALREADY_SEALED)
    }
    ids = list(fresh)[-_MOST_LOOKED_AT:]
    own = visible_of(db, ids, Scope(Reach.OWN, officer=officer))
    open_to_all = visible_of(db, ids, Scope(Reach.ALL)) if _holds(station, device, officer) else []
    shown = []
    for identifier in dict.fromkeys((*own, *open_to_all)):
        one = recordings.recording(db, identifier).recording
        is_lately = fresh[identifier] or one.recorded.start > since
        if is_lately and (identifier in own or one.tags.officer is None):
            shown.append(one)
    newest = sorted(shown, key=lambda one: one.recorded.start)[-_MOST_CLIPS:]
    known = marks.marks_of(db, [one.id for one in newest])
    return [ShiftClip(one, known[one.id]) for one in newest]


def _holds(station: Station, device: str | None, officer: str) -> bool:
    if device is None:
        return False
    try:
        where = standing_of(station.catalogue, device).where
    except NotFound:
        return False
    return where.place is State.ISSUED and where.officer == officer


def _cases(station: Station, clips: Sequence[ShiftClip], officer: str) -> tuple[SuggestedCase, ...]:
    """Return the cases of the calendar in that time, then the officer's open ones."""
    if not clips:
        return ()
    db, begins = station.catalogue, clips[0].recording.recorded.start - _AROUND
    ends = max(one.recording.recorded.end or one.recording.recorded.start for one in clips)
    found: dict[str, SuggestedCase] = {}
    for entry in calendar.entries(db, begins, CalendarKind.ENFORCEMENT):
        if entry.case and entry.officer == officer and entry.begins <= ends + _AROUND:
            case = ledger.case(db, entry.case) or Case(entry.case)
            found.setdefault(case.number, SuggestedCase(case, entry.begins, entry.ends))
    for number in recent_cases(db, officer):
        case = ledger.case(db, number) or Case(number)
        if case.closed_on is None:
            found.setdefault(number, SuggestedCase(case))
    return tuple(found.values())[:_MOST_CASES]


def _gaps(station: Station, clips: Sequence[ShiftClip]) -> tuple[Interruption, ...]:
    ids = {one.recording.id for one in clips}
    devices = {one.recording.device for one in clips if one.recording.tags.device}
    if not clips:
        return ()
    since = clips[0].recording.recorded.start - _SHIFT
    return tuple(
        one
        for device in sorted(devices)
        for one in interruptions(station, device, since)
        if not one.is_explained and one.gap.after in ids
    )


def choose_case(station: Station, shift: Shift, chosen: Sequence[str], case: str) -> int:
    """Put on record which case clips of the shift belong to; return how many were changed.

    Raises NotFound for a clip that is not of the shift, UsageProblem for a case that is neither
    suggested nor one of the unit's open ones, and where no clip is chosen.
    """
    if case not in {one.case.number for one in shift.cases} and not _is_open(station, shift, case):
        raise UsageProblem(
            T("There is no open case {number} of your unit.", number=case),
            T("Ask the custodian to enter it."),
        )
    clips = _chosen(shift, chosen)
    changed = 0
    for one in clips:
        tag = one.recording.tags.case
        if tag is None or tag.value != case:
            correct(
                station, one.recording,
                Correction(by=_named(shift), reason=Why.CHOSEN.value, case=case),
            )  # fmt: skip
            changed += 1
    return changed


def find_cases(station: Station, shift: Shift, typed: str) -> list[Case]:
    """Return the open cases of the officer's unit that may be meant, the newest first.

    One that has no recordings yet is anybody's; without a unit it is the officer's own cases.
    """
    return open_cases(station.catalogue, typed, _reach(shift), _MOST_FOUND)


def _is_open(station: Station, shift: Shift, case: str) -> bool:
    try:
        found = seen_case(station.catalogue, case, _reach(shift)).case
    except NotFound:
        return False
    return found.closed_on is None


def _reach(shift: Shift) -> Scope:
    if shift.officer.unit:
        return Scope(Reach.UNIT, unit=shift.officer.unit)
    return Scope(Reach.OWN, officer=shift.officer.cert_no)


def mark_shown(
    station: Station, shift: Shift, chosen: Sequence[str], stage: Stage | None, item: str | None
) -> None:
    """Put on record what clips show: an item (Art. 6 to 9), a stage alone, or none of them.

    Raises as `choose_case`, and UsageProblem for an item that is none.
    """
    if item is not None or stage is not None:
        change, reason = Change(stage=stage, item=item), Why.CHOSEN.value
    else:
        change, reason = Change(cleared=frozenset({Markable.STAGE})), Why.TAKEN_BACK.value
    for one in _chosen(shift, chosen):
        mark(station, one.recording.id, change, _named(shift), reason)


def mark_important(
    station: Station, shift: Shift, chosen: Sequence[str], *, important: bool
) -> None:
    """Put on record that clips of the shift are important, or are not. Raises as `choose_case`."""
    reason = None if important else Why.TAKEN_BACK.value
    for one in _chosen(shift, chosen):
        mark(station, one.recording.id, Change(important=important), _named(shift), reason)


def confirm_notified(station: Station, shift: Shift, chosen: Sequence[str]) -> None:
    """Put on record that the person was told of the recorder (Art. 23). Raises as above."""
    for one in _chosen(shift, chosen):
        if one.marks.notified is None:
            mark(station, one.recording.id, Change(notified=True), _named(shift))


def _chosen(shift: Shift, chosen: Sequence[str]) -> list[ShiftClip]:
    if not chosen:
        raise UsageProblem(T("No clip is chosen."), T("Touch the clips that it is about."))
    return [shift.clip(one) for one in dict.fromkeys(chosen)]


def _named(shift: Shift) -> str:
    """Return the officer as others know them."""
    person = shift.officer
    return f"{person.name} {person.cert_no}" if person.name else person.cert_no
