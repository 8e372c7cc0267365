"""Makes the catalogue anew from the custody log, entry by entry.

The log holds all that the catalogue does: it is an index, never the truth. The old
file is kept beside the new one, which takes its name only when it is complete. Only what
an interrupted intake meant to seal is not in the log; it is taken over from the old file
where that can be read.

Each step sets what its entry says and may be repeated: a catalogue that has the first
part of the log already comes out the same (`restore.py`).
"""

import base64
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue import (
    alert_life,
    brought_back,
    calendar,
    copies,
    copy_locks,
    deferrals,
    device_events,
    dockings,
    document_corrections,
    document_uploads,
    documents,
    gap_explanations,
    holds,
    ledger,
    looked_at,
    marks,
    recordings,
    trail,
    uploads,
    verified,
    watch_state,
)
from recorder_sync.catalogue.database import (
    FILE_NAME,
    alone,
    files_of,
    lock_files_of,
    open_catalogue,
    transaction,
)
from recorder_sync.catalogue.dockings import Became, Docking, DockingOutcome, InventoryEntry
from recorder_sync.catalogue.ledger_facts import case_of, device_of, event_of
from recorder_sync.catalogue.recordings import Intent
from recorder_sync.custody.log import Act, CustodyLog, Entry
from recorder_sync.description import as_json, as_text, from_json
from recorder_sync.durable import sync_folder
from recorder_sync.errors import CatalogueProblem
from recorder_sync.health_json import health_of
from recorder_sync.language import T
from recorder_sync.model import (
    CardPath,
    Claim,
    Digests,
    Identity,
    IdentityState,
    ItemOutcome,
    Kind,
    Officer,
    Source,
    Storage,
    UsbIdentity,
)
from recorder_sync.rules.docking import Stay
from recorder_sync.timestamps import iso, moment, ns

_BATCH = 500
_CACHE_KIB = 200_000
"""Memory for pages: a recording's id and digests belong anywhere in their indexes."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    recordings: int
    dockings: int
    kept: Path | None
    """The old file, None where there was none."""


def rebuild(state: Path, custody: CustodyLog, at: datetime) -> Rebuilt:
    """Replay the whole log into a new catalogue and put it in the old one's place.

    Raises CatalogueProblem where somebody has the catalogue open, CustodyProblem when the
    log is broken; the old file then stays where it is.
    """
    with alone(state / FILE_NAME):
        fresh = fresh_file(state)
        db = opened_to_fill(fresh)
        try:
            replay(db, custody)
        except BaseException:
            db.close()
            raise
        return put_in_place(db, fresh, at)


def fresh_file(state: Path) -> Path:
    """Return the name under which a catalogue is made; what an earlier try left is removed."""
    fresh = state / "catalogue.rebuilding.db"
    for leftover in files_of(fresh):
        leftover.unlink(missing_ok=True)
    return fresh


def opened_to_fill(fresh: Path) -> Database:
    """Open the file of a catalogue that nobody needs before it is whole.

    It is synced when it is put in place, and not before. Raises as `open_catalogue`.
    """
    db = open_catalogue(fresh)
    for pragma in ("synchronous=off", f"cache_size=-{_CACHE_KIB}"):
        db.execute(f"pragma {pragma}")
    return db


def put_in_place(db: Database, fresh: Path, at: datetime) -> Rebuilt:
    """Close the catalogue `db` in the file `fresh`, and give it the place of the old one.

    Nobody else may have that open (`alone`). Raises OSError.
    """
    path = fresh.with_name(FILE_NAME)
    try:
        _take_over_intents(db, path)
        watch_state.take_over(db, path)
        uploads.take_over(db, path)
        document_uploads.take_over(db, path)
        counts = (recordings.count_sealed(db)[0], dockings.count(db))
        db.execute("pragma wal_checkpoint(truncate)")
    finally:
        db.close()
    _sync(fresh)
    kept = None
    for old in files_of(path):
        if old.exists():
            beside = _unused(old.with_name(f"replaced-{at:%Y%m%dT%H%M%S}-{old.name}"))
            old.rename(beside)
            kept = kept or beside
    fresh.rename(path)
    for lock in lock_files_of(fresh):
        lock.unlink(missing_ok=True)
    sync_folder(path.parent)
    return Rebuilt(*counts, kept)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unused(path: Path) -> Path:
    """Return a name beside `path` that nothing has yet."""
    tried, number = path, 1
    while tried.exists():
        tried, number = path.with_name(f"{path.name}.{number}"), number + 1
    return tried


def _take_over_intents(db: Database, old: Path) -> None:
    """Enter what the old catalogue meant to seal and the log has no seal of.

    The next start finishes or discards it (`ingest/recovery.py`), as it would have.
    """
    if not old.exists():
        return
    try:
        with closing(Database(sqlite3.connect(f"{old.as_uri()}?mode=ro", uri=True))) as before:
            intents = recordings.intents(before)
            of_documents = documents.intents(before)
    except (sqlite3.DatabaseError, KeyError, TypeError, ValueError):
        return  # it is broken, which is why it is made anew
    with transaction(db):
        for intent in intents:
            docking, recording = intent.recording.docking, intent.recording.id
            if dockings.is_entered(db, docking) and not recordings.is_entered(db, recording):
                recordings.enter(db, [intent])
        for one in of_documents:
            if documents.find(db, one.id) is None:
                documents.note_intent(db, one)


def replay(db: Database, custody: CustodyLog) -> int:
    """Enter all that the log holds; return how many seals that is.

    Raises CustodyProblem where the log is broken, CatalogueProblem where the catalogue has
    what is not in it.
    """
    batch: list[Entry] = []
    seals = entries = 0
    for entry in custody.entries():
        entries = entry.seq + 1
        seals += entry.deed.act is Act.SEAL
        batch.append(entry)
        if len(batch) == _BATCH:
            with transaction(db):
                apply(db, batch)
            batch = []
    with transaction(db):
        apply(db, batch)
        note_taken_up(db, entries)
    return seals


def taken_up(db: Database) -> int:
    """Return how many entries of the log are known to be in the catalogue, from the first on."""
    return int(db.execute("pragma user_version").fetchone()[0])


def note_taken_up(db: Database, entries: int) -> None:
    """Note, in a transaction of the caller's, that all of so many entries are in the catalogue."""
    db.execute(f"pragma user_version = {entries}")


def apply(db: Database, entries: Iterable[Entry]) -> None:
    """Enter what these entries say, in a transaction of the caller's."""
    for entry in entries:
        take_up(db, entry)


def take_up(db: Database, entry: Entry) -> None:
    """Do to the catalogue what followed from one entry of the custody log."""
    if (step := _STEPS.get(entry.deed.act)) is not None:
        step(db, entry)
    trail.take_up(db, entry)


def _docking_opened(db: Database, entry: Entry) -> None:
    facts = entry.deed.facts
    storage, source = facts["storage"], facts["identity_source"]
    dockings.open_docking(
        db,
        Docking(
            id=entry.deed.subject,
            source=facts["source"],
            port=facts["port"],
            identity=Identity(
                facts["device"],
                Source(source) if source else None,
                IdentityState(facts["identity_state"]),
                tuple(Claim(v, Source(s), d) for v, s, d in facts["claims"]),
            ),
            storage=Storage(**storage) if storage else None,
            started_at=moment(facts["started_at"]),
            state=Stay(facts["state"]) if facts.get("state") else None,
            usb=UsbIdentity.parse(facts["usb"]) if facts.get("usb") else None,
            fs_uuid=facts.get("fs_uuid"),
            health=health_of(facts["health"]) if facts.get("health") else None,
        ),
    )


def _inventory(db: Database, entry: Entry) -> None:
    dockings.add_inventory(
        db,
        entry.deed.subject,
        [
            InventoryEntry(
                path_of(file),
                file["size"],
                ns(file["mtime"]),
                Kind(file["kind"]) if file["kind"] else None,
                _first_outcome(file),
                file["skipped"] or file["failure"],
            )
            for file in entry.deed.facts["files"]
        ],
        perhaps_entered=True,
    )


def _first_outcome(file: Mapping[str, Any]) -> ItemOutcome | None:
    if file["skipped"]:
        return ItemOutcome.SKIPPED
    return ItemOutcome.FAILED if file["failure"] else None


def _seal(db: Database, entry: Entry) -> None:
    facts = entry.deed.facts
    recording = from_json(facts["recording"])
    if recordings.is_entered(db, recording.id) and _is_sealed(db, entry):
        recordings.see_tags(db, [recording])
        return
    digests = Digests(facts["description_blake3"], facts["description_sha256"])
    described = as_json(recording)
    text = as_text(described)
    fingerprint = bytes.fromhex(facts["fingerprint"])
    recordings.enter(db, [Intent(recording, described, text, digests, fingerprint, "")])
    recordings.mark_sealed(db, {recording.id: entry.seq})
    if not recording.missing:
        sealed = Became(
            recording.docking, recording.original_path, ItemOutcome.SEALED, recording.id
        )
        dockings.set_outcomes(db, [sealed])


def _is_sealed(db: Database, seal: Entry) -> bool:
    """Tell whether the catalogue has this very seal; an intent that it has is withdrawn."""
    known = recordings.custody_seq_of(db, seal.deed.subject)
    if known is None:
        recordings.withdraw(db, seal.deed.subject)
        return False
    if known != seal.seq:
        raise CatalogueProblem(
            T("The catalogue and the custody log do not belong together."),
            T("Run: recorder-sync catalogue rebuild, which needs nothing but the log."),
        )
    return True


def _seen_again(db: Database, entry: Entry) -> None:
    facts = entry.deed.facts
    again = Became(facts["docking"], path_of(facts), ItemOutcome.ALREADY_SEALED, entry.deed.subject)
    dockings.set_outcomes(db, [again])


def _docking_closed(db: Database, entry: Entry) -> None:
    facts, docking = entry.deed.facts, entry.deed.subject
    known = [
        Became(docking, path_of(file), ItemOutcome.ALREADY_SEALED, file["recording"])
        for file in facts.get("already_sealed", ())
    ]
    failed = [
        Became(
            docking,
            path_of(file),
            ItemOutcome.FAILED,
            file.get("salvage"),
            file["error"],
            file["hint"],
        )
        for file in facts.get("failed", ())
    ]
    dockings.set_outcomes(db, known + failed)
    dockings.close_docking(db, docking, entry.deed.time, DockingOutcome(facts["outcome"]))
    if facts.get("state"):
        dockings.set_state(db, docking, Stay(facts["state"]))


def _device_removed(db: Database, entry: Entry) -> None:
    facts = entry.deed.facts
    dockings.end_stay(db, entry.deed.subject, Stay(facts["state"]), entry.deed.time)


def _tag(db: Database, entry: Entry) -> None:
    before = recordings.recording(db, entry.deed.subject).recording
    recordings.retag(db, from_json({**as_json(before), **entry.deed.facts["after"]}))


def _ledger(db: Database, entry: Entry) -> None:
    which, _, number = entry.deed.subject.partition(":")
    facts, at = entry.deed.facts, entry.deed.time
    match which:
        case "device":
            ledger.register_device(db, device_of(number, facts, at))
        case "officer":
            ledger.register_officer(db, Officer(number, **facts), iso(at))
        case "case":
            ledger.register_case(db, case_of(number, facts), iso(at))


def _device_event(db: Database, entry: Entry) -> None:
    if not device_events.is_entered(db, entry.seq):
        device_events.enter(db, event_of(entry))


def _verification(db: Database, entry: Entry) -> None:
    verified.enter(db, entry.deed.facts, entry.deed.time)


def path_of(facts: Mapping[str, Any]) -> CardPath:
    """Return a card's path as the custody log holds it."""
    exact = facts.get("path_base64")
    return CardPath(base64.b64decode(exact) if exact else facts["path"].encode())


_STEPS: dict[Act, Callable[[Database, Entry], None]] = {
    Act.DOCKING_OPENED: _docking_opened,
    Act.INVENTORY: _inventory,
    Act.SEAL: _seal,
    Act.SEEN_AGAIN: _seen_again,
    Act.DOCKING_CLOSED: _docking_closed,
    Act.DEVICE_HELD: _docking_opened,
    Act.DEVICE_REMOVED: _device_removed,
    Act.ALERT: alert_life.opened,
    Act.ALERT_UPDATED: alert_life.updated,
    Act.ALERT_ACKNOWLEDGED: alert_life.acknowledged,
    Act.ALERT_RESOLVED: alert_life.resolved,
    Act.ALERT_ENDED: alert_life.ended,
    Act.DEFERRAL: deferrals.take_up,
    Act.CALENDAR: calendar.take_up,
    Act.GAP_EXPLAINED: gap_explanations.take_up,
    Act.TAG: _tag,
    Act.MARK: marks.take_up_marks,
    Act.BOOKMARK: marks.take_up_bookmark,
    Act.DOCUMENT: documents.take_up,
    Act.DOCUMENT_CORRECTED: document_corrections.take_up,
    Act.BELONGS_TO_DOCUMENT: documents.take_up_belonging,
    Act.LEDGER: _ledger,
    Act.DEVICE_EVENT: _device_event,
    Act.VERIFICATION: _verification,
    Act.CONFIRMED: copies.take_up,
    Act.COPIES_LOOKED_AT: looked_at.take_up_found,
    Act.COPY_LOST: looked_at.take_up_lost,
    Act.COPY_LOCKED: copy_locks.take_up,
    Act.LEGAL_HOLD: holds.take_up,
    Act.HOLD_RELEASED: holds.take_up_release,
    Act.CATALOGUE_REBUILT: brought_back.take_up,
}

ACTS = frozenset(_STEPS) | trail.ACTS
"""What the catalogue has something of."""
