"""A process of this program beside this one, spoken to over its standard input and output.

It leads a process group of its own, so that whatever it started ends with it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import IO


class Child:
    """One running process: a module of this package with a `main`.

    `environment` replaces the inherited one; it inherits `handles`, and no others; messages
    on standard error are shown unless the child is `silent`. Raises OSError when it cannot
    be started.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        handles: Collection[int] = (),
        silent: bool = False,
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if silent else None,
            start_new_session=True,
            cwd="/",
            env=environment,
            pass_fds=handles,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.requests: IO[bytes] = self._process.stdin
        self.answers: IO[bytes] = self._process.stdout

    def has_ended(self) -> bool:
        """Tell whether it died while nobody asked it anything."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it and everything it started; may be called again."""
        with suppress(ProcessLookupError):  # it ended by itself
            os.killpg(self._process.pid, signal.SIGKILL)
        for pipe in (self.requests, self.answers):
            with suppress(BrokenPipeError):  # the unsent rest of a request
                pipe.close()
        self._process.wait()
