"""A store as the settings name it: what goes there, by which name, and kept how long."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from recorder_sync.config import Configuration
from recorder_sync.language import T
from recorder_sync.model import Recording
from recorder_sync.rules.forwarding import (
    Forwardable,
    Retention,
    Selection,
    days_after,
    kept_until,
)
from recorder_sync.rules.layout import recording_key
from recorder_sync.stores.bindings import binding_of
from recorder_sync.stores.kinds import Surroundings, open_store
from recorder_sync.stores.store import NO_LOCK, Lock, LockMode, Store, StoreProblem, Trouble
from recorder_sync.stores.store_settings import StoreSettings

SMALL = 64 << 10
"""Bytes of a recording up to which sending costs more in waiting for answers than in bytes."""


@dataclass(frozen=True, slots=True)
class Destination:
    name: str
    opens: Callable[[], Store]
    """Raises StoreProblem or MissingPart."""
    make_sure: Callable[[Store], None]
    """Raises StoreProblem unless it is the store that was bound, or MissingPart."""
    takes: Callable[[Forwardable], bool]
    key_of: Callable[[Recording], str]
    """Names a recording there, by the layout of the settings."""
    cases: frozenset[str] = frozenset()
    """Only documents of these cases go there; empty: of any."""
    lock_mode: LockMode | None = None
    """How it is kept from being deleted; None: the store keeps no lock."""
    retention: tuple[Retention, ...] = ()
    parallel: int = 2
    """Objects sent at the same time."""
    small_at_once: int = 2
    """Of those up to `SMALL`; not fewer than `parallel`."""
    read_back_percent: float = 100.0
    """How much is read back of what no checksum of the store's proves."""
    look_again_percent: float = 0.0
    """How many of the confirmed copies are looked at again each night."""
    send_lost_again: bool = True
    """Without a person asking for it."""

    def lock_of(self, one: Forwardable) -> Lock:
        if self.lock_mode is None:
            return NO_LOCK
        until = kept_until(one, self.retention)
        return Lock(self.lock_mode if until else None, until, one.held)

    def lock_from(self, now: datetime) -> Lock:
        """Return how long to keep what is no recording: as long as any that is sealed now."""
        days = max((policy.days for policy in self.retention), default=0)
        if self.lock_mode is None or not days:
            return NO_LOCK
        return Lock(self.lock_mode, days_after(now, days))


def destinations_of(settings: Configuration) -> list[Destination]:
    """Return the stores that these settings name."""
    return [_destination(one, settings) for one in settings.stores]


def selection_of(store: StoreSettings) -> Selection:
    return Selection(frozenset(store.kinds), frozenset(store.flags), frozenset(store.cases))


def _destination(store: StoreSettings, settings: Configuration) -> Destination:
    station, state = settings.station, settings.paths.state

    def opens() -> Store:
        bound = binding_of(state, store.name)
        own = (Path("/"), settings.paths.evidence, state)
        facts = bound.identity.facts if bound else {}
        return open_store(store, Surroundings(own, facts))

    def make_sure(opened: Store) -> None:
        bound = binding_of(state, store.name)
        if bound is None:
            raise StoreProblem(
                Trouble.REFUSED,
                T("{store}: it is not bound, so nothing is sent there.", store=store.name),
                T("Run: recorder-sync stores bind {store}", store=store.name),
            )
        bound.refuse_other(opened.identity())

    return Destination(
        name=store.name,
        opens=opens,
        make_sure=make_sure,
        takes=selection_of(store).takes,
        key_of=lambda one: recording_key(store.layout, one, station.id, station.zone),
        cases=frozenset(store.cases),
        lock_mode=store.lock_mode,
        retention=settings.forward.policies,
        parallel=store.parallel,
        small_at_once=max(store.parallel, store.s3.small_at_once if store.s3 else 0),
        read_back_percent=store.read_back_percent,
        look_again_percent=store.look_again_percent,
        send_lost_again=store.send_lost_again,
    )
