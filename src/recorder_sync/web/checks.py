"""Re-reads single recordings for people who watch: one at a time, beside the pages."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from recorder_sync.catalogue.recordings import recording
from recorder_sync.explained import explained
from recorder_sync.ingest.stopping import Stop, Stopping
from recorder_sync.inspection.alarm import Alarm
from recorder_sync.inspection.one_check import check
from recorder_sync.journal import Log
from recorder_sync.language import Text
from recorder_sync.station import Station

_KEPT = 200

_log = Log()


@dataclass(frozen=True, slots=True)
class Check:
    """How far one is."""

    size: int
    done: int = 0
    is_over: bool = False
    wrong: tuple[Text, ...] = ()
    """What is not as it was sealed."""
    failed: Text | None = None
    """Why it could not be done."""


class Checks:
    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "checks")
        self._known: dict[str, Check] = {}
        self._lock = threading.Lock()
        self._stop = Stop()

    def close(self) -> None:
        """End the one that is under way, too; what it re-read is not on record."""
        self._stop.request()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def of(self, identifier: str) -> Check | None:
        return self._known.get(identifier)

    def begin(self, identifier: str, size: int, opened: Callable[[], Station]) -> None:
        """Begin a check, unless one of the same recording is under way; `opened` gives it a
        station of its own, in the name of whoever asked."""
        with self._lock:
            known = self._known.get(identifier)
            if known is not None and not known.is_over:
                return
            self._known.pop(identifier, None)
            self._known[identifier] = Check(size)
            for old in list(self._known)[:-_KEPT]:
                del self._known[old]
        self._pool.submit(self._run, identifier, opened)

    def _run(self, identifier: str, opened: Callable[[], Station]) -> None:
        def took(size: int) -> None:
            now = self._known[identifier]
            self._known[identifier] = replace(now, done=now.done + size)

        try:
            station = opened()
            try:
                found = recording(station.catalogue, identifier)
                findings = check(station, found, took, self._stop)
                alarm = Alarm(station)
                for finding in findings:
                    alarm.sound(finding)
                alarm.sound_the_others()
            finally:
                station.catalogue.close()
        except Stopping:
            return
        except Exception as error:  # noqa: BLE001 - shown to whoever waits for it
            problem = explained(error)
            _log.error("a check failed", recording=identifier, why=str(problem))
            self._known[identifier] = replace(
                self._known[identifier], is_over=True, failed=problem.text
            )
            return
        self._known[identifier] = replace(
            self._known[identifier], is_over=True, wrong=tuple(one.text for one in findings)
        )
