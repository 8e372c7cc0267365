"""A thread that lasts: it does one work until it is told to end, whatever fails meanwhile.

A failure is a line in the journal, and the work begins anew after a minute, as nothing that
broke off is in its hands then. A defect of ours is logged with where it is, and treated alike:
one that ended the thread unseen would cost what the service is there for.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from recorder_sync.errors import RecorderSyncError

BROKEN_S = 60.0
"""Seconds after a failure before the work begins anew."""


class LastingThread:
    """One work in a thread of its own."""

    def __init__(
        self,
        name: str,
        work: Callable[[], None],
        log: Any,
        broken: str,
        *,
        broken_s: float = BROKEN_S,
    ) -> None:
        """`work` returns soon after `is_to_end` is true; where it does before, it begins anew.

        `broken` says in the journal, by `log`, what it means that it failed.
        """
        self.name = name
        self._work = work
        self._log = log
        self._broken = broken
        self._broken_s = broken_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; from any thread, its own as well."""
        self._ended.set()

    def join(self, within_s: float) -> bool:
        """Tell whether it has ended."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    @property
    def is_to_end(self) -> bool:
        return self._ended.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until it is to end; tell whether it is."""
        return self._ended.wait(seconds)

    @contextmanager
    def at_work(self, stop_within_s: float) -> Iterator[None]:
        """Have it work while the block lasts."""
        self.start()
        try:
            yield
        finally:
            self.stop()
            self.join(stop_within_s)

    def _run(self) -> None:
        while not self.is_to_end:
            try:
                self._work()
            except (RecorderSyncError, sqlite3.DatabaseError, OSError) as error:
                self._log.error(self._broken, at=self.name, why=str(error))
                self.wait(self._broken_s)
            except Exception:  # noqa: BLE001 - a defect here must not end the work unseen
                self._log.exception(self._broken, at=self.name)
                self.wait(self._broken_s)
