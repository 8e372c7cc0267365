"""Writes a line into the journal for everything that becomes of an alert.

It follows the catalogue, so it tells what commands and other services put on record as
well. At its start it lists what is not resolved; from then on each change is one line.
"""

from sqlite_utils.db import Database

from recorder_sync.catalogue import alerts
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.channels.harmless import Manner, harmless
from recorder_sync.journal import Log
from recorder_sync.rules.matter import Severity
from recorder_sync.timestamps import iso, iso_or_none

_MOST = 600
_LEVELS = {Severity.NOTICE: "info", Severity.WARNING: "warning", Severity.BREACH: "error"}

_log = Log()


class JournalLines:
    """What was told of the alerts of one catalogue, by one connection to it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._version: int | None = None
        self._seen: int | None = None
        """The newest entry of the custody log about an alert that was told."""

    def follow(self) -> None:
        """Tell what is new. Costs next to nothing when nobody wrote. Raises DatabaseError."""
        version = self._db.execute("pragma data_version").fetchone()[0]
        if version == self._version:
            return
        newest = self._db.execute("select max(custody_seq) from alerts").fetchone()[0]
        if self._seen is None:
            found = alerts.live(self._db)
        else:
            found = alerts.changed_since(self._db, self._seen)
        for alert in found:
            _tell(alert)
        self._seen = max(newest or 0, self._seen or 0)
        self._version = version


def _tell(alert: RecordedAlert) -> None:
    level = "info" if alert.is_resolved else _LEVELS[alert.severity]
    getattr(_log, level)(
        "alert",
        number=alert.number,
        kind=alert.kind.value,
        state=alert.state.value,
        severity=alert.severity.value,
        since=iso(alert.since),
        due=iso_or_none(alert.due),
        device=alert.device,
        docking=alert.docking,
        recording=alert.recording,
        officer=alert.officer,
        case=alert.case,
        count=alert.count,
        says=harmless(alert.text.english, Manner.EXACT, _MOST),
        to_do=harmless(alert.hint.english, Manner.EXACT, _MOST),
    )
