"""Writes what happens into a real catalogue and custody log.

The seam is below the intake: no file is copied, as thirty cameras for a month would take
hours. What is put on record, and in which order, is what the intake, the dock and the
commands put there, by their own code wherever it can be called.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from recorder_sync.catalogue import dockings, recordings
from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.dockings import Became, DockingOutcome
from recorder_sync.catalogue.gap_explanations import facts_of
from recorder_sync.catalogue.recordings import Intent
from recorder_sync.clock_watch import report_step
from recorder_sync.custodian import deferring, duty, moves
from recorder_sync.custodian.registration import (
    DeviceEntry,
    register_devices,
    register_officers,
)
from recorder_sync.custody.log import Act
from recorder_sync.description import as_json, as_text
from recorder_sync.dock.stay_log import log_end, log_held
from recorder_sync.errors import RecordingFailure
from recorder_sync.ingest.arrival import Arrival
from recorder_sync.ingest.docking_log import log_closing, log_opening
from recorder_sync.ingest.inventory import Item
from recorder_sync.ingest.report import Report
from recorder_sync.ingest.seal import Outcome, in_brief
from recorder_sync.language import T
from recorder_sync.model import (
    Battery,
    CardPath,
    ClockOffset,
    Digests,
    FileSystemState,
    Health,
    Identity,
    IdentityState,
    ItemOutcome,
    Kind,
    Media,
    Officer,
    RecordedTime,
    Recording,
    Source,
    Storage,
    Tag,
    Tags,
    TimeSource,
)
from recorder_sync.on_record import enter, turn
from recorder_sync.rules.clock_step import ClockStep
from recorder_sync.rules.continuity import GapExplanation
from recorder_sync.rules.coverage import NoRecordingReason
from recorder_sync.rules.deadline import DeferralReason
from recorder_sync.rules.docking import Stay
from recorder_sync.rules.whereabouts import Happening as Move
from recorder_sync.station import Station
from recorder_sync.timestamps import iso
from tests.month import happenings as told
from tests.month.happenings import File, What

SOMEBODY = "os:custodian"


class Writer:
    """Puts one happening after the other on record, at the time that the station shows."""

    def __init__(self) -> None:
        self._reports: dict[str, Report] = {}
        self._deferrals: dict[str, str] = {}
        """Id on record, by that in the story."""

    def deferral_of(self, identifier: str) -> str:
        """Return what a deferral on record is called in the story."""
        return next(name for name, known in self._deferrals.items() if known == identifier)

    def begin(self, station: Station, officers: Iterable[str]) -> None:
        register_officers(station, [Officer(number) for number in officers])

    def write(self, station: Station, what: What) -> None:
        match what:
            case told.Registered(device, card):
                register_devices(station, [DeviceEntry(device, fs_uuids=(card,))])
            case told.Moved(device, "issued", officer):
                assert officer is not None
                moves.issue(station, device, officer, "it is a simulation")
            case told.Moved(device, move):
                moves.enter(station, device, Move(move), "it is a simulation")
            case told.Plugged() | told.Held():
                self._plug_in(station, what)
            case told.Sealed(docking, files):
                self._seal(station, docking, files)
            case told.Failed(docking, files, unreadable):
                self._fail(station, docking, files, is_unreadable=unreadable)
            case told.TakenIn(docking, interrupted):
                ended = DockingOutcome.INTERRUPTED if interrupted else DockingOutcome.DONE
                log_closing(station, self._reports[docking], ended)
            case told.Unplugged(docking, interrupted):
                log_end(station, docking, Stay.INTERRUPTED if interrupted else Stay.REMOVED)
            case told.ClockSet(seconds):
                now = station.now()
                report_step(station, ClockStep(now - timedelta(seconds=seconds), now))
            case told.Restarted(by_watchdog=True):
                with (station.settings.paths.state / "watchdog").open("a") as file:
                    file.write(f"dock {iso(station.now())}\n")
            case _:
                self._write_on_paper(station, what)

    def _write_on_paper(self, station: Station, what: What) -> None:
        match what:
            case told.Deferred():
                wanted = deferring.Wanted(
                    DeferralReason.WATER,
                    what.begins,
                    what.expected,
                    what.device,
                    what.officer,
                    what.approver,
                    what.approved_at,
                )
                added = deferring.add(station, wanted, SOMEBODY)
                self._deferrals[what.id] = added.deferral.id
            case told.Approved(name, approver):
                deferring.approve(station, self._deferrals[name], approver, None, SOMEBODY)
            case told.CameBack(name, back):
                deferring.enter_return(station, self._deferrals[name], back, SOMEBODY)
            case told.OnDuty(name, officer, begins, ends):
                shift = CalendarEntry(name, CalendarKind.SHIFT, begins, ends, officer)
                duty.enter_calendar(station, [shift], SOMEBODY)
            case told.Enforcement(name, begins, ends, officer, device, case, in_full):
                kind = CalendarKind.ENFORCEMENT
                entry = CalendarEntry(name, kind, begins, ends, officer, device, case, in_full)
                duty.enter_calendar(station, [entry], SOMEBODY)
            case told.WhyNotRecorded(name, reason):
                duty.explain(station, name, NoRecordingReason(reason), "he said so", SOMEBODY)
            case told.WhyInterrupted():
                _explain_gap(station, what)

    def _plug_in(self, station: Station, what: told.Plugged | told.Held) -> None:
        plugged = what if isinstance(what, told.Plugged) else None
        state = IdentityState.CONFLICT if plugged and plugged.conflict else IdentityState.KNOWN
        device = plugged.device if plugged else None
        report = Report(
            docking=what.docking,
            source=f"/media/{what.port}",
            port=what.port,
            identity=Identity(device, Source.LEDGER, state)
            if device
            else Identity(None, None, IdentityState.UNKNOWN),
            storage=None,
            started_at=station.now(),
            items=[_item(file) for file in plugged.files] if plugged else [],
            arrival=Arrival(what.docking, fs_uuid=what.card, health=_health(plugged)),
        )
        self._reports[what.docking] = report
        if plugged:
            log_opening(station, report)
        else:
            log_held(station, report)

    def _seal(self, station: Station, docking: str, files: tuple[File, ...]) -> None:
        report, intents = self._reports[docking], []
        for file in files:
            recording = _recording(file, docking, station.now())
            path, brief = recording.original_path, in_brief(recording)
            report.outcomes.append(Outcome(path, ItemOutcome.SEALED, brief))
            described = as_json(recording)
            intents.append(
                Intent(recording, described, as_text(described), Digests("0", "0"), b"0", "part")
            )
        db = station.catalogue
        with transaction(db):
            recordings.enter(db, intents)
        deeds = [
            station.deed(Act.SEAL, one.recording.id, {"recording": one.described})
            for one in intents
        ]
        numbers = {one.deed.subject: one.seq for one in station.custody.append(deeds)}
        with transaction(db):
            recordings.mark_sealed(db, numbers)
            dockings.set_outcomes(
                db,
                [
                    Became(docking, _path(file), ItemOutcome.SEALED, file.recording)
                    for file in files
                ],
            )

    def _fail(
        self, station: Station, docking: str, files: tuple[File, ...], *, is_unreadable: bool
    ) -> None:
        why = T("It cannot be read.") if is_unreadable else T("The copy differs.")
        report = self._reports[docking]
        for file in files:
            failure = RecordingFailure(why)
            report.outcomes.append(Outcome(_path(file), ItemOutcome.FAILED, failure=failure))
        with transaction(station.catalogue):
            dockings.set_outcomes(
                station.catalogue,
                [
                    Became(docking, _path(file), ItemOutcome.FAILED, reason=why.english)
                    for file in files
                ],
            )


def at(station: Station, moment: datetime) -> Station:
    """Return the station as it is at that time by its clock."""
    return replace(station, now=lambda: moment)


def _path(file: File) -> CardPath:
    return CardPath(file.name.encode())


def _item(file: File) -> Item:
    return Item(_path(file), file.size, _ns(file.mtime), Kind(file.kind))


def _ns(moment: datetime) -> int:
    return round(moment.timestamp() * 1000) * 1_000_000


def _health(plugged: told.Plugged | None) -> Health:
    if plugged is None:
        return Health()
    free, off, dirty = plugged.free_percent, plugged.clock_off_s, plugged.dirty
    return Health(
        battery=Battery(plugged.battery, "sysfs") if plugged.battery is not None else None,
        storage=Storage(1000, 1000 - 10 * free, 10 * free) if free is not None else None,
        clock=ClockOffset(off, "status") if off is not None else None,
        file_system=None
        if dirty is None
        else FileSystemState.DIRTY
        if dirty
        else FileSystemState.CLEAN,
    )


def _recording(file: File, docking: str, sealed_at: datetime) -> Recording:
    ends = file.ends or file.begins
    deadline = ends + timedelta(hours=24)
    return Recording(
        id=file.recording,
        docking=docking,
        kind=Kind(file.kind),
        original_path=_path(file),
        mtime_ns=_ns(file.mtime),
        path=f"{file.device}/{file.recording}",
        size=file.size,
        digests=Digests(file.recording, file.recording),
        recorded=RecordedTime(file.begins, file.ends, TimeSource.CONTAINER, {}),
        media=Media(Kind(file.kind)),
        tags=Tags(
            device=Tag(file.device, Source.LEDGER, "card"),
            officer=Tag(file.officer, Source.NAME, "name") if file.officer else None,
        ),
        officer_name=None,
        flags=frozenset(),
        sealed_at=sealed_at,
        deadline=deadline,
        on_time=sealed_at <= deadline,
        read_back="direct",
    )


def _explain_gap(station: Station, what: told.WhyInterrupted) -> None:
    """Put it on record as it is; the command refuses what explains nothing."""
    said = GapExplanation(
        what.device,
        what.begins,
        what.ends,
        what.recording,
        what.second,
        frozenset(what.officers),
    )
    with turn(station):
        facts = {"who": SOMEBODY, **facts_of(said, "the battery was changed")}
        enter(station, [station.deed(Act.GAP_EXPLAINED, what.device, facts)])
