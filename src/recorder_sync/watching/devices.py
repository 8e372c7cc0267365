"""Devices: which should have been docked by now, and what is wrong with one itself.

Of the holder's shifts only two say anything: one at the issue, which says that there are
shifts, and the first that no docking followed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from recorder_sync.catalogue import device_events, ledger, news
from recorder_sync.catalogue.calendar import shifts_of
from recorder_sync.catalogue.stays import checks, newest_stay
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.deadline import after
from recorder_sync.rules.device_matters import device_matters
from recorder_sync.rules.matter import Matter
from recorder_sync.rules.overdue_device import (
    Shift,
    Watched,
    devices_not_docked,
    overdue_devices,
)
from recorder_sync.rules.whereabouts import State, whereabouts
from recorder_sync.watching.deferrals import Deferrals
from recorder_sync.watching.kept import NO_DEVICE, Kept
from recorder_sync.watching.source import Look, Undecided

MEASURED = frozenset(
    {
        AlertKind.BATTERY_FAILING,
        AlertKind.STORAGE_NEARLY_FULL,
        AlertKind.CLOCK_OFF,
        AlertKind.READ_ERRORS,
        AlertKind.FILE_SYSTEM_DAMAGE,
        AlertKind.IDENTITY_CONFLICT,
    }
)


def measured(look: Look, device: str) -> Iterable[Matter]:
    """Return what the dockings of a device found wrong with it (Art. 22, 24)."""
    if device == NO_DEVICE:
        return ()
    return device_matters(checks(look.station.catalogue, device), look.limits)


class Docked:
    """Devices of the ledger that are not docked in time, or not at all (Art. 21, 22)."""

    name = "devices"
    what = T("Devices that have to be docked")
    kinds = frozenset({AlertKind.DEVICE_OVERDUE, AlertKind.NOT_DOCKED})

    def __init__(self, deferrals: Deferrals) -> None:
        self._deferrals = deferrals
        self._kept = Kept(_ledger)
        self._shifts: dict[str, tuple[Shift, ...]] = {}
        self._calendar = -1

    def facts(self, look: Look) -> list[Watched]:
        """Return every registered device with the shifts that matter."""
        changed = self._kept.refresh(look)
        seen = news.since(look.station.catalogue, self._calendar)
        if news.CALENDAR in seen.about or self._calendar < 0:
            self._shifts.clear()
        self._calendar = seen.version
        for device in changed:
            self._shifts.pop(device, None)
        return [self._with_shifts(look, one) for one in self._kept if one is not None]

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        now, limits = look.now, look.limits
        self._deferrals.now(look.station)
        for one in self.facts(look):
            deferrals = self._deferrals.concerning(one.device, one.officer)
            yield from overdue_devices([one], deferrals, now, limits)
            yield from devices_not_docked([one], deferrals, now, limits)
        self._kept.raise_failure()

    def _with_shifts(self, look: Look, one: Watched) -> Watched:
        if one.state is not State.ISSUED or one.issued_at is None or one.officer is None:
            return one
        shifts = self._shifts.get(one.device)
        if shifts is None:
            shifts = self._shifts[one.device] = _shifts(look, one, one.officer, one.issued_at)
        return replace(one, shifts=shifts) if shifts else one


def _ledger(look: Look, device: str) -> Watched | None:
    db = look.station.catalogue
    entry = ledger.device(db, device) if device != NO_DEVICE else None
    if entry is None or entry.registered_at is None:
        return None
    where = whereabouts(device_events.telling_events(db, device).get(device, ()))
    return Watched(
        device=device,
        state=where.state,
        registered_at=entry.registered_at,
        issued_at=where.since if where.place is State.ISSUED else None,
        officer=where.officer or entry.officer,
        stay=newest_stay(db, device),
    )


def _shifts(look: Look, one: Watched, officer: str, issued_at: datetime) -> tuple[Shift, ...]:
    db, limits = look.station.catalogue, look.limits
    at_issue = shifts_of(
        db, officer, issued_at, beginning_before=after(issued_at, limits.docked_within)
    )
    since = issued_at
    if one.stay is not None and one.stay.ended is not None:
        since = max(since, one.stay.ended)
    return tuple(dict.fromkeys((*at_issue, *shifts_of(db, officer, since))))
