"""What those who work for one store have in common, and how the store stands just now.

They share its connection, its circuit breaker and its turn to enter confirmations; what one
store does, holds up no other. Before anything is sent, and after every interruption, the
store's identity is compared with the one that was bound.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from recorder_sync.catalogue import copies, store_states, uploads
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.uploads import Upload
from recorder_sync.errors import MissingPart
from recorder_sync.forward.carrier import Begun, Delivered
from recorder_sync.forward.destination import SMALL, Destination
from recorder_sync.forward.line import Halt
from recorder_sync.forward.together import Together
from recorder_sync.journal import Log
from recorder_sync.language import T
from recorder_sync.on_record import append
from recorder_sync.rules.forwarding import TRIES_WHILE_THERE, Breaker, Gate
from recorder_sync.station import Station
from recorder_sync.stores.store import Interrupted, Store, StoreProblem, Trouble

_NO_SMALL_S = 0.5
"""Seconds for which it is believed that nothing small waits."""

_log = Log()


class Shared:
    """What the threads of one store share. Any of them may use it."""

    def __init__(
        self, destination: Destination, halt: Halt, *, chance: Callable[[], float] = random.random
    ) -> None:
        self.destination = destination
        self.halt = halt
        self.arrived = 0
        """Bytes that have arrived, in all."""
        self.news = threading.Event()
        """There may be something to send."""
        self.times_seen = 0
        """How often it was seen to be the store that was bound."""
        self._chance = chance
        self._lock = threading.Lock()
        self._place_lock = threading.Lock()
        self._breaker = Breaker()
        self._taken: set[int] = set()
        self._no_small_until = float("-inf")
        self._times_away = 0
        self._failed_while_there: dict[int, int] = {}
        self._begins = Together(_put_begins_on_record)
        self._confirmations = Together(_put_confirmations_on_record)
        self._store: Store | None = None
        self._is_sure = False
        self._is_seen_to_work = False
        self._took_nothing = False
        """It was there when it failed last: only what it takes shows that it works."""

    def count(self, size: int) -> None:
        with self._lock:
            self.arrived += size

    @contextmanager
    def trying(self) -> Iterator[bool]:
        """Yield whether the store may be tried now; whoever tries says how it went."""
        with self._lock:
            gate = self._breaker.gate(time.monotonic())
            if gate is Gate.PROBE:
                self._breaker = self._breaker.probing()
        try:
            yield gate is not Gate.SHUT
        finally:
            if gate is Gate.PROBE:
                with self._lock:  # where it was broken off, nothing is known of the store
                    self._breaker = self._breaker.let_go()

    def take(self, station: Station, *, only_small: bool = False) -> Upload | None:
        """Take what is to be sent first, so that nobody else does; `only_small`: of what is."""
        name, at_most = self.destination.name, SMALL if only_small else None
        with station.turn, self._lock:
            now = time.monotonic()
            if only_small and now < self._no_small_until:
                return None
            found = uploads.next_due(station.catalogue, name, station.now(), self._taken, at_most)
            if found is not None:
                self._taken.add(found.number)
            elif only_small:  # each would look through all that is large
                self._no_small_until = now + _NO_SMALL_S
            return found

    def wake(self) -> None:
        """Something was queued."""
        with self._lock:
            self._no_small_until = float("-inf")
        self.news.set()

    def give_back(self, upload: Upload) -> None:
        with self._lock:
            self._taken.discard(upload.number)

    def store(self) -> Store:
        """Return the store, opened, and the one that was bound.

        Raises StoreProblem or MissingPart, and Interrupted where another one found out
        meanwhile that it cannot be had: that is one failure of the store, and not many.
        """
        known = self._times_away
        with self._place_lock:
            if known != self._times_away:
                raise Interrupted(T("The upload was interrupted; it goes on later."))
            try:
                if self._store is None:
                    self._store = self.destination.opens()
                if not self._is_sure:
                    self.destination.make_sure(self._store)
                    self._is_sure = True
                    self.times_seen += 1
            except (StoreProblem, MissingPart):
                self._times_away += 1
                raise
            return self._store

    def works(self, station: Station) -> None:
        """The store answered as it should."""
        with self._lock:
            is_news = bool(self._breaker.failures) or not self._is_seen_to_work
            self._breaker, self._is_seen_to_work = self._breaker.worked(), True
            self._took_nothing = False
            is_news = is_news and not self._breaker.failures
        if is_news:  # what an earlier process noted may stand in the catalogue still
            with station.turn, transaction(station.catalogue):
                store_states.note_works(station.catalogue, self.destination.name)
            _log.info("back", store=self.destination.name)
            self.news.set()

    def answers(self, station: Station) -> None:
        """The store can be asked, and is the one that was bound; nothing was sent.

        What could not be reached is back then; what was full may be full still.
        """
        noted = store_states.state_of(station.catalogue, self.destination.name).trouble
        with self._lock:
            takes_nothing = self._took_nothing or noted == Trouble.FULL.value
        if not takes_nothing:
            self.works(station)

    def is_perhaps_its_own(self, upload: Upload) -> bool:
        """Note that it failed at a store that was there; tell whether another one is to try."""
        with self._lock:
            count = self._failed_while_there.get(upload.number, 0) + 1
            self._failed_while_there[upload.number] = count
        return count >= TRIES_WHILE_THERE

    def came_through(self, upload: Upload) -> None:
        with self._lock:
            self._failed_while_there.pop(upload.number, None)

    def fails(
        self,
        station: Station,
        problem: StoreProblem,
        *,
        is_open: bool = False,
        was_there: bool = False,
    ) -> None:
        """Nothing can be sent just now; the store is left alone for a while.

        `is_open`: it could be asked. `was_there`: it was seen to be the store that was bound
        just before.
        """
        refused = problem.trouble is Trouble.REFUSED and not is_open
        for_long = refused or problem.trouble is Trouble.WRONG_PLACE
        with self._lock:
            self._is_sure = False
            self._took_nothing = was_there
            self._breaker = self._breaker.failed(
                time.monotonic(), self._chance(), problem.retry_after_s, for_long=for_long
            )
        with station.turn, transaction(station.catalogue):
            store_states.note_fails(
                station.catalogue,
                self.destination.name,
                problem.trouble.value,
                problem.text,
                problem.hint,
                station.now(),
            )
        _log.warning(
            "not sent",
            store=self.destination.name,
            trouble=problem.trouble.value,
            why=problem.text.english,
        )

    def doubt(self) -> None:
        """Have its identity compared again before anything else."""
        with self._lock:
            self._is_sure = False

    def try_at_once(self) -> None:
        """Somebody says that it is mended."""
        with self._lock:
            self._breaker = self._breaker.try_at_once()
            self._is_sure = False
        self.news.set()

    def begin(self, station: Station, one: Begun) -> None:
        """Put on record, before the first byte, that the store may have a recording.

        Raises sqlite3.DatabaseError.
        """
        self._begins.put(station, one)

    def confirm(self, station: Station, one: Delivered) -> None:
        """Put a confirmation on record, together with what came meanwhile.

        Raises CustodyProblem, MissingPart, or sqlite3.DatabaseError.
        """
        self._confirmations.put(station, one)

    def close(self) -> None:
        with self._place_lock:
            if self._store is not None:
                self._store.close()
                self._store = None


def _put_begins_on_record(station: Station, batch: list[Begun]) -> None:
    with station.turn, transaction(station.catalogue):
        for one in batch:
            uploads.note_begun(station.catalogue, one.upload, one.key)


def _put_confirmations_on_record(station: Station, batch: list[Delivered]) -> None:
    now = station.now()
    deeds = [each.deed(station.actor, now) for each in batch]
    # Whoever takes up the log meanwhile waits for this transaction.
    with station.turn, transaction(station.catalogue):
        for entry in append(station, deeds):
            copies.take_up(station.catalogue, entry)
