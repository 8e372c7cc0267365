"""Asks a source beside the others, and goes on without its answer when it takes too long.

A dead card or mount can hold a thread in the kernel where nothing can end it: it is left
behind, and ends with the device or the process.
"""

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from recorder_sync.errors import RecorderSyncError
from recorder_sync.journal import Log

Answer = TypeVar("Answer")

_log = Log()


class Asking(Generic[Answer]):
    """One question, asked from the moment this is made."""

    def __init__(self, source: str, limit_s: float, ask: Callable[[], Answer | None]) -> None:
        self._source = source
        self._until = time.monotonic() + limit_s
        self._answers: SimpleQueue[Answer | None] = SimpleQueue()
        Thread(target=self._run, args=(ask,), name=f"ask {source}", daemon=True).start()

    def answer(self) -> Answer | None:
        """Return the answer; None when there is none within the limit, or it failed."""
        try:
            return self._answers.get(timeout=max(0.0, self._until - time.monotonic()))
        except Empty:
            _log.warning("a source of a device's state did not answer", source=self._source)
            return None

    def _run(self, ask: Callable[[], Answer | None]) -> None:
        found = None
        try:
            found = ask()
        except (RecorderSyncError, OSError, ValueError) as error:
            _log.info("a source says nothing", source=self._source, why=str(error))
        finally:
            self._answers.put(found)
