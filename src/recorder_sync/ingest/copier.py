"""A process beside the daemon that copies small recordings.

A thousand small files keep a Python interpreter busier than the disk. In a process of
their own they are copied while this one describes, seals and enters them in the log. It
serves one card at a time: another card that would have to wait copies by itself, so a
card that hangs holds up nobody. The process ends with this one.
"""

import pickle
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from recorder_sync.child import Child
from recorder_sync.errors import RecordingFailure
from recorder_sync.ingest.small import SmallCopy, SmallGroup, copy_small
from recorder_sync.orphan import end_with_parent

_THREADS = 4
"""Files that the process copies at the same time: each waits for the disk now and then."""

_PATIENCE_S = 1.0
"""Seconds that a card waits for the process before it copies by itself."""


class Copier:
    """The process, started when it is first needed."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._child: Child | None = None

    def copy(self, group: SmallGroup) -> Sequence[SmallCopy | RecordingFailure]:
        """Copy a group, in the process or, when it serves another card, here."""
        if not self._turn.acquire(timeout=_PATIENCE_S):
            return copy_small(group)
        try:
            return self._ask(group)
        except (OSError, EOFError, pickle.UnpicklingError):  # it was killed
            self.close()
            for file in group.files:
                file.part.unlink(missing_ok=True)
            return copy_small(group)
        finally:
            self._turn.release()

    def _ask(self, group: SmallGroup) -> Sequence[SmallCopy | RecordingFailure]:
        if self._child is None:
            self._child = Child("recorder_sync.ingest.copier")
        pickle.dump(group, self._child.requests)
        self._child.requests.flush()
        results: list[SmallCopy | RecordingFailure] = pickle.load(self._child.answers)
        return results

    def close(self) -> None:
        """End the process, if it was started."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()


def main() -> None:
    """Copy one group after another, as standard input brings them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    end_with_parent()
    with ThreadPoolExecutor(_THREADS) as threads:
        while True:
            group: SmallGroup = pickle.load(sys.stdin.buffer)
            share = -(-len(group.files) // _THREADS)
            shares = [
                replace(group, files=group.files[at : at + share])
                for at in range(0, len(group.files), share)
            ]
            done = [one for part in threads.map(copy_small, shares) for one in part]
            pickle.dump(done, sys.stdout.buffer)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
