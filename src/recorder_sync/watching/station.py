"""The station itself: its disk, its clock, its services, its backups, its witnesses.

Each is a source of its own, as each asks another part of the machine and may fail by
itself. What nobody can tell here (no systemd, no witness in the settings) is no matter.
"""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from recorder_sync.backups import newest_backup
from recorder_sync.catalogue import clock_steps, disk_samples, measured
from recorder_sync.catalogue.measured import BACKUP_FAILED
from recorder_sync.dock.program import run
from recorder_sync.errors import ProgramFailure
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.forecast import DiskSample
from recorder_sync.rules.matter import Matter
from recorder_sync.rules.station_matters import (
    Backup,
    EvidenceDisk,
    StateDisk,
    StationFacts,
    station_matters,
)
from recorder_sync.timestamps import from_ns
from recorder_sync.watching.source import Look, Undecided, undecided
from recorder_sync.watching.watchdog import restarts

_MIB = 1 << 20

_BACKUP_SET_UP = "backup-set-up"
_UNSYNCHRONISED = "clock-unsynchronised"


class Disk:
    """The evidence disk, and when it will be full; and the one of the state folder."""

    name = "evidence-disk"
    what = T("The evidence disk")
    kinds = frozenset({AlertKind.EVIDENCE_DISK})

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        settings, db = look.station.settings, look.station.catalogue
        disk = str(settings.paths.evidence)
        usage = shutil.disk_usage(settings.paths.evidence)
        capacity = usage.used + usage.free - settings.ingest.reserve_mib * _MIB
        newest = DiskSample(look.now, usage.used)
        disk_samples.add(db, disk, newest)
        samples = (*disk_samples.samples(db, disk), newest)
        # A disk that is smaller than what has to stay free is full as well.
        facts = EvidenceDisk(disk, max(1, capacity), samples)
        state = _state_disk(look)
        yield from _ask(look, StationFacts(settings.station.id, (facts,), state))


def _state_disk(look: Look) -> StateDisk | None:
    """Return how full the disk of the state folder is, where it is not that of evidence."""
    paths = look.station.settings.paths
    if paths.state.stat().st_dev == paths.evidence.stat().st_dev:
        return None
    usage, disk = shutil.disk_usage(paths.state), str(paths.state)
    newest = DiskSample(look.now, usage.used)
    disk_samples.add(look.station.catalogue, disk, newest)
    samples = (*disk_samples.samples(look.station.catalogue, disk), newest)
    return StateDisk(disk, usage.used + usage.free, samples)


class Services:
    """Services that hung."""

    name = "services"
    what = T("Services that hang")
    kinds = frozenset({AlertKind.RESTARTED})

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        settings = look.station.settings
        found = restarts(settings.paths.state)
        yield from _ask(look, StationFacts(settings.station.id, watchdog_restarts=found))


class Clock:
    """Whether somebody set the station's clock."""

    name = "clock-steps"
    what = T("Whether the clock is set")
    kinds = frozenset({AlertKind.CLOCK_STEPPED})

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        since = look.now - look.limits.remembered_for
        found = clock_steps.steps(look.station.catalogue, since)
        facts = StationFacts(look.station.settings.station.id, clock_steps=found)
        yield from _ask(look, facts)


class TimeSource:
    """Whether the station's clock follows a time source."""

    name = "time-source"
    what = T("Whether the clock is synchronised")
    kinds = frozenset({AlertKind.CLOCK_NOT_SYNCHRONISED})
    _EVERY_S = 300.0

    def __init__(self, ask: Callable[[], bool | None] | None = None) -> None:
        """`ask` says whether the clock is synchronised; None: nobody can tell."""
        self._ask = ask or is_synchronised
        self._asked_at: float | None = None
        self._is: bool | None = None

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        if self._asked_at is None or time.monotonic() - self._asked_at >= self._EVERY_S:
            self._is, self._asked_at = self._ask(), time.monotonic()
        db = look.station.catalogue
        if self._is is None:
            yield undecided(AlertKind.CLOCK_NOT_SYNCHRONISED)
        elif self._is:
            measured.end(db, _UNSYNCHRONISED)
        else:
            since = measured.begin(db, _UNSYNCHRONISED, look.now).since
            # By how much the clock was set is no time that passed.
            set_by = sum(step.seconds for step in clock_steps.steps(db, since))
            since += timedelta(seconds=set_by)
            facts = StationFacts(look.station.settings.station.id, unsynchronised_since=since)
            yield from _ask(look, facts)


def is_synchronised() -> bool | None:
    """Ask systemd whether the kernel's clock follows a time source (timedatectl(1)).

    It is the kernel's own word, whichever program keeps the time. adjtimex(2) says the same,
    but the service may not call what could set the clock.
    """
    try:
        said = run(["timedatectl", "show", "--property=NTPSynchronized", "--value"], 5.0)
    except ProgramFailure:
        return None
    return {b"yes": True, b"no": False}.get(said.strip())


class Backups:
    """The daily backup."""

    name = "backups"
    what = T("Backups")
    kinds = frozenset({AlertKind.BACKUP_FAILED})

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        settings, db = look.station.settings, look.station.catalogue
        if not settings.backup.keep:
            measured.end(db, _BACKUP_SET_UP)
            return
        failed = measured.measured(db, BACKUP_FAILED)
        backup = Backup(
            target=str(settings.backup_folder),
            watched_since=measured.begin(db, _BACKUP_SET_UP, look.now).since,
            last_good=newest_backup(settings),
            last_failure=failed.since if failed else None,
            why=failed.why if failed else None,
            hint=failed.hint if failed else None,
        )
        yield from _ask(look, StationFacts(settings.station.id, backups=(backup,)))


class Witnesses:
    """Checkpoints that nobody else has vouched for: witnesses, an authority, or who was told."""

    name = "witnesses"
    what = T("Whether checkpoints are witnessed")
    kinds = frozenset({AlertKind.NOT_WITNESSED})

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        settings = look.station.settings
        witness = settings.witness
        asked = any(server.url for server in witness.servers)
        if not (asked or witness.timestamp_url or witness.channels_file):
            return
        oldest = oldest_unwitnessed(settings.paths.state / "custody")
        facts = StationFacts(settings.station.id, oldest_unwitnessed=oldest)
        yield from _ask(look, facts)


_SIZE = re.compile(r"(\d{20})(?:\.tsr)?")


def oldest_unwitnessed(custody: Path) -> datetime | None:
    """Return when the oldest checkpoint was made that is newer than any witnessed one.

    A newer one that is witnessed vouches for all before it. Raises OSError.
    """
    witnessed = max((_witnessed(path) for path in _files(custody / "witnessed")), default=0)
    sizes = [
        (int(found[1]), path)
        for path in _files(custody / "checkpoints")
        if (found := _SIZE.fullmatch(path.name)) and int(found[1]) > witnessed
    ]
    if not sizes:
        return None
    return from_ns(min(sizes)[1].stat().st_mtime_ns)


def _witnessed(path: Path) -> int:
    """Return how many entries a file that is kept vouches for (`witnessing/witnessed.py`)."""
    if found := _SIZE.fullmatch(path.name):
        return int(found[1])
    if path.name.startswith("sent-"):
        told, _, _ = path.read_text("utf-8").partition(" ")
        return int(told) if told.isdigit() else 0
    return 0


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _ask(look: Look, facts: StationFacts) -> Iterator[Matter]:
    return station_matters(facts, look.now, look.limits)
