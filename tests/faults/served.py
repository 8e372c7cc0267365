"""The test's side of a fault rig: start the process that serves, talk to it, end it."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.faults.serving import UNAVAILABLE, unmount

_ROOT = Path(__file__).parents[2]
_PATIENCE = 10.0
"""How long a process that was told to end may take, in seconds."""


def require_fuse() -> None:
    """Skip the test where no file system can be served, and say why."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("/dev/fuse is not there, or may not be used")
    if not shutil.which("fusermount3"):
        pytest.skip("fusermount3 is not installed")
    if not importlib.util.find_spec("mfusepy"):
        pytest.skip("mfusepy is not installed")


class Served:
    """One file system in a process of its own, mounted from start to `end`."""

    def __init__(self, module: str, mount: Path, *arguments: str | Path) -> None:
        """Start the module and wait until its file system is mounted.

        Where mounting is not possible the test is skipped with what the process said.
        """
        require_fuse()
        self._mount = mount
        self._one_at_a_time = threading.Lock()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed at the end
        self._control, theirs = socket.socketpair()
        self._answers = self._control.makefile("r", encoding="ascii")
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno()), str(mount)]
                + [os.fspath(argument) for argument in arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                cwd=_ROOT,
                start_new_session=True,  # Ctrl-C is the test's; it ends this in order
            )
        try:
            self._next_answer()
        except ConnectionError:
            code = self._process.wait()
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip()
            self.end()
            assert code == UNAVAILABLE, said
            pytest.skip(f"no file system can be mounted with FUSE here: {said[-300:]}")
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """The process that serves."""
        return self._process.pid

    def ask(self, question: str, **values: object) -> Any:
        """Ask the serving process for something, and return its answer."""
        with self._one_at_a_time:
            line = json.dumps({"ask": question, **values})
            self._control.sendall(line.encode("ascii") + b"\n")
            return self._next_answer()

    def _next_answer(self) -> Any:
        line = self._answers.readline()
        if not line:
            raise ConnectionError("the serving process has ended")
        reply = json.loads(line)
        if "error" in reply:
            raise AssertionError(f"the serving process: {reply['error']}")
        return reply["answer"]

    def end(self) -> None:
        """Unmount and end the process: in order, else lazily, else by force.

        A client in the middle of a read gets an error, at the latest when the process
        that should answer is gone.
        """
        unmount(str(self._mount))
        self._answers.close()
        self._control.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            unmount(str(self._mount))
        self._said.close()
