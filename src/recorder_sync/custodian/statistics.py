"""The statistics of a time, gathered once for the page, the tables and the files (Art. 28)."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from recorder_sync.catalogue import day_figures, disk_samples, ledger, reported
from recorder_sync.catalogue.day_figures import Asked, Basis
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.rules.access import Reach, Scope
from recorder_sync.rules.figures import Step, Sum, bounds, stretches, total
from recorder_sync.rules.forecast import DiskSample, full_at
from recorder_sync.station import Station

_MIB = 1 << 20
_AT_ONCE = 35
"""Stale days that are added up before somebody who waits gets an answer."""
LONGEST = timedelta(days=366 * 10)


@dataclass(frozen=True, slots=True)
class Question:
    first: date
    last: date
    """Included."""
    step: Step
    scope: Scope
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """The sum of one thing, such as a device or an officer."""

    key: str
    name: str
    sum: Sum


@dataclass(frozen=True, slots=True)
class OfDevice:
    """What went wrong with one device."""

    device: str
    gaps: int
    unexplained: int
    gap_seconds: float
    missing: int
    faults: int


@dataclass(frozen=True, slots=True)
class Disk:
    """The evidence disk. Bytes; times in UTC."""

    samples: tuple[DiskSample, ...]
    capacity: int
    """What may be used: the reserve is left out."""
    used: int
    full_at: datetime | None
    """None: nobody can tell, or never at this pace."""


@dataclass(frozen=True, slots=True)
class Report:
    question: Question
    whole: Sum
    by_kind: tuple[Named, ...]
    stretches: tuple[tuple[date, Mapping[str, Sum]], ...]
    """Each stretch's first day, with the sums by kind."""
    stored: tuple[tuple[date, int], ...]
    """Each stretch's first day, with the bytes that were sealed in it."""
    devices: tuple[Named, ...]
    officers: tuple[Named, ...]
    units: tuple[Named, ...]
    causes: tuple[Named, ...]
    trouble: tuple[OfDevice, ...]
    disk: Disk | None
    """None for who sees not everything: a disk is nobody's in part."""
    days_left: int
    """Days whose sums are not up to date yet."""

    @property
    def gaps(self) -> tuple[int, int]:
        """How many interruptions, and how many of them nobody explained."""
        return sum(one.gaps for one in self.trouble), sum(one.unexplained for one in self.trouble)

    @property
    def missing(self) -> int:
        return sum(one.missing for one in self.trouble)

    @property
    def faults(self) -> int:
        return sum(one.faults for one in self.trouble)


def report(station: Station, question: Question) -> Report:
    """Gather the statistics; what is stale of them is added up first, as far as time allows.

    Raises UsageProblem for a time that makes no sense.
    """
    if question.last < question.first or question.last - question.first > LONGEST:
        raise UsageProblem(
            T("The time asked for ends before it begins, or is longer than ten years."),
            T("Choose another first or last day."),
        )
    db, settings = station.catalogue, station.settings
    basis = Basis(settings.station.zone, settings.watch_limits)
    left = day_figures.bring_up(db, basis, _AT_ONCE, question.first, question.last)
    asked = Asked(question.first, question.last, question.scope, question.unit)
    officers = {one.cert_no: one for one in ledger.officers(db)}
    by_kind = day_figures.by_value(db, "kind", asked)
    return Report(
        question,
        total(by_kind.values()),
        _named(by_kind),
        tuple(_by_stretch(station, asked, question.step)),
        tuple(_stored(station, asked, question.step)),
        _named(day_figures.by_value(db, "device", asked)),
        _named(
            day_figures.by_value(db, "officer", asked),
            {number: one.name or number for number, one in officers.items()},
        ),
        _named(day_figures.by_unit(db, asked)),
        _named(day_figures.by_value(db, "cause", asked)),
        _trouble(station, asked),
        _disk(station) if question.scope.reach is Reach.ALL and question.unit is None else None,
        left,
    )


def _named(sums: Mapping[str, Sum], names: Mapping[str, str] | None = None) -> tuple[Named, ...]:
    """Return sums, the longest first, with what they are called; '' is what nobody knows."""
    found = [Named(key, (names or {}).get(key, key), one) for key, one in sums.items()]
    return tuple(sorted(found, key=lambda one: (-one.sum.seconds, -one.sum.recordings, one.key)))


def _by_stretch(
    station: Station, asked: Asked, step: Step
) -> Sequence[tuple[date, Mapping[str, Sum]]]:
    found: dict[date, dict[str, Sum]] = {at: {} for at in stretches(asked.first, asked.last, step)}
    sums = day_figures.by_stretch(station.catalogue, "kind", asked, step)
    for (begins, kind), one in sums.items():
        found[begins][kind] = one
    return list(found.items())


def _stored(station: Station, asked: Asked, step: Step) -> Sequence[tuple[date, int]]:
    found = dict.fromkeys(stretches(asked.first, asked.last, step), 0)
    sums = day_figures.by_stretch(station.catalogue, "stored", asked, step)
    for (begins, _), one in sums.items():
        found[begins] += one.size
    return list(found.items())


def _trouble(station: Station, asked: Asked) -> tuple[OfDevice, ...]:
    db, zone = station.catalogue, station.settings.station.zone
    since, until = bounds(asked.first, zone)[0], bounds(asked.last, zone)[1]
    scope = asked.scope
    if asked.unit is not None and scope.reach is Reach.ALL:
        scope = replace(scope, reach=Reach.UNIT, unit=asked.unit)
    gaps = day_figures.by_value(db, "gap", asked)
    missing = reported.missing(db, since, until, scope)
    faults = reported.faults(db, since, until, scope)
    found = []
    for device in {*gaps, *missing, *faults}:
        of_device = gaps.get(device, Sum())
        found.append(
            OfDevice(
                device,
                of_device.recordings,
                of_device.late,
                of_device.seconds,
                missing.get(device, 0),
                faults.get(device, 0),
            )
        )
    return tuple(
        sorted(found, key=lambda one: (-one.missing, -one.unexplained, -one.faults, one.device))
    )


def _disk(station: Station) -> Disk | None:
    settings = station.settings
    try:
        usage = shutil.disk_usage(settings.paths.evidence)
    except OSError:
        return None  # the disk is an alert of its own; without it there is nothing to draw
    capacity = max(1, usage.used + usage.free - settings.ingest.reserve_mib * _MIB)
    samples = disk_samples.samples(station.catalogue, str(settings.paths.evidence))
    newest = DiskSample(station.now(), usage.used)
    return Disk(samples, capacity, usage.used, full_at((*samples, newest), capacity))
