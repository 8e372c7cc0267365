"""Facts of each device, kept in memory and read anew when the catalogue has news of it.

What is kept can always be read again: after a start everything is. A device that cannot be
read keeps nobody from the others; it is tried again at the next look.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from recorder_sync.catalogue import news
from recorder_sync.config import Configuration
from recorder_sync.watching.source import Look

T = TypeVar("T")

NO_DEVICE = ""
"""Stands for what belongs to no device."""


class Kept(Generic[T]):
    """The facts of one concern, by device."""

    def __init__(self, read: Callable[[Look, str], T]) -> None:
        """`read` returns the facts of one device; NO_DEVICE is asked for as well."""
        self._read = read
        self._facts: dict[str, T] = {}
        self._waiting: set[str] = set()
        self._version = 0
        self._settings: Configuration | None = None
        self._failure: Exception | None = None

    def refresh(self, look: Look) -> frozenset[str]:
        """Read what changed since the last time; return which devices were read."""
        self._failure = None
        self._forget_after_a_change(look.station.settings)
        seen = news.since(look.station.catalogue, self._version)
        self._version = seen.version
        self._waiting |= seen.devices
        read = set()
        for device in sorted(self._waiting):
            look.check()
            try:
                self._facts[device] = self._read(look, device)
            except Exception as error:  # noqa: BLE001 - bad rows of one device hide no other
                self._failure = error
            else:
                read.add(device)
        self._waiting -= read
        return frozenset(read)

    @property
    def facts(self) -> Mapping[str, T]:
        """What was read last; of a device that cannot be read, what it was before."""
        return self._facts

    def raise_failure(self) -> None:
        """Raise what kept the last `refresh` from reading a device, if anything did."""
        if self._failure is not None:
            raise self._failure

    def __iter__(self) -> Iterator[T]:
        return iter(self._facts.values())

    def _forget_after_a_change(self, settings: Configuration) -> None:
        # Profiles and limits say what the same rows mean.
        if settings is not self._settings and settings != self._settings:
            self._facts, self._waiting, self._version = {}, set(), 0
        self._settings = settings
