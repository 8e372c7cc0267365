"""Delivers what waits in the queue, each channel by itself.

One thread for each channel takes its messages in turn, oldest first, and has a process of
its own send them: a channel that hangs, fails or answers rubbish holds up no other. What
fails is tried again, after waits that stand in the queue and so outlast a restart; a channel
that fails is left alone for a while before another of its messages is tried.

A message is noted as delivered after it was sent. When the machine dies between the two it
is sent again: each comes at least once, and seldom twice.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from recorder_sync.catalogue import alerts as on_record
from recorder_sync.catalogue import ledger
from recorder_sync.catalogue import messages as queue
from recorder_sync.catalogue.database import transaction
from recorder_sync.channels.harmless import longest, manner_of
from recorder_sync.channels.journal import JournalLines
from recorder_sync.channels.secret import address_of
from recorder_sync.channels.sending import Letter, Outcome, Sender
from recorder_sync.channels.settings import Channel
from recorder_sync.channels.wording import Envelope, Manners, letter
from recorder_sync.config import Configuration
from recorder_sync.errors import RecorderSyncError, defect
from recorder_sync.journal import Log
from recorder_sync.language import T
from recorder_sync.lasting import LastingThread
from recorder_sync.rules.retrying import is_given_up, wait_after
from recorder_sync.station import Station, station_of_thread

_LOOK_EVERY_S = 1.0
_TIDY_EVERY_S = 3600.0
_IDLE_S = 30.0
"""After which the process of a channel is ended, to give its memory back."""
_STOP_WITHIN_S = 2.0

_log = Log()


class Delivering:
    """The delivery of one station's messages to the channels of its settings."""

    def __init__(self, in_use: Callable[[], Configuration]) -> None:
        """`in_use` returns the settings in force; they may change while this works."""
        self._in_use = in_use
        self._workers: dict[str, _Worker] = {}
        """They go on while this begins anew."""
        self._thread = LastingThread("channels", self._run, _log, "the queue cannot be used")

    def start(self) -> None:
        self._thread.start()

    def stop(self, within_s: float = _STOP_WITHIN_S) -> None:
        """Have it end; what is being sent is broken off, and sent at the next start."""
        until = time.monotonic() + within_s
        self._thread.stop()
        self._thread.join(within_s)
        workers = list(self._workers.values())
        for worker in workers:
            worker.thread.stop()
        for worker in workers:
            worker.thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        with station_of_thread(self._in_use()) as station:
            self._look_after(station)

    def _look_after(self, station: Station) -> None:
        """Keep one worker for each channel, and the journal and the queue in order."""
        settings: Configuration | None = None
        journal = JournalLines(station.catalogue)
        tidied_at = float("-inf")
        while not self._thread.is_to_end:
            if settings is not self._in_use():
                is_reload = settings is not None
                settings = self._in_use()
                self._employ(settings.alerts.channels)
                if is_reload:  # what was wrong may be mended
                    with transaction(station.catalogue):
                        for name in self._workers:
                            queue.hurry(station.catalogue, name, station.now())
            if time.monotonic() - tidied_at >= _TIDY_EVERY_S:
                tidied_at = time.monotonic()
                _tidy(station, settings)
            journal.follow()
            self._thread.wait(_LOOK_EVERY_S)

    def _employ(self, channels: Iterable[Channel]) -> None:
        """Have a worker for each of these channels; one that is the same goes on working."""
        workers = self._workers
        wanted = {channel.name: channel for channel in channels}
        for name, worker in list(workers.items()):
            if wanted.get(name) != worker.channel:
                worker.thread.stop()
                worker.thread.join(_STOP_WITHIN_S)
                del workers[name]
        for name, channel in wanted.items():
            if name not in workers:
                workers[name] = _Worker(channel, self._in_use)
                workers[name].thread.start()
        _log.info("telling", by=", ".join(workers) or None)


class _Worker:
    """Delivers by one channel, in a thread of its own."""

    def __init__(self, channel: Channel, in_use: Callable[[], Configuration]) -> None:
        self.channel = channel
        self._in_use = in_use
        self.thread = LastingThread(channel.name, self._run, _log, "the queue cannot be used")
        self._sender = Sender(lambda: self.thread.is_to_end)
        self._failures = 0
        """Attempts in a row that failed, whichever the message."""
        self._taken: int | None = None
        """The message that was sent, until that is noted: a full disk must not repeat it."""

    def _run(self) -> None:
        try:
            with station_of_thread(self._in_use()) as station:
                self._deliver(station)
        finally:
            self._sender.close()

    def _deliver(self, station: Station) -> None:
        used_at = time.monotonic()
        while not self.thread.is_to_end:
            message = queue.next_due(station.catalogue, self.channel.name, station.now())
            if message is None:
                if time.monotonic() - used_at > _IDLE_S:
                    self._sender.close()
                self.thread.wait(_LOOK_EVERY_S)
                continue
            pause_s = self._try(station, message)
            used_at = time.monotonic()
            if pause_s:
                self._leave_alone(station, pause_s)

    def _leave_alone(self, station: Station, for_s: float) -> None:
        """Wait, unless a test goes through meanwhile, or the settings are taken up anew."""
        until = time.monotonic() + for_s
        settings = self._in_use()
        while not self.thread.is_to_end and (left := until - time.monotonic()) > 0:
            self.thread.wait(min(left, _LOOK_EVERY_S))
            state = queue.channel_state(station.catalogue, self.channel.name)
            if state.failing_since is None or settings is not self._in_use():
                self._failures = 0
                return

    def _try(self, station: Station, message: queue.Queued) -> float:
        """Try one message; return for how many seconds the channel is left alone."""
        outcome = Outcome(True)
        if message.number != self._taken:
            outcome = self._send(station, message)
        if self.thread.is_to_end and not outcome.delivered:
            return 0.0  # broken off by the stop, which says nothing of the channel
        now = station.now()
        if outcome.delivered:
            self._failures = 0
            self._taken = message.number
            with transaction(station.catalogue):
                queue.note_delivered(station.catalogue, message, now)
            self._taken = None
            _log.info("delivered", by=self.channel.name, message=message.number)
            return 0.0
        why = outcome.why or T("no reason given")
        self._failures += 1
        attempts = message.attempts + 1
        chance = random.random()
        wait = wait_after(attempts, chance, outcome.retry_after_s)
        age = timedelta(hours=self._in_use().alerts.give_up_after_hours)
        given_up = is_given_up(message.made_at, attempts, now, age)
        with transaction(station.catalogue):
            queue.note_failed(
                station.catalogue,
                message,
                why,
                now,
                next_try=None if given_up else now + wait,
                leave_alone=outcome.retry_after_s is not None,
            )
        _log.warning(
            "given up" if given_up else "not delivered",
            by=self.channel.name,
            message=message.number,
            attempts=attempts,
            why=why.english,
        )
        return wait_after(self._failures, chance).total_seconds()

    def _send(self, station: Station, message: queue.Queued) -> Outcome:
        try:
            url = url_of(self.channel)
            words = _worded(station, self._in_use(), self.channel, message, url)
        except RecorderSyncError as error:
            return Outcome(False, error.text)
        except Exception as error:  # noqa: BLE001 - a message that cannot be worded holds up no other
            _log.exception("a defect while wording", by=self.channel.name, message=message.number)
            return Outcome(False, defect(error)[0])
        limit_s = self._in_use().alerts.attempt_limit_s
        return self._sender.send(url, words, limit_s, station.now())


def url_of(channel: Channel) -> str:
    """Return the address of a channel, with its secrets. Raises MissingPart."""
    return address_of(channel.name, channel.url, channel.url_file, channel.url_variable)


def manners(settings: Configuration, channel: Channel, url: str) -> Manners:
    """Return how a channel wants to be written to."""
    return Manners(
        language=channel.language or settings.station.language,
        zone=settings.station.zone,
        manner=manner_of(url),
        longest=longest(url),
        station=settings.station.id,
        link_base=settings.alerts.link_base,
    )


def _worded(
    station: Station, settings: Configuration, channel: Channel, message: queue.Queued, url: str
) -> Letter:
    alerts = [on_record.alert(station.catalogue, number) for number in message.alerts]
    officer = message.to.officer
    known = ledger.officer(station.catalogue, officer) if officer else None
    envelope = Envelope(
        number=message.number,
        to=message.to,
        is_digest=message.is_digest,
        made_at=message.made_at,
        officer_name=known.name if known else None,
    )
    return letter(envelope, alerts, station.now(), manners(settings, channel, url))


def _tidy(station: Station, settings: Configuration) -> None:
    """Give up what waits for channels that are gone, and forget what is long done."""
    names = [channel.name for channel in settings.alerts.channels]
    after = timedelta(hours=settings.alerts.give_up_after_hours)
    why = T("the configuration does not name this channel any more")
    with transaction(station.catalogue):
        count = queue.give_up_strays(station.catalogue, names, station.now(), after, why)
        queue.forget(station.catalogue, station.now())
    if count:
        _log.warning("given up, their channels are gone", messages=count)


@contextmanager
def telling(in_use: Callable[[], Configuration]) -> Iterator[None]:
    """Deliver messages while the block lasts."""
    delivering = Delivering(in_use)
    delivering.start()
    try:
        yield
    finally:
        delivering.stop()
