"""Those who send to one store: several threads, and what they have in common.

The threads of one store share its connection, its circuit breaker and its turn to enter
confirmations; what one store does, holds up no other. Before anything is sent, and after
every interruption, the store's identity is compared with the one that was bound.
"""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue import copies, uploads
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.uploads import Upload
from recorder_sync.errors import MissingPart, NotFound, RecorderSyncError, defect, os_reason
from recorder_sync.forward.carrier import Begun, Carrier, Delivered
from recorder_sync.forward.destination import Destination
from recorder_sync.forward.findings import tell_of_copy
from recorder_sync.forward.line import Halt, Line
from recorder_sync.forward.together import Together
from recorder_sync.inspection.pace import step_back
from recorder_sync.language import T, Text
from recorder_sync.model import AlertKind
from recorder_sync.on_record import append
from recorder_sync.rules.forwarding import (
    TRIES_OF_OTHER_BYTES,
    TRIES_WHILE_THERE,
    Breaker,
    Gate,
    wait_after,
)
from recorder_sync.station import Station
from recorder_sync.stores.store import (
    CopyDiffers,
    Interrupted,
    SourceChanged,
    Store,
    StoreProblem,
    Trouble,
)

_LOOK_EVERY_S = 1.0
_BROKEN_S = 60.0
_log = structlog.get_logger("forward")


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

    def take(self, station: Station) -> Upload | None:
        """Take what is to be sent first, so that nobody else does."""
        with self._lock:
            found = uploads.next_due(
                station.catalogue, self.destination.name, station.now(), self._taken
            )
            if found is not None:
                self._taken.add(found.number)
            return found

    def give_back(self, upload: Upload) -> None:
        with self._lock:
            self._taken.discard(upload.number)

    def store(self) -> Store:
        """Return the store, opened, and the one that was bound.

        Raises StoreProblem or MissingPart.
        """
        with self._place_lock:
            if self._store is None:
                self._store = self.destination.opens()
            if not self._is_sure:
                self.destination.make_sure(self._store)
                self._is_sure = True
                self.times_seen += 1
            return self._store

    def works(self, station: Station) -> None:
        """The store answered as it should."""
        with self._lock:
            is_news = bool(self._breaker.failures) or not self._is_seen_to_work
            self._breaker, self._is_seen_to_work = self._breaker.worked(), True
            self._took_nothing = False
        if is_news:  # what an earlier process noted may stand in the catalogue still
            with transaction(station.catalogue):
                uploads.note_store_works(station.catalogue, self.destination.name)
            _log.info("back", store=self.destination.name)
            self.news.set()

    def answers(self, station: Station) -> None:
        """The store can be asked, and is the one that was bound; nothing was sent.

        What could not be reached is back then; what was full may be full still.
        """
        noted = uploads.store_state(station.catalogue, self.destination.name).trouble
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
        with transaction(station.catalogue):
            uploads.note_store_fails(
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
    with transaction(station.catalogue):
        for one in batch:
            uploads.note_begun(station.catalogue, one.upload, one.key)


def _put_confirmations_on_record(station: Station, batch: list[Delivered]) -> None:
    now = station.now()
    deeds = [each.deed(station.actor, now) for each in batch]
    # Whoever takes up the log meanwhile waits for this transaction.
    with transaction(station.catalogue):
        for entry in append(station, deeds):
            copies.take_up(station.catalogue, entry)


class Hand:
    """One thread that sends to a store."""

    def __init__(
        self, shared: Shared, opens: Callable[[], Station], line: Line, number: int
    ) -> None:
        self._shared = shared
        self._opens = opens
        self._line = line
        self._ended = threading.Event()
        name = f"{shared.destination.name}-{number}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Have it end; the halt of its store ends what is under way."""
        self._ended.set()
        self._shared.news.set()

    def join(self, within_s: float) -> bool:
        """Tell whether it has ended."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        step_back()
        while not self._ended.is_set():
            try:
                station = self._opens()
                try:
                    self._work(station)
                finally:
                    station.catalogue.close()
            except (RecorderSyncError, sqlite3.DatabaseError, OSError) as error:
                _log.error("the queue cannot be used", why=str(error))
                self._ended.wait(_BROKEN_S)
            except Exception:  # noqa: BLE001 - a defect with one store must not end it unseen
                _log.exception("a defect while sending", store=self._shared.destination.name)
                self._ended.wait(_BROKEN_S)

    def _work(self, station: Station) -> None:
        shared = self._shared
        carrier = Carrier(
            station, shared.destination, self._line, shared.halt, shared.count, shared.begin
        )
        while not self._ended.is_set():
            if shared.halt.is_asked or not self._send_one(station, carrier):
                shared.news.wait(_LOOK_EVERY_S)
                shared.news.clear()

    def _send_one(self, station: Station, carrier: Carrier) -> bool:
        """Try what comes first; tell whether there may be more to do."""
        upload = self._shared.take(station)
        if upload is None:
            return False
        try:
            with self._shared.trying() as may:
                if may:
                    self._try(station, carrier, upload)
                return may
        finally:
            self._shared.give_back(upload)

    def _try(self, station: Station, carrier: Carrier, upload: Upload) -> None:
        """Try one recording; whatever comes of it is on record."""
        shared, is_open = self._shared, False
        seen_before = shared.times_seen
        try:
            store = shared.store()
            is_open = True
            delivered = carrier.carry(store, upload)
        except Interrupted:
            self._broken_off(station, upload)
        except CopyDiffers as finding:
            shared.works(station)
            self._differs(station, upload, finding)
        except StoreProblem as problem:
            was_there = is_open and shared.times_seen > seen_before
            self._not_taken(station, upload, problem, is_open=is_open, was_there=was_there)
        except SourceChanged as found:
            self._changed(station, upload, found)
        except NotFound as error:
            self._failed(station, upload, error.text, error.hint)
        except MissingPart as error:
            self._broken_off(station, upload)
            shared.fails(station, StoreProblem(Trouble.REFUSED, error.text, error.hint))
        except OSError as error:
            self._unreadable(station, upload, error)
        except sqlite3.DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect with one recording holds up no other
            _log.exception("a defect while sending", recording=upload.recording)
            self._failed(station, upload, *defect(error))
        else:
            shared.came_through(upload)
            shared.works(station)
            shared.confirm(station, delivered)
            _log.info(
                "confirmed",
                store=upload.store,
                recording=upload.recording,
                proof=delivered.recording.proof.value,
            )

    def _broken_off(self, station: Station, upload: Upload) -> None:
        with transaction(station.catalogue):
            uploads.note_waiting(station.catalogue, upload)

    def _not_taken(
        self,
        station: Station,
        upload: Upload,
        problem: StoreProblem,
        *,
        is_open: bool,
        was_there: bool,
    ) -> None:
        """Is it the store, or only this recording? A broken one must not be tried for ever
        in front of the others."""
        if problem.trouble is Trouble.OBJECT:
            self._shared.works(station)
            self._failed(station, upload, problem.text, problem.hint, problem.retry_after_s)
            return
        is_of_store = not was_there or problem.trouble is Trouble.WRONG_PLACE
        if is_of_store or not self._shared.is_perhaps_its_own(upload):
            self._broken_off(station, upload)
        else:
            self._failed(station, upload, problem.text, problem.hint, problem.retry_after_s)
        self._shared.fails(station, problem, is_open=is_open, was_there=was_there)

    def _differs(self, station: Station, upload: Upload, found: CopyDiffers) -> None:
        is_over = upload.attempts + 1 >= TRIES_OF_OTHER_BYTES
        self._failed(station, upload, found.text, found.hint, is_over=is_over)
        tell_of_copy(station, found.store, found.key, found.what, found.hint)

    def _failed(
        self,
        station: Station,
        upload: Upload,
        why: Text,
        hint: Text | None,
        retry_after_s: float | None = None,
        *,
        is_over: bool = False,
    ) -> None:
        """Note that it failed; `is_over`: it is not tried again before a person asks for it."""
        wait = wait_after(upload.attempts + 4, random.random(), retry_after_s)
        next_try = None if is_over else station.now() + wait
        with transaction(station.catalogue):
            uploads.note_failed(station.catalogue, upload, why, hint, next_try)
        _log.warning("not sent", store=upload.store, recording=upload.recording, why=why.english)

    def _changed(self, station: Station, upload: Upload, found: SourceChanged) -> None:
        """It is a finding, and nothing but a person's work makes it right."""
        with transaction(station.catalogue):
            uploads.note_failed(station.catalogue, upload, found.text, found.hint, None)
        _log.error("evidence changed", recording=upload.recording, why=found.text.english)
        hint = found.hint or T("Touch nothing, and look: recorder-sync verify")
        raise_alert(station, AlertKind.VERIFICATION_FINDING, found.text, hint)

    def _unreadable(self, station: Station, upload: Upload, error: OSError) -> None:
        if not station.evidence.incoming.is_dir():
            # The evidence disk itself is away: that says nothing of any one recording.
            self._broken_off(station, upload)
            _log.error("the evidence folder is not there", path=str(station.evidence.root))
            self._ended.wait(_BROKEN_S)
            return
        why = T("The recording cannot be read: {why}.", why=os_reason(error))
        self._failed(station, upload, why, T("Check the evidence disk: recorder-sync verify"))
