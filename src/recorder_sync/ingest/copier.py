"""A process beside the daemon that copies small recordings.

A thousand small files keep a Python interpreter busier than the disk. In a process of
their own they are copied while this one describes, seals and enters them in the log. It
serves one card at a time: another card that would have to wait copies by itself, so a
card that hangs holds up nobody. The process ends with this one.
"""

import mmap
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from queue import SimpleQueue

from recorder_sync.child import Child
from recorder_sync.errors import RecordingFailure
from recorder_sync.ingest.small import SmallCopy, SmallGroup, copy_small
from recorder_sync.media.window import Window
from recorder_sync.orphan import end_with_parent

_THREADS = 4
"""Files that the process copies at the same time: each waits for the disk now and then."""

_PATIENCE_S = 1.0
"""Seconds that a card waits for the process before it copies by itself."""


_AT_ONCE = 2
"""Groups of a card that the process has: one in work, and one that follows without a pause."""


class Copier:
    """The process, started when it is first needed.

    It is given the next group of a card before it has answered for the one in work, so it
    need not wait for this interpreter in between. The groups of other cards never stand
    behind one that may hang.
    """

    def __init__(self, window: Window) -> None:
        self._window = window
        self._changed = threading.Condition()
        self._card: tuple[int, int] | None = None
        """The card that is served, while there is anything under way."""
        self._under_way = 0
        self._others_waiting = 0
        """Groups of other cards that wait."""
        self._asking = threading.Lock()
        self._asked = self._answered = 0
        """Groups so far: answers come in the order of the questions."""
        self._child: Child | None = None

    def start(self) -> None:
        """Start the process before it is needed: it takes a moment to be ready."""
        self._running()

    def copy(self, group: SmallGroup) -> Sequence[SmallCopy | RecordingFailure]:
        """Copy a group, in the process or, when it serves another card, here."""
        if not self._admitted(group.identity):
            return copy_small(group)
        try:
            return self._ask(group)
        except (OSError, EOFError, pickle.UnpicklingError):  # it was killed
            for file in group.files:
                (group.folder.path / file.part).unlink(missing_ok=True)
            return copy_small(group)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _admitted(self, card: tuple[int, int]) -> bool:
        """Wait until a group of this card may be under way, but not for long."""
        with self._changed:
            if self._may_begin(card):
                self._begin(card)
                return True
            is_other = card != self._card
            self._others_waiting += is_other
            try:
                admitted = self._changed.wait_for(lambda: self._may_begin(card), _PATIENCE_S)
            finally:
                self._others_waiting -= is_other
            if admitted:
                self._begin(card)
            return admitted

    def _may_begin(self, card: tuple[int, int]) -> bool:
        if self._under_way == 0:
            return True
        is_next = self._card == card and not self._others_waiting
        return is_next and self._under_way < _AT_ONCE

    def _begin(self, card: tuple[int, int]) -> None:
        self._card = card
        self._under_way += 1

    def _ask(self, group: SmallGroup) -> Sequence[SmallCopy | RecordingFailure]:
        with self._asking:
            child = self._running()
            number, self._asked = self._asked, self._asked + 1
            with suppress(BrokenPipeError, ValueError):  # it was killed: no answer will come
                pickle.dump(group, child.requests)
                child.requests.flush()
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._answered == number)
            if child is not self._child:
                raise EOFError("it was killed with the group before this one")
            results: list[SmallCopy | RecordingFailure] = pickle.load(child.answers)
            return results
        except BaseException:
            self._end(child)
            raise
        finally:
            with self._changed:
                self._answered += 1
                self._changed.notify_all()

    def _running(self) -> Child:
        with self._changed:
            if self._child is None:
                window = self._window.to_write
                self._child = Child("recorder_sync.ingest.copier", str(window), handles=[window])
            return self._child

    def _end(self, child: Child) -> None:
        with self._changed:
            if self._child is child:
                self._child = None
        child.kill()

    def close(self) -> None:
        """End the process, if it was started."""
        if self._child is not None:
            self._end(self._child)


def main() -> None:
    """Copy one group after another, as standard input brings them.

    The next group's files are begun while the last of one group are still waited for.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    end_with_parent()
    window = memoryview(mmap.mmap(int(sys.argv[1]), 0))
    answers: SimpleQueue[list[Future[list[SmallCopy | RecordingFailure]]]] = SimpleQueue()
    threading.Thread(target=_answer, args=(answers,), daemon=True).start()
    with ThreadPoolExecutor(_THREADS) as threads:
        while True:
            group: SmallGroup = pickle.load(sys.stdin.buffer)
            shares = _shares(group)
            answers.put([threads.submit(copy_small, share, window) for share in shares])


def _shares(group: SmallGroup) -> list[SmallGroup]:
    size = -(-len(group.files) // _THREADS)
    return [
        replace(group, files=group.files[at : at + size]) for at in range(0, len(group.files), size)
    ]


def _answer(answers: SimpleQueue[list[Future[list[SmallCopy | RecordingFailure]]]]) -> None:
    """Answer in the order of the questions. An error ends the process: the parent copies then."""
    try:
        while True:
            done = [one for share in answers.get() for one in share.result()]
            pickle.dump(done, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    except BaseException:  # noqa: BLE001 - whatever it is, no answer may be waited for
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    main()
