"""What is wrong with the station itself: disks, stores, queues, clock, proofs? (Art. 5, 27)

Facts are what the parts of the station last measured. What nobody measured is left out, and
is no matter. Something that happens in a moment, such as a restart, stays a matter for a
day, so that somebody sees it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from recorder_sync.language import T, Text
from recorder_sync.model import AlertKind
from recorder_sync.rules.deadline import after
from recorder_sync.rules.forecast import DiskSample, full_at
from recorder_sync.rules.matter import Item, Matter, Severity, key_of
from recorder_sync.rules.watch_limits import USUAL, WatchLimits
from recorder_sync.timestamps import iso

_STATE_LOW = 1 << 30
_STATE_FULL = 32 << 20
"""Bytes of the disk of the state folder. A share of it would say little: it is often that of
the whole system, and of that catalogue and custody log need little."""


@dataclass(frozen=True, slots=True)
class EvidenceDisk:
    name: str
    capacity: int
    """Bytes that recordings may use: the disk without its reserve."""
    samples: tuple[DiskSample, ...]


@dataclass(frozen=True, slots=True)
class StateDisk:
    """The disk of catalogue and custody log, where evidence has another."""

    name: str
    capacity: int
    samples: tuple[DiskSample, ...]


@dataclass(frozen=True, slots=True)
class StoreWatch:
    """What is known of a remote store."""

    name: str
    unreachable_since: datetime | None = None
    oldest_waiting: datetime | None = None
    """When the recording that waits longest was put into its queue."""
    stopped_since: datetime | None = None
    """Since when nothing is sent there before somebody mends it."""
    why: Text | None = None
    """Why it cannot be used, and what to do."""
    hint: Text | None = None
    is_wrong_place: bool = False
    """It is not the store that was bound."""
    not_kept_since: datetime | None = None
    """Since when it does not keep copies as it was asked to, by a legal hold or for a time."""
    not_kept_why: Text | None = None
    not_kept_hint: Text | None = None


@dataclass(frozen=True, slots=True)
class Restart:
    service: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClockStep:
    at: datetime
    """After the step."""
    seconds: float
    """Forward positive."""


@dataclass(frozen=True, slots=True)
class Backup:
    target: str
    watched_since: datetime
    """When the backup was set up."""
    last_good: datetime | None = None
    last_failure: datetime | None = None
    why: Text | None = None
    """Why the last one failed, and what to do."""
    hint: Text | None = None


@dataclass(frozen=True, slots=True)
class StationFacts:
    station: str
    disks: tuple[EvidenceDisk, ...] = ()
    state_disk: StateDisk | None = None
    stores: tuple[StoreWatch, ...] = ()
    oldest_unwitnessed: datetime | None = None
    """When the oldest checkpoint was made that no other party has signed."""
    watchdog_restarts: tuple[Restart, ...] = ()
    clock_steps: tuple[ClockStep, ...] = ()
    unsynchronised_since: datetime | None = None
    backups: tuple[Backup, ...] = ()


def station_matters(
    facts: StationFacts, now: datetime, limits: WatchLimits = USUAL
) -> Iterator[Matter]:
    """Yield everything that is wrong with the station at `now`."""
    for disk in facts.disks:
        yield from _disk(disk, now, limits)
    if facts.state_disk is not None:
        yield from _state_disk(facts.state_disk)
    for store in facts.stores:
        yield from _store(store, now, limits)
    yield from _witness(facts, now, limits)
    yield from _restarts(facts.watchdog_restarts, now, limits)
    yield from _clock(facts, now, limits)
    for backup in facts.backups:
        yield from _backup(backup, now, limits)


def _disk(disk: EvidenceDisk, now: datetime, limits: WatchLimits) -> Iterator[Matter]:
    samples = sorted(disk.samples, key=lambda one: (one.at, one.used))
    if not samples or disk.capacity <= 0:
        return
    newest = samples[-1]
    key = key_of(AlertKind.EVIDENCE_DISK, disk.name)
    hint = T("Add a disk, or have what may be disposed of disposed of.")
    percent = newest.used * 100 // disk.capacity
    if newest.used >= disk.capacity:
        text = T("The evidence disk {disk} is full: nothing more can be sealed.", disk=disk.name)
        since = _since_used(samples, disk.capacity)
        yield Matter(AlertKind.EVIDENCE_DISK, key, Severity.BREACH, since, text, hint)
        return
    if percent >= limits.most_used_percent:
        text = T("The evidence disk {disk} is {percent} % full.", disk=disk.name, percent=percent)
        since = _since_used(samples, -(-disk.capacity * limits.most_used_percent // 100))
        yield Matter(AlertKind.EVIDENCE_DISK, key, Severity.WARNING, since, text, hint)
        return
    forecast = full_at(samples, disk.capacity)
    if forecast and forecast - now <= limits.full_within:
        is_soon = forecast - now <= limits.full_soon
        severity = Severity.WARNING if is_soon else Severity.NOTICE
        text = T(
            "The evidence disk {disk} will be full on about {day}.",
            disk=disk.name,
            day=forecast.date().isoformat(),
        )
        since = forecast - (limits.full_soon if is_soon else limits.full_within)
        yield Matter(AlertKind.EVIDENCE_DISK, key, severity, since, text, hint)


def _state_disk(disk: StateDisk) -> Iterator[Matter]:
    """Yield that it is full, or soon will be: then no alert can be put on record any more."""
    samples = sorted(disk.samples, key=lambda one: (one.at, one.used))
    if not samples:
        return
    left = disk.capacity - samples[-1].used
    if left <= _STATE_FULL:
        text = T(
            "The disk of {folder} is full: nothing more can be sealed or put on record.",
            folder=disk.name,
        )
        severity, limit = Severity.BREACH, _STATE_FULL
    elif left <= _STATE_LOW:
        text = T("The disk of {folder} has less than {size} left.", folder=disk.name, size="1 GiB")
        severity, limit = Severity.WARNING, _STATE_LOW
    else:
        return
    yield Matter(
        AlertKind.EVIDENCE_DISK,
        key_of(AlertKind.EVIDENCE_DISK, "state", disk.name),
        severity,
        _since_used(samples, disk.capacity - limit),
        text,
        T("Catalogue and custody log are there. Make room on that disk."),
    )


def _since_used(samples: Sequence[DiskSample], used: int) -> datetime:
    """Return the first of the newest samples in a row that have at least so much used."""
    since = samples[-1].at
    for one in reversed(samples):
        if one.used < used:
            break
        since = one.at
    return since


def _store(store: StoreWatch, now: datetime, limits: WatchLimits) -> Iterator[Matter]:
    away = store.unreachable_since
    if away is not None and now - away > limits.unreachable_for:
        yield Matter(
            kind=AlertKind.STORE_UNREACHABLE,
            key=key_of(AlertKind.STORE_UNREACHABLE, store.name),
            severity=Severity.WARNING,
            since=away,
            text=T("The store {store} cannot be reached.", store=store.name),
            hint=T("Check the network and the store: recorder-sync stores check"),
        )
    if store.stopped_since is not None:
        yield Matter(
            kind=AlertKind.STORE_STOPPED,
            key=key_of(AlertKind.STORE_STOPPED, store.name),
            severity=Severity.BREACH if store.is_wrong_place else Severity.WARNING,
            since=store.stopped_since,
            text=T(
                "Nothing is sent to the store {store}: {why}",
                store=store.name,
                why=store.why or T("no reason given"),
            ),
            hint=store.hint or T("Check the network and the store: recorder-sync stores check"),
        )
    if store.not_kept_since is not None:
        yield Matter(
            kind=AlertKind.LOCK_NOT_KEPT,
            key=key_of(AlertKind.LOCK_NOT_KEPT, store.name),
            severity=Severity.WARNING,
            since=store.not_kept_since,
            text=T(
                "The store {store} does not keep what must not be deleted: {why}",
                store=store.name,
                why=store.not_kept_why or T("no reason given"),
            ),
            hint=store.not_kept_hint or T("Run: recorder-sync stores check"),
        )
    waits = store.oldest_waiting
    if waits is not None and now - waits > limits.queued_for:
        yield Matter(
            kind=AlertKind.QUEUE_WAITS,
            key=key_of(AlertKind.QUEUE_WAITS, store.name),
            severity=Severity.WARNING,
            since=after(waits, limits.queued_for),
            text=T(
                "Recordings have waited for the store {store} for more than {hours} h.",
                store=store.name,
                hours=_hours(limits.queued_for),
            ),
            hint=T("See why: recorder-sync forward status"),
        )


def _witness(facts: StationFacts, now: datetime, limits: WatchLimits) -> Iterator[Matter]:
    oldest = facts.oldest_unwitnessed
    if oldest is not None and now - oldest > limits.witnessed_within:
        yield Matter(
            kind=AlertKind.NOT_WITNESSED,
            key=key_of(AlertKind.NOT_WITNESSED, facts.station),
            severity=Severity.WARNING,
            since=after(oldest, limits.witnessed_within),
            text=T(
                "For more than {hours} h nobody else has signed the custody log.",
                hours=_hours(limits.witnessed_within),
            ),
            hint=T("Check the connection to the witness: recorder-sync custody verify"),
        )


def _restarts(restarts: Iterable[Restart], now: datetime, limits: WatchLimits) -> Iterator[Matter]:
    in_order = sorted(restarts, key=lambda one: (one.service, one.at))
    for service, of_service in groupby(in_order, key=lambda one: one.service):
        recent = [one for one in of_service if now - one.at < limits.remembered_for]
        if recent:
            yield Matter(
                kind=AlertKind.RESTARTED,
                key=key_of(AlertKind.RESTARTED, service),
                severity=Severity.WARNING,
                since=recent[0].at,
                text=T("The service {service} hung and was started anew.", service=service),
                hint=T("Send the journal of the service to support."),
                count=len(recent),
                items=tuple(Item(iso(one.at), one.at) for one in recent),
            )


def _clock(facts: StationFacts, now: datetime, limits: WatchLimits) -> Iterator[Matter]:
    steps = sorted(
        (one.at, one.seconds)
        for one in facts.clock_steps
        if abs(one.seconds) > limits.clock_step_s and now - one.at < limits.remembered_for
    )
    if steps:
        yield Matter(
            kind=AlertKind.CLOCK_STEPPED,
            key=key_of(AlertKind.CLOCK_STEPPED, facts.station),
            severity=Severity.WARNING,
            since=steps[0][0],
            text=T("The clock of the station was set by {seconds} s.", seconds=steps[-1][1]),
            hint=T("Find out who or what set it. Times on record since then may differ."),
            count=len(steps),
            items=tuple(Item(iso(at), at) for at, _ in steps),
        )
    loose = facts.unsynchronised_since
    if loose is not None and now - loose > limits.unsynchronised_for:
        yield Matter(
            kind=AlertKind.CLOCK_NOT_SYNCHRONISED,
            key=key_of(AlertKind.CLOCK_NOT_SYNCHRONISED, facts.station),
            severity=Severity.WARNING,
            since=loose,
            text=T("The clock of the station is not synchronised."),
            hint=T("Check the network and the time server: timedatectl timesync-status"),
        )


def _backup(backup: Backup, now: datetime, limits: WatchLimits) -> Iterator[Matter]:
    due = after(backup.last_good or backup.watched_since, limits.backup_every)
    good, failed = backup.last_good, backup.last_failure
    has_failed = failed is not None and (good is None or failed > good)
    if not has_failed and now <= due:
        return
    since = failed if failed is not None and has_failed else due
    yield Matter(
        kind=AlertKind.BACKUP_FAILED,
        key=key_of(AlertKind.BACKUP_FAILED, backup.target),
        severity=Severity.WARNING,
        since=since,
        text=_backup_failed(backup)
        if has_failed
        else T("The backup to {target} was not made in time.", target=backup.target),
        hint=(backup.hint if has_failed else None)
        or T("Check the target and run: recorder-sync catalogue backup"),
    )


def _backup_failed(backup: Backup) -> Text:
    if backup.why is None:
        return T("The backup to {target} failed.", target=backup.target)
    return T("No backup was made: {why}", why=backup.why)


def _hours(length: timedelta) -> float:
    return length / timedelta(hours=1)
