"""The engine: keeps the queue filled and those who send at work, store by store.

The engine itself asks no store anything. It looks into the catalogue every second: what was
sealed is queued, who was paused stops, who may go on goes on, and how fast it goes is noted.
Each store has threads of its own, so one that hangs holds up no other.

One process at a time forwards for a station: it holds `forward.lock` in the state folder.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from recorder_sync.catalogue import document_uploads, store_states, uploads
from recorder_sync.catalogue.catching_up import take_up_rest
from recorder_sync.catalogue.database import transaction
from recorder_sync.config import Configuration
from recorder_sync.durable import held
from recorder_sync.errors import CustodyProblem, MissingPart
from recorder_sync.forward.destination import Destination, destinations_of
from recorder_sync.forward.document_hand import DocumentHand
from recorder_sync.forward.hands import Hand
from recorder_sync.forward.keeper import Keeper
from recorder_sync.forward.lent import Lent
from recorder_sync.forward.line import Halt, Line
from recorder_sync.forward.locking import Locking
from recorder_sync.forward.sampling import Sampling
from recorder_sync.forward.shared import Shared
from recorder_sync.journal import Log
from recorder_sync.lasting import BROKEN_S, LastingThread
from recorder_sync.rules.forwarding import rate_at
from recorder_sync.station import Station, now, station_of_thread

_LOOK_EVERY_S = 1.0
_FILL_EVERY_S = 1.0
_FILL_ALL_EVERY_S = 3600.0
_RATE_EVERY_S = 5.0
_STOP_WITHIN_S = 2.5
_HANDS_STOP_WITHIN_S = 1.5

_log = Log()


class Forwarding:
    """The forwarding of one station, in threads of its own."""

    def __init__(self, in_use: Callable[[], Configuration]) -> None:
        """`in_use` returns the settings in force; they may change while this works."""
        self._in_use = in_use
        self.thread = LastingThread("forward", self._run, _log, "the queue cannot be used")

    def _run(self) -> None:
        settings = self._in_use()
        if not settings.stores:
            self.thread.wait(_LOOK_EVERY_S)
            return
        with held(settings.paths.state / "forward.lock") as is_alone:
            if is_alone:
                with station_of_thread(settings) as station:
                    self._work(station)
            else:
                _log.error("another process forwards for this station already")
                self.thread.wait(BROKEN_S)

    def _work(self, station: Station) -> None:
        """Forward by these settings, until others are in force or it is to end.

        What is being sent then is broken off, and goes on at the next start.
        """
        settings = station.settings
        works: list[_StoreWork] = []
        try:
            _take_up_rest(station)
            with transaction(station.catalogue):
                names = [one.name for one in settings.stores]
                uploads.drop_others(station.catalogue, names)
                document_uploads.drop_others(station.catalogue, names)
            line = Line(lambda: _rate(settings))
            for destination in destinations_of(settings):
                works.append(_StoreWork(destination, settings, line))
                works[-1].start(station)
            _log.info("forwarding", to=", ".join(one.name for one in settings.stores))
            while not self.thread.is_to_end and settings is self._in_use():
                for work in works:
                    work.look_after(station)
                self.thread.wait(_LOOK_EVERY_S)
        finally:
            for work in works:
                work.request_stop()
            until = time.monotonic() + _HANDS_STOP_WITHIN_S
            for work in works:
                work.join(max(0.1, until - time.monotonic()))


class _StoreWork:
    """Everything that goes on for one store."""

    def __init__(self, destination: Destination, settings: Configuration, line: Line) -> None:
        self._destination = destination
        self._halt = Halt()
        self._shared = Shared(destination, self._halt)
        opens = lambda: station_of_thread(settings)  # noqa: E731 - one per thread
        self._threads = [
            Hand(self._shared, opens, line, number).thread for number in range(destination.parallel)
        ]
        lent = Lent(opens)
        for number in range(destination.parallel, destination.small_at_once):
            hand = Hand(self._shared, lent.station, line, number, only_small=True)
            self._threads.append(hand.thread)
        self._threads.append(Keeper(self._shared, opens, line).thread)
        self._takes_documents = settings.forward.records
        if self._takes_documents:
            self._threads.append(DocumentHand(self._shared, opens, line).thread)
        if destination.lock_mode is not None:
            self._threads.append(Locking(self._shared, opens).thread)
        if destination.look_again_percent:
            self._threads.append(Sampling(self._shared, opens, line).thread)
        self._filled_at: datetime | None = None
        self._fill_at = self._fill_all_at = self._rate_at = float("-inf")
        self._arrived = 0

    def start(self, station: Station) -> None:
        name = self._destination.name
        with transaction(station.catalogue):
            uploads.note_interrupted(station.catalogue, name)
            uploads.drop(station.catalogue, name, self._destination.takes)
            document_uploads.drop(station.catalogue, name, self._destination.cases)
        self.look_after(station)
        for one in self._threads:
            one.start()

    def look_after(self, station: Station) -> None:
        """See to what changed: recordings to send, a pause, how fast it goes."""
        state = store_states.state_of(station.catalogue, self._destination.name)
        if state.paused_at is not None and not self._halt.is_asked:
            self._halt.ask()
            _log.info("paused", store=self._destination.name, by=state.paused_by)
        elif state.paused_at is None and self._halt.is_asked:
            self._halt.lift()
            self._shared.try_at_once()
            _log.info("goes on", store=self._destination.name)
        elif state.try_at_once:
            with transaction(station.catalogue):
                store_states.note_tried_at_once(station.catalogue, self._destination.name)
            self._shared.try_at_once()
        self._fill(station)
        self._note_rate(station)

    def _fill(self, station: Station) -> None:
        clock, now_ = time.monotonic(), station.now()
        if clock < self._fill_at:
            return
        self._fill_at = clock + _FILL_EVERY_S
        is_all = clock >= self._fill_all_at
        if is_all:
            self._fill_all_at = clock + _FILL_ALL_EVERY_S
        since = None if is_all else self._filled_at
        name, takes = self._destination.name, self._destination.takes
        with transaction(station.catalogue):
            found = uploads.fill(station.catalogue, name, takes, now_, since=since)
            if self._takes_documents:
                cases = self._destination.cases
                document_uploads.note_waiting(station.catalogue, name, cases, now_)
        self._filled_at = now_
        if found:
            _log.info("queued", store=name, recordings=found)
            self._shared.wake()

    def _note_rate(self, station: Station) -> None:
        clock, arrived = time.monotonic(), self._shared.arrived
        took = clock - self._rate_at
        if took < _RATE_EVERY_S:
            return
        if arrived != self._arrived and took < 10 * _RATE_EVERY_S:
            rate = (arrived - self._arrived) / took
            with transaction(station.catalogue):
                store_states.note_rate(
                    station.catalogue, self._destination.name, rate, station.now()
                )
        self._rate_at, self._arrived = clock, arrived

    def request_stop(self) -> None:
        self._halt.ask()
        for one in self._threads:
            one.stop()
        self._shared.news.set()

    def join(self, within_s: float) -> None:
        """What does not end, as its store hangs, is left behind."""
        until = time.monotonic() + within_s
        ended = [one.join(max(0.0, until - time.monotonic())) for one in self._threads]
        if all(ended):
            self._shared.close()


def forwarding(in_use: Callable[[], Configuration]) -> AbstractContextManager[None]:
    """Forward while the block lasts."""
    return Forwarding(in_use).thread.at_work(_STOP_WITHIN_S)


def _take_up_rest(station: Station) -> None:
    """What was confirmed by a process that was killed then is not asked for again."""
    try:
        take_up_rest(station.catalogue, station.custody)
    except (CustodyProblem, MissingPart) as error:  # verification names it
        _log.error("the catalogue is not brought up to the custody log", why=str(error))


def _rate(settings: Configuration) -> int | None:
    forward, local = settings.forward, now().astimezone(settings.station.zone)
    return rate_at(local, forward.limited_hours, forward.usual_rate, forward.stations_on_line)
