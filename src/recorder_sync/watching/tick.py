"""One look at everything that is watched: facts, rules, alerts, messages.

Nothing depends on how often it is made. What is open follows from the catalogue, the state
folder and the time; what was said before is on record. So a station that was off for three
days raises every breach once, with its true time, and a tick that was cut off is made again
by the next. In memory is only what can be read again (`kept.py`).

A source that fails stops no other. Its failure is an alert, and alerts of its kinds are left
as they are until it can tell again: that nothing could be asked does not say that it is gone.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from recorder_sync.alerts.events import events_gone
from recorder_sync.alerts.record import put_on_record
from recorder_sync.alerts.watched import WATCHED
from recorder_sync.catalogue import alerts, watch_state
from recorder_sync.catalogue.database import explain, transaction
from recorder_sync.channels.queueing import enqueue
from recorder_sync.errors import RecorderSyncError, defect, refused
from recorder_sync.ingest.stopping import Stopping
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.model import AlertKind
from recorder_sync.rules.escalation import plan
from recorder_sync.rules.matter import Matter, Severity, key_of
from recorder_sync.rules.reconcile import Changes, reconcile
from recorder_sync.station import Station
from recorder_sync.watching.source import Look, Source, Undecided
from recorder_sync.watching.sources import all_sources

_log = Log()


def tick(station: Station, now: datetime) -> Changes:
    """Make one look with nothing in memory; return what changed. Raises as `Watch.tick`."""
    return Watch().tick(station, now)


@dataclass(slots=True)
class _Found:
    """What the sources say."""

    matters: list[Matter] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    """Beginnings of keys."""

    def decides(self, key: str) -> bool:
        return not any(key.startswith(prefix) for prefix in self.undecided)


class Watch:
    """Makes one look after the other, and remembers what need not be read again."""

    def __init__(self, sources: Sequence[Source] | None = None) -> None:
        """`sources` are what is asked; by default everything."""
        self._sources = all_sources() if sources is None else tuple(sources)
        self._failing_since: dict[str, datetime] = {}

    def tick(
        self, station: Station, now: datetime, check: Callable[[], None] = lambda: None
    ) -> Changes:
        """Look, put on record what changed, and plan who is told.

        `now` is the station's time. `check` is called now and then, and may raise Stopping:
        then nothing of this look is on record. Raises RecorderSyncError, OSError or
        sqlite3.DatabaseError when what was found cannot be put on record.
        """
        found = self._ask(Look(station, now, check))
        changes = self._changes(station, found)
        if changes != Changes():
            put_on_record(station, changes, now)
        self._tell(station, now)
        return changes

    def _ask(self, look: Look) -> _Found:
        found = _Found()
        for source in self._sources:
            try:
                for said in source.matters(look):
                    if isinstance(said, Undecided):
                        found.undecided.append(said.prefix)
                    else:
                        found.matters.append(said)
            except Stopping:
                raise
            except Exception as error:  # noqa: BLE001 - one source that fails hides no other
                _log.error("cannot be watched", source=source.name, why=repr(error))
                found.undecided += [kind.value + "/" for kind in source.kinds]
                since = self._failing_since.setdefault(source.name, look.now)
                found.matters.append(_failure(source, error, since))
            else:
                self._failing_since.pop(source.name, None)
        return found

    def _changes(self, station: Station, found: _Found) -> Changes:
        """Return what changes; what is undecided neither ends nor is resolved."""
        known = alerts.on_record(station.catalogue, WATCHED)
        changes = reconcile(known, found.matters)
        open_for = {one.number for one in known if found.decides(one.key)}
        gone = events_gone(station.catalogue)
        return replace(
            changes,
            resolved=(*(n for n in changes.resolved if n in open_for), *gone),
            ended=tuple(n for n in changes.ended if n in open_for),
        )

    def _tell(self, station: Station, now: datetime) -> None:
        settings, db = station.settings, station.catalogue
        with transaction(db):
            found = plan(
                alerts.unresolved(db),
                alerts.told(db),
                watch_state.digested_until(db),
                now,
                settings.station.zone,
                settings.alerts.escalation,
            )
            enqueue(db, found.messages, settings.alerts.channels, now)
            alerts.note_told(db, found.sent, now)
            watch_state.note_tick(db, now, found.digested_until)


def _failure(source: Source, error: Exception, since: datetime) -> Matter:
    return Matter(
        kind=AlertKind.WATCH_FAILING,
        key=key_of(AlertKind.WATCH_FAILING, source.name),
        severity=Severity.WARNING,
        since=since,
        text=T("{what}: cannot be watched. {why}", what=source.what, why=_why(error)),
        hint=T("Alerts about it stay as they are meanwhile. Run: recorder-sync catalogue check"),
    )


def _why(error: Exception) -> Text:
    match error:
        case RecorderSyncError():
            return error.text
        case sqlite3.DatabaseError():
            return explain(error).text
        case OSError():
            return refused(error).text
    return defect(error)[0]
