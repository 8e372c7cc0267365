"""Delivers the newest checkpoint to everyone whom the settings name, each by itself.

One thread looks for new checkpoints, and one for each target delivers: a target that does
not answer holds up no other. What fails is tried again after two seconds, then twice as
long each time up to an hour, for as long as it takes; what was delivered is known from
what is kept, so a restart goes on where it was. Only the newest is delivered: it vouches
for all before it.

A target that fails for longer than the settings allow is one alert; a witness that refuses
the log is an alert at once.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from recorder_sync.alerts.raising import raise_station_alert
from recorder_sync.config import Configuration
from recorder_sync.custody.checkpoints import Signed
from recorder_sync.errors import MissingPart, RecorderSyncError, refused
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.lasting import LastingThread
from recorder_sync.station import now
from recorder_sync.witnessing.channels import Channel, addresses_in
from recorder_sync.witnessing.making import checkpoints_of
from recorder_sync.witnessing.target import NotDelivered, Target, WitnessRefuses
from recorder_sync.witnessing.witness_client import WitnessClient
from recorder_sync.witnessing.witnessed import Witnessed

_NOTES = "custody/checkpoints"
_LOOK_EVERY_S = 1.0
_FIRST_WAIT_S = 2.0
_LONGEST_WAIT_S = 3600.0
_STOP_WITHIN_S = 2.0

_log = Log()


class Delivery:
    """The delivery of one station's checkpoints to the targets of its settings."""

    def __init__(self, in_use: Callable[[], Configuration]) -> None:
        """`in_use` returns the settings in force; they may change while this works."""
        self._in_use = in_use
        self.thread = LastingThread("delivery", self._run, _log, "checkpoints are not delivered")

    def _run(self) -> None:
        """Deliver by the settings in force, until others are or it is to end.

        What is under way then is not waited for, and delivered at the next start.
        """
        settings = self._in_use()  # also the files that they name are read anew
        workers = self._workers(settings)
        newest: int | None = None
        try:
            while not self.thread.is_to_end and settings is self._in_use():
                changed = _changed(settings, newest)
                if changed != newest:
                    newest = changed
                    for worker in workers:
                        worker.wake()
                self.thread.wait(_LOOK_EVERY_S)
        finally:
            for worker in workers:
                worker.stop()

    def _workers(self, settings: Configuration) -> list["_Worker"]:
        try:
            targets = targets_of(settings)
        except MissingPart as error:
            _log.error("not every witness can be reached", why=str(error))
            _alert(settings, error.text, error.hint)
            targets = targets_of(settings, channels=False)
        workers = [_Worker(target, settings) for target in targets]
        for worker in workers:
            worker.start()
        _log.info("delivering checkpoints", to=", ".join(t.name for t in targets) or "nobody")
        return workers


class _Worker:
    """Delivers to one target, in a thread of its own."""

    def __init__(self, target: Target, settings: Configuration) -> None:
        self._target = target
        self._settings = settings
        self._checkpoints = checkpoints_of(settings)
        self._wake = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=target.name, daemon=True)
        self._failing = _Failing(timedelta(minutes=settings.witness.alert_after_minutes))

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is a new checkpoint."""
        self._wake.set()

    def stop(self) -> None:
        self._ended = True
        self._wake.set()

    def _run(self) -> None:
        wait: float | None = None
        while not self._ended:
            self._wake.wait(wait)
            self._wake.clear()
            if not self._ended:
                wait = self._deliver()

    def _deliver(self) -> float | None:
        """Deliver the newest checkpoint; return after how many seconds to look again."""
        try:
            signed = self._newest()
            if signed is None:
                _log.info("no checkpoint yet", to=self._target.name)
            elif not self._target.has(signed.checkpoint.size):
                self._target.deliver(signed)
                _log.info("delivered", to=self._target.name, entries=signed.checkpoint.size)
        except WitnessRefuses as error:
            _log.error("refused", by=self._target.name, why=str(error))
            _alert(self._settings, error.text, error.hint)
            return _LONGEST_WAIT_S
        except RecorderSyncError as error:
            return self._failed(error)
        except OSError as error:
            return self._failed(refused(error))
        except Exception as error:  # noqa: BLE001 - a defect, also of a library, holds up no other
            return self._failed(_defect(self._target.name, error))
        self._failing.ended()
        return _LONGEST_WAIT_S

    def _newest(self) -> Signed | None:
        """Return the newest checkpoint; before there is one, no key is made for it."""
        notes = self._settings.paths.state / _NOTES
        return self._checkpoints.last() if any(notes.glob("[0-9]*")) else None

    def _failed(self, error: RecorderSyncError) -> float:
        _log.warning("not delivered", to=self._target.name, why=str(error))
        if self._failing.is_to_be_told():
            _alert(self._settings, error.text, error.hint)
        return self._failing.next_wait_s()


def _changed(settings: Configuration, before: int | None) -> int | None:
    """Return when the checkpoints were changed last; `before` where that cannot be seen."""
    try:
        return (settings.paths.state / _NOTES).stat().st_mtime_ns
    except FileNotFoundError:
        return None  # the first one is not made yet
    except OSError as error:
        _log.error("the checkpoints cannot be looked at", why=str(error))
        return before


class _Failing:
    """Since when a target fails, and whether somebody was told."""

    def __init__(self, patience: timedelta) -> None:
        self._patience_s = patience.total_seconds()
        self.ended()

    def ended(self) -> None:
        self._since: float | None = None
        self._wait_s = _FIRST_WAIT_S
        self._told = False

    def is_to_be_told(self) -> bool:
        """Take note of a failure; tell, once, whether it has lasted too long."""
        if self._since is None:
            self._since = time.monotonic()
        if self._told or time.monotonic() - self._since < self._patience_s:
            return False
        self._told = True
        return True

    def next_wait_s(self) -> float:
        wait, self._wait_s = self._wait_s, min(self._wait_s * 2, _LONGEST_WAIT_S)
        return wait


def targets_of(settings: Configuration, *, channels: bool = True) -> list[Target]:
    """Return everyone over the network whom these settings name.

    Raises MissingPart when the file of addresses cannot be used; without `channels` it is
    not looked at.
    """
    witness = settings.witness
    witnessed = Witnessed(settings.paths.state / "custody")
    checkpoints = checkpoints_of(settings)
    targets: list[Target] = [
        WitnessClient(server, server.url, checkpoints, witnessed)
        for server in witness.servers
        if server.url is not None
    ]
    if witness.timestamp_url is not None:
        from recorder_sync.witnessing.timestamping import TimestampAuthority

        files, notes = witness.timestamp_certificates, settings.paths.state / _NOTES
        targets.append(TimestampAuthority(witness.timestamp_url, files, witnessed, notes))
    if channels and witness.channels_file is not None:
        every = timedelta(hours=witness.message_every_hours)
        addresses = addresses_in(witness.channels_file)
        targets += [Channel(address, every, witnessed, now) for address in addresses]
    return targets


def delivering(in_use: Callable[[], Configuration]) -> AbstractContextManager[None]:
    """Deliver checkpoints while the block lasts."""
    return Delivery(in_use).thread.at_work(_STOP_WITHIN_S)


def _defect(name: str, error: Exception) -> NotDelivered:
    _log.exception("a defect while delivering", to=name)
    return NotDelivered(
        T("The checkpoint was not delivered to {name}: {why}.", name=name, why=repr(error)),
        T("The journal of the service says more. It is tried again."),
    )


def _alert(settings: Configuration, text: Text, hint: Text | None) -> None:
    hint = hint or T("The journal of the service says more. It is tried again.")
    try:
        raise_station_alert(settings, text, hint)
    except (RecorderSyncError, sqlite3.DatabaseError, OSError) as error:
        _log.error("the alert is not on record", why=str(error))
