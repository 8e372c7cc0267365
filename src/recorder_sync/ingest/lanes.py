"""Takes the recordings of one card through copying, reading back and describing.

    large recordings, one after the other ─┐
                                           ├─ read back ─ described ─ to be sealed
    small recordings, several together ────┘

A card reads fastest in sequence, so its large recordings go one by one; two together once
the small ones are in and while no other card copies, where the SHA-256 of two is computed for
little more than that of one (`pairs.py`). Reading back and
describing belong to threads that all cards share (`capacity.py`), so the card reads on
meanwhile. What cannot be read is salvaged when everything else is in.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue

from recorder_sync.direct_io import CHUNK
from recorder_sync.errors import RecordingFailure, VolumeGone
from recorder_sync.ingest.capacity import Capacity
from recorder_sync.ingest.copying import Copying, Failed, OnDisk, Proven
from recorder_sync.ingest.failures import Unreadable
from recorder_sync.ingest.inventory import Item
from recorder_sync.ingest.readback import ReadBack
from recorder_sync.ingest.source import SourceChanged
from recorder_sync.ingest.stopping import Stop, Stopping
from recorder_sync.ingest.turns import CardTurns
from recorder_sync.media.window import PLACES
from recorder_sync.model import Media

_ATTEMPTS = 3
"""How often a file that changes while it is read is tried."""

_LARGE_AT_ONCE = 2
"""Large recordings of one card, where their SHA-256 is computed at once."""

_PAUSE_S = 1.0
"""Seconds a device gets to finish writing between two attempts."""

_TOGETHER = PLACES
"""Small recordings that are synced together."""

_TOGETHER_BYTES = 16 << 20

_MOST_AT_ONCE = 8
"""Steps whose results are handed on in one group."""

Numbered = tuple[int, Item]


@dataclass(frozen=True, slots=True)
class Verified:
    """A copy on stable storage, read back and described."""

    copy: OnDisk
    read_back: ReadBack
    media: Media


Result = Verified | Failed


class Lanes:
    """The way of one card's recordings."""

    def __init__(
        self, copying: Copying, capacity: Capacity, turns: CardTurns, at_once: int, stop: Stop
    ) -> None:
        """`at_once` is how many copies this card may have under way."""
        self._copying = copying
        self._capacity = capacity
        self._turns = turns
        self._at_once = at_once
        self._stop = stop
        self._done: SimpleQueue[list[Result] | Exception] = SimpleQueue()

    def run(self, items: Sequence[Item]) -> Iterator[list[Result]]:
        """Yield what is done, as it gets done, in groups.

        A stop request ends it early: what is done is yielded, the rest is not.
        """
        damaged: list[Failed] = []
        for group in self._all(list(enumerate(items))):
            sound: list[Result] = []
            for one in group:
                if isinstance(one, Failed) and isinstance(one.failure, Unreadable):
                    damaged.append(one)
                else:
                    sound.append(one)
            yield sound
        for one in damaged:
            yield self._salvage(one)

    def _all(self, numbered: list[Numbered]) -> Iterator[list[Result]]:
        large = [one for one in numbered if one[1].size > CHUNK]
        small = list(_together([one for one in numbered if one[1].size <= CHUNK]))
        with (
            ThreadPoolExecutor(_LARGE_AT_ONCE, thread_name_prefix="large") as pair,
            ThreadPoolExecutor(self._at_once, thread_name_prefix="small") as several,
        ):
            groups = [several.submit(self._step, self._take_small, group) for group in small]
            waiting = deque(large)
            pair.submit(self._step, self._take_all_large, waiting, groups, pair)
            try:
                left = len(large) + len(small)
                while left:
                    steps = [self._done.get()]
                    while not self._done.empty() and len(steps) < _MOST_AT_ONCE:
                        steps.append(self._done.get())
                    left -= len(steps)
                    yield _joined(steps)
            finally:
                waiting.clear()
                for pool in (pair, several):
                    pool.shutdown(cancel_futures=True)

    def _step(self, work: Callable[..., None], *about: object) -> None:
        """Do one step; whatever ends the way of these recordings here is handed over."""
        try:
            work(*about)
        except Stopping:
            self._done.put([])
        except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
            self._done.put(error)

    def _take_all_large(
        self, waiting: deque[Numbered], groups: Sequence[Future[None]], pair: ThreadPoolExecutor
    ) -> None:
        beside: Future[None] | None = None
        while (one := _next_of(waiting)) is not None:
            if waiting and self._has_room_beside(groups) and (beside is None or beside.done()):
                beside = pair.submit(self._step, self._take_large_beside, waiting, groups)
            self._step(self._take_large, one)

    def _take_large_beside(self, waiting: deque[Numbered], groups: Sequence[Future[None]]) -> None:
        while self._has_room_beside(groups) and (one := _next_of(waiting)) is not None:
            self._step(self._take_large, one)

    def _has_room_beside(self, groups: Sequence[Future[None]]) -> bool:
        """Tell whether a second large recording is copied now without a cost to anybody."""
        return (
            self._capacity.pairs is not None
            and self._at_once >= _LARGE_AT_ONCE
            and all(group.done() for group in groups)
            and self._turns.is_alone()
        )

    def _take_large(self, numbered: Numbered) -> None:
        try:
            copy = self._copied(numbered)
        except RecordingFailure as failure:
            self._done.put([self._failed(*numbered, failure)])
            return
        self._capacity.read_back_soon(partial(self._step, self._prove, numbered, copy))

    def _copied(self, numbered: Numbered) -> OnDisk:
        number, item = numbered
        for attempt in range(1, _ATTEMPTS + 1):
            with self._turns.turn(self._stop.check) as turn:
                try:
                    return self._copying.large(
                        number, item, partial(self._between, turn.pass_on), first=attempt == 1
                    )
                except SourceChanged:
                    self._copying.discard(self._copying.part(number))
                    if attempt == _ATTEMPTS:
                        raise
            self._stop.wait(_PAUSE_S)
        raise AssertionError("the last attempt returns or raises")

    def _prove(self, numbered: Numbered, copy: OnDisk) -> None:
        try:
            proven = self._copying.prove(copy)
        except RecordingFailure as failure:
            self._done.put([self._failed(*numbered, failure)])
            return
        self._capacity.describe_soon(partial(self._step, self._describe, [proven], []))

    def _take_small(self, group: list[Numbered]) -> None:
        window = self._capacity.window
        with ExitStack() as stack:
            with self._turns.turn(self._stop.check):
                pane = window.take()
                stack.callback(window.give_back, pane)
                results = self._copying.small(group, pane)
            proven = [one for one in results if isinstance(one, Proven)]
            failed = []
            for one in results:
                if isinstance(one, Failed):
                    again = self._patiently(one)
                    if isinstance(again, Proven):
                        proven.append(again)
                    else:
                        failed.append(again)
            in_use = stack.pop_all()
        described = partial(self._describe_small, proven, failed, in_use)
        self._capacity.describe_soon(partial(self._step, described))

    def _patiently(self, failed: Failed) -> Proven | Failed:
        """Give a small recording that changed while it was read the time to come to rest."""
        number, item, failure = failed.number, failed.item, failed.failure
        for _ in range(1, _ATTEMPTS):
            if not isinstance(failure, SourceChanged):
                break
            self._copying.discard(self._copying.part(number))
            self._stop.wait(_PAUSE_S)
            try:
                with self._turns.turn(self._stop.check) as turn:
                    copy = self._copying.large(
                        number, item, partial(self._between, turn.pass_on), first=False
                    )
                return self._copying.prove(copy)
            except RecordingFailure as another:
                failure = another
        return self._failed(number, item, failure)

    def _describe_small(
        self, proven: list[Proven], failed: list[Failed], in_use: ExitStack
    ) -> None:
        with in_use:
            self._describe(proven, failed)

    def _describe(self, proven: list[Proven], failed: list[Failed]) -> None:
        done: list[Result] = [*failed]
        done += self._described(proven)
        self._done.put(done)

    def _described(self, proven: list[Proven]) -> list[Verified]:
        media = self._capacity.describer.describe(
            [(os.fsencode(one.copy.part), one.copy.item.kind) for one in proven],
            {os.fsencode(one.copy.part): one.shown for one in proven if one.shown},
        )
        return [
            Verified(one.copy, one.read_back, its) for one, its in zip(proven, media, strict=True)
        ]

    def _salvage(self, failed: Failed) -> list[Result]:
        """Keep what can be read of a recording; it has failed all the same."""
        try:
            with self._turns.turn(self._stop.check) as turn:
                copy = self._copying.salvage(
                    failed.number,
                    failed.item,
                    failed.failure,
                    partial(self._between, turn.pass_on),
                )
            return [failed] if copy is None else [*self._described([self._copying.prove(copy)])]
        except (RecordingFailure, Stopping):
            self._copying.discard(self._copying.salvage_part(failed.number))
            return [failed]

    def _failed(self, number: int, item: Item, failure: RecordingFailure) -> Failed:
        """Keep of the copy what the next docking can go on with."""
        if not isinstance(failure, VolumeGone | Unreadable):
            self._copying.discard(self._copying.part(number))
        return Failed(number, item, failure)

    def _between(self, pass_on: Callable[[], None]) -> None:
        self._stop.check()
        pass_on()


def _next_of(waiting: deque[Numbered]) -> Numbered | None:
    """Take the next; several threads may ask at once."""
    try:
        return waiting.popleft()
    except IndexError:
        return None


def _joined(steps: Sequence[list[Result] | Exception]) -> list[Result]:
    results: list[Result] = []
    for step in steps:
        if isinstance(step, Exception):
            raise step
        results += step
    return results


def _together(numbered: Sequence[Numbered]) -> Iterator[list[Numbered]]:
    group: list[Numbered] = []
    size = 0
    for one in numbered:
        if group and (len(group) == _TOGETHER or size + one[1].size > _TOGETHER_BYTES):
            yield group
            group, size = [], 0
        group.append(one)
        size += one[1].size
    if group:
        yield group
