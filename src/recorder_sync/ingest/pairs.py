"""Where the chunks of two recordings meet, so that their SHA-256 is computed at once.

One thread computes for all recordings that are copied through rings. It takes two chunks
together when two recordings have some, and one alone when waiting for another would keep a
copy waiting: when a recording has a second chunk ready, has no more for now, or is the only
one. So a slow card never slows a fast one, and no clock is needed.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from recorder_sync.ingest.sha256_pair import Sha256

Done = Callable[[memoryview, Exception | None], None]
"""Told of each buffer when it is worked on, and of what went wrong."""


@dataclass(eq=False, slots=True)
class Lane:
    """One recording's way through here."""

    _pairs: "Pairs"
    digest: Sha256
    chunks: deque[tuple[memoryview, int, Done]] = field(default_factory=deque)
    under_way: int = 0
    """Chunks that are here or being computed."""
    is_hurried: bool = False
    """No more chunks come for now: somebody waits for those that are here."""

    def take(self, buffer: memoryview, count: int, done: Done) -> None:
        """Have the first `count` bytes of a buffer computed; `done` is called by the thread."""
        self._pairs.put(self, buffer, count, done)

    def hurry(self) -> None:
        """Have what is here computed without waiting for another recording."""
        self._pairs.hurry(self)


class Pairs:
    """The thread, which runs while there are lanes, and what waits for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._lanes: list[Lane] = []
        self._works = False

    @contextmanager
    def lane(self, digest: Sha256) -> Iterator[Lane]:
        """Hold a lane; at the end, wait until all its chunks are computed."""
        lane = Lane(self, digest)
        with self._changed:
            self._lanes.append(lane)
            if not self._works:
                self._works = True
                threading.Thread(target=self._work, name="sha256", daemon=True).start()
        try:
            yield lane
        finally:
            with self._changed:
                lane.is_hurried = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: not lane.under_way)
                self._lanes.remove(lane)
                self._changed.notify_all()

    def put(self, lane: Lane, buffer: memoryview, count: int, done: Done) -> None:
        """Add a chunk to a lane."""
        with self._changed:
            lane.is_hurried = False
            lane.under_way += 1
            lane.chunks.append((buffer, count, done))
            if self._next():
                self._changed.notify_all()

    def hurry(self, lane: Lane) -> None:
        """Let nothing in a lane wait for company."""
        with self._changed:
            lane.is_hurried = True
            self._changed.notify_all()

    def _next(self) -> Sequence[Lane]:
        """Return the lanes whose first chunks are to be computed now; none: wait."""
        ready = [lane for lane in self._lanes if lane.chunks]
        if len(ready) > 1:
            return ready[:2]
        for lane in ready:
            if lane.is_hurried or len(lane.chunks) > 1 or len(self._lanes) == 1:
                return ready
        return ()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (lanes := self._next()):
                    if not self._lanes:
                        self._works = False
                        return
                    self._changed.wait()
                handed = [lane.chunks.popleft() for lane in lanes]
            failure = None
            try:
                _compute(lanes, [buffer[:count] for buffer, count, _ in handed])
            except Exception as error:  # noqa: BLE001 - raised again where the copy is made
                failure = error
            for buffer, _, done in handed:
                done(buffer, failure)
            with self._changed:
                for lane in lanes:
                    lane.under_way -= 1
                if any(lane.is_hurried for lane in lanes):
                    self._changed.notify_all()


def _compute(lanes: Sequence[Lane], chunks: Sequence[memoryview]) -> None:
    if len(lanes) > 1:
        Sha256.update_two(lanes[0].digest, chunks[0], lanes[1].digest, chunks[1])
    else:
        lanes[0].digest.update(chunks[0])
