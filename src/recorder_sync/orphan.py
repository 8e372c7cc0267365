"""Ends a helper process with its parent, whatever the parent died of.

A parent-death signal (prctl(2)) would come when the parent's *thread* ends that started
the process; a pipe that nobody can write to any more comes when the process ends.
"""

import os
import select
import signal
import sys
import threading


def end_with_parent() -> None:
    """Kill this process group as soon as nobody can write to standard input any more.

    This process must be the leader of its group.
    """
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    watch = select.poll()
    watch.register(sys.stdin.fileno(), 0)  # only the hang-up, which is always reported
    watch.poll()
    os.killpg(0, signal.SIGKILL)
