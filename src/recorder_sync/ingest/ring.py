"""Buffers that go from one thread to several beside it, and back when all are done."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

from recorder_sync.ingest.pairs import Lane


class Ring:
    """One recording's ring: the caller fills buffers, the threads beside it work on them."""

    def __init__(self, buffers: list[memoryview]) -> None:
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        self._buffers = buffers
        for buffer in buffers:
            self._free.put(buffer)
        self._queues: list[SimpleQueue[tuple[memoryview, int] | None]] = []
        self._lanes: list[Lane] = []
        self._threads: list[threading.Thread] = []
        self._pending: dict[int, int] = {}
        self._lock = threading.Lock()
        self._failure: Exception | None = None

    def beside(self, name: str, work: Callable[[memoryview, int], None]) -> None:
        """Start a thread that does `work` on every buffer handed over, in order."""
        queue: SimpleQueue[tuple[memoryview, int] | None] = SimpleQueue()
        self._queues.append(queue)

        def run() -> None:
            while (handed := queue.get()) is not None:
                try:
                    if self._failure is None:
                        work(*handed)
                except Exception as error:  # noqa: BLE001 - raised again by the caller
                    self._failure = error
                self._done_with(handed[0])

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def meet_others(self, lane: Lane) -> None:
        """Have every buffer handed over computed by the thread that all rings share, too."""
        self._lanes.append(lane)

    def next_free(self) -> memoryview:
        """Wait for a buffer. Raises what a thread beside raised."""
        buffer = self._free.get()
        self.raise_failure()
        return buffer

    def hand_over(self, buffer: memoryview, count: int) -> None:
        """Give the first `count` bytes of a buffer to the threads beside."""
        self._pending[id(buffer)] = len(self._queues) + len(self._lanes)
        for queue in self._queues:
            queue.put((buffer, count))
        for lane in self._lanes:
            lane.take(buffer, count, self._computed)

    def give_back(self, buffer: memoryview) -> None:
        """Return a buffer that was not filled after all."""
        self._free.put(buffer)

    def drain(self) -> None:
        """Wait until everything handed over is worked on. Raises what a thread raised."""
        for lane in self._lanes:
            lane.hurry()
        for buffer in [self._free.get() for _ in self._buffers]:
            self._free.put(buffer)
        self.raise_failure()

    def end(self) -> None:
        """Stop the threads, when all is worked on."""
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _computed(self, buffer: memoryview, failure: Exception | None) -> None:
        if failure is not None:
            self._failure = failure
        self._done_with(buffer)

    def _done_with(self, buffer: memoryview) -> None:
        with self._lock:
            self._pending[id(buffer)] -= 1
            if self._pending[id(buffer)]:
                return
        self._free.put(buffer)
