"""Takes in one card, as one docking: everything from plug to seal, in order.

    refuse what makes no sense -> finish what a crash left -> inventory -> is there
    room? -> copy, read back, describe -> tag -> seal -> close the docking

Whatever happens to one recording, the others go on; whatever happens to the process,
what is sealed stays sealed and the rest is taken in the next time.
"""

import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil

from recorder_sync.catalogue import dockings
from recorder_sync.catalogue.dockings import DockingOutcome, Sighting
from recorder_sync.catalogue.recordings import recording as sealed_recording
from recorder_sync.direct_io import CHUNK
from recorder_sync.errors import MissingPart, RecordingFailure, UsageProblem, os_reason
from recorder_sync.ingest.arrival import Arrival
from recorder_sync.ingest.berth import berth_of
from recorder_sync.ingest.capacity import Capacity
from recorder_sync.ingest.copying import Copying
from recorder_sync.ingest.docking_log import log_closing, log_opening
from recorder_sync.ingest.engine import fingerprint_of
from recorder_sync.ingest.identity_files import read_identity_files
from recorder_sync.ingest.interpret import Given, Interpreter
from recorder_sync.ingest.inventory import Item, take_inventory
from recorder_sync.ingest.lanes import Lanes, Result, Verified
from recorder_sync.ingest.partials import KEPT_FROM, KeptPartials, key_of
from recorder_sync.ingest.progress import Observer
from recorder_sync.ingest.recovery import incoming_folder, recover
from recorder_sync.ingest.report import Report
from recorder_sync.ingest.seal import Outcome, Ready, in_brief, note_outcomes, seal
from recorder_sync.ingest.small import copy_small
from recorder_sync.ingest.stopping import Stop
from recorder_sync.ingest.volume import Volume
from recorder_sync.language import T
from recorder_sync.model import CardPath, ItemOutcome, Recording, Storage
from recorder_sync.on_record import take_up_rest
from recorder_sync.rules.identity import is_same_device
from recorder_sync.station import Station

_MANY_SMALL = 256
"""Small recordings on one card that are worth starting a process for."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for."""

    path: Path
    device: str | None = None
    officer: str | None = None
    case: str | None = None
    port: str | None = None
    arrival: Arrival | None = None
    """What the dock knows already; None: a person asked for this folder."""


def take_in(
    station: Station, request: Request, capacity: Capacity, observer: Observer, stop: Stop
) -> Report:
    """Take in the card or folder at `request.path`.

    Raises UsageProblem, MissingPart or VolumeGone when the intake as a whole cannot go
    on; what was sealed by then is sealed.
    """
    with looked_at(station, request, capacity, observer, stop) as intake:
        return intake.run()


@contextmanager
def looked_at(
    station: Station, request: Request, capacity: Capacity, observer: Observer, stop: Stop
) -> Iterator["Intake"]:
    """Open the card, take its inventory and find out whose it is; nothing is written yet.

    Raises UsageProblem, MissingPart or VolumeGone.
    """
    arrival = request.arrival
    volume = open_volume(station, request.path, *((arrival.is_present,) if arrival else ()))
    try:
        recovered = recover(station)
        take_up_rest(station)
        if recovered.finished or recovered.lost:
            observer.notice(
                T(
                    "An earlier run was cut off: {finished} recording(s) finished, "
                    "{lost} to be copied again.",
                    finished=recovered.finished,
                    lost=recovered.lost,
                )
            )
        started_at = station.now()
        profiles = station.settings.known_profiles
        only = arrival.only if arrival else None
        items = take_inventory(volume, capacity.describer, profiles, observer.listing, only)
        yield Intake(station, request, volume, capacity, observer, stop, started_at, items)
    finally:
        volume.close()


def open_volume(
    station: Station, path: Path, is_present: Callable[[], bool] = lambda: True
) -> Volume:
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
        return Volume(real, is_present)
    except RuntimeError:  # how pathlib reports links that lead in a circle
        raise UsageProblem(
            T("{path} is a link that leads in a circle.", path=path),
            T("Give the folder that the card is mounted at."),
        ) from None
    except FileNotFoundError:
        raise UsageProblem(
            T("There is no folder {path}.", path=path),
            T("Check that the card is mounted, and the spelling."),
        ) from None
    except OSError as error:
        raise unreadable_card(path, error) from error


def unreadable_card(path: Path, error: OSError) -> MissingPart:
    return MissingPart(
        T("{path} cannot be read: {why}.", path=path, why=os_reason(error)),
        T("Run the command as a user who may read the card, or try another reader."),
    )


def _refuse_overlap(path: Path, own: Path) -> None:
    """Compare the folders themselves, not their names: one may be mounted twice."""
    if _identity(path) in map(_identity, (own, *own.parents)) or (
        _identity(own) in map(_identity, (path, *path.parents))
    ):
        raise UsageProblem(
            T("{path} and the station's own folder {own} overlap.", path=path, own=own),
            T("Take in a card, never the folders that evidence and state are kept in."),
        )


def _identity(folder: Path) -> tuple[int, int]:
    state = folder.stat()
    return state.st_dev, state.st_ino


class Intake:
    """One docking under way."""

    def __init__(
        self,
        station: Station,
        request: Request,
        volume: Volume,
        capacity: Capacity,
        observer: Observer,
        stop: Stop,
        started_at: datetime,
        items: list[Item],
    ) -> None:
        self._station = station
        self._volume = volume
        self._capacity = capacity
        self._observer = observer
        self._stop = stop
        self._items = items
        self._replacing: set[CardPath] = set()
        """Files with other content than was sealed under the same path, size and time."""
        if _are_many_small([item for item in items if item.is_recording]):
            capacity.copier.start()  # it is ready when the inventory is on record
        profiles = station.settings.known_profiles
        self._card = read_identity_files(volume, items, profiles, capacity.describer)
        arrival = request.arrival
        given = Given(request.device, request.officer, request.case, arrival)
        self._interpreter = Interpreter(station, given, self._card, items)
        self._report = Report(
            docking=arrival.docking if arrival else new_docking_id(station, started_at),
            arrival=arrival,
            source=CardPath(os.fsencode(volume.root)).shown,
            port=request.port,
            identity=self._interpreter.identity,
            storage=_storage(volume.root),
            started_at=started_at,
            items=items,
        )

    @property
    def report(self) -> Report:
        """What is known so far; while `run` is at work, it grows."""
        return self._report

    def run(self) -> Report:
        """Take everything in that is not sealed yet, and close the docking.

        Raises MissingPart or VolumeGone when it cannot go on as a whole.
        """
        report = self._report
        with incoming_folder(self._station, report.docking) as incoming:
            log_opening(self._station, report)
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
                self._check_room(new, size)
                if new:
                    self._capacity.describer.start()  # it is ready when the first are copied
                for group in self._lanes(incoming, new).run(new):
                    self._seal(group)
                report.stopped = self._stop.requested and bool(report.undone)
                if not report.stopped:
                    problems = report.of(ItemOutcome.FAILED)
                    outcome = DockingOutcome.PROBLEMS if problems else DockingOutcome.DONE
            finally:
                log_closing(self._station, report, outcome)
        return report

    def _lanes(self, incoming: Path, new: Sequence[Item]) -> Lanes:
        settings, capacity = self._station.settings.ingest, self._capacity
        is_many = _are_many_small(new)
        copying = Copying(
            self._volume,
            incoming,
            self._report.identity.device,
            settings,
            capacity.buffers,
            capacity.pairs,
            capacity.copier.copy if is_many else copy_small,
            self._observer,
            self._stop,
        )
        turns = capacity.turns.card(berth_of(self._volume.device), self._observer.waiting)
        return Lanes(copying, capacity, turns, settings.copies_per_disk, self._stop)

    def _note_unusable(self) -> None:
        """Report what was not even looked at; skipped files were noted with the inventory."""
        hint = T("Check the card and the rights to read it, then take it in again.")
        unusable = [
            Outcome(item.path, ItemOutcome.FAILED, failure=RecordingFailure(item.failure, hint))
            for item in self._items
            if item.failure is not None
        ]
        self._note(unusable)

    def _sort_out_known(self) -> list[Item]:
        """Return the recordings to copy; those sealed at an earlier docking are noted."""
        new: list[Item] = []
        known: list[Outcome] = []
        seen_before = dockings.sightings(self._station.catalogue, self._report.docking)
        for item in self._items:
            if not item.is_recording:
                continue
            recording = self._sealed_earlier(item, seen_before)
            if recording is None:
                new.append(item)
            elif self._is_still_there(recording):
                known.append(Outcome(item.path, ItemOutcome.ALREADY_SEALED, in_brief(recording)))
            else:
                known.append(Outcome(item.path, ItemOutcome.FAILED, failure=_evidence_is_gone()))
        self._note(known)
        return new

    def _sealed_earlier(
        self, item: Item, seen_before: Mapping[CardPath, Sequence[Sighting]]
    ) -> Recording | None:
        """Know a recording again by path, size, time and its first and last bytes."""
        device = self._report.identity.device
        candidates = [
            s for s in seen_before.get(item.path, ()) if is_same_device(device, s.devices)
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
        self._replacing.add(item.path)
        return None

    def _is_still_there(self, recording: Recording) -> bool:
        """Tell whether the evidence file is in its place; `verify` looks at its content."""
        try:
            state = self._station.evidence.absolute(recording.path).lstat()
        except OSError:
            return False
        return stat.S_ISREG(state.st_mode) and state.st_size == recording.size

    def _check_room(self, new: Sequence[Item], size: int) -> None:
        reserve = self._station.settings.ingest.reserve_mib << 20
        kept = KeptPartials(self._station.evidence.incoming)
        device = self._report.identity.device
        own = frozenset(
            key_of(device, i.path, i.size, i.mtime_ns) for i in new if i.size >= KEPT_FROM
        )
        size -= kept.size_of(own)
        free = self._station.evidence.free_bytes()
        if size + reserve > free:
            kept.discard_all_but(own)
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
                    "Enlarge the evidence disk or move other files off it; never delete evidence. "
                    "{short} MiB more are needed.",
                    short=_mib(size + reserve - free),
                ),
            )

    def _seal(self, group: Sequence[Result]) -> None:
        ready: list[Ready] = []
        failed: list[Outcome] = []
        self._interpreter.look_again()
        for one in group:
            if isinstance(one, Verified):
                copy = one.copy
                replaces = copy.item.path in self._replacing
                recording = self._interpreter.recording(one, self._report, replaces=replaces)
                ready.append(Ready(recording, copy.copied.fingerprint, copy.part, copy.failure))
            else:
                failed.append(Outcome(one.item.path, ItemOutcome.FAILED, failure=one.failure))
        self._note(failed)
        if ready:
            self._add(seal(self._station, ready))

    def _note(self, outcomes: Sequence[Outcome]) -> None:
        """Put outcomes into the catalogue and, for the end of the docking, into the report."""
        note_outcomes(self._station, self._report.docking, outcomes)
        self._add(outcomes)

    def _add(self, outcomes: Sequence[Outcome]) -> None:
        self._report.outcomes += outcomes
        for outcome in outcomes:
            self._observer.finished(outcome)


def _are_many_small(items: Sequence[Item]) -> bool:
    """Tell whether a process of its own should copy the small ones among them."""
    return sum(1 for item in items if item.size <= CHUNK) >= _MANY_SMALL


def new_docking_id(station: Station, started_at: datetime) -> str:
    """Return an id that sorts by the station's local time."""
    local = started_at.astimezone(station.settings.station.zone)
    return f"{local:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _evidence_is_gone() -> RecordingFailure:
    return RecordingFailure(
        T("It was sealed earlier, but the evidence file is not there any more."),
        T("Do not clear the card: it may hold the only copy. Run: recorder-sync verify --all"),
    )


def _storage(root: Path) -> Storage | None:
    try:
        usage = psutil.disk_usage(str(root))
    except OSError:
        return None
    return Storage(usage.total, usage.used, usage.free)


def _mib(size: int) -> int:
    return -(-size // (1 << 20))
