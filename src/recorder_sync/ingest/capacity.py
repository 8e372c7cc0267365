"""What all intakes of one process share: memory, turns, and threads beside the copies.

One process takes in any number of cards. The cards' own threads only copy; reading back
and describing happen in a few threads for all of them, so that a card is never kept
waiting by what is done with its last recording.
"""

import ctypes
import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress

import psutil

from recorder_sync.config import Configuration
from recorder_sync.ingest import sha256_pair
from recorder_sync.ingest.buffers import Buffers
from recorder_sync.ingest.copier import Copier
from recorder_sync.ingest.pairs import Pairs
from recorder_sync.ingest.turns import Limits, Turns
from recorder_sync.media.describer import Describer
from recorder_sync.media.window import Window

_READING_BACK = 2
"""Copies that are read back at the same time: more only share the same disk."""

_M_ARENA_MAX = -8
_ARENAS = 2

_LOWEST = 7
"""Priority, of 0 to 7, within the best-effort class of disk access (ioprio_set(2))."""


class Capacity:
    """The shared parts, for as long as the context lasts."""

    def __init__(self, settings: Configuration, stack: ExitStack) -> None:
        ingest = settings.ingest
        self.window = stack.enter_context(closing(Window()))
        self.describer = stack.enter_context(closing(Describer(settings.media, self.window)))
        self.pairs = Pairs() if sha256_pair.is_there() else None
        """None: this computer cannot compute SHA-256 of two recordings at once."""
        self.buffers = Buffers(for_pairs=self.pairs is not None)
        stack.callback(self.buffers.close)
        self.copier = stack.enter_context(closing(Copier(self.window)))
        self.turns = Turns(
            Limits(ingest.copies, ingest.copies_per_disk, ingest.copies_per_port_group)
        )
        self._reading_back = stack.enter_context(
            ThreadPoolExecutor(_READING_BACK, thread_name_prefix="read-back")
        )
        self._describing = stack.enter_context(
            ThreadPoolExecutor(settings.media.processes, thread_name_prefix="describe")
        )

    def read_back_soon(self, work: Callable[[], None]) -> None:
        """Have a copy read back; `work` must not raise."""
        self._reading_back.submit(work)

    def describe_soon(self, work: Callable[[], None]) -> None:
        """Have copies described; `work` must not raise."""
        self._describing.submit(work)


@contextmanager
def capacity_of(settings: Configuration) -> Iterator[Capacity]:
    """Hold the shared parts; this thread and those it starts step back for others.

    Raises MissingPart when ffprobe is not there.
    """
    _share_memory_among_threads()
    _look_for_garbage_less_often()
    with ExitStack() as stack, behind_others():
        yield Capacity(settings, stack)


def _share_memory_among_threads() -> None:
    """Have glibc's malloc keep two arenas for all threads (mallopt(3)).

    Of its own accord it keeps one for each, up to eight a processor, and gives little of
    them back: with 16 cards that is 30 MiB more.
    """
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def _look_for_garbage_less_often() -> None:
    """Leave what is imported out of garbage collection, and collect every 20 000 objects.

    With thousands of recordings on a card the collector would look at all of them again
    and again; what is left to it are the rare cycles of errors.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@contextmanager
def behind_others() -> Iterator[None]:
    """Give way at the disk to whoever has a screen to draw."""
    process = psutil.Process()
    before = process.ionice()
    process.ionice(psutil.IOPRIO_CLASS_BE, _LOWEST)
    try:
        yield
    finally:
        process.ionice(before.ioclass, before.value)
