"""What people see of one port: its row on the board, the journal, and alerts."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue.database import explain
from recorder_sync.custodian.standing import check, standing_of
from recorder_sync.dock.board import Board, Row
from recorder_sync.dock.plugged import Plugged
from recorder_sync.errors import NotFound, RecorderSyncError, refused
from recorder_sync.ingest.report import Report
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.model import (
    AlertKind,
    CardPath,
    Health,
    Identity,
    IdentityState,
    ItemOutcome,
)
from recorder_sync.rules.docking import Stay
from recorder_sync.rules.readiness import Facts, Verdict, readiness
from recorder_sync.station import Station

_STAYS = count(1)

_NAMED = 5
"""Recordings that an alert names; the docking has them all."""


class PortDisplay:
    """Shows one docked volume."""

    def __init__(self, plugged: Plugged, board: Board) -> None:
        self._plugged = plugged
        self._board = board
        self.key = f"{plugged.key} {next(_STAYS)}"
        """Of its row: a device that comes again at once has the same path, and another row."""
        self._stuck_by: str | None = None
        """The sentence, without its values, that the last alert of being stuck was about."""
        self._log = Log(port=plugged.port, volume=plugged.mount_name)

    @property
    def state(self) -> Stay:
        """What the row shows now."""
        row = self._board.rows().get(self.key)
        return row.state if row else Stay.GREETED

    def greet(self, at: datetime) -> None:
        plugged = self._plugged
        self._log.info("plugged in", usb=str(plugged.usb), file_system=plugged.file_system)
        row = Row(
            port=plugged.port,
            volume=plugged.mount_name,
            usb_path=plugged.usb_path,
            since=at,
            maker=plugged.maker,
            model=plugged.model,
            usb=str(plugged.usb),
        )
        self._board.show(self.key, row)

    def farewell(self, *, was_removed: bool) -> None:
        self._log.info("removed" if was_removed else "left plugged in", state=self.state.value)
        self._board.remove(self.key)

    def begin(self) -> None:
        self._change(state=Stay.GREETED, message=None, hint=None)

    def health(self, health: Health) -> None:
        self._change(health=health, model=health.model or self._plugged.model)

    def identity(self, station: Station, identity: Identity) -> None:
        self._change(
            device=identity.device,
            identity=identity.state,
            officer=_holder(station, identity.device) if identity.device else None,
        )

    def taking_in(self, station: Station, report: Report) -> None:
        self._change(docking=report.docking)
        self._log.info(
            "taking in",
            docking=report.docking,
            device=report.identity.device,
            recordings=len(report.recordings),
        )
        if report.identity.state is IdentityState.CONFLICT:
            said = ", ".join(sorted({claim.value for claim in report.identity.claims}))
            self._alert(
                station,
                AlertKind.IDENTITY_CONFLICT,
                T(
                    "The identity of the device on port {port} is in conflict: {said}.",
                    port=self._plugged.port,
                    said=said or str(self._plugged.usb),
                ),
                T(
                    "Its footage is taken in and flagged. See: "
                    "recorder-sync dockings show {docking}",
                    docking=report.docking,
                ),
                report.identity.device,
                report.docking,
            )

    def held(self, station: Station, report: Report) -> None:
        hint = T(
            "Register it: recorder-sync devices add NUMBER --docking {docking}. "
            "It is taken in then by itself.",
            docking=report.docking,
        )
        text = T(
            "A device that is not in the ledger waits on port {port}.", port=self._plugged.port
        )
        self._alert(station, AlertKind.DEVICE_HELD, text, hint, None, report.docking)
        self._change(
            state=Stay.HELD,
            docking=report.docking,
            message=T(
                "Not in the device ledger; nothing is copied. {count} recording(s) are on it.",
                count=len(report.recordings),
            ),
            hint=hint,
        )

    def clearing(self) -> None:
        self._change(
            message=T("Sealed recordings are being removed from the card."),
            hint=T("Leave it plugged in."),
        )

    def settled(self, station: Station, report: Report) -> None:
        state = report.stay
        message, hint = _verdict(report)
        row = self._board.rows().get(self.key)
        if row is None:
            return
        total, left = len(report.recordings), len(report.not_in)
        progress = replace(
            row.progress, recordings=total, done=total - left, failed=left, waits=False, rate=None
        )
        verdict = _readiness(station, report)
        if state is Stay.NEEDS_CUSTODIAN:
            text = T("Port {port}: {what}", port=self._plugged.port, what=message)
            kind = AlertKind.NOT_TAKEN_IN
            self._alert(station, kind, text, hint, report.identity.device, report.docking)
        self._change(
            state=state,
            message=message,
            hint=hint,
            progress=progress,
            ready=verdict.is_ready,
            not_ready=tuple(finding.text for finding in verdict.reasons),
        )
        self._log.info(
            "settled", state=state.value, docking=report.docking, device=report.identity.device
        )

    def problem(self, error: RecorderSyncError) -> None:
        self._log.error("needs a person", why=str(error))
        self._change(state=Stay.NEEDS_CUSTODIAN, message=error.text, hint=error.hint)

    def stuck(
        self,
        station: Station,
        error: RecorderSyncError,
        report: Report | None,
        docking: str | None,
    ) -> None:
        """Show what keeps an intake from going on as a whole; trying again is no new alert."""
        text = T("Port {port}: {what}", port=self._plugged.port, what=error.text)
        hint = error.hint or T("See the journal of the dock service.")
        device = report.identity.device if report else None
        same = self._stuck_by == error.text.template
        if same or self._alert(station, AlertKind.NOT_TAKEN_IN, text, hint, device, docking):
            self._stuck_by = error.text.template
        self.problem(error)

    def defect(
        self, station: Station, error: Exception, report: Report | None, docking: str | None
    ) -> None:
        self._log.exception("unexpected", error=repr(error))
        text = T("The program failed here: {why}", why=repr(error))
        hint = T("Plug the device in again. If it happens again, send the journal to support.")
        self.stuck(station, RecorderSyncError(text, hint), report, docking)

    def removed_early(
        self,
        station: Station,
        missing: Sequence[CardPath],
        report: Report | None,
        docking: str | None,
    ) -> None:
        device = report.identity.device if report else None
        self._alert(
            station,
            AlertKind.REMOVED_EARLY,
            T(
                "Device {device} was pulled out of port {port} too early. Not in yet: {what}.",
                device=device or str(self._plugged.usb),
                port=self._plugged.port,
                what=_names(missing),
            ),
            T("Plug it in again, on any port: it goes on where it stopped."),
            device,
            docking,
        )

    def not_on_record(self, error: RecorderSyncError) -> None:
        self._log.error("the end of the stay is not on record", why=str(error))

    def notice(self, text: Text) -> None:
        self._log.info("notice", text=str(text))

    def _change(self, **what: object) -> None:
        self._board.change(self.key, **what)

    def _alert(
        self,
        station: Station,
        kind: AlertKind,
        text: Text,
        hint: Text | None,
        device: str | None,
        docking: str | None,
    ) -> bool:
        """Raise an alert; tell whether it is on record."""
        self._log.warning("alert", kind=kind.value, text=str(text))
        hint = hint or T("See: recorder-sync dockings list")
        try:
            raise_alert(
                station,
                kind,
                text,
                hint,
                device=device,
                docking=docking,
                officer=_holder(station, device) if device else None,
                about=device if kind is AlertKind.IDENTITY_CONFLICT else None,
            )
        except (RecorderSyncError, OSError, sqlite3.DatabaseError) as error:
            self._log.error("the alert is not on record", why=str(ours(error)))
            return False
        return True


def ours(error: Exception) -> RecorderSyncError:
    """Return an error of the system or of SQLite as one of our family."""
    if isinstance(error, RecorderSyncError):
        return error
    if isinstance(error, sqlite3.DatabaseError):
        return explain(error)
    assert isinstance(error, OSError)
    return refused(error)


def _holder(station: Station, device: str) -> str | None:
    """Return who has the device: by its issues, else by its entry in the ledger."""
    try:
        standing = standing_of(station.catalogue, device)
    except NotFound:  # a number that was read for the first time
        return None
    return standing.where.officer or standing.device.officer


def _readiness(station: Station, report: Report) -> Verdict:
    """Say whether the device may go out again (Art. 22)."""
    limits, device = station.settings.readiness, report.identity.device
    if device is None:
        health = (report.arrival and report.arrival.health) or Health()
        return readiness(Facts(health, unsealed=len(report.not_in)), limits)
    return check(station.catalogue, standing_of(station.catalogue, device), limits)[0]


def _verdict(report: Report) -> tuple[Text, Text | None]:
    """Say what came of an intake, and what to do where something is left to do."""
    show = T("See: recorder-sync dockings show {docking}", docking=report.docking)
    if report.not_in:
        left = len(report.not_in)
        salvaged = sum(1 for o in report.of(ItemOutcome.FAILED) if o.recording)
        text = T("{left} recording(s) could not be taken in whole.", left=left)
        if salvaged:
            text = T(
                "{left} recording(s) could not be taken in whole; {salvaged} salvaged in part.",
                left=left,
                salvaged=salvaged,
            )
        return text, show
    if report.identity.state is IdentityState.CONFLICT or report.in_conflict:
        return T("Everything is sealed; it is not certain whose recordings they are."), show
    if report.replacing:
        return T("Everything is sealed; some recordings were changed on the card."), show
    if report.late:
        late = len(report.late)
        return T("Everything is sealed; {late} recording(s) came late.", late=late), None
    all_in = T("Everything is sealed.") if report.recordings else T("No recordings on it.")
    return all_in, None


def _names(missing: Sequence[CardPath]) -> str:
    if not missing:
        return "?"
    named = ", ".join(path.shown for path in missing[:_NAMED])
    return f"{named} … ({len(missing)})" if len(missing) > _NAMED else named
