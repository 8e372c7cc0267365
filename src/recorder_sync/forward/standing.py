"""How each store stands, and what a person may do about its queue.

What changes the queue is working state of this machine; that somebody paused or resumed it is
in the custody log, with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from recorder_sync.catalogue import copy_locks, document_uploads, recordings, store_states, uploads
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.document_uploads import DocumentQueue
from recorder_sync.catalogue.store_states import Activity, StoreState
from recorder_sync.catalogue.uploads import Queue, Upload
from recorder_sync.config import Configuration
from recorder_sync.custody.log import Act
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.station import Station
from recorder_sync.stores.store_settings import StoreSettings

_FAILURES = 10
_RATE_HOLDS = timedelta(seconds=30)
"""How long after it was measured a rate says anything."""


@dataclass(frozen=True, slots=True)
class StoreStanding:
    """How one store stands."""

    name: str
    queue: Queue
    state: StoreState
    rate: float | None
    sending: Sequence[tuple[Upload, int]]
    failures: Sequence[Upload]
    can_hold: bool
    """Whether it can keep copies under legal hold."""
    held: tuple[int, int]
    """How many of its copies should be held, and how many are."""
    documents: DocumentQueue
    """Documents of cases."""

    @property
    def left_s(self) -> int | None:
        """Seconds until all has arrived, at the rate of now."""
        if self.rate is None or self.state.paused_at or self.rate < 1:
            return None
        return round(self.queue.bytes_waiting / self.rate)

    @property
    def needs_a_person(self) -> bool:
        state = self.state
        failed = self.queue.failed or self.documents.failed
        return bool(failed or state.failing_since or state.lock_failing_since)

    @property
    def activity(self) -> Activity:
        if self.state.paused_at is not None:
            return Activity.PAUSED
        if self.state.failing_since is not None:
            return Activity.FAILING
        if self.sending:
            return Activity.SENDING
        is_waiting = self.queue.waiting or self.documents.waiting
        return Activity.WAITING if is_waiting else Activity.IDLE


def standings(
    station: Station, *, confirmed: bool = False, failures: int = _FAILURES
) -> list[StoreStanding]:
    """Return how every store of the settings stands.

    `confirmed` has counted what each of them has, which takes as long as that is much.
    """
    return [
        _standing(station, one, confirmed=confirmed, failures=failures)
        for one in station.settings.stores
    ]


def _standing(
    station: Station, store: StoreSettings, *, confirmed: bool, failures: int
) -> StoreStanding:
    db, name = station.catalogue, store.name
    state = store_states.state_of(db, name)
    is_fresh = state.rate_at is not None and station.now() - state.rate_at <= _RATE_HOLDS
    return StoreStanding(
        name,
        uploads.queue_of(db, name, counts_confirmed=confirmed),
        state,
        state.rate if is_fresh else None,
        uploads.sending(db, name),
        uploads.failures(db, name, failures),
        store.lock_mode is not None,
        copy_locks.counts(db, name),
        _documents(station, store, failures),
    )


def _documents(station: Station, store: StoreSettings, failures: int) -> DocumentQueue:
    if not station.settings.forward.records:
        return DocumentQueue()  # none is sent
    return document_uploads.queue_of(station.catalogue, store.name, store.cases, failures)


def chosen_stores(settings: Configuration, names: Sequence[str] | None) -> list[str]:
    """Return these stores, or all. Raises UsageProblem."""
    known = [one.name for one in settings.stores]
    for name in names or ():
        if name not in known:
            raise UsageProblem(
                T("The configuration names no store {name}.", name=name),
                T("There are: {names}", names=", ".join(known) or "—"),
            )
    return list(dict.fromkeys(names)) if names else known


def retry(station: Station, names: Sequence[str] | None, recording: str | None = None) -> int:
    """Have what failed tried at once, documents too; return how many recordings that is.

    Raises UsageProblem or NotFound.
    """
    chosen, db = chosen_stores(station.settings, names), station.catalogue
    whole = recordings.recording(db, recording).recording.id if recording else None
    with transaction(db):
        count = sum(uploads.retry(db, name, whole) for name in chosen)
        for name in chosen:
            if whole is None:
                document_uploads.retry(db, name)
            store_states.ask_to_try_at_once(db, name)
    return count


def pause(station: Station, names: Sequence[str] | None, reason: str | None = None) -> list[str]:
    """Send nothing more to these stores; return those that were not paused before."""
    return _set_paused(station, names, reason, is_paused=True)


def resume(station: Station, names: Sequence[str] | None, reason: str | None = None) -> list[str]:
    """Go on sending to these stores; return those that were paused before."""
    return _set_paused(station, names, reason, is_paused=False)


def _set_paused(
    station: Station, names: Sequence[str] | None, reason: str | None, *, is_paused: bool
) -> list[str]:
    chosen, db = chosen_stores(station.settings, names), station.catalogue
    facts = {"what": "forwarding paused" if is_paused else "forwarding resumed"}
    if reason:
        facts["reason"] = reason
    at, who = (station.now(), station.actor) if is_paused else (None, None)
    with transaction(db):
        changed = [
            name
            for name in chosen
            if (store_states.state_of(db, name).paused_at is not None) is not is_paused
        ]
        station.custody.append([station.deed(Act.SERVICE, name, facts) for name in changed])
        for name in changed:
            store_states.set_paused(db, name, at, who)
    return changed
