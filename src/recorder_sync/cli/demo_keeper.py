"""Keeps the demo's folder and process, so that nothing of it is left.

The station lives in a child process with a folder of its own. The parent does nothing but wait:
however the child ends, by itself, by Ctrl-C, by a signal, by the end of its terminal or by a
defect, the parent ends what the child started and removes the folder. Only where somebody kills
the parent itself (SIGKILL), or the power goes, the folder stays.
"""

import ctypes
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from recorder_sync.errors import MissingPart
from recorder_sync.language import T
from recorder_sync.protection import unprotect
from recorder_sync.shown import amount

_DISK_TEMPORARY = Path("/var/tmp")
"""Temporary files on a real disk: /tmp is memory on many systems, and memory cannot
prove a read-back."""

_NEEDED_BYTES = 1 << 30
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ENDS_WITHIN_S = 20.0
_LOOK_S = 1.0
_PR_SET_PDEATHSIG = 1


def new_folder() -> Path:
    """Make a folder for a throw-away station. Raises MissingPart where there is no room for it.

    It is on a real disk, or where the variable TMPDIR says.
    """
    wanted = os.environ.get("TMPDIR")
    place = Path(wanted) if wanted else _DISK_TEMPORARY
    if not place.is_dir():
        place = Path(tempfile.gettempdir())
    free = shutil.disk_usage(place).free
    if free < _NEEDED_BYTES:
        raise MissingPart(
            T(
                "The demo needs {needed} in {folder}, and {free} are free.",
                needed=amount(_NEEDED_BYTES),
                folder=place,
                free=amount(free),
            ),
            T("Free space there, or choose another folder: TMPDIR=/path recorder-sync demo"),
        )
    return Path(tempfile.mkdtemp(prefix="recorder-sync-demo-", dir=place))


def kept(folder: Path, live: Callable[[], None], farewell: Callable[[bool], None]) -> int:
    """Have a child process live in `folder`; return the exit code when it and the folder are gone.

    In the child this returns 0 after `live`. `farewell` is told whether the folder is gone.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, (*_ENDINGS, signal.SIGCHLD))
    parent, child = os.getpid(), os.fork()
    if child == 0:
        os.setpgid(0, 0)  # Ctrl-C is for the parent, which ends the child
        _end_with(parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (*_ENDINGS, signal.SIGCHLD))
        live()
        return 0
    ending, status = _awaited(child)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    is_gone = removed(folder)
    with suppress(OSError):  # the terminal may be gone as well
        farewell(is_gone)
    return 128 + ending if ending else os.waitstatus_to_exitcode(status) % 256


def _end_with(parent: int) -> None:
    """Have the kernel end this process with its parent (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def _awaited(child: int) -> tuple[int | None, int]:
    """Wait for the end of a child; return the signal that asked for it, and the child's status."""
    ending: int | None = None
    until = 0.0
    while True:
        told = signal.sigtimedwait((*_ENDINGS, signal.SIGCHLD), _LOOK_S)
        if told is not None and told.si_signo != signal.SIGCHLD and ending is None:
            ending, until = told.si_signo, time.monotonic() + _ENDS_WITHIN_S
            os.kill(child, signal.SIGTERM)
        if ending is not None and time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return ending, status


def removed(folder: Path) -> bool:
    """Remove a throw-away station with its sealed files; tell whether that was possible."""
    for path in (one for one in folder.rglob("*") if one.is_file() and not one.is_symlink()):
        with suppress(OSError):  # what is still not to be removed shows below
            unprotect(path)
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()
