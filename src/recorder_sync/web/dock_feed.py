"""One reader of the live status for all dock screens, and what is sent to them.

A thread looks at the status file some times a second as long as a screen is open. What has
changed is put together once in each language, made JSON once, and the same bytes are handed to
every screen. A screen that saw the step before gets only the tiles that changed.

Whether the status may be relied on is decided here: a file that is not replaced any more, or
whose writer is gone, shows nothing that is so.
"""

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from recorder_sync.config import Configuration
from recorder_sync.dock.live_status import STALE_S, Status, read_status
from recorder_sync.errors import RecorderSyncError
from recorder_sync.journal import Log
from recorder_sync.language import Language, speaking
from recorder_sync.station import now
from recorder_sync.timestamps import moment
from recorder_sync.web.desks import Desks
from recorder_sync.web.dock_facts import Facts, Gathering
from recorder_sync.web.dock_message import Message, Reliance, Seen, changes, message_of

_LOOK_S = 0.2
_FACTS_S = 3.0
_SIGN_OF_LIFE_S = 3.0
_AFTER_FAILURE_S = 2.0

_log = Log()


@dataclass(frozen=True, slots=True)
class Published:
    """One step of what the screens show, in one language."""

    number: int
    message: Message
    document: bytes
    """The message as JSON."""
    whole: bytes
    """The same as a server-sent event."""
    changes: bytes
    """The event for a screen that has the step before."""


class Feed:
    """What dock screens show, and the screens that wait for it."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks
        self._gathering = Gathering()
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._latest: dict[Language, Published] = {}
        self._facts = Facts()
        self._facts_at: float | None = None
        self._ports: frozenset[str] = frozenset()
        self._written: str | None = None
        """`at` of the last status, and when that was seen first."""
        self._written_at = 0.0
        self._looked_at: float | None = None
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._thread: threading.Thread | None = None
        self._gatherer: threading.Thread | None = None
        self._ended = threading.Event()

    def current(self, language: Language) -> Published:
        """Return what is to be shown now. Reads the status itself where no thread does."""
        if not self._has_looked_within(2 * _LOOK_S):
            self._look()
        return self._latest[language]

    def _has_looked_within(self, seconds: float) -> bool:
        return self._looked_at is not None and time.monotonic() - self._looked_at < seconds

    async def follow(self, language: Language) -> AsyncIterator[bytes]:
        """Yield server-sent events for one screen: a whole picture first, then what changes."""
        changed = asyncio.Event()
        self._enter(changed)
        try:
            sent = 0
            while not self._ended.is_set():
                changed.clear()
                latest = self._latest.get(language)
                if latest is not None and latest.number != sent:
                    yield latest.changes if latest.number == sent + 1 and sent else latest.whole
                    sent = latest.number
                try:
                    await asyncio.wait_for(changed.wait(), _SIGN_OF_LIFE_S)
                except TimeoutError:
                    if self._has_looked_within(_SIGN_OF_LIFE_S):  # else the screen is to say so
                        yield b"event: alive\ndata:\n\n"
        finally:
            self._leave(changed)

    def close(self) -> None:
        """End every screen's stream, and the thread."""
        self._ended.set()
        self._wake()
        for thread in (self._thread, self._gatherer):
            if thread is not None:
                thread.join(2 * _LOOK_S + 1)

    # Screens come and go in the server's loop.

    def _enter(self, changed: asyncio.Event) -> None:
        with self._lock:
            self._waiting[changed] = asyncio.get_running_loop()
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self._run, name="dock feed", daemon=True)
                self._thread.start()

    def _leave(self, changed: asyncio.Event) -> None:
        with self._lock:
            self._waiting.pop(changed, None)

    def _wake(self) -> None:
        with self._lock:
            waiting = list(self._waiting.items())
        by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Event]] = {}
        for event, loop in waiting:
            by_loop.setdefault(loop, []).append(event)
        for loop, events in by_loop.items():
            with suppress(RuntimeError):  # the server is closed already
                loop.call_soon_threadsafe(_set_all, events)

    # The thread, which ends when nobody looks any more.

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._ended.is_set() or not self._waiting:
                    self._thread = None
                    return
            try:
                if self._look():
                    self._wake()
            except Exception:  # noqa: BLE001 - the next look may do better; screens see it as lost
                _log.exception("the dock screens cannot be brought up to date")
                self._ended.wait(_AFTER_FAILURE_S)
            self._ended.wait(_LOOK_S)

    def _look(self) -> bool:
        """Take up what is to be shown now; tell whether it is something else."""
        settings = self._desks.settings()
        with self._looking:
            status = _status(settings)
            reliance = self._reliance(status)
            self._refresh_facts(status)
            seen = Seen(status, reliance, self._facts)
            changed = [self._publish(language, settings, seen) for language in Language]
            self._looked_at = time.monotonic()
        return any(changed)

    def _publish(self, language: Language, settings: Configuration, seen: Seen) -> bool:
        with speaking(language):
            message = message_of(settings, seen)
        before = self._latest.get(language)
        if before is not None and before.message == message:
            return False
        number = before.number + 1 if before else 1
        since = changes(before.message, message) if before else message
        document = _json(message)
        self._latest[language] = Published(
            number, message, document, _event(document), _event(_json(since))
        )
        return True

    def _reliance(self, status: Status | None) -> Reliance:
        if status is None:
            self._written = None
            return Reliance.DOWN
        mono = time.monotonic()
        if status["at"] != self._written:
            # At the first sight, and after a while, only the clock tells how old it is.
            is_first = self._written is None or not self._has_looked_within(_SIGN_OF_LIFE_S)
            # One from a time to come was left by a clock that was set back since.
            age = abs((now() - moment(status["at"])).total_seconds()) if is_first else 0.0
            self._written, self._written_at = status["at"], mono - age
        return Reliance.STALE if mono - self._written_at > STALE_S else Reliance.LIVE

    def _refresh_facts(self, status: Status | None) -> None:
        mono = time.monotonic()
        ports = frozenset(f"{p['port']} {p['since']}" for p in status["ports"]) if status else None
        is_due = self._facts_at is None or mono - self._facts_at >= _FACTS_S
        if not is_due and ports in (None, self._ports):
            return
        is_first, self._facts_at = self._facts_at is None, mono
        self._ports = ports or frozenset()
        if is_first:
            self._gather()
        elif self._gatherer is None or not self._gatherer.is_alive():
            self._gatherer = threading.Thread(target=self._gather, name="dock facts", daemon=True)
            self._gatherer.start()

    def _gather(self) -> None:
        """Read the facts; a catalogue that makes one wait delays no state of a port."""
        try:
            with self._desks.lent() as desk:
                self._facts = self._gathering.facts(desk.station)
        except (RecorderSyncError, sqlite3.DatabaseError, OSError, ValueError) as error:
            _log.warning("the dock screen shows no names and dates", why=str(error))


def _set_all(events: list[asyncio.Event]) -> None:
    for event in events:
        event.set()


def _status(settings: Configuration) -> Status | None:
    try:
        return read_status(settings.paths.runtime)
    except (RecorderSyncError, ValueError, KeyError, OSError) as error:
        _log.warning("the live status cannot be read", why=str(error))
        return None


def _json(message: Message) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _event(document: bytes) -> bytes:
    return b"data: " + document + b"\n\n"
