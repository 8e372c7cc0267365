"""A source whose matters follow from the catalogue's rows of each device alone.

No clock is in them, so a device is asked about only when there is news of it.
"""

from collections.abc import Callable, Iterable, Iterator

from recorder_sync.language import Text
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Matter
from recorder_sync.watching.kept import Kept
from recorder_sync.watching.source import Look, Undecided

Ask = Callable[[Look, str], Iterable[Matter | Undecided]]


class OfDevices:
    def __init__(self, name: str, what: Text, kinds: Iterable[AlertKind], ask: Ask) -> None:
        """`ask` returns what is open of one device."""
        self.name = name
        self.what = what
        self.kinds = frozenset(kinds)
        self._kept = Kept(lambda look, device: tuple(ask(look, device)))

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        self._kept.refresh(look)
        for found in self._kept:
            yield from found
        self._kept.raise_failure()
