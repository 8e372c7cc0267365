"""What follows in the catalogue from each entry of the custody log, act by act.

Each step sets what its entry says and may be repeated: a catalogue that has the first
part of the log already comes out the same (`restore.py`). It knows every table, so it is
imported where an entry is taken up (`taking_up.py`), which most commands never do.
"""

import base64
from collections.abc import Callable, Mapping
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
    documents,
    gap_explanations,
    holds,
    ledger,
    looked_at,
    marks,
    recordings,
    verified,
)
from recorder_sync.catalogue.dockings import Became, Docking, DockingOutcome, InventoryEntry
from recorder_sync.catalogue.ledger_facts import case_of, device_of, event_of
from recorder_sync.catalogue.recordings import Intent
from recorder_sync.custody.log import Act, Entry
from recorder_sync.description import as_json, as_text, from_json
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
                _path_of(file),
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
    recordings.see_tags(db, [recording])
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
    again = Became(
        facts["docking"], _path_of(facts), ItemOutcome.ALREADY_SEALED, entry.deed.subject
    )
    dockings.set_outcomes(db, [again])


def _docking_closed(db: Database, entry: Entry) -> None:
    facts, docking = entry.deed.facts, entry.deed.subject
    known = [
        Became(docking, _path_of(file), ItemOutcome.ALREADY_SEALED, file["recording"])
        for file in facts.get("already_sealed", ())
    ]
    failed = [
        Became(
            docking,
            _path_of(file),
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


def _path_of(facts: Mapping[str, Any]) -> CardPath:
    """Return a card's path as the custody log holds it."""
    exact = facts.get("path_base64")
    return CardPath(base64.b64decode(exact) if exact else facts["path"].encode())


STEPS: dict[Act, Callable[[Database, Entry], None]] = {
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
