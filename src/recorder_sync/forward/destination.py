"""A store as the settings name it: what goes there, by which name, and kept how long."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recorder_sync.catalogue.recordings import Sealed
from recorder_sync.rules.forwarding import Forwardable, Retention, kept_until
from recorder_sync.stores.store import NO_LOCK, Lock, LockMode, Store


@dataclass(frozen=True, slots=True)
class Destination:
    name: str
    opens: Callable[[], Store]
    """Raises StoreProblem or MissingPart."""
    bound: Callable[[], Mapping[str, str] | None]
    """Returns the facts of the identity that was bound; None: none was. Raises OSError or
    RecorderSyncError."""
    takes: Callable[[Forwardable], bool]
    key_of: Callable[[Sealed], str]
    """Names a recording there, by the layout of the settings."""
    prefix: str = ""
    """What the names of everything that is no recording begin with."""
    lock_mode: LockMode | None = None
    """How it is kept from being deleted; None: the store keeps no lock."""
    retention: tuple[Retention, ...] = ()
    parallel: int = 2
    """Objects sent at the same time."""
    read_back_percent: float = 100.0
    """How much is read back of what no checksum of the store's proves."""

    def lock_of(self, one: Forwardable) -> Lock:
        if self.lock_mode is None:
            return NO_LOCK
        until = kept_until(one, self.retention)
        return Lock(self.lock_mode if until else None, until, one.held)
