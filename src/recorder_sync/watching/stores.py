"""Stores that cannot be reached, that refuse, and what waits for them too long."""

from collections.abc import Iterator

from recorder_sync.catalogue import document_uploads, store_states, uploads
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Matter
from recorder_sync.rules.station_matters import StationFacts, StoreWatch, station_matters
from recorder_sync.stores.store import Trouble
from recorder_sync.watching.source import Look, Undecided

_AWAY = frozenset({Trouble.TRANSIENT.value})
"""Troubles that often pass by themselves."""


class Stores:
    """By what the forward service noted of each store of the settings."""

    name = "stores"
    what = T("The evidence stores")
    kinds = frozenset(
        {
            *(AlertKind.STORE_UNREACHABLE, AlertKind.STORE_STOPPED, AlertKind.QUEUE_WAITS),
            AlertKind.LOCK_NOT_KEPT,
        }
    )

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        db, settings = look.station.catalogue, look.station.settings
        found = []
        for one in settings.stores:
            state, queue = store_states.state_of(db, one.name), uploads.queue_of(db, one.name)
            waiting = None
            if settings.forward.records:
                waiting = document_uploads.oldest(db, one.name, one.cases)
            stopped = state.failing_since is not None and state.trouble not in _AWAY
            found.append(
                StoreWatch(
                    name=one.name,
                    unreachable_since=None if stopped else state.failing_since,
                    oldest_waiting=queue.oldest,
                    oldest_document=waiting,
                    stopped_since=state.failing_since if stopped else None,
                    why=state.why,
                    hint=state.hint,
                    is_wrong_place=state.trouble == Trouble.WRONG_PLACE.value,
                    not_kept_since=state.lock_failing_since,
                    not_kept_why=state.lock_why,
                    not_kept_hint=state.lock_hint,
                )
            )
        facts = StationFacts(settings.station.id, stores=tuple(found))
        yield from station_matters(facts, look.now, look.limits)
