"""Clears up after a run that was cut off: finishes what can be, discards the rest.

A catalogue that is older than the custody log, put back from a backup by hand perhaps, is
brought up to it first: what was sealed since must not be taken for new.

Every docking in progress holds a lock on its folder in the incoming area. A folder
whose lock is free belongs to a run that is dead; so does a docking without an end and
without a folder.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from recorder_sync.catalogue import dockings, recordings
from recorder_sync.catalogue.catching_up import catch_up, is_behind, take_up_intakes
from recorder_sync.catalogue.database import FILE_NAME, transaction
from recorder_sync.catalogue.dockings import DockingOutcome
from recorder_sync.catalogue.documents_under_way import folders_under_way
from recorder_sync.custody.log import Act
from recorder_sync.errors import CatalogueProblem, CustodyProblem
from recorder_sync.ingest.docking_log import noted_facts
from recorder_sync.ingest.partials import KEPT, KeptPartials
from recorder_sync.ingest.seal import finish_interrupted
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.on_record import append
from recorder_sync.station import Station
from recorder_sync.stores.evidence import INCOMING


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a start found of earlier runs."""

    dockings: int
    finished: int
    """Recordings whose sealing was completed."""
    lost: int
    """Copies that were not whole; their recordings are still on the card."""
    caught_up: int = 0
    """Sealed recordings that the catalogue did not know."""


@contextmanager
def incoming_folder(station: Station, docking: str) -> Iterator[Path]:
    """Hold a docking's folder for partial copies; it is removed at the end.

    Raises OSError.
    """
    folder = station.evidence.incoming / docking
    with ExitStack() as stack:
        with station.evidence.sealing_turn():
            lock = stack.enter_context(station.evidence.folder(f"{INCOMING}/{docking}", make=True))
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            unfinished = {i.recording.docking for i in recordings.intents(station.catalogue)}
            unfinished |= folders_under_way(station.catalogue)
            if docking not in unfinished and _is_same(folder, lock):
                _clear(folder, KeptPartials(station.evidence.incoming))


def recover(station: Station) -> Recovered:
    """Finish or discard what dead runs left. Raises MissingPart or OSError."""
    count = 0
    with station.evidence.sealing_turn():
        caught_up = _catch_up(station)
        # A log that is broken is for verification to find; it keeps no card from being taken in.
        with suppress(CustodyProblem):
            take_up_intakes(station.catalogue, station.custody)
        finished, lost = finish_interrupted(station)
        live = {folder.name for folder in _folders(station) if _is_live(folder)}
        _finish_documents(station)
        kept = KeptPartials(station.evidence.incoming)
        for folder in _folders(station):
            if folder.name not in live:
                _clear(folder, kept)
        kept.discard_older_than(
            station.settings.ingest.keep_partials_days, station.now().timestamp()
        )
        for docking in dockings.open_dockings(station.catalogue):
            if docking not in live:
                _close(station, docking)
                count += 1
    return Recovered(count, finished, lost, caught_up)


def _finish_documents(station: Station) -> None:
    if folders_under_way(station.catalogue):
        # Here and not above: it knows cases and documents, with which a card has nothing to do.
        from recorder_sync.ingest.document_seal import finish_interrupted_documents

        finish_interrupted_documents(station)


def _catch_up(station: Station) -> int:
    if not is_behind(station.catalogue, station.custody):
        return 0
    from recorder_sync.alerts.raising import raise_alert  # it knows all there is of alerts

    try:
        count = catch_up(station.catalogue, station.custody)
    except (CustodyProblem, CatalogueProblem) as problem:
        # No card waits for this: what is known already comes to the same file again.
        hint = problem.hint or T("Run: recorder-sync verify --all")
        raise_alert(station, AlertKind.STATION, problem.text, hint)
        return 0
    facts = {
        "recordings": recordings.count_sealed(station.catalogue)[0],
        "dockings": dockings.count(station.catalogue),
        "from": FILE_NAME,
    }
    station.custody.append([station.deed(Act.CATALOGUE_REBUILT, FILE_NAME, facts)])
    raise_alert(
        station,
        AlertKind.STATION,
        T(
            "The catalogue did not know {count} sealed recording(s); they were entered anew "
            "from the custody log.",
            count=count,
        ),
        T("It was put back from a backup, or changed by hand. Run: recorder-sync verify --all"),
    )
    return count


def is_intake_under_way(station: Station) -> bool:
    """Tell whether a card is being taken in, by whatever process. Raises OSError."""
    return any(_is_live(folder) for folder in _folders(station))


def _folders(station: Station) -> list[Path]:
    inside = station.evidence.incoming.iterdir()
    folders = (path for path in inside if path.is_dir() and not path.is_symlink())
    return sorted(folder for folder in folders if folder.name != KEPT)


def _clear(folder: Path, kept: KeptPartials) -> None:
    """Remove a docking's folder, but for the partial copies that are worth keeping.

    One that cannot be removed stands in nobody's way: the next start tries again.
    """
    with suppress(OSError):
        kept.keep_from(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _is_same(folder: Path, handle: int) -> bool:
    """Tell whether the folder of this name is still the one that is open."""
    try:
        return os.path.samestat(folder.stat(), os.fstat(handle))
    except OSError:
        return False


def _is_live(folder: Path) -> bool:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False  # its intake has just ended
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _close(station: Station, docking: str) -> None:
    """End a docking whose run is dead, with what the catalogue knows of its files."""
    noted = noted_facts(dockings.inventory_of(station.catalogue, docking))
    facts = {"outcome": DockingOutcome.INTERRUPTED.value, **noted}
    deed = station.deed(Act.DOCKING_CLOSED, docking, facts)
    with transaction(station.catalogue):
        append(station, [deed])
        dockings.close_docking(station.catalogue, docking, deed.time, DockingOutcome.INTERRUPTED)
