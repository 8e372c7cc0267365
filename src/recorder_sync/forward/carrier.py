"""Carries one recording, and its description, to one store, and asks the store for both.

Before the first byte it is on record that the store may have it from then on. So the next
try after a kill asks the store first, and sends only what it has not.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recorder_sync.catalogue import recordings, uploads
from recorder_sync.catalogue.copies import Proof
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.uploads import Upload
from recorder_sync.custody.log import Act, Deed
from recorder_sync.description import from_json
from recorder_sync.forward.confirmation import Confirmed, bring
from recorder_sync.forward.destination import Destination
from recorder_sync.forward.line import Halt, Line
from recorder_sync.forward.source import small_file, source_of_bytes, sources_of_file
from recorder_sync.model import Recording
from recorder_sync.station import Station
from recorder_sync.stores.store import Course, Outgoing, Source, Store
from recorder_sync.timestamps import iso_or_none

_NOTED_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Begun:
    """A recording that a store may have from now on, under this key."""

    upload: Upload
    key: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """A recording, or a document of a case, that a store has confirmed."""

    store: str
    sealed: str
    """Its id."""
    file: Confirmed
    description: Confirmed

    @property
    def proof(self) -> Proof:
        return _weaker(self.file.proof, self.description.proof)

    def deed(self, actor: str, now: datetime) -> Deed:
        """Return what the custody log says of it."""
        file, description = self.file.stored, self.description
        facts: dict[str, Any] = {
            "store": self.store,
            "key": file.key,
            "version": file.version,
            "size": file.size,
            "proof": self.proof.value,
            "checksums": dict(file.checksums),
            "kept_until": iso_or_none(file.lock.until),
            "lock": file.lock.mode.value if file.lock.mode else None,
            "description": {
                "key": description.stored.key,
                "version": description.stored.version,
            },
        }
        return Deed(Act.CONFIRMED, self.sealed, actor, now, facts)


def _weaker(one: Proof, other: Proof) -> Proof:
    return max(one, other, key=list(Proof).index)


class Carrier:
    """One hand's way to a store; not for several threads."""

    def __init__(
        self,
        station: Station,
        destination: Destination,
        line: Line,
        halt: Halt,
        arrived: Callable[[int], None],
        begin: Callable[[Station, Begun], None],
    ) -> None:
        """`arrived` is told of the bytes that arrive, from any thread.

        `begin` puts on record, synced, that the store may have a recording from then on.
        """
        self._station = station
        self._destination = destination
        self._line = line
        self._halt = halt
        self._arrived = arrived
        self._begin = begin

    def carry(self, store: Store, upload: Upload) -> Delivered:
        """Bring a recording to the store, unless it is there.

        Raises StoreProblem, SourceChanged, Interrupted, NotFound, OSError,
        sqlite3.DatabaseError.
        """
        catalogue, evidence = self._station.catalogue, self._station.evidence
        with self._station.turn:
            sealed = recordings.recording(catalogue, upload.recording)
        described = f"{sealed.recording.path}.json"
        text = small_file(evidence, described, sealed.description)
        # Named by the tags as they were sealed: a correction gives it no second name.
        key = upload.key or self._destination.key_of(from_json(json.loads(text)))
        self._begin(self._station, Begun(upload, key))
        lock = self._destination.lock_of(uploads.forwardable(sealed.row))
        one, course = sealed.recording, _Course(self._station, upload, self._arrived)
        item = Outgoing(key, one.size, one.digests, lock, _facts(one, self._station))
        with sources_of_file(
            evidence, one.path, one.size, one.digests.blake3, self._line, self._halt
        ) as source:
            recording = self._bring(store, item, source, course, upload)
        item = Outgoing(f"{key}.json", len(text), sealed.description, lock)
        source = source_of_bytes(text, described, self._line, self._halt)
        description = self._bring(store, item, source, NoCourse(), upload)
        return Delivered(upload.store, upload.recording, recording, description)

    def _bring(
        self,
        store: Store,
        item: Outgoing,
        source: Callable[[], Source],
        course: Course,
        upload: Upload,
    ) -> Confirmed:
        look_first, check = upload.look_first, self._halt.check
        return bring(store, item, source, course, self._is_picked, check, look_first=look_first)

    def _is_picked(self) -> bool:
        return random.random() * 100 < self._destination.read_back_percent


def _facts(one: Recording, station: Station) -> Mapping[str, str]:
    return {
        "station": station.settings.station.id,
        "recording": one.id,
        "blake3": one.digests.blake3,
        "sha256": one.digests.sha256,
    }


class _Course:
    """How an upload goes, in the catalogue. Any thread may tell."""

    def __init__(self, station: Station, upload: Upload, arrived: Callable[[int], None]) -> None:
        self._station = station
        self._upload = upload
        self._arrived = arrived
        self._resume = upload.resume
        self._lock = threading.Lock()
        self._sent = 0
        self._noted_at = time.monotonic()

    @property
    def resume(self) -> str | None:
        return self._resume

    def note(self, resume: str) -> None:
        db = self._station.catalogue
        with self._lock, self._station.turn, transaction(db):
            uploads.note_resume(db, self._upload, resume)
        self._resume = resume

    def sent(self, size: int) -> None:
        self._arrived(size)
        with self._lock:
            self._sent += size
            if time.monotonic() - self._noted_at >= _NOTED_EVERY_S:
                self._noted_at = time.monotonic()
                db = self._station.catalogue
                with self._station.turn, transaction(db):
                    uploads.note_sent(db, self._upload, self._sent)


class NoCourse:
    """Of what is too small to go on with: the next try begins anew."""

    resume: str | None = None

    def note(self, resume: str) -> None:
        self.resume = resume

    def sent(self, size: int) -> None:
        pass
