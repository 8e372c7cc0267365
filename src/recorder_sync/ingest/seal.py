"""Seals verified copies, a batch at a time, so that any instant may be the last.

The order is what keeps the promise. The intent is committed first, then the copy is
moved into the evidence tree with its description and digest lists, all synced, then
the custody entry is synced, then the catalogue says "sealed". A restart finds the
intent and goes on from wherever it stopped; nothing is told to anybody before the
last step.
"""

import errno
import hashlib
from collections.abc import Sequence, Set
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from blake3 import blake3

from recorder_sync.catalogue import dockings, recordings
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.dockings import Became
from recorder_sync.catalogue.recordings import Intent, SameContent
from recorder_sync.catalogue.taking_up import take_up
from recorder_sync.custody.log import Act, Deed
from recorder_sync.description import as_json, as_text
from recorder_sync.errors import RecorderSyncError, RecordingFailure, os_reason
from recorder_sync.ingest.placing import Day, clear_away, copy_is_whole, folders_of
from recorder_sync.journal import Log
from recorder_sync.language import T
from recorder_sync.model import CardPath, Digests, Flag, ItemOutcome, Recording
from recorder_sync.on_record import append, turn
from recorder_sync.protection import Protection
from recorder_sync.rules.identity import is_same_device
from recorder_sync.rules.lifecycle import State
from recorder_sync.rules.tagging import conflicts
from recorder_sync.station import Station
from recorder_sync.stores.evidence import FREE_SPACE

_log = Log()


@dataclass(frozen=True, slots=True)
class Ready:
    """A copy that is verified and described, and the recording it is to become."""

    recording: Recording
    fingerprint: bytes
    part: Path
    failure: RecordingFailure | None = None
    """Of a salvage copy: why the recording as a whole is not in."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A recording whose copy is in its place, and what keeps that from being changed."""

    intent: Intent
    protection: Protection


@dataclass(frozen=True, slots=True)
class Brief:
    """What an intake remembers of a recording; the rest is in the catalogue.

    A card may have tens of thousands, and a whole description takes 2 KiB of memory.
    """

    id: str
    start: datetime
    on_time: bool
    in_conflict: bool
    """Its sources disagree."""
    is_replacing: bool
    """Other content was sealed under the same path, size and time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a recording, new or known, or a failure.

    A failure with a recording has a salvage copy.
    """

    path: CardPath
    what: ItemOutcome
    recording: Brief | None = None
    failure: RecordingFailure | None = None


def seal(station: Station, batch: Sequence[Ready]) -> list[Outcome]:
    """Seal a batch of one docking; when this returns, what it calls sealed is.

    Raises MissingPart when the custody log, the catalogue or the evidence folder cannot be
    written: then nothing of the batch is reported, and the next start finishes it.
    """
    with station.evidence.sealing_turn():
        _finish_what_others_left(station)
        new, known = _sort_out(station, batch)
        intents = [_intent(station, ready) for ready in new]
        with transaction(station.catalogue):
            recordings.enter(station.catalogue, intents)
        placed, not_placed = _put_in_place(station, intents, interrupted=False)
        in_place = {one.intent.id for one in placed}
        outcomes = [
            *(
                _outcome(ready, ready.recording, ItemOutcome.SEALED)
                for ready in new
                if ready.recording.id in in_place
            ),
            *(_outcome(ready, earlier, ItemOutcome.ALREADY_SEALED) for ready, earlier in known),
            *not_placed,
        ]
        with turn(station):
            again = [_seen_again_deed(station, *pair) for pair in known if pair[0].failure is None]
            _put_seals(station, placed, again)
            dockings.set_outcomes(
                station.catalogue, [_became(batch[0].recording.docking, o) for o in outcomes]
            )
    for ready, _ in known:
        with suppress(OSError):  # the outcomes stand; it goes with its folder at the latest
            ready.part.unlink()
    return outcomes


def _finish_what_others_left(station: Station) -> None:
    """Finish what an intake left that failed since this one began: it may be the same content.

    What cannot be finished is the next start's to tell; this card is taken in all the same.
    """
    try:
        finish_interrupted(station)
    except (RecorderSyncError, OSError) as error:
        _log.error("what another intake left is not finished", why=str(error))


def finish_interrupted(station: Station) -> tuple[int, int]:
    """Finish what a crash or a failure left between intent and seal; call in the sealing turn.

    Whoever seals has that turn from the intent to the seal, so an intent that is there now
    is nobody's any more. Every copy is read again first. Returns how many were sealed, and
    how many copies were lost (their recordings are still on the card, and are taken in
    again). Raises CustodyProblem where the log cannot tell what is sealed, or MissingPart.
    """
    if not (left := recordings.intents(station.catalogue)):
        return 0, 0
    _take_up_seals(station, {intent.recording.id for intent in left})
    intents = recordings.intents(station.catalogue)
    whole = []
    for intent in intents:
        if copy_is_whole(station, intent):
            whole.append(intent)
        else:
            clear_away(station, intent)
            with transaction(station.catalogue):
                recordings.withdraw(station.catalogue, intent.recording.id)
    placed, _ = _put_in_place(station, whole, interrupted=True)
    with transaction(station.catalogue):
        _put_seals(station, placed)
        dockings.set_outcomes(
            station.catalogue,
            [
                Became(r.docking, r.original_path, ItemOutcome.SEALED, r.id)
                for r in (one.intent.recording for one in placed)
                if not r.missing
            ],
        )
    lost = len(intents) - len(placed)
    return len(left) - lost, lost


def _take_up_seals(station: Station, wanted: Set[str]) -> None:
    """Take up the seals of recordings that are anywhere in the log: none is sealed twice.

    They may be in memory only: nobody may build on them before they are synced.
    """
    station.custody.sync()
    with transaction(station.catalogue):
        for entry in station.custody.entries_of((Act.SEAL,)):
            if entry.deed.subject in wanted:
                take_up(station.catalogue, entry)


def note_outcomes(station: Station, docking: str, outcomes: Sequence[Outcome]) -> None:
    """Write into the docking's inventory what became of these files."""
    if not outcomes:
        return
    with transaction(station.catalogue):
        dockings.set_outcomes(station.catalogue, [_became(docking, o) for o in outcomes])


def _became(docking: str, outcome: Outcome) -> Became:
    failure = outcome.failure
    return Became(
        docking,
        outcome.path,
        outcome.what,
        recording=outcome.recording.id if outcome.recording else None,
        reason=failure.text.english if failure else None,
        hint=failure.hint.english if failure and failure.hint else None,
    )


def in_brief(recording: Recording) -> Brief:
    return Brief(
        recording.id,
        recording.recorded.start,
        recording.on_time,
        bool(conflicts(recording.tags)),
        Flag.CONTENT_CONFLICT in recording.flags,
    )


def path_facts(path: CardPath) -> dict[str, str]:
    """Return a card's path as the custody log holds it."""
    exact = path.base64
    return {"path": path.text} if exact is None else {"path": path.text, "path_base64": exact}


def _outcome(ready: Ready, recording: Recording, what: ItemOutcome) -> Outcome:
    path = ready.recording.original_path
    if ready.failure is not None:
        return Outcome(path, ItemOutcome.FAILED, in_brief(recording), ready.failure)
    return Outcome(path, what, in_brief(recording))


def _sort_out(
    station: Station, batch: Sequence[Ready]
) -> tuple[list[Ready], list[tuple[Ready, Recording]]]:
    """Tell what is new from what is sealed already, under whatever name."""
    new: list[Ready] = []
    known: list[tuple[Ready, Recording]] = []
    entered: dict[str, Recording] = {}
    digests = [ready.recording.digests.blake3 for ready in batch]
    there = recordings.with_content(station.catalogue, digests)
    for ready in batch:
        recording = ready.recording
        same = there.get((recording.digests.blake3, recording.size), ())
        earlier = entered.get(recording.id) or _same_content(station, recording, same)
        if earlier is None:
            entered[recording.id] = recording
            new.append(ready)
        else:
            known.append((ready, earlier))
    return new, known


def _same_content(
    station: Station, recording: Recording, found: Sequence[SameContent]
) -> Recording | None:
    device = recording.tags.device.value if recording.tags.device else None
    for same in found:
        if same.state is State.SEALED and is_same_device(device, same.devices):
            earlier = recordings.recording(station.catalogue, same.recording).recording
            if earlier.missing == recording.missing:
                return earlier
    return None


def _intent(station: Station, ready: Ready) -> Intent:
    described = as_json(ready.recording)
    text = as_text(described)
    data = text.encode()
    return Intent(
        ready.recording,
        described,
        text,
        Digests(blake3(data).hexdigest(), hashlib.sha256(data).hexdigest()),
        ready.fingerprint,
        _below(ready.part, station.evidence.root),
    )


def _below(part: Path, root: Path) -> str:
    """Return a partial copy's path below the evidence folder that it is in."""
    return str(part).removeprefix(f"{root}/")  # pathlib takes longer than all else here


def _put_in_place(
    station: Station, intents: Sequence[Intent], *, interrupted: bool
) -> tuple[list[_Placed], list[Outcome]]:
    """Move copies and write descriptions and lists; each step may have been done before.

    Returns what is in place, and what could not be put there.
    """
    placed: list[_Placed] = []
    failures: list[Outcome] = []
    try:
        for folders, together in groupby(sorted(intents, key=folders_of), key=folders_of):
            with ExitStack() as stack:
                day = Day(station.evidence, *folders, stack, interrupted=interrupted)
                inside: list[Intent] = []
                for intent, error in day.place(list(together)):
                    if error is None:
                        inside.append(intent)
                    else:
                        day.take_back(intent)
                        failures.append(_withdrawn(station, intent, error))
                protections = day.complete(inside)
                placed += (_Placed(intent, protections[intent.id]) for intent in inside)
    except OSError as error:
        raise station.evidence.unusable(error) from error
    return placed, failures


def _put_seals(station: Station, placed: Sequence[_Placed], others: Sequence[Deed] = ()) -> None:
    """Put seals, and other deeds, on record in a transaction of the caller's."""
    seals = [_seal_deed(station, one) for one in placed]
    entries = append(station, [*seals, *others])
    numbers = {entry.deed.subject: entry.seq for entry in entries[: len(seals)]}
    recordings.mark_sealed(station.catalogue, numbers)
    recordings.see_tags(station.catalogue, [one.intent.recording for one in placed])


def _withdrawn(station: Station, intent: Intent, error: OSError) -> Outcome:
    with transaction(station.catalogue):
        recordings.withdraw(station.catalogue, intent.recording.id)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = FREE_SPACE
    else:
        hint = T(
            "Check the evidence disk with recorder-sync verify --all, then take the card in again."
        )
    failure = RecordingFailure(
        T("It could not be put into the evidence folder: {why}.", why=os_reason(error)), hint
    )
    return Outcome(intent.recording.original_path, ItemOutcome.FAILED, failure=failure)


def _seal_deed(station: Station, placed: _Placed) -> Deed:
    intent = placed.intent
    facts: dict[str, object] = {
        "recording": intent.described,
        "description_blake3": intent.description.blake3,
        "description_sha256": intent.description.sha256,
        "fingerprint": intent.fingerprint.hex(),
        "protection": placed.protection,
    }
    if station.settings.ingest.fs_verity:
        facts["fs_verity"] = station.evidence.verity_of(intent.recording.path)
    return station.deed(Act.SEAL, intent.recording.id, facts)


def _seen_again_deed(station: Station, ready: Ready, earlier: Recording) -> Deed:
    seen = ready.recording
    facts = {"docking": seen.docking, **path_facts(seen.original_path)}
    return station.deed(Act.SEEN_AGAIN, earlier.id, facts)
