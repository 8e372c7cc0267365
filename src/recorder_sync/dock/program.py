"""Runs another program about a device: an argument list, never a shell, and never for long.

The program leads a process group of its own, sees nothing of this process's environment
but PATH and HOME, and is killed with everything it started when its time is over, when it
says too much, and also when it ends by itself and leaves others behind.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

from recorder_sync.dock.plugged import Plugged
from recorder_sync.errors import ProgramFailure, os_reason
from recorder_sync.language import T, Text

LARGEST_ANSWER = 64 << 10
"""Bytes that a program may print before it is ended."""

_KEPT = ("PATH", "HOME")
_READ = 1 << 14


def run(
    arguments: Sequence[str], limit_s: float, environment: Mapping[str, str] | None = None
) -> bytes:
    """Run a program to its end and return what it printed on standard output.

    `environment` is added to PATH and HOME; the language is plain English. Raises
    ProgramFailure when it cannot be started, is not done within `limit_s` seconds,
    prints more than LARGEST_ANSWER bytes, or ends with another code than 0.
    """
    inherited = {key: os.environ[key] for key in _KEPT if key in os.environ}
    try:
        process = subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
            env={**inherited, "LC_ALL": "C.UTF-8", "LANGUAGE": "en", **(environment or {})},
        )
    except OSError as error:
        raise _failure(arguments, T("it cannot be started: {why}", why=os_reason(error))) from error
    try:
        said, complained = _listen(process, arguments, time.monotonic() + limit_s, limit_s)
    finally:
        _end(process)
    if process.returncode:
        last_words = complained.decode("utf-8", "replace").strip().rpartition("\n")[2] or "-"
        code = process.returncode
        raise _failure(arguments, T("it ended with code {code}: {why}", code=code, why=last_words))
    return said


def about(plugged: Plugged) -> dict[str, str]:
    """Return what a maker's program is told of the device, as its environment."""
    said = {
        "RECORDER_SYNC_NODE": str(plugged.node),
        "RECORDER_SYNC_PORT": plugged.port,
        "RECORDER_SYNC_SERIAL": plugged.usb.serial or "",
        "RECORDER_SYNC_USB": f"{plugged.usb.vendor}:{plugged.usb.product}",
    }
    return {name: value.replace("\0", "") for name, value in said.items()}


def _listen(
    process: subprocess.Popen[bytes], arguments: Sequence[str], until: float, limit_s: float
) -> tuple[bytes, bytes]:
    """Return what it prints until it has ended, of complaints only the last words.

    The end of the process counts, not that of its pipes: a service that it leaves behind
    may hold those open.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    said, complained = bytearray(), bytearray()
    ended = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(ended, selectors.EVENT_READ)
            for pipe in (process.stdout, process.stderr):
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ)
            has_ended = False
            while not has_ended:
                left = until - time.monotonic()
                if left <= 0:
                    raise _failure(arguments, T("it was not done within {limit} s", limit=limit_s))
                ready = {key.fileobj for key, _ in selector.select(left)}
                has_ended = ended in ready
                for pipe, kept in ((process.stdout, said), (process.stderr, complained)):
                    if pipe in ready and _take(pipe, kept) == 0:
                        selector.unregister(pipe)
                    while has_ended and len(kept) <= LARGEST_ANSWER and _take(pipe, kept):
                        pass
                del complained[:-_READ]
                if len(said) > LARGEST_ANSWER:
                    raise _failure(arguments, T("it said more than an answer can be"))
    finally:
        os.close(ended)
    return bytes(said), bytes(complained)


def _take(pipe: IO[bytes], kept: bytearray) -> int | None:
    """Add what can be read now, return how much; 0 at the end, None when nothing is there."""
    try:
        part = os.read(pipe.fileno(), _READ)
    except BlockingIOError:
        return None
    kept += part
    return len(part)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # nobody of its group is left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        assert pipe is not None
        pipe.close()


def _failure(arguments: Sequence[str], why: Text) -> ProgramFailure:
    return ProgramFailure(
        T("The program {program} did not help: {why}.", program=arguments[0], why=why),
        T("Run it by hand as the service's user, and check the profile that names it."),
    )
