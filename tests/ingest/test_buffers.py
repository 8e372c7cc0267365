"""The memory that copies go through: much for a recording that is alone, little for many."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from recorder_sync.direct_io import CHUNK
from recorder_sync.ingest.buffers import ALONE, RING, Buffers

MANY = 16


@pytest.fixture
def buffers() -> Iterator[Buffers]:
    made = Buffers()
    yield made
    made.close()


@contextmanager
def copying(buffers: Buffers) -> Iterator[list[memoryview]]:
    """Hold what a large recording is copied with, all of it written to."""
    with buffers.for_large() as lent:
        for buffer in lent:
            buffer[:] = b"\1" * len(buffer)
        yield lent


def resident() -> int:
    return psutil.Process().memory_info().rss


def test_a_recording_that_is_alone_has_a_ring_and_the_next_one_has_the_same(
    buffers: Buffers,
) -> None:
    with copying(buffers) as lent:
        assert [len(buffer) for buffer in lent] == [CHUNK] * RING
    before = resident()
    with copying(buffers) as lent:
        assert len(lent) == RING
    assert resident() - before < CHUNK


def test_of_many_recordings_each_has_one_buffer_and_no_ring_stays(buffers: Buffers) -> None:
    with ExitStack() as others:
        with copying(buffers):
            many = [others.enter_context(copying(buffers)) for _ in range(MANY)]
            before = resident()
        assert before - resident() > (RING - 1) * CHUNK
        with copying(buffers) as late:
            assert len(late) == 1
        assert [len(buffer) for buffer in many[-1]] == [ALONE]
    with copying(buffers) as lent:
        assert len(lent) == RING


def test_a_copy_is_read_back_through_memory_that_the_copies_left(buffers: Buffers) -> None:
    with copying(buffers):
        pass
    before = resident()
    with buffers.for_reading_back() as lent, buffers.for_reading_back() as others:
        for buffer in (*lent, *others):
            assert len(buffer) == CHUNK
            buffer[:] = b"\2" * CHUNK
    assert resident() - before < CHUNK


def test_no_two_recordings_have_the_same_memory(buffers: Buffers) -> None:
    with copying(buffers), buffers.for_reading_back():
        pass  # what these had is lent again
    with ExitStack() as stack:
        lent = [stack.enter_context(buffers.for_large()) for _ in range(MANY)]
        read_back = [stack.enter_context(buffers.for_reading_back()) for _ in range(2)]
        every = [buffer for one in (*lent, *read_back) for buffer in one]
        for number, buffer in enumerate(every):
            buffer[:] = bytes([number]) * len(buffer)
        for number, buffer in enumerate(every):
            assert buffer == bytes([number]) * len(buffer)


def test_all_memory_is_given_back_at_the_end() -> None:
    made, before = Buffers(), resident()
    with copying(made), copying(made), made.single(), made.for_reading_back():
        pass
    made.close()
    assert resident() - before < CHUNK
