"""What is wrong with a device itself, by what its dockings measured? (Art. 22, 24)

The newest measurement counts, and a matter began with the first of the same kind in a row.
What could not be measured is neither good nor bad, and interrupts no row (promise 7).
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from recorder_sync.language import T, Text
from recorder_sync.model import AlertKind, FileSystemState, Health, IdentityState
from recorder_sync.rules.matter import Matter, Severity, key_of
from recorder_sync.rules.watch_limits import USUAL, WatchLimits


@dataclass(frozen=True, slots=True)
class Checked:
    """What one docking found out about a device."""

    device: str
    docking: str
    at: datetime
    """By the station's clock."""
    health: Health
    identity: IdentityState = IdentityState.KNOWN
    claims: tuple[str, ...] = ()
    """The device numbers that were named."""
    was_read: bool = True
    """Whether its intake has ended; before, nobody knows what cannot be read."""


_Verdict = bool | None
"""Whether a measurement is bad; None: there is none."""


@dataclass(frozen=True, slots=True)
class _Look:
    """One thing that is looked at."""

    kind: AlertKind
    severity: Severity
    is_bad: Callable[[Checked, WatchLimits], _Verdict]
    text: Callable[[Checked, WatchLimits], Text]
    hint: Text
    in_a_row: Callable[[WatchLimits], int] = lambda _: 1


def device_matters(checks: Iterable[Checked], limits: WatchLimits = USUAL) -> Iterator[Matter]:
    """Yield what is wrong with each device. `checks` may be all or only the newest ones."""
    in_order = sorted(checks, key=lambda one: (one.device, one.at, one.docking))
    for _, of_device in groupby(in_order, key=lambda one: one.device):
        found = list(of_device)
        for look in _LOOKS:
            yield from _matter(look, found, limits)


def _matter(look: _Look, checks: Sequence[Checked], limits: WatchLimits) -> Iterator[Matter]:
    row: list[Checked] = []
    for one in reversed(checks):
        verdict = look.is_bad(one, limits)
        if verdict is False:
            break
        if verdict:
            row.append(one)
    needed = max(1, look.in_a_row(limits))
    if len(row) < needed:
        return
    newest = row[0]
    yield Matter(
        kind=look.kind,
        key=key_of(look.kind, newest.device),
        severity=look.severity,
        since=row[-needed].at,
        text=look.text(newest, limits),
        hint=look.hint,
        device=newest.device,
        docking=newest.docking,
        count=len(row),
    )


def _battery(one: Checked, limits: WatchLimits) -> _Verdict:
    battery = one.health.battery
    return None if battery is None else battery.percent < limits.least_battery_percent


def _storage(one: Checked, limits: WatchLimits) -> _Verdict:
    storage = one.health.storage
    if storage is None or storage.total <= 0:
        return None
    return storage.free * 100 < limits.least_free_percent * storage.total


def _clock(one: Checked, limits: WatchLimits) -> _Verdict:
    clock = one.health.clock
    if clock is None or not math.isfinite(clock.seconds):
        return None
    return abs(clock.seconds) > limits.clock_offset_s


def _file_system(one: Checked, _: WatchLimits) -> _Verdict:
    state = one.health.file_system
    return None if state is None else state is FileSystemState.DIRTY


def _in_conflict(one: Checked, _: WatchLimits) -> Text:
    if len(one.claims) < 2:
        return T("The identity of device {device} is in conflict.", device=one.device)
    said = ", ".join(one.claims)
    return T(
        "The identity of device {device} is in conflict: {said}.", device=one.device, said=said
    )


_LOOKS = (
    _Look(
        AlertKind.BATTERY_FAILING,
        Severity.WARNING,
        _battery,
        lambda one, limits: T(
            "The battery of device {device} failed {count} checks in a row.",
            device=one.device,
            count=limits.battery_failures,
        ),
        T("Charge it. If it fails again, report a fault and have it repaired."),
        lambda limits: limits.battery_failures,
    ),
    _Look(
        AlertKind.STORAGE_NEARLY_FULL,
        Severity.NOTICE,
        _storage,
        lambda one, limits: T(
            "Less than {percent} % of the memory of device {device} is free.",
            percent=limits.least_free_percent,
            device=one.device,
        ),
        T("Have its sealed recordings cleared before it goes out."),
    ),
    _Look(
        AlertKind.CLOCK_OFF,
        Severity.WARNING,
        _clock,
        lambda one, limits: T(
            "The clock of device {device} is off by more than {seconds} s.",
            device=one.device,
            seconds=limits.clock_offset_s,
        ),
        T("Set its clock."),
    ),
    _Look(
        AlertKind.READ_ERRORS,
        Severity.WARNING,
        lambda one, _: one.health.read_errors > 0 if one.was_read else None,
        lambda one, _: T(
            "{count} recording(s) of device {device} could not be read whole.",
            count=one.health.read_errors,
            device=one.device,
        ),
        T("Stop using it, keep the card, and have it repaired."),
    ),
    _Look(
        AlertKind.FILE_SYSTEM_DAMAGE,
        Severity.WARNING,
        _file_system,
        lambda one, _: T("The file system of device {device} is damaged.", device=one.device),
        T("Stop using it, and have it repaired by professionals once everything is sealed."),
    ),
    _Look(
        AlertKind.IDENTITY_CONFLICT,
        Severity.WARNING,
        lambda one, _: one.identity is IdentityState.CONFLICT,
        _in_conflict,
        T("See which device it is: recorder-sync dockings list"),
    ),
)
