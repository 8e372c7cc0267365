"""Chunks of two recordings meet for their SHA-256, and none waits for a slow one."""

import hashlib
import os
import threading
from contextlib import suppress
from queue import SimpleQueue

import pytest

from recorder_sync.ingest.pairs import Lane, Pairs
from recorder_sync.ingest.sha256_pair import Sha256
from tests.ingest.test_sha256_pair import needs_it

pytestmark = needs_it

_S = 10
"""Seconds after which a test gives up."""


class Copying:
    """One recording's chunks, handed to a lane; what became of each is awaited."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self._sent = hashlib.sha256()
        self._done: SimpleQueue[Exception | None] = SimpleQueue()

    def send(self, size: int = 1 << 16, spare: int = 0) -> None:
        """Hand over a new chunk, which fills its buffer but for `spare` bytes."""
        chunk = os.urandom(size)
        self._sent.update(chunk)
        buffer = memoryview(bytearray(chunk + bytes(spare)))
        self.lane.take(buffer, size, lambda _, failure: self._done.put(failure))

    def wait(self, chunks: int = 1) -> None:
        """Wait until so many more chunks are computed. Raises what went wrong."""
        for _ in range(chunks):
            if failure := self._done.get(timeout=_S):
                raise failure

    def waits(self) -> bool:
        return self._done.empty()

    def is_right(self) -> bool:
        return self.lane.digest.hexdigest() == self._sent.hexdigest()


def test_both_digests_are_right_however_the_chunks_meet() -> None:
    pairs = Pairs()

    def copy(sizes: list[int]) -> None:
        with pairs.lane(Sha256()) as lane:
            copying = Copying(lane)
            for size in sizes:
                copying.send(size, spare=size % 5)
        copying.wait(len(sizes))
        right.append(copying.is_right())

    right: list[bool] = []
    threads = [
        threading.Thread(target=copy, args=(sizes,))
        for sizes in ([1 << 20] * 20, [1 << 16] * 50 + [77], [1 << 20] * 3 + [1], [64] * 100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_S)
    assert right == [True] * len(threads)


def test_a_recording_that_is_alone_waits_for_nobody() -> None:
    with Pairs().lane(Sha256()) as lane:
        copying = Copying(lane)
        copying.send()
        copying.wait()
        assert copying.is_right()


def test_a_slow_recording_does_not_keep_a_fast_one_waiting() -> None:
    pairs = Pairs()
    with pairs.lane(Sha256()) as lane, pairs.lane(Sha256()) as hanging:
        fast, slow = Copying(lane), Copying(hanging)
        for _ in range(50):
            fast.send()
            fast.send()
            fast.wait()
            fast.lane.hurry()
            fast.wait()
        slow.send()
        assert slow.waits()
        fast.send()
        slow.wait()
        fast.wait()
        assert fast.is_right()
        assert slow.is_right()


def test_what_waited_for_another_goes_on_when_that_one_ends() -> None:
    pairs = Pairs()
    with pairs.lane(Sha256()) as lane:
        with pairs.lane(Sha256()):
            copying = Copying(lane)
            copying.send()
        copying.wait()


def test_at_the_end_of_a_lane_nobody_works_on_its_buffers_any_more() -> None:
    pairs = Pairs()
    with pairs.lane(Sha256()):
        with suppress(KeyError), pairs.lane(Sha256()) as lane:
            copying = Copying(lane)
            for _ in range(3):
                copying.send(4 << 20)
            raise KeyError("the card is gone")
        assert lane.under_way == 0
        copying.wait(3)


def test_what_goes_wrong_is_told_to_the_recording_and_ends_nothing_else() -> None:
    pairs = Pairs()
    with pairs.lane(Sha256()) as lane:
        copying = Copying(lane)
        gone = memoryview(bytearray(64))
        gone.release()
        failures: SimpleQueue[Exception | None] = SimpleQueue()
        lane.take(gone, 64, lambda _, failure: failures.put(failure))
        assert isinstance(failures.get(timeout=_S), ValueError)
        copying.send()
        copying.wait()
        assert copying.is_right()


def test_its_thread_is_there_only_while_something_is_copied() -> None:
    pairs = Pairs()
    with pairs.lane(Sha256()) as lane:
        Copying(lane).send()
    for thread in threading.enumerate():
        if thread.name == "sha256":
            thread.join(_S)
            assert not thread.is_alive()
    with pairs.lane(Sha256()) as lane:
        again = Copying(lane)
        again.send()
        again.wait()


def test_chunks_of_two_are_computed_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    together = []
    update_two = Sha256.update_two

    def counted(one: Sha256, data: memoryview, other: Sha256, another: memoryview) -> None:
        together.append((len(data), len(another)))
        update_two(one, data, other, another)

    monkeypatch.setattr(Sha256, "update_two", staticmethod(counted))
    pairs = Pairs()
    with pairs.lane(Sha256()) as first, pairs.lane(Sha256()) as second:
        one, other = Copying(first), Copying(second)
        for _ in range(5):
            one.send()
            other.send()
            one.wait()
            other.wait()
    assert len(together) == 5
    assert one.is_right()
    assert other.is_right()
