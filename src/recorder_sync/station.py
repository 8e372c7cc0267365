"""A station put together: settings, evidence folder, catalogue and custody log.

The one place where the clock and the acting user are looked up; everything below is
handed a time and an actor.
"""

import getpass
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import FILE_NAME, SEARCHING_KIB, broken, open_catalogue
from recorder_sync.config import Configuration
from recorder_sync.custody.log import Act, CustodyLog, Deed
from recorder_sync.language import T
from recorder_sync.owner import work_as_owner_of
from recorder_sync.protection import Wanted
from recorder_sync.stores.evidence import EvidenceFolder
from recorder_sync.timestamps import to_milliseconds

_OF_THREAD_KIB = 256
"""What the connection of one thread of many keeps of the catalogue in memory."""


@dataclass(frozen=True, slots=True)
class Station:
    settings: Configuration
    evidence: EvidenceFolder
    catalogue: Database
    custody: CustodyLog
    actor: str
    now: Callable[[], datetime]
    turn: threading.RLock = field(default_factory=threading.RLock, compare=False, repr=False)
    """Held by whoever of several threads with this one station uses its catalogue."""

    def deed(self, act: Act, subject: str, facts: Mapping[str, Any]) -> Deed:
        """Return something done now, by whoever runs this process."""
        return Deed(act, subject, self.actor, self.now(), facts)


@contextmanager
def station_of_thread(settings: Configuration) -> Iterator[Station]:
    """Open the station for a thread that writes no evidence, as long as the block lasts.

    Raises MissingPart or CatalogueProblem.
    """
    station = open_station(settings, _OF_THREAD_KIB, writes_evidence=False)
    try:
        yield station
    finally:
        station.catalogue.close()


def open_station(
    settings: Configuration,
    cache_kib: int = SEARCHING_KIB,
    *,
    writes_evidence: bool = True,
) -> Station:
    """Open the station of these settings; its folders are made where missing.

    `cache_kib` is what its connection to the catalogue may keep in memory. A process that
    may only read evidence, or does not need it, says so: then the evidence folder is
    neither made nor looked at. Raises MissingPart or CatalogueProblem.
    """
    actor = acting_user()
    work_as_owner_of(settings.paths.state)
    evidence, custody = evidence_and_custody(settings)
    if writes_evidence:
        evidence.prepare(in_use=custody.is_begun())
    catalogue = settings.paths.state / FILE_NAME
    if custody.is_begun() and not (catalogue.exists() and catalogue.stat().st_size):
        raise broken(catalogue, T("it is gone or empty, though the custody log is not"))
    return Station(
        settings=settings,
        evidence=evidence,
        catalogue=open_catalogue(catalogue, cache_kib),
        custody=custody,
        actor=actor,
        now=now,
    )


def evidence_and_custody(settings: Configuration) -> tuple[EvidenceFolder, CustodyLog]:
    """Return the two that are the truth; the catalogue can be made from them."""
    return (
        EvidenceFolder(
            settings.paths.evidence,
            Wanted(settings.ingest.immutable, settings.ingest.fs_verity),
        ),
        CustodyLog(
            settings.paths.state / "custody",
            settings.station.id,
            immutable=settings.ingest.immutable,
        ),
    )


def acting_user() -> str:
    """Return the operating system's user who runs this process, or had sudo run it."""
    if person := os.environ.get("SUDO_USER"):
        return f"os:{person}"
    try:
        return f"os:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"os:{os.getuid()}"


def now() -> datetime:
    return to_milliseconds(datetime.now(UTC))
