"""Sends the documents of cases to one store, one at a time, as recordings are sent.

Each is read once and held against its seal before its end is given out; the store has to show
that it has it, and its description after it. The store is asked before anything is sent, so
what an earlier process sent and could not note is not sent again. A document that fails waits
for its next turn, and the others go on.
"""

import random
import sqlite3

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue import document_uploads
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.document_uploads import WaitingDocument
from recorder_sync.catalogue.documents import SealedDocument
from recorder_sync.errors import MissingPart, defect, os_reason
from recorder_sync.forward.carrier import Delivered, NoCourse
from recorder_sync.forward.confirmation import bring
from recorder_sync.forward.findings import tell_of_copy
from recorder_sync.forward.line import Line
from recorder_sync.forward.shared import Shared
from recorder_sync.forward.source import small_file, source_of_bytes, sources_of_file
from recorder_sync.forward.store_thread import Opens, store_thread
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.lasting import BROKEN_S
from recorder_sync.model import AlertKind
from recorder_sync.rules.forwarding import TRIES_OF_OTHER_BYTES, wait_after
from recorder_sync.rules.layout import station_key
from recorder_sync.station import Station
from recorder_sync.stores.store import (
    CopyDiffers,
    Interrupted,
    Outgoing,
    SourceChanged,
    Store,
    StoreProblem,
    Trouble,
)

_LOOK_EVERY_S = 1.0
_log = Log()


class DocumentHand:
    """One thread of one store."""

    def __init__(self, shared: Shared, opens: Opens, line: Line) -> None:
        self._shared = shared
        self._line = line
        self.thread = store_thread(shared, "documents", opens, self._work, "documents are not sent")

    def _work(self, station: Station) -> None:
        while not self.thread.wait(_LOOK_EVERY_S):
            while not self.thread.is_to_end and self._send_one(station):
                pass

    def _send_one(self, station: Station) -> bool:
        """Try what comes first; tell whether there may be more to do."""
        shared = self._shared
        if shared.halt.is_asked:
            return False
        destination, now = shared.destination, station.now()
        one = document_uploads.next_due(station.catalogue, destination.name, destination.cases, now)
        if one is None:
            return False
        with shared.trying() as may:
            return may and self._try(station, one)

    def _try(self, station: Station, one: WaitingDocument) -> bool:
        """Try one document; whatever comes of it is noted. Tell whether the next may follow."""
        shared, is_open = self._shared, False
        seen_before = shared.times_seen
        try:
            store = shared.store()
            is_open = True
            delivered = self._carry(station, store, one.sealed)
        except Interrupted:
            return False
        except CopyDiffers as finding:
            shared.works(station)
            is_over = one.attempts + 1 >= TRIES_OF_OTHER_BYTES
            self._failed(station, one, finding.text, finding.hint, is_over=is_over)
            tell_of_copy(station, finding.store, finding.key, finding.what, finding.hint)
        except StoreProblem as problem:
            was_there = is_open and shared.times_seen > seen_before
            return self._not_taken(station, one, problem, is_open=is_open, was_there=was_there)
        except SourceChanged as found:
            self._failed(station, one, found.text, found.hint, is_over=True)
            hint = found.hint or T("Touch nothing, and look: recorder-sync verify")
            raise_alert(station, AlertKind.VERIFICATION_FINDING, found.text, hint)
        except MissingPart as error:
            shared.fails(station, StoreProblem(Trouble.REFUSED, error.text, error.hint))
            return False
        except OSError as error:
            return self._unreadable(station, one, error)
        except sqlite3.DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect with one holds up no other
            _log.exception("a defect while sending", document=one.sealed.id)
            self._failed(station, one, *defect(error))
        else:
            shared.works(station)
            shared.confirm(station, delivered)
            _log.info(
                "confirmed",
                store=delivered.store,
                document=delivered.sealed,
                proof=delivered.proof.value,
            )
        return True

    def _carry(self, station: Station, store: Store, sealed: SealedDocument) -> Delivered:
        """Bring a document and its description to the store, unless they are there.

        Raises StoreProblem, SourceChanged, Interrupted or OSError.
        """
        evidence, one, halt = station.evidence, sealed.document, self._shared.halt
        described = f"{one.path}.json"
        text = small_file(evidence, described, sealed.description)
        key = station_key(station.settings.station.id, one.path)
        lock = self._shared.destination.lock_from(station.now())
        facts = {
            "station": station.settings.station.id,
            "document": one.id,
            "blake3": one.digests.blake3,
            "sha256": one.digests.sha256,
        }
        item = Outgoing(key, one.size, one.digests, lock, facts)
        with sources_of_file(
            evidence, one.path, one.size, one.digests.blake3, self._line, halt
        ) as source:
            file = bring(
                store, item, source, NoCourse(), self._is_picked, halt.check, look_first=True
            )
        item = Outgoing(f"{key}.json", len(text), sealed.description, lock)
        small = source_of_bytes(text, described, self._line, halt)
        description = bring(
            store, item, small, NoCourse(), self._is_picked, halt.check, look_first=True
        )
        return Delivered(self._shared.destination.name, sealed.id, file, description)

    def _is_picked(self) -> bool:
        return random.random() * 100 < self._shared.destination.read_back_percent

    def _not_taken(
        self,
        station: Station,
        one: WaitingDocument,
        problem: StoreProblem,
        *,
        is_open: bool,
        was_there: bool,
    ) -> bool:
        """Is it the store, or perhaps only this document? Then another one tries next."""
        if problem.trouble is Trouble.OBJECT:
            self._shared.works(station)
            self._failed(station, one, problem.text, problem.hint, problem.retry_after_s)
            return True
        if was_there and problem.trouble is not Trouble.WRONG_PLACE:
            self._failed(station, one, problem.text, problem.hint, problem.retry_after_s)
        self._shared.fails(station, problem, is_open=is_open, was_there=was_there)
        return False

    def _unreadable(self, station: Station, one: WaitingDocument, error: OSError) -> bool:
        if not station.evidence.incoming.is_dir():
            # The evidence disk itself is away: that says nothing of any one document.
            _log.error("the evidence folder is not there", path=str(station.evidence.root))
            self.thread.wait(BROKEN_S)
            return False
        why = T("The document cannot be read: {why}.", why=os_reason(error))
        self._failed(station, one, why, T("Check the evidence disk: recorder-sync verify"))
        return True

    def _failed(
        self,
        station: Station,
        one: WaitingDocument,
        why: Text,
        hint: Text | None,
        retry_after_s: float | None = None,
        *,
        is_over: bool = False,
    ) -> None:
        """Note that it failed; `is_over`: it is not tried again before a person asks for it."""
        wait = wait_after(one.attempts + 4, random.random(), retry_after_s)
        now = station.now()
        next_try = None if is_over else now + wait
        name, document = self._shared.destination.name, one.sealed.id
        with transaction(station.catalogue):
            document_uploads.note_failed(
                station.catalogue, document, name, why, hint, now, next_try
            )
        _log.warning("not sent", store=name, document=document, why=why.english)
