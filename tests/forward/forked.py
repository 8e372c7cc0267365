"""The service as a process of its own, forked off: a start of Python takes most of a test's time.

It is the same `main()` with the same command line; what comes before it is what the test's own
process has imported already. With `--cold` it is started as people start it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path


class Forked:
    """What `subprocess.Popen` offers of it, as far as tests ask for it."""

    def __init__(self, arguments: Sequence[str], journal: Path, first: Callable[[], None]) -> None:
        """Run the command with these arguments; `first` is called in its process."""
        target = (arguments, journal, first)
        self._process = get_context("fork").Process(target=_run, args=target, daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def send_signal(self, number: int) -> None:
        if self._process.is_alive():
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, within_s: float | None = None) -> int:
        """Return the exit code; raises subprocess.TimeoutExpired."""
        self._process.join(within_s)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("recorder-sync", within_s or 0)
        return code


def _run(arguments: Sequence[str], journal: Path, first: Callable[[], None]) -> None:
    from recorder_sync.__main__ import main

    with journal.open("w", encoding="utf-8", buffering=1) as log:
        os.dup2(log.fileno(), 2)
        sys.stderr = log
        sys.argv = ["recorder-sync", *arguments]
        first()
        main()
