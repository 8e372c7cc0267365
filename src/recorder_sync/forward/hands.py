"""Those who send to one store: several threads, each with one recording at a time.

Whatever comes of a recording is on record: confirmed, to be tried later, or a finding that
people are told of.
"""

import random
import sqlite3

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue import uploads
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.uploads import Upload
from recorder_sync.errors import MissingPart, NotFound, defect, os_reason
from recorder_sync.forward.carrier import Carrier
from recorder_sync.forward.findings import tell_of_copy
from recorder_sync.forward.line import Line
from recorder_sync.forward.shared import Shared
from recorder_sync.forward.store_thread import Opens, store_thread
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.lasting import BROKEN_S
from recorder_sync.model import AlertKind
from recorder_sync.rules.forwarding import TRIES_OF_OTHER_BYTES, wait_after
from recorder_sync.station import Station
from recorder_sync.stores.store import (
    CopyDiffers,
    Interrupted,
    SourceChanged,
    StoreProblem,
    Trouble,
)

_LOOK_EVERY_S = 1.0
_log = Log()


class Hand:
    """One thread that sends to a store."""

    def __init__(
        self, shared: Shared, opens: Opens, line: Line, number: int, *, only_small: bool = False
    ) -> None:
        """`only_small`: for small recordings only; `opens` may lend one station to many then."""
        self._shared = shared
        self._only_small = only_small
        self._line = line
        self.thread = store_thread(
            shared, str(number), opens, self._work, "the queue cannot be used"
        )

    def _work(self, station: Station) -> None:
        shared = self._shared
        carrier = Carrier(
            station, shared.destination, self._line, shared.halt, shared.count, shared.begin
        )
        while not self.thread.is_to_end:
            if shared.halt.is_asked or not self._send_one(station, carrier):
                shared.news.wait(_LOOK_EVERY_S)
                shared.news.clear()

    def _send_one(self, station: Station, carrier: Carrier) -> bool:
        """Try what comes first; tell whether there may be more to do."""
        upload = self._shared.take(station, only_small=self._only_small)
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
                proof=delivered.proof.value,
            )

    def _broken_off(self, station: Station, upload: Upload) -> None:
        with station.turn, transaction(station.catalogue):
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
        with station.turn:
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
        with station.turn, transaction(station.catalogue):
            uploads.note_failed(station.catalogue, upload, why, hint, next_try)
        _log.warning("not sent", store=upload.store, recording=upload.recording, why=why.english)

    def _changed(self, station: Station, upload: Upload, found: SourceChanged) -> None:
        """It is a finding, and nothing but a person's work makes it right."""
        with station.turn, transaction(station.catalogue):
            uploads.note_failed(station.catalogue, upload, found.text, found.hint, None)
        _log.error("evidence changed", recording=upload.recording, why=found.text.english)
        hint = found.hint or T("Touch nothing, and look: recorder-sync verify")
        with station.turn:
            raise_alert(station, AlertKind.VERIFICATION_FINDING, found.text, hint)

    def _unreadable(self, station: Station, upload: Upload, error: OSError) -> None:
        if not station.evidence.incoming.is_dir():
            # The evidence disk itself is away: that says nothing of any one recording.
            self._broken_off(station, upload)
            _log.error("the evidence folder is not there", path=str(station.evidence.root))
            self.thread.wait(BROKEN_S)
            return
        why = T("The recording cannot be read: {why}.", why=os_reason(error))
        self._failed(station, upload, why, T("Check the evidence disk: recorder-sync verify"))
