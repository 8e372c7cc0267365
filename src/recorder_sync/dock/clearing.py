"""Removes recordings from a card, where the configuration asks for it, and never the rest.

The dock itself may not write to a card. It leaves a request in the runtime folder; a
unit of its own makes the card writable, runs `recorder-sync clear`, and makes it
read-only again. A recording goes only when the file on the card is still the one that
was sealed: same size, same time, same digest, read anew. What is to go is on record
before it goes, and what went, after.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from recorder_sync.catalogue import copies, dockings, holds, recordings
from recorder_sync.catalogue.copies import Proof
from recorder_sync.catalogue.dockings import InventoryEntry
from recorder_sync.config import Clear
from recorder_sync.custody.log import Act
from recorder_sync.direct_io import page_aligned
from recorder_sync.dock.plugged import Plugged
from recorder_sync.errors import RecorderSyncError, os_reason
from recorder_sync.ingest.medium import file_system_of, has_device
from recorder_sync.ingest.readback import read_back
from recorder_sync.ingest.report import Report
from recorder_sync.ingest.seal import path_facts
from recorder_sync.ingest.volume import Stamp, Volume, stamp
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.model import CardPath, Flag, IdentityState, ItemOutcome, Recording
from recorder_sync.station import Station

FOLDER = "clear"
"""Folder of the requests, below the runtime folder."""

WRITABLE = "now"
"""Folder below it, of the requests whose card the unit has made writable."""

_BEGUN_WITHIN_S = 20.0
_SEALED = frozenset({ItemOutcome.SEALED, ItemOutcome.ALREADY_SEALED})
_log = Log()


@dataclass(frozen=True, slots=True)
class ClearingRequest:
    """One card that is to be cleared of what is sealed."""

    docking: str
    root: Path
    file: Path
    """The request itself, to be removed when it is done."""


@dataclass(frozen=True, slots=True)
class Cleared:
    removed: int
    kept: int


class Clearing:
    """A request on its way. While it is, the card may be written to."""

    def __init__(
        self, folder: Path, name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._waiting = folder / name
        self._begun = folder / WRITABLE / name
        self._clock = clock
        self._asked_at = clock()

    def is_under_way(self) -> bool:
        """Tell whether the card is not to be pulled yet.

        A request that nobody begins with, for want of the unit, is withdrawn.
        """
        if self._waiting.exists() and self._clock() - self._asked_at > _BEGUN_WITHIN_S:
            self._waiting.unlink(missing_ok=True)
        return self._waiting.exists() or self._begun.exists()


def ask_for_clearing(
    station: Station, report: Report, plugged: Plugged, root: Path
) -> Clearing | None:
    """Leave a request to clear this card, where the configuration wants that."""
    settings = station.settings
    if settings.dock.clear is Clear.NEVER or report.identity.state is IdentityState.CONFLICT:
        return None
    if not any(outcome.what in _SEALED for outcome in report.outcomes):
        return None
    folder = settings.paths.runtime / FOLDER
    request = {"docking": report.docking, "root": str(root), "node": str(plugged.node)}
    try:
        folder.mkdir(exist_ok=True)
        beside = folder / f".{report.docking}"
        beside.write_text(json.dumps(request), encoding="utf-8")
        beside.replace(folder / f"{report.docking}.json")
    except OSError as error:
        _log.error("no request to clear", docking=report.docking, why=os_reason(error).english)
        return None
    return Clearing(folder, f"{report.docking}.json")


def clearing_requests(runtime: Path) -> Iterator[ClearingRequest]:
    """Yield the requests whose card is writable.

    What is no request is removed and named in the log.
    """
    for file in sorted((runtime / FOLDER / WRITABLE).glob("*.json")):
        try:
            found = json.loads(file.read_text("utf-8"))
            yield ClearingRequest(found["docking"], Path(found["root"]), file)
        except (ValueError, KeyError, TypeError) as error:
            _log.error("not a request", file=file.name, why=repr(error))
            file.unlink()


def clear(station: Station, request: ClearingRequest) -> Cleared:
    """Remove what is sealed and unchanged from a card; keep everything else.

    Raises RecorderSyncError or OSError when nothing can be done at all.
    """
    entries = dockings.inventory_of(station.catalogue, request.docking)
    sealed = [entry for entry in entries if entry.outcome in _SEALED and entry.recording]
    volume = Volume(request.root)
    try:
        may_go, kept = [], 0
        for entry in sealed:
            why_not = _why_not(station, volume, entry)
            if why_not is None:
                may_go.append(entry)
            else:
                kept += 1
                _log.warning("kept", file=entry.path.shown, why=why_not.english)
        if not may_go:
            return Cleared(0, kept)
        _put_on_record(station, request.docking, "to be removed", may_go)
        gone = [entry for entry in may_go if _remove(volume, entry)]
        _put_on_record(station, request.docking, "removed", gone)
    finally:
        volume.close()
    return Cleared(len(gone), kept + len(may_go) - len(gone))


def _why_not(station: Station, volume: Volume, entry: InventoryEntry) -> Text | None:
    """Say why a file stays on the card, or None when nothing speaks against removing it."""
    assert entry.recording is not None
    try:
        recording = recordings.recording(station.catalogue, entry.recording).recording
        return (
            _why_not_by_policy(station, recording)
            or _why_not_by_evidence(station, recording)
            or _why_not_by_card(volume, entry, recording)
        )
    except OSError as error:
        return T("it cannot be compared: {why}", why=os_reason(error))
    except RecorderSyncError as error:
        return error.text


def _why_not_by_policy(station: Station, recording: Recording) -> Text | None:
    if station.settings.dock.clear is Clear.NEVER:
        return T("clearing is switched off")
    if holds.is_held(station.catalogue, recording.id):
        return T("it is under legal hold")
    if station.settings.dock.clear is Clear.CONFIRMED:
        why_not = _why_not_by_stores(station, recording)
        if why_not is not None:
            return why_not
    if Flag.UNVERIFIED_MEDIUM in recording.flags:
        return T("the copy could not be verified on its medium")
    if recording.missing:
        return T("only a part of it is sealed")
    return None


def _why_not_by_stores(station: Station, recording: Recording) -> Text | None:
    """Ask whether every store that has to confirm it has done so, by more than its size."""
    needed = [
        store
        for store in station.settings.stores
        if store.needed_for_clearing and store.takes(recording)
    ]
    if not needed:
        return T("no evidence store has confirmed it")
    confirmed = copies.confirmed_by(station.catalogue, recording.id)
    for store in needed:
        copy = confirmed.get(store.name)
        if copy is None:
            return T("the evidence store {store} has not confirmed it", store=store.name)
        if copy.proof is Proof.SIZE:
            return T("the evidence store {store} was not read back", store=store.name)
    return None


def _why_not_by_evidence(station: Station, recording: Recording) -> Text | None:
    """Read the sealed copy once more, from its medium: the card may hold the only other one."""
    path = station.evidence.absolute(recording.path)
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        with page_aligned() as buffer:
            found = read_back(handle, buffer, has_device(file_system_of(path)))
    finally:
        os.close(handle)
    if found.blake3 != recording.digests.blake3:
        return T("the evidence file is not what was sealed")
    return None if found.proof.proves_medium else T("the copy could not be verified on its medium")


def _why_not_by_card(volume: Volume, entry: InventoryEntry, recording: Recording) -> Text | None:
    with volume.file(entry.path) as handle, page_aligned() as buffer:
        if stamp(handle) != Stamp(entry.size, entry.mtime_ns):
            return T("size or time on the card are not the same any more")
        found = read_back(handle, buffer, on_device=False)
    if found.blake3 != recording.digests.blake3:
        return T("the content on the card is not what is sealed")
    return None


def _remove(volume: Volume, entry: InventoryEntry) -> bool:
    folder, _, name = entry.path.raw.rpartition(b"/")
    try:
        with volume.folder(CardPath(folder)) as handle:
            os.unlink(name, dir_fd=handle)
            os.fsync(handle)
    except OSError as error:
        _log.error("not removed", file=entry.path.shown, why=os_reason(error).english)
        return False
    return True


def _put_on_record(
    station: Station, docking: str, what: str, entries: list[InventoryEntry]
) -> None:
    files = [{**path_facts(entry.path), "recording": entry.recording} for entry in entries]
    station.custody.append([station.deed(Act.CLEARED, docking, {"what": what, "files": files})])
