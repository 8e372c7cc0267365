"""What a tick asks: each source gathers the facts of one concern and asks its rule.

A source yields every matter that is open now. What it cannot tell just now it yields as
undecided: alerts about that are left as they are, neither resolved nor opened anew. Where
it raises, everything that it is asked about counts as undecided.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from recorder_sync.language import Text
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Matter, key_of
from recorder_sync.rules.watch_limits import WatchLimits
from recorder_sync.station import Station


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the station."""

    station: Station
    now: datetime
    check: Callable[[], None] = lambda: None
    """Called now and then in work that may take long; may raise Stopping."""

    @property
    def limits(self) -> WatchLimits:
        return self.station.settings.watch_limits


@dataclass(frozen=True, slots=True)
class Undecided:
    """Nothing can be said now of matters whose key begins so."""

    prefix: str


def undecided(kind: AlertKind, *about: str) -> Undecided:
    """Return that nothing can be said of any matter of this kind about these things."""
    return Undecided(key_of(kind, *about) + "/")


class Source(Protocol):
    """One concern."""

    @property
    def name(self) -> str:
        """What it is called in the key of the alert about its failure; it stays the same."""

    @property
    def what(self) -> Text:
        """What it watches, as the beginning of a sentence."""

    @property
    def kinds(self) -> frozenset[AlertKind]: ...

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        """Yield what is open now. May raise anything: the others are asked all the same."""
