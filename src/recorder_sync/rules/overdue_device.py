"""Which devices should have been docked by now? (Art. 21, 22)

A camera that never comes back produces no event, so the ledger drives this. The hours run
from the end of the holder's shift or, where no shift is known, from the issue; an approved
deferral moves them to the return. A device that is in store, in repair, lost or retired
is not overdue, as somebody knows where it is or that it is gone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.deadline import Deferral, after
from recorder_sync.rules.matter import Matter, Severity, begun, key_of, severity_by
from recorder_sync.rules.watch_limits import USUAL, WatchLimits
from recorder_sync.rules.whereabouts import State
from recorder_sync.timestamps import iso


@dataclass(frozen=True, slots=True)
class Shift:
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class OnPort:
    """The newest stay of a device on a port."""

    began: datetime
    ended: datetime | None
    """None: it is still there."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A device of the ledger."""

    device: str
    state: State
    registered_at: datetime
    issued_at: datetime | None = None
    officer: str | None = None
    """Certificate number of the holder."""
    shifts: tuple[Shift, ...] = ()
    """Of the holder."""
    stay: OnPort | None = None
    """None: it was never on a port."""


def overdue_devices(
    devices: Iterable[Watched],
    deferrals: Sequence[Deferral],
    now: datetime,
    limits: WatchLimits = USUAL,
) -> Iterator[Matter]:
    """Yield every issued device whose limit to be docked is near or past."""
    for one in devices:
        due = docking_due(one, deferrals, limits)
        severity = severity_by(due, limits.lead, now) if due else None
        if due is None or severity is None or one.issued_at is None:
            continue
        text = (
            T("Device {device} was not docked in time.", device=one.device)
            if severity is Severity.BREACH
            else T("Device {device} has to be docked soon.", device=one.device)
        )
        yield Matter(
            kind=AlertKind.DEVICE_OVERDUE,
            key=key_of(AlertKind.DEVICE_OVERDUE, one.device, iso(one.issued_at)),
            severity=severity,
            since=begun(due, limits.lead, severity),
            text=text,
            hint=T("Have the holder plug it in, or enter a deferral, a return or a loss."),
            due=due,
            device=one.device,
            officer=one.officer,
        )


def docking_due(
    one: Watched, deferrals: Iterable[Deferral], limits: WatchLimits
) -> datetime | None:
    """Return when a device must be docked by; None where it need not be.

    Of several shifts that no docking followed the earliest counts.
    """
    if one.state is not State.ISSUED or one.issued_at is None:
        return None
    if one.stay is not None and one.stay.ended is None:
        return None
    begin = _begin(one, one.issued_at, limits.docked_within)
    if begin is None:
        return None
    return after(_moved(begin, one, deferrals, limits.docked_within), limits.docked_within)


def _begin(one: Watched, issued_at: datetime, within: timedelta) -> datetime | None:
    """Return the moment from which the hours run; None where a docking followed it."""
    ends = [shift.ends for shift in one.shifts if shift.ends > issued_at]
    has_shift = any(
        shift.ends > issued_at and shift.begins < after(issued_at, within) for shift in one.shifts
    )
    last = one.stay.ended if one.stay else None
    open_ends = [end for end in ends if last is None or last < end]
    # Taken off the port it was issued on, a device was not docked since.
    docked_since_issue = one.stay is not None and one.stay.began > issued_at
    if not has_shift and not docked_since_issue:
        return issued_at
    return min(open_ends, default=None)


def _moved(
    begin: datetime, one: Watched, deferrals: Iterable[Deferral], within: timedelta
) -> datetime:
    """Return the return of the deferrals that a device is away on, else `begin`.

    One that begins before the hours are over moves them, and so may the next one.
    """
    returns = sorted(
        (deferral.begins, deferral.back_at)
        for deferral in deferrals
        if deferral.is_approved and deferral.back_at and deferral.concerns(one.device, one.officer)
    )
    for begins, back_at in returns:
        if begins <= after(begin, within):
            begin = max(begin, back_at)
    return begin


_AT_HAND = frozenset({State.IN_STORE, State.ISSUED})


def devices_not_docked(
    devices: Iterable[Watched],
    deferrals: Sequence[Deferral],
    now: datetime,
    limits: WatchLimits = USUAL,
) -> Iterator[Matter]:
    """Yield every device that was on no port for days: broken, forgotten or gone."""
    for one in devices:
        if one.state not in _AT_HAND or (one.stay is not None and one.stay.ended is None):
            continue
        last = one.stay.ended if one.stay and one.stay.ended else one.registered_at
        since = after(_moved(last, one, deferrals, limits.docked_every), limits.docked_every)
        if now > since:
            yield Matter(
                kind=AlertKind.NOT_DOCKED,
                key=key_of(AlertKind.NOT_DOCKED, one.device),
                severity=Severity.NOTICE,
                since=since,
                text=T(
                    "Device {device} was on no port for more than {days} days.",
                    device=one.device,
                    days=limits.docked_every.days,
                ),
                hint=T("Plug it in, or enter that it is lost, faulty or retired."),
                device=one.device,
                officer=one.officer,
            )
