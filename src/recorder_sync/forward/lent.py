"""One station for several threads that only look up and note a little.

A connection to the catalogue takes a third of a MiB and its cache; those who send small files are
many, and spend their time waiting for the store. So they have one, and use it by turns
(`Station.turn`); it is opened for the first of them, and closed after the last.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from recorder_sync.forward.store_thread import Opens
from recorder_sync.station import Station


class Lent:
    """Lends a station to threads."""

    def __init__(self, opens: Opens) -> None:
        self._opens = opens
        self._lock = threading.Lock()
        self._open = ExitStack()
        self._station: Station | None = None
        self._borrowers = 0

    @contextmanager
    def station(self) -> Iterator[Station]:
        """Yield the station, opened where it is not. Raises MissingPart, CatalogueProblem."""
        with self._lock:
            if self._station is None:
                self._station = self._open.enter_context(self._opens())
            station = self._station
            self._borrowers += 1
        try:
            yield station
        finally:
            with self._lock:
                self._borrowers -= 1
                if not self._borrowers:
                    self._station = None
                    self._open.close()
