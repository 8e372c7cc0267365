"""The line that stations send by: no more bytes a second than the settings allow.

All threads of the process share it. Whoever wants to send takes his turn and waits for it;
a halt ends the wait at once.
"""

import threading
import time
from collections.abc import Callable

from recorder_sync.language import T
from recorder_sync.stores.store import Interrupted

_LOOK_S = 0.5
"""Seconds after which a changed limit is seen by those who wait."""


class Halt:
    """Asks what sends to a store to break off, until it is lifted."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def ask(self) -> None:
        self._event.set()

    def lift(self) -> None:
        self._event.clear()

    @property
    def is_asked(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raises Interrupted."""
        if self._event.is_set():
            raise Interrupted(T("The upload was interrupted; it goes on later."))

    def wait(self, seconds: float) -> None:
        """Raises Interrupted."""
        self._event.wait(seconds)
        self.check()


class Line:
    """What of the line this process may use."""

    def __init__(
        self, rate: Callable[[], int | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`rate` returns the bytes a second that are allowed now; None: any number."""
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at = clock()

    @property
    def is_limited(self) -> bool:
        return self._rate() is not None

    def take(self, size: int, halt: Halt) -> None:
        """Wait until so many bytes may be sent. Raises Interrupted."""
        halt.check()
        rate = self._rate()
        if rate is None:
            return
        with self._lock:
            begins = max(self._clock(), self._free_at)
            self._free_at = begins + size / rate
        while (left := begins - self._clock()) > 0 and self._rate() is not None:
            halt.wait(min(left, _LOOK_S))
