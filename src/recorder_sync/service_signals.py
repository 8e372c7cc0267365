"""The signals of a service: SIGTERM and SIGINT end it, SIGHUP has it read its configuration again.

A handler only takes note and wakes the service, which looks when it can.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class ServiceSignals:
    """What was received while `heard` was entered, in order."""

    def __init__(self) -> None:
        self._received: list[int] = []
        self._wake = threading.Event()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Take note of signals while the block lasts; the main thread's business."""
        before = {number: signal.signal(number, self._take) for number in _HEARD}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, or at once when a signal comes or `wake` is called."""
        self._wake.wait(seconds)
        self._wake.clear()

    def wake(self) -> None:
        self._wake.set()

    def asks_to_reload(self) -> bool:
        """Tell whether the configuration is to be read again, once for each time it was asked."""
        if signal.SIGHUP not in self._received:
            return False
        self._received.remove(signal.SIGHUP)
        return True

    @property
    def ending(self) -> int | None:
        """The first signal that asks for the end; a reload that comes after does not undo it."""
        return next((number for number in self._received if number != signal.SIGHUP), None)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        self._received.append(number)
        self._wake.set()
