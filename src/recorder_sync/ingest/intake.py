"""Takes in one card, as one docking: everything from plug to seal, in order.

    refuse what makes no sense -> finish what a crash left -> inventory -> is there
    room? -> copy, read back, describe -> tag -> seal -> close the docking

Whatever happens to one recording, the others go on; whatever happens to the process,
what is sealed stays sealed and the rest is taken in the next time.
"""

import os
import secrets
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import psutil

from recorder_sync.catalogue import dockings, ledger
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.dockings import Docking, DockingOutcome, InventoryEntry
from recorder_sync.catalogue.recordings import recording as sealed_recording
from recorder_sync.custody.log import Act
from recorder_sync.errors import MissingPart, RecordingFailure, UsageProblem
from recorder_sync.ingest.engine import fingerprint_of
from recorder_sync.ingest.identity_files import profile_for, read_identity_files
from recorder_sync.ingest.inventory import Item, take_inventory
from recorder_sync.ingest.lanes import Failed, Lanes, Stop, Verified
from recorder_sync.ingest.progress import Observer
from recorder_sync.ingest.readback import ReadBack
from recorder_sync.ingest.recovery import incoming_folder, recover
from recorder_sync.ingest.seal import Outcome, Ready, note_outcomes, path_facts, seal
from recorder_sync.ingest.volume import Volume
from recorder_sync.language import T
from recorder_sync.media.describer import Describer
from recorder_sync.model import (
    UNASSIGNED,
    CardPath,
    Claim,
    Device,
    Flag,
    Identity,
    ItemOutcome,
    Kind,
    Media,
    Recording,
    Source,
    Storage,
    Tags,
)
from recorder_sync.rules.deadline import deadline_for, is_on_time
from recorder_sync.rules.identity import identify, recording_id
from recorder_sync.rules.naming import Field, NameFacts, read_name
from recorder_sync.rules.recorded_time import recorded_time
from recorder_sync.rules.tagging import conflicts, decide
from recorder_sync.station import Station
from recorder_sync.stores.evidence import evidence_path
from recorder_sync.timestamps import iso, iso_ns

_ENTRY_FILES = 1_000
"""Files of an inventory in one custody entry."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for."""

    path: Path
    device: str | None = None
    officer: str | None = None
    case: str | None = None
    port: str | None = None


@dataclass(slots=True)
class Report:
    """What came of an intake."""

    docking: str
    identity: Identity
    storage: Storage | None
    started_at: datetime
    items: list[Item]
    outcomes: list[Outcome] = field(default_factory=list)
    stopped: bool = False

    def of(self, what: ItemOutcome) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.what is what]

    @property
    def sealed(self) -> list[Recording]:
        return [o.recording for o in self.of(ItemOutcome.SEALED) if o.recording]

    @property
    def late(self) -> list[Recording]:
        return [recording for recording in self.sealed if not recording.on_time]

    @property
    def in_conflict(self) -> list[Recording]:
        return [recording for recording in self.sealed if conflicts(recording.tags)]

    @property
    def needs_person(self) -> bool:
        return bool(self.of(ItemOutcome.FAILED) or self.late or self.in_conflict or self.stopped)


def take_in(
    station: Station, request: Request, describer: Describer, observer: Observer, stop: Stop
) -> Report:
    """Take in the card or folder at `request.path`.

    Raises UsageProblem, MissingPart or VolumeGone when the intake as a whole cannot go
    on; what was sealed by then is sealed.
    """
    volume = open_volume(station, request.path)
    try:
        recovered = recover(station)
        if recovered.finished or recovered.lost:
            observer.notice(
                T(
                    "An earlier run was cut off: {finished} recording(s) finished, "
                    "{lost} to be copied again.",
                    finished=recovered.finished,
                    lost=recovered.lost,
                )
            )
        items = take_inventory(volume, describer, observer.listing)
        return _Intake(station, request, volume, describer, observer, stop, items).run()
    finally:
        volume.close()


def open_volume(station: Station, path: Path) -> Volume:
    """Open the folder to take in, refusing one that makes no sense.

    Raises UsageProblem, or MissingPart where it cannot be read.
    """
    try:
        real = path.resolve(strict=True)
        if not stat.S_ISDIR(real.stat().st_mode):
            raise UsageProblem(
                T("{path} is not a folder.", path=path),
                T("Give the folder that the card is mounted at."),
            )
        for own in (station.settings.paths.evidence, station.settings.paths.state):
            _refuse_overlap(real, own.resolve())
        return Volume(real)
    except FileNotFoundError:
        raise UsageProblem(
            T("There is no folder {path}.", path=path),
            T("Check that the card is mounted, and the spelling."),
        ) from None
    except OSError as error:
        raise MissingPart(
            T("{path} cannot be read: {why}.", path=path, why=error.strerror),
            T("Run the command as a user who may read the card, or try another reader."),
        ) from error


def _refuse_overlap(path: Path, own: Path) -> None:
    if path == own or path.is_relative_to(own) or own.is_relative_to(path):
        raise UsageProblem(
            T("{path} and the station's own folder {own} overlap.", path=path, own=own),
            T("Take in a card, never the folders that evidence and state are kept in."),
        )


class _Intake:
    """One docking under way."""

    def __init__(
        self,
        station: Station,
        request: Request,
        volume: Volume,
        describer: Describer,
        observer: Observer,
        stop: Stop,
        items: list[Item],
    ) -> None:
        self._station = station
        self._request = request
        self._volume = volume
        self._describer = describer
        self._observer = observer
        self._stop = stop
        self._items = items
        self._names = {
            item.path: read_name(item.path, station.settings.known_profiles) for item in items
        }
        self._card = read_identity_files(volume, items, station.settings.known_profiles, describer)
        self._ledger = ledger.registered_devices(station.catalogue)
        started = station.now()
        self._report = Report(
            docking=f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
            identity=self._identity(),
            storage=_storage(volume.root),
            started_at=started,
            items=items,
        )

    def run(self) -> Report:
        report = self._report
        with incoming_folder(self._station, report.docking) as incoming:
            self._open()
            for path, why in self._card.unreadable:
                self._observer.notice(
                    T("The identity file {path} says nothing: {why}", path=path.shown, why=why)
                )
            outcome = DockingOutcome.INTERRUPTED
            try:
                self._note_unusable()
                new = self._sort_out_known()
                size = sum(item.size for item in new)
                self._observer.planned(len(new), size, len(report.of(ItemOutcome.ALREADY_SEALED)))
                self._check_room(size)
                lanes = Lanes(
                    self._volume,
                    incoming,
                    self._station.settings.ingest,
                    self._describer,
                    self._observer,
                    self._stop,
                )
                for group in lanes.run(new):
                    self._seal(group)
                report.stopped = self._stop.requested
                if not report.stopped:
                    problems = report.of(ItemOutcome.FAILED)
                    outcome = DockingOutcome.PROBLEMS if problems else DockingOutcome.DONE
            finally:
                self._close(outcome)
        return report

    def _identity(self) -> Identity:
        claims = (
            [Claim(self._request.device, Source.PERSON, "command line")]
            if (self._request.device)
            else []
        )
        claims += self._card.of_card(Field.DEVICE)
        claims += [
            name.claims[Field.DEVICE]
            for item in self._items
            if item.is_recording and Field.DEVICE in (name := self._names[item.path]).claims
        ]
        return identify(claims, self._ledger)

    def _open(self) -> None:
        report, station = self._report, self._station
        docking = Docking(
            id=report.docking,
            source=CardPath(os.fsencode(self._volume.root)).shown,
            port=self._request.port,
            identity=report.identity,
            storage=report.storage,
            started_at=report.started_at,
        )
        entries = [_inventory_entry(item) for item in self._items]
        station.custody.append(
            [
                station.deed(Act.DOCKING_OPENED, report.docking, _docking_facts(docking)),
                *(
                    station.deed(Act.INVENTORY, report.docking, facts)
                    for facts in _inventory_facts(self._items)
                ),
            ]
        )
        with transaction(station.catalogue):
            dockings.open_docking(station.catalogue, docking)
            dockings.add_inventory(station.catalogue, report.docking, entries)

    def _close(self, outcome: DockingOutcome) -> None:
        report, station = self._report, self._station
        deed = station.deed(Act.DOCKING_CLOSED, report.docking, _closing_facts(report, outcome))
        station.custody.append([deed])
        with transaction(station.catalogue):
            dockings.close_docking(station.catalogue, report.docking, deed.time, outcome)

    def _note_unusable(self) -> None:
        """Report what was not even looked at; skipped files were noted with the inventory."""
        for item in self._items:
            if item.failure is not None:
                failure = RecordingFailure(
                    item.failure,
                    T("Check the card and the rights to read it, then take it in again."),
                )
                self._add(Outcome(item.path, ItemOutcome.FAILED, failure=failure))

    def _sort_out_known(self) -> list[Item]:
        """Return the recordings to copy; those sealed at an earlier docking are noted."""
        new: list[Item] = []
        known: list[Outcome] = []
        for item in self._items:
            if not item.is_recording:
                continue
            recording = self._sealed_earlier(item)
            if recording is None:
                new.append(item)
            else:
                known.append(Outcome(item.path, ItemOutcome.ALREADY_SEALED, recording))
        note_outcomes(self._station, self._report.docking, known)
        for outcome in known:
            self._add(outcome)
        return new

    def _sealed_earlier(self, item: Item) -> Recording | None:
        """Know a recording again by path, size, time and its first and last bytes."""
        device = self._report.identity.device
        candidates = [
            s
            for s in dockings.sightings(
                self._station.catalogue, item.path, item.size, item.mtime_ns
            )
            if s.device is None or device is None or s.device == device
        ]
        if not candidates:
            return None
        try:
            with self._volume.file(item.path) as handle:
                seen = fingerprint_of(handle)
        except (OSError, RecordingFailure):
            return None  # the copy will meet the same error, and report it
        for sighting in candidates:
            if sighting.fingerprint == seen:
                return sealed_recording(self._station.catalogue, sighting.recording).recording
        return None

    def _check_room(self, size: int) -> None:
        reserve = self._station.settings.ingest.reserve_mib << 20
        free = self._station.evidence.free_bytes()
        if size and size + reserve > free:
            raise MissingPart(
                T(
                    "The evidence disk is too small for this card: {size} MiB to copy, "
                    "{free} MiB free, of which {reserve} MiB stay free. Nothing was copied.",
                    size=_mib(size),
                    free=free >> 20,
                    reserve=reserve >> 20,
                ),
                T(
                    "Free at least {short} MiB on the evidence disk, or change ingest.reserve_mib.",
                    short=_mib(size + reserve - free),
                ),
            )

    def _seal(self, group: Sequence[Verified | Failed]) -> None:
        ready: list[Ready] = []
        failed: list[Outcome] = []
        for one in group:
            if isinstance(one, Verified):
                ready.append(Ready(self._recording(one), one.copied.fingerprint, one.part))
            else:
                failed.append(Outcome(one.item.path, ItemOutcome.FAILED, failure=one.failure))
        note_outcomes(self._station, self._report.docking, failed)
        for outcome in (*failed, *(seal(self._station, ready) if ready else ())):
            self._add(outcome)

    def _add(self, outcome: Outcome) -> None:
        self._report.outcomes.append(outcome)
        self._observer.finished(outcome)

    def _recording(self, verified: Verified) -> Recording:
        """Decide everything about a recording from what all sources say of it."""
        item, media, settings = verified.item, verified.media, self._station.settings
        name = profile_for(self._names[item.path], self._card)
        tags, officer_name = self._tags(item, name, media)
        kind = _kind(item, media, name)
        now = self._station.now()
        recorded = recorded_time(
            container=media.started,
            duration_s=media.duration_s,
            kind=kind,
            name=name,
            mtime_ns=verified.mtime_ns,
            zone=settings.station.zone,
            docked_at=self._report.started_at,
        )
        deadline = deadline_for(recorded, timedelta(hours=settings.deadline.hours))
        device = tags.device.value if tags.device else UNASSIGNED
        identifier = recording_id(device, verified.copied.digests.blake3)
        return Recording(
            id=identifier,
            docking=self._report.docking,
            kind=kind,
            original_path=item.path,
            mtime_ns=verified.mtime_ns,
            path=evidence_path(
                device, recorded.start, identifier, item.path, settings.station.zone
            ),
            size=verified.copied.size,
            digests=verified.copied.digests,
            recorded=replace(recorded, flags=frozenset()),
            media=media,
            tags=tags,
            officer_name=officer_name,
            flags=recorded.flags | conflicts(tags) | _flags(verified, name),
            sealed_at=now,
            deadline=deadline.due,
            on_time=is_on_time(deadline, now),
            read_back=verified.read_back.value,
        )

    def _tags(self, item: Item, name: NameFacts, media: Media) -> tuple[Tags, str | None]:
        def claims(which: Field, given: str | None) -> list[Claim]:
            said = [Claim(given, Source.PERSON, "command line")] if given else []
            if which in name.claims:
                said.append(name.claims[which])
            said += [
                Claim(media.tags[key], Source.CONTAINER, f"tag {key}")
                for key, its_field in name.profile.container_tags
                if its_field is which and key in media.tags
            ]
            return said + self._card.of_recording(which, item.path, name.started)

        device = decide(claims(Field.DEVICE, self._request.device))
        entry = self._ledger.get(device.value) if device else None
        officer = decide(claims(Field.OFFICER, self._request.officer) + _ledger_claims(entry))
        case = decide(claims(Field.CASE, self._request.case))
        return Tags(device, officer, case), self._officer_name(officer.value, item, name) if (
            officer
        ) else None

    def _officer_name(self, cert_no: str, item: Item, name: NameFacts) -> str | None:
        known = ledger.officer(self._station.catalogue, cert_no)
        if known is not None and known.name:
            return known.name
        numbers = self._card.of_recording(Field.OFFICER, item.path, name.started)
        if not any(claim.value == cert_no for claim in numbers):
            return None
        names = self._card.of_recording(Field.OFFICER_NAME, item.path, name.started)
        return names[0].value if names else None


def _ledger_claims(device: Device | None) -> list[Claim]:
    if device is None or device.officer is None:
        return []
    return [Claim(device.officer, Source.LEDGER, f"holder of device {device.number}")]


def _kind(item: Item, media: Media, name: NameFacts) -> Kind:
    if media.kind is not Kind.OTHER:
        return media.kind
    return item.kind or name.kind or Kind.OTHER


def _flags(verified: Verified, name: NameFacts) -> frozenset[Flag]:
    flags = {verified.media.problem} if verified.media.problem else set()
    if name.important:
        flags.add(Flag.IMPORTANT)
    if verified.read_back is ReadBack.UNVERIFIED:
        flags.add(Flag.UNVERIFIED_MEDIUM)
    return frozenset(flags)


def _storage(root: Path) -> Storage | None:
    try:
        usage = psutil.disk_usage(str(root))
    except OSError:
        return None
    return Storage(usage.total, usage.used, usage.free)


def _inventory_entry(item: Item) -> InventoryEntry:
    skipped = item.skipped
    return InventoryEntry(
        item.path,
        item.size,
        item.mtime_ns,
        item.kind,
        ItemOutcome.SKIPPED if skipped else ItemOutcome.FAILED if item.failure else None,
        (skipped or item.failure or T("")).english or None,
    )


def _docking_facts(docking: Docking) -> dict[str, object]:
    storage = docking.storage
    return {
        "source": docking.source,
        "port": docking.port,
        "device": docking.identity.device,
        "identity_source": docking.identity.source,
        "identity_state": docking.identity.state.value,
        "claims": [[c.value, c.source.value, c.detail] for c in docking.identity.claims],
        "storage": (
            {"total": storage.total, "used": storage.used, "free": storage.free}
            if storage
            else None
        ),
        "started_at": iso(docking.started_at),
    }


def _inventory_facts(items: Sequence[Item]) -> list[dict[str, object]]:
    return [
        {
            "files": [_file_facts(item) for item in items[at : at + _ENTRY_FILES]],
            "of": len(items),
        }
        for at in range(0, len(items), _ENTRY_FILES)
    ] or [{"files": [], "of": 0}]


def _file_facts(item: Item) -> dict[str, object]:
    return {
        **path_facts(item.path),
        "size": item.size,
        "mtime": iso_ns(item.mtime_ns),
        "kind": item.kind,
        "skipped": item.skipped.english if item.skipped else None,
        "failure": item.failure.english if item.failure else None,
    }


def _closing_facts(report: Report, outcome: DockingOutcome) -> dict[str, object]:
    return {
        "outcome": outcome.value,
        "sealed": len(report.sealed),
        "already_sealed": [
            {**path_facts(o.path), "recording": o.recording.id}
            for o in report.of(ItemOutcome.ALREADY_SEALED)
            if o.recording
        ],
        "failed": [
            {
                **path_facts(o.path),
                "error": o.failure.text.english,
                "hint": o.failure.hint.english if o.failure.hint else None,
            }
            for o in report.of(ItemOutcome.FAILED)
            if o.failure
        ],
    }


def _mib(size: int) -> int:
    return -(-size // (1 << 20))
