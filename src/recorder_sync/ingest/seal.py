"""Seals verified copies, a batch at a time, so that any instant may be the last.

The order is what keeps the promise. The intent is committed first, then the copy is
moved into the evidence tree with its description and digest lists, all synced, then
the custody entry is synced, then the catalogue says "sealed". A restart finds the
intent and goes on from wherever it stopped; nothing is told to anybody before the
last step.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from recorder_sync.catalogue import dockings, recordings
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.recordings import Intent
from recorder_sync.custody.log import Act, Deed
from recorder_sync.description import as_bytes, as_json
from recorder_sync.durable import sync_folder, write_synced
from recorder_sync.errors import RecordingFailure, os_reason
from recorder_sync.ingest.engine import ring_of_buffers
from recorder_sync.ingest.readback import read_back
from recorder_sync.language import T
from recorder_sync.model import CardPath, Digests, ItemOutcome, Recording
from recorder_sync.rules.identity import is_same_device
from recorder_sync.rules.lifecycle import State
from recorder_sync.station import Station
from recorder_sync.stores.evidence import move_into_place

_SYNCING = 4
"""Threads that write descriptions: an fsync waits for the disk, not for the processor."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A copy that is verified and described, and the recording it is to become."""

    recording: Recording
    fingerprint: bytes
    part: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a recording, new or known, or a failure."""

    path: CardPath
    what: ItemOutcome
    recording: Recording | None = None
    failure: RecordingFailure | None = None


def seal(station: Station, batch: Sequence[Ready]) -> list[Outcome]:
    """Seal a batch; when this returns, what it calls sealed is.

    Raises MissingPart when the custody log, the catalogue or the evidence folder cannot be
    written: then nothing of the batch is reported, and the next start finishes it.
    """
    with station.evidence.sealing_turn():
        new, known = _sort_out(station, batch)
        intents = [_intent(station, ready) for ready in new]
        with transaction(station.catalogue):
            for intent in intents:
                recordings.enter(station.catalogue, intent)
        done, failures = _finish(station, intents, {})
        outcomes = [
            *(Outcome(i.recording.original_path, ItemOutcome.SEALED, i.recording) for i in done),
            *(Outcome(k.path, ItemOutcome.ALREADY_SEALED, k.recording) for k in known),
            *failures,
        ]
        station.custody.append(
            [
                station.deed(
                    Act.SEEN_AGAIN,
                    k.recording.id,
                    {"docking": k.docking, **path_facts(k.path)},
                )
                for k in known
            ]
        )
        note_outcomes(station, batch[0].recording.docking if batch else "", outcomes)
    for k in known:
        k.part.unlink(missing_ok=True)
    return outcomes


def finish_interrupted(station: Station, intents: Sequence[Intent]) -> tuple[int, int]:
    """Finish what a crash left between intent and seal; call in the sealing turn.

    Every copy is read again first. Returns how many were sealed, and how many copies
    were lost (their recordings are still on the card, and are taken in again).
    """
    whole = []
    for intent in intents:
        if _copy_is_whole(station, intent):
            whole.append(intent)
        else:
            with transaction(station.catalogue):
                recordings.withdraw(station.catalogue, intent.recording.id)
    done, failures = _finish(station, whole, _seals_in_log(station, whole))
    with transaction(station.catalogue):
        for intent in done:
            dockings.set_outcome(
                station.catalogue,
                intent.recording.docking,
                intent.recording.original_path,
                ItemOutcome.SEALED,
                recording=intent.recording.id,
            )
    return len(done), len(intents) - len(whole) + len(failures)


def note_outcomes(station: Station, docking: str, outcomes: Sequence[Outcome]) -> None:
    """Write into the docking's inventory what became of these files."""
    with transaction(station.catalogue):
        for outcome in outcomes:
            failure = outcome.failure
            dockings.set_outcome(
                station.catalogue,
                docking,
                outcome.path,
                outcome.what,
                recording=outcome.recording.id if outcome.recording else None,
                reason=failure.text.english if failure else None,
                hint=failure.hint.english if failure and failure.hint else None,
            )


def path_facts(path: CardPath) -> dict[str, str]:
    """Return a card's path as the custody log holds it."""
    exact = path.base64
    return {"path": path.text} if exact is None else {"path": path.text, "path_base64": exact}


@dataclass(frozen=True, slots=True)
class _Known:
    """A copy whose content is sealed already, perhaps under another name."""

    path: CardPath
    docking: str
    recording: Recording
    part: Path


def _sort_out(station: Station, batch: Sequence[Ready]) -> tuple[list[Ready], list[_Known]]:
    """Tell what is new from what is sealed already, under whatever name."""
    new: list[Ready] = []
    known: list[_Known] = []
    entered: dict[str, Recording] = {}
    for ready in batch:
        recording = ready.recording
        earlier = entered.get(recording.id) or _same_content(station, recording)
        if earlier is None:
            entered[recording.id] = recording
            new.append(ready)
        else:
            known.append(_Known(recording.original_path, recording.docking, earlier, ready.part))
    return new, known


def _same_content(station: Station, recording: Recording) -> Recording | None:
    device = recording.tags.device.value if recording.tags.device else None
    found = recordings.with_content(station.catalogue, recording.digests.blake3, recording.size)
    for same in found:
        if same.state is State.SEALED and is_same_device(device, same.devices):
            return recordings.recording(station.catalogue, same.recording).recording
    return None


def _intent(station: Station, ready: Ready) -> Intent:
    description = as_bytes(ready.recording)
    return Intent(
        ready.recording,
        Digests(blake3(description).hexdigest(), hashlib.sha256(description).hexdigest()),
        ready.fingerprint,
        str(ready.part.relative_to(station.evidence.root)),
    )


def _finish(
    station: Station, intents: Sequence[Intent], in_log: dict[str, int]
) -> tuple[list[Intent], list[Outcome]]:
    """Do everything between intent and "sealed"; each step may have been done before.

    `in_log` holds the custody entries that a crash left without their catalogue row.
    """
    placed: list[Intent] = []
    failures: list[Outcome] = []
    with ThreadPoolExecutor(_SYNCING) as pool:
        results = pool.map(lambda intent: _place(station, intent), intents)
        for intent, error in zip(intents, results, strict=True):
            if error is None:
                placed.append(intent)
            elif intent.recording.id in in_log:  # sealed by the log: never taken back
                raise station.evidence.unusable(error) from error
            else:
                failures.append(_take_back(station, intent, error))
    try:
        _list_and_sync(station, placed)
        for intent in placed:
            final = station.evidence.absolute(intent.recording.path)
            station.evidence.protect(final)
            station.evidence.protect(_description_path(final))
    except OSError as error:
        raise station.evidence.unusable(error) from error
    entries = station.custody.append(
        [_seal_deed(station, intent) for intent in placed if intent.recording.id not in in_log]
    )
    numbers = {**in_log, **{entry.deed.subject: entry.seq for entry in entries}}
    with transaction(station.catalogue):
        for intent in placed:
            identifier = intent.recording.id
            recordings.mark_sealed(station.catalogue, identifier, numbers[identifier])
    return placed, failures


def _place(station: Station, intent: Intent) -> OSError | None:
    """Move the copy to its place and write its description beside it, synced."""
    final = station.evidence.absolute(intent.recording.path)
    beside = _description_path(final)
    try:
        part = station.evidence.absolute(intent.part)
        if part.exists() and part != final:
            move_into_place(part, final)
        if not beside.exists() or beside.read_bytes() != as_bytes(intent.recording):
            write_synced(beside, as_bytes(intent.recording))
    except OSError as error:
        return error
    return None


def _take_back(station: Station, intent: Intent, error: OSError) -> Outcome:
    """Undo what was done for one recording; the card still has it.

    A copy that could not be moved lies in the incoming area still; then whatever is in
    its place is not ours to remove.
    """
    final = station.evidence.absolute(intent.recording.path)
    part = station.evidence.absolute(intent.part)
    if part.exists() and part != final:
        part.unlink()
    else:
        _description_path(final).unlink(missing_ok=True)
        final.unlink(missing_ok=True)
    with transaction(station.catalogue):
        recordings.withdraw(station.catalogue, intent.recording.id)
    failure = RecordingFailure(
        T("It could not be put into the evidence folder: {why}.", why=os_reason(error)),
        T("Check the evidence disk with recorder-sync verify --all, then take the card in again."),
    )
    return Outcome(intent.recording.original_path, ItemOutcome.FAILED, failure=failure)


def _list_and_sync(station: Station, placed: Sequence[Intent]) -> None:
    by_folder: dict[Path, dict[str, tuple[str, str]]] = {}
    parts = set()
    for intent in placed:
        final = station.evidence.absolute(intent.recording.path)
        own, its = intent.recording.digests, intent.description
        names = by_folder.setdefault(final.parent, {})
        names[final.name] = (own.blake3, own.sha256)
        names[_description_path(final).name] = (its.blake3, its.sha256)
        parts.add(station.evidence.absolute(intent.part).parent)
    for folder, digests in by_folder.items():
        station.evidence.list_digests(folder, digests)
        sync_folder(folder)
    for folder in parts:
        if folder.exists():
            sync_folder(folder)


def _seal_deed(station: Station, intent: Intent) -> Deed:
    return station.deed(
        Act.SEAL,
        intent.recording.id,
        {
            "recording": as_json(intent.recording),
            "description_blake3": intent.description.blake3,
            "description_sha256": intent.description.sha256,
            "fingerprint": intent.fingerprint.hex(),
        },
    )


def _description_path(final: Path) -> Path:
    return final.with_name(final.name + ".json")


def _copy_is_whole(station: Station, intent: Intent) -> bool:
    for path in (intent.recording.path, intent.part):
        try:
            with (
                ring_of_buffers(1) as (buffer,),
                station.evidence.absolute(path).open("rb", buffering=0) as file,
            ):
                read = read_back(file.fileno(), buffer, on_device=True)
        except FileNotFoundError:
            continue
        if read.blake3 == intent.recording.digests.blake3:
            return True
    return False


def _seals_in_log(station: Station, intents: Sequence[Intent]) -> dict[str, int]:
    """Return the seal entries that are in the log though the catalogue does not know."""
    wanted = {intent.recording.id for intent in intents}
    if not wanted:
        return {}
    return {
        entry.deed.subject: entry.seq
        for entry in station.custody.entries()
        if entry.deed.act is Act.SEAL and entry.deed.subject in wanted
    }
