"""Writes what several threads have to put on record at once, in one go.

A sync of the disk takes as long for many as for one. Whoever comes while another one writes,
waits, and is then written with all who came meanwhile.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

_One = TypeVar("_One")
_Place = TypeVar("_Place")


@dataclass(slots=True)
class _Waiting(Generic[_One]):
    one: _One
    is_done: bool = False
    failure: BaseException | None = None


class Together(Generic[_Place, _One]):
    """Threads share it."""

    def __init__(self, write: Callable[[_Place, list[_One]], None]) -> None:
        """`write` puts all of these on record, or none of them."""
        self._write = write
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: list[_Waiting[_One]] = []

    def put(self, place: _Place, one: _One) -> None:
        """Return when it is on record. Raises what `write` raises, in every thread concerned."""
        mine = _Waiting(one)
        with self._lock:
            self._waiting.append(mine)
        with self._turn:
            if not mine.is_done:
                self._write_all(place)
        if mine.failure is not None:
            raise mine.failure

    def _write_all(self, place: _Place) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, []
        failure: BaseException | None = None
        try:
            self._write(place, [each.one for each in batch])
        except BaseException as error:  # noqa: BLE001 - each of them raises it
            failure = error
        for each in batch:
            each.is_done, each.failure = True, failure
