"""Puts deferrals on record: added, approved, and the real return (Art. 21).

A deferral cannot be taken back, and none can be entered for the past without showing it:
when each was entered is the station's clock, not what the person says.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from recorder_sync.catalogue import deferrals, ledger
from recorder_sync.catalogue.deferrals import RecordedDeferral, facts_of
from recorder_sync.custody.log import Act
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T, Text
from recorder_sync.on_record import enter, turn
from recorder_sync.rules.deadline import Deferral, DeferralReason, after
from recorder_sync.rules.watch_limits import WatchLimits
from recorder_sync.station import Station

_FAR = timedelta(days=3653)
_LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for. Times in UTC."""

    reason: DeferralReason
    begins: datetime
    expected: datetime
    """The return as it is planned."""
    device: str | None = None
    officer: str | None = None
    approver: str | None = None
    approved_at: datetime | None = None
    """None: now, where somebody approved it."""
    note: str | None = None


def add(station: Station, wanted: Wanted, who: str) -> RecordedDeferral:
    """Put a deferral on record. One that says the same and is not over is not added again.

    Raises UsageProblem where it makes no sense, NotFound for a device or an officer that
    nobody knows.
    """
    _check(wanted)
    with turn(station):
        db, now = station.catalogue, station.now()
        _refuse_far(wanted, now)
        refuse_unknown(station, wanted.device, wanted.officer)
        _refuse_future(station, wanted.approved_at, now)
        for known in deferrals.recorded(db):
            if _says(known, wanted):
                return known
        approved_at = (wanted.approved_at or now) if wanted.approver else None
        added = RecordedDeferral(
            Deferral(
                id=_new_id(station, now),
                reason=wanted.reason,
                begins=wanted.begins,
                entered_at=now,
                device=wanted.device,
                officer=wanted.officer,
                approver=wanted.approver,
                approved_at=approved_at,
                expected=wanted.expected,
            ),
            wanted.note,
            who,
        )
        _enter(station, "added", added, who)
        return added


def approve(
    station: Station, identifier: str, approver: str, at: datetime | None, who: str
) -> RecordedDeferral:
    """Put on record who approved a deferral, and when; None: now.

    Nobody approves what they asked for themselves. Raises NotFound, or UsageProblem where it
    is so, where it is approved already, or where the time is to come.
    """
    asked_by = deferrals.deferral(station.catalogue, identifier).entered_by
    if approver.strip().casefold() in {asked_by.casefold(), asked_by.partition(":")[2].casefold()}:
        raise UsageProblem(
            T("{who} asked for deferral {id}, and cannot approve it.", who=approver, id=identifier),
            T("Somebody else approves it: the team leader, or who stands in."),
        )

    def approved(known: Deferral, now: datetime) -> Deferral:
        _refuse_future(station, at, now)
        if known.is_approved:
            raise UsageProblem(
                T("Deferral {id} is approved already.", id=identifier),
                T("recorder-sync deferrals list shows by whom and when."),
            )
        return replace(known, approver=approver, approved_at=at or now)

    return _change(station, identifier, "approved", approved, who)


def standing(one: Deferral, limits: WatchLimits) -> Text:
    """Say how a deferral stands."""
    if not one.is_approved:
        return T("waits for approval")
    if is_back_dated(one, limits):
        return T("approved, put on record after the fact")
    return T("approved") if one.returned_at is None else T("approved, returned")


def is_back_dated(one: Deferral, limits: WatchLimits) -> bool:
    """Tell whether it came too late to be believed unseen, for the earliest that it covers."""
    return one.is_back_dated(after(one.begins, limits.stored_within), limits.back_dated_by)


def enter_return(
    station: Station, identifier: str, at: datetime | None, who: str
) -> RecordedDeferral:
    """Put the real return on record; None: now. From it the hours run.

    Raises NotFound, or UsageProblem where it is on record already or makes no sense.
    """

    def returned(known: Deferral, now: datetime) -> Deferral:
        _refuse_future(station, at, now)
        if known.returned_at is not None:
            raise UsageProblem(
                T("The return of deferral {id} is on record already.", id=identifier),
                T("recorder-sync deferrals list shows it."),
            )
        if (at or now) < known.begins:
            raise UsageProblem(
                T("The return would be before the deferral begins."), T("Check the time.")
            )
        return replace(known, returned_at=at or now)

    return _change(station, identifier, "returned", returned, who)


def refuse_unknown(station: Station, device: str | None, officer: str | None) -> None:
    """Raise NotFound for a device or an officer that nobody registered or saw.

    A slip of the pen would silently move nothing.
    """
    if device is not None and ledger.device(station.catalogue, device) is None:
        raise NotFound(
            T("There is no device {number}.", number=device),
            T("recorder-sync devices list shows them."),
        )
    if officer is not None and ledger.officer(station.catalogue, officer) is None:
        raise NotFound(
            T("There is no officer {number}.", number=officer),
            T("recorder-sync officers list shows them."),
        )


def _check(wanted: Wanted) -> None:
    if wanted.device is None and wanted.officer is None:
        raise UsageProblem(
            T("A deferral is for a device, an officer or both."),
            T("Give --device, --officer or both."),
        )
    if wanted.expected <= wanted.begins:
        raise UsageProblem(
            T("The return would be before the deferral begins."), T("Check the time.")
        )
    if wanted.expected - wanted.begins > _LONGEST:
        raise UsageProblem(
            T("The return would be more than a year after the deferral begins."),
            T("Check the years."),
        )
    if wanted.approved_at is not None and wanted.approver is None:
        raise UsageProblem(T("Nobody is named who approved it."), T("Give --approver."))


def is_far(moment: datetime, now: datetime) -> bool:
    """Tell whether a time is more than ten years away: a slip, which could not be taken back."""
    return abs(moment - now) > _FAR


def _refuse_far(wanted: Wanted, now: datetime) -> None:
    if is_far(wanted.begins, now) or is_far(wanted.expected, now):
        raise UsageProblem(
            T("A time is more than ten years away."),
            T("Check the years, and the clock of the station."),
        )


def _refuse_future(station: Station, at: datetime | None, now: datetime) -> None:
    if at is not None and at > now:
        shown = f"{at.astimezone(station.settings.station.zone):%Y-%m-%d %H:%M}"
        raise UsageProblem(
            T("{time} is still to come.", time=shown), T("Give a time that is past, or none.")
        )


def _says(known: RecordedDeferral, wanted: Wanted) -> bool:
    deferral = known.deferral
    return deferral.returned_at is None and (
        *(deferral.reason, deferral.begins, deferral.expected),
        *(deferral.device, deferral.officer),
    ) == (wanted.reason, wanted.begins, wanted.expected, wanted.device, wanted.officer)


def _new_id(station: Station, now: datetime) -> str:
    """Return the local date and a number: short enough to be typed."""
    day = f"{now.astimezone(station.settings.station.zone):%Y%m%d}"
    taken = {one.id for one in deferrals.deferrals(station.catalogue)}
    number = 1
    while f"{day}-{number}" in taken:
        number += 1
    return f"{day}-{number}"


def _change(
    station: Station,
    identifier: str,
    what: str,
    change: Callable[[Deferral, datetime], Deferral],
    who: str,
) -> RecordedDeferral:
    with turn(station):
        known = deferrals.deferral(station.catalogue, identifier)
        changed = replace(known, deferral=change(known.deferral, station.now()))
        _enter(station, what, changed, who)
        return changed


def _enter(station: Station, what: str, one: RecordedDeferral, who: str) -> None:
    facts = {"what": what, "who": who, **facts_of(one)}
    enter(station, [station.deed(Act.DEFERRAL, one.deferral.id, facts)])
