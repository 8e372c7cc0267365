"""The side of a fault rig that runs in its own process: a FUSE file system under remote control.

A file system served by the test's own process would hang the test as soon as the test
itself reads from it. So each one has a process, and the test talks to it over a socket
in JSON lines: a question and its answer, one at a time.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

UNAVAILABLE = 69
"""The exit code of a process that could not mount anything here (EX_UNAVAILABLE)."""

Answers = Mapping[str, Callable[..., Any]]
"""What the test may ask for, by name; the arguments come by keyword."""


class FileSystem(Protocol):
    """What libfuse calls: its operations, which raise OSError to give an error."""

    use_ns: bool

    def init(self, path: str) -> None:
        """The mount is there; nobody can have asked for anything."""


def serve(
    files: FileSystem,
    mount: str,
    control: socket.socket,
    answers: Answers,
    orphaned: Callable[[], None],
    **options: object,
) -> None:
    """Mount the files and serve them until they are unmounted.

    The control socket ends when the test's process ends, in whatever way. Then
    `orphaned` cleans up what stands on this file system, and the mount goes: a test run
    that was killed leaves nothing behind.
    """
    mounted = files.init

    def listen(path: str) -> None:
        mounted(path)
        control.sendall(b'{"answer": "ready"}\n')
        threading.Thread(target=converse, daemon=True).start()

    def converse() -> None:
        try:
            _answer(control, answers)
        finally:
            orphaned()
            unmount(mount)
            os._exit(0)

    setattr(files, "init", listen)  # noqa: B010  # libfuse calls it once it is mounted
    try:
        _mfusepy().FUSE(
            files,
            mount,
            foreground=True,
            direct_io=True,  # every read and write reaches us as it was asked for
            entry_timeout=0,
            negative_timeout=0,
            allow_other=os.geteuid() == 0,
            **options,
        )
    except (OSError, RuntimeError) as error:  # no libfuse; not allowed to mount
        sys.stderr.write(f"{error}\n")
        sys.exit(UNAVAILABLE)


def _mfusepy() -> Any:
    os.environ["FUSE_LIBRARY_NAME"] = "fuse3"  # libfuse 2 may be installed beside it
    import mfusepy

    return mfusepy


class Remembered:
    """What the kernel remembers of files' size and times, to make it forget.

    It asks anew by name each time. But who has a file open may ask for its size also
    when its name is gone, so the answer has to be in the kernel's memory by then.
    """

    def __init__(self) -> None:
        """To be made while libfuse calls, best in `init`."""
        library = _mfusepy()._libfuse
        self._forget = library.fuse_invalidate_path
        self._forget.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        self._session = ctypes.c_void_p(library.fuse_get_context().contents.fuse)

    def forget(self, path: str) -> None:
        """Make the kernel ask again for this file's size and times."""
        self._forget(self._session, os.fsencode(path))


def _answer(control: socket.socket, answers: Answers) -> None:
    with control.makefile("r", encoding="ascii") as questions:
        for line in questions:
            question = json.loads(line)
            try:
                reply = {"answer": answers[question.pop("ask")](**question)}
            except Exception as error:  # noqa: BLE001  # the test is told, and fails there
                reply = {"error": repr(error)}
            control.sendall(json.dumps(reply).encode("ascii") + b"\n")


def unmount(mount: str) -> bool:
    """Take a FUSE mount away, lazily when it is in use; tell whether it was there."""
    for how in ("-uq", "-uzq"):
        if not subprocess.run(["fusermount3", how, mount], check=False).returncode:
            return True
    return False
