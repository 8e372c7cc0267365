"""Looks again, by night, at copies that stores have confirmed: are they still there?

A part of them each night, those first that nobody looked at for the longest time. By the
store's own checksum where it keeps one, else every byte is read back, by the same line as
everything else. What was found is on record; what is not there, or is something else, is an
alert at once, counts as confirmed no more, and is sent again where the settings say so.

A checksum that a store keeps shows that the object was not replaced or cut. Whether its disks
still hold the bytes, only the store itself knows (scrubbing), or who reads them.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from datetime import time as clock
from typing import Any

from blake3 import blake3

from recorder_sync.catalogue import looked_at
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.looked_at import WHAT, InTurn
from recorder_sync.catalogue.sealed_files import sealed_file
from recorder_sync.custody.log import Act, Deed, Entry
from recorder_sync.forward.findings import tell_of_copy
from recorder_sync.forward.line import Line
from recorder_sync.forward.shared import Shared
from recorder_sync.forward.store_thread import Opens, store_thread
from recorder_sync.journal import Log
from recorder_sync.on_record import append
from recorder_sync.rules.resampling import (
    UNREADABLE_AFTER,
    Kept,
    Look,
    Lost,
    at_first_sight,
    due_tonight,
    wait_after,
)
from recorder_sync.rules.reverification import Night, night_at
from recorder_sync.station import Station
from recorder_sync.stores.store import (
    Interrupted,
    Lock,
    LockMode,
    Store,
    Stored,
    StoreProblem,
    Trouble,
)
from recorder_sync.timestamps import moment

_LOOK_EVERY_S = 1.0
_IDLE_S = 60.0
_AT_ONCE = 20
"""Copies that one entry of the custody log names at most."""
_log = Log()


@dataclass(slots=True)
class _Found:
    """Copies that are as they were, and how that was seen."""

    by_checksum: list[str] = field(default_factory=list)
    read_back: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Object:
    """One object of a copy, as the store had confirmed it."""

    key: str
    version: str | None
    size: int | None
    blake3: str
    checksums: dict[str, str]
    lock: Lock


class Sampling:
    """One thread of one store."""

    def __init__(self, shared: Shared, opens: Opens, line: Line) -> None:
        self._shared = shared
        self._line = line
        self._look_at = float("-inf")
        self._failures: dict[str, int] = {}
        self.thread = store_thread(
            shared, "sampling", opens, self._work, "copies are not looked at"
        )

    def _work(self, station: Station) -> None:
        shared = self._shared
        while not self.thread.wait(_LOOK_EVERY_S):
            begun = time.monotonic()  # what happens from here on counts for the next look
            if shared.halt.is_asked or begun < self._look_at:
                continue
            night = _night(station)
            chosen = self._chosen(station, night) if night else []
            if night is None or not chosen:
                self._look_at = begun + _IDLE_S
                continue
            with shared.trying() as may:
                if may:
                    self._try(station, chosen, night)

    def _chosen(self, station: Station, night: Night) -> list[InTurn]:
        """Return whose turn it is, a few at a time."""
        db, destination = station.catalogue, self._shared.destination
        begins = night.begins.astimezone(UTC)
        stands = looked_at.standing(db, destination.name, begins)
        left = due_tonight(stands.copies, destination.look_again_percent, stands.looked_at)
        return list(looked_at.in_turn(db, destination.name, begins, min(left, _AT_ONCE)))

    def _try(self, station: Station, chosen: list[InTurn], night: Night) -> None:
        shared, found, was_there = self._shared, _Found(), False
        try:
            store = shared.store()
            was_there = True
            for one in chosen:
                shared.halt.check()
                if station.now() >= night.ends:
                    break
                self._look(station, store, one, found)
        except Interrupted:
            pass
        except StoreProblem as problem:
            if not was_there:
                shared.fails(station, problem)
        else:
            shared.answers(station)
        finally:
            _put_on_record(station, shared.destination.name, found)

    def _look(self, station: Station, store: Store, one: InTurn, found: _Found) -> None:
        """Look at one copy: the file and its description. Raises StoreProblem."""
        entry = next(station.custody.entries(one.custody_seq))
        try:
            looks = [self._said(store, each) for each in _objects_of(station, entry)]
        except StoreProblem as problem:
            self._failed_on(station, entry, problem)
            return
        self._failures.pop(one.sealed, None)
        lost = next((said for said in looks if isinstance(said, Lost)), None)
        if lost is not None:
            self._lose(station, entry, lost)
        else:
            is_read = looks[0] is Look.UNKNOWN
            (found.read_back if is_read else found.by_checksum).append(one.sealed)

    def _failed_on(self, station: Station, entry: Entry, problem: StoreProblem) -> None:
        """Is it the store or the copy? It is asked again, the store itself before it.

        Raises StoreProblem.
        """
        sealed = entry.deed.subject
        count = self._failures[sealed] = self._failures.get(sealed, 0) + 1
        if count >= UNREADABLE_AFTER:
            del self._failures[sealed]
            self._lose(station, entry, Lost.UNREADABLE)
            return
        self._look_at = time.monotonic() + wait_after(count).total_seconds()
        self._shared.doubt()
        _log.warning("a copy cannot be looked at", of=sealed, why=problem.text.english)
        raise problem

    def _said(self, store: Store, one: _Object) -> Look | Lost:
        """Return whether it is the same, as its store says or as its bytes do."""
        try:
            there = store.look(one.key, one.version)
            seen = at_first_sight(Kept(one.size, one.checksums), _now(there, one.lock))
            if seen is not Look.UNKNOWN:
                return seen
            digest, size = blake3(), 0
            for part in store.read(one.key, one.version):
                self._line.take(len(part), self._shared.halt)
                digest.update(part)
                size += len(part)
        except StoreProblem as problem:
            if problem.trouble is not Trouble.OBJECT:
                raise
            return Lost.CHANGED  # something that cannot even be asked for has its place
        is_same = one.size in (None, size) and digest.hexdigest() == one.blake3
        return Look.UNKNOWN if is_same else Lost.CHANGED

    def _lose(self, station: Station, entry: Entry, what: Lost) -> None:
        """Tell people, and have it count as confirmed no more."""
        destination, confirmed = self._shared.destination, entry.deed.facts
        store, key = destination.name, confirmed["key"]
        # The alert first: a kill between the two has the next look find it again.
        tell_of_copy(station, store, key, WHAT[what])
        facts = {
            "store": store,
            "key": key,
            "version": confirmed["version"],
            "what": what.value,
            "again": destination.send_lost_again,
        }
        deed = Deed(Act.COPY_LOST, entry.deed.subject, station.actor, station.now(), facts)
        with transaction(station.catalogue):
            for lost in append(station, [deed]):
                looked_at.take_up_lost(station.catalogue, lost)
        _log.error("a copy is lost", store=store, of=entry.deed.subject, what=what.value)
        self._shared.news.set()


def _night(station: Station) -> Night | None:
    settings = station.settings
    local = station.now().astimezone(settings.station.zone)
    hours = settings.verification.night_begins, settings.verification.night_ends
    begins, ends = (clock.fromisoformat(one) for one in hours)
    return night_at(local, begins, ends)


def _objects_of(station: Station, entry: Entry) -> list[_Object]:
    """Return what a store has of a recording or document, by the entry that confirmed it."""
    facts: Any = entry.deed.facts
    one, description = sealed_file(station.catalogue, entry.deed.subject), facts["description"]
    until: datetime | None = moment(facts["kept_until"]) if facts["kept_until"] else None
    lock = Lock(LockMode(facts["lock"]) if facts["lock"] else None, until)
    file = {"blake3": one.digests.blake3, "sha256": one.digests.sha256, **facts["checksums"]}
    text = {"blake3": one.description.blake3, "sha256": one.description.sha256}
    digest = one.description.blake3
    return [
        _Object(facts["key"], facts["version"], one.size, one.digests.blake3, file, lock),
        _Object(description["key"], description["version"], None, digest, text, lock),
    ]


def _now(there: Stored | None, lock: Lock) -> Kept | None:
    return Kept(there.size, there.checksums, there.lock.covers(lock)) if there else None


def _put_on_record(station: Station, store: str, found: _Found) -> None:
    if not found.by_checksum and not found.read_back:
        return
    facts = {"store": store, "by_checksum": found.by_checksum, "read_back": found.read_back}
    deed = Deed(Act.COPIES_LOOKED_AT, store, station.actor, station.now(), facts)
    with transaction(station.catalogue):
        for entry in append(station, [deed]):
            looked_at.take_up_found(station.catalogue, entry)
    count = len(found.by_checksum) + len(found.read_back)
    _log.info("copies are there", store=store, copies=count)
