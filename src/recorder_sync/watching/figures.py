"""The figures of the watching, in one place: for the live status, and for any monitoring.

Counts are of alerts that are not resolved; how many there ever were is the log's to say.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlite_utils.db import Database

from recorder_sync.catalogue import alerts, watch_state
from recorder_sync.timestamps import iso_or_none


@dataclass(frozen=True, slots=True)
class Figures:
    last_tick_at: datetime | None = None
    tick_s: float | None = None
    """How long the last tick took, in seconds."""
    by_state: Mapping[str, int] = field(default_factory=dict)
    by_severity: Mapping[str, int] = field(default_factory=dict)
    by_kind: Mapping[str, int] = field(default_factory=dict)
    next_due: datetime | None = None
    """The next limit of an alert that has not passed yet."""
    oldest_since: datetime | None = None
    """Since when the longest open one is so."""


def figures(db: Database, now: datetime, tick_s: float | None = None) -> Figures:
    """Return how the watching stands at `now`."""
    live = alerts.live(db)
    return Figures(
        last_tick_at=watch_state.last_tick_at(db),
        tick_s=tick_s,
        by_state=_counted(one.state.value for one in live),
        by_severity=_counted(one.severity.value for one in live),
        by_kind=_counted(one.kind.value for one in live),
        next_due=min((one.due for one in live if one.due and one.due > now), default=None),
        oldest_since=min((one.since for one in live), default=None),
    )


def figures_json(found: Figures) -> dict[str, object]:
    return {
        "last_tick_at": iso_or_none(found.last_tick_at),
        "tick_s": None if found.tick_s is None else round(found.tick_s, 3),
        "alerts": {
            "unresolved": sum(found.by_state.values()),
            "by_state": dict(found.by_state),
            "by_severity": dict(found.by_severity),
            "by_kind": dict(found.by_kind),
            "next_due": iso_or_none(found.next_due),
            "oldest_since": iso_or_none(found.oldest_since),
        },
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
