"""The real command, forked from a process that has made its imports already.

Two thirds of the time of a short command goes into starting Python and importing our code,
and the tests run thousands of them. So one process for each pytest worker imports every
module of the program, runs none of it, and forks for each command: the child has its own
arguments, environment, folder and standard streams, and runs `main()` to the end of its
interpreter. Services are started in the same way. What this cannot show is a missing import, and
how a process is killed that is nobody's child but the test's: `Dock.command` is started anew
each time, `--cold` starts all.
"""

import gc
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from tests.on_the_day import shift_the_clock

_AT_START = ("PYTHON", "LC_", "LANG=", "LD_")
"""How the settings begin that are read only as Python starts."""

_IMPORTED_LATER = ("recorder_sync.cli.", "recorder_sync.__main__")
_OF_THE_COMMAND_LINE = ("typer.main", "rich.console", "rich.table", "rich.progress", "rich.live")


class WarmStart:
    """One process with everything imported; started by the first command."""

    def __init__(self) -> None:
        self.allowed = True
        self._control: socket.socket | None = None
        self._began_with: dict[str, str] = {}
        self._starting = threading.Lock()

    def can_run(self, environment: dict[str, str]) -> bool:
        """Tell whether a forked process would see this environment as a new one does."""
        if not self.allowed:
            return False
        self._start()
        return _read_at_start(environment) == _read_at_start(self._began_with)

    def run(
        self, arguments: list[str], environment: dict[str, str], say: str = "", timeout: float = 100
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end. Raises TimeoutExpired after `timeout` seconds."""
        with ExitStack() as held:
            request, said, out, err = (held.enter_context(_in_memory()) for _ in range(4))
            request.write(json.dumps([arguments, environment, str(Path.cwd())]).encode())
            said.write(say.encode())
            for file in (request, said):
                file.seek(0)
            streams = [request.fileno(), said.fileno(), out.fileno(), err.fileno()]
            answer = held.enter_context(self._asked(streams))
            status = _await_end(answer, arguments, timeout)
            texts = [_text(file) for file in (out, err)]
        return subprocess.CompletedProcess(arguments, status, *texts)

    def start(
        self, arguments: list[str], environment: dict[str, str], out: int, err: int
    ) -> "Running":
        """Start one command, whose standard streams are these descriptors."""
        with _in_memory() as request, open(os.devnull, "rb") as nothing:
            request.write(json.dumps([arguments, environment, str(Path.cwd())]).encode())
            request.seek(0)
            answer = self._asked([request.fileno(), nothing.fileno(), out, err])
        return Running(answer)

    def _asked(self, streams: list[int]) -> BinaryIO:
        """Ask for a child with these streams; return where its number and its end are told."""
        assert self._control is not None
        answers, theirs = os.pipe()
        try:
            socket.send_fds(self._control, [b"+"], [*streams, theirs])
        finally:
            os.close(theirs)
        return open(answers, "rb", buffering=0)

    def _start(self) -> None:
        with self._starting:
            if self._control is not None:
                return
            self._began_with = dict(os.environ)
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                subprocess.Popen(  # it ends when this process does
                    [sys.executable, "-m", "tests.warm_start", str(theirs.fileno())],
                    cwd=Path(__file__).parents[1],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, "COLUMNS": "200"},
                )


class Running:
    """A command that was forked: to be stopped and waited for as one of `subprocess` is."""

    def __init__(self, answer: BinaryIO) -> None:
        self._answer = answer
        self.pid = int(answer.readline())
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """Return how it ended; None: it runs."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended. Raises TimeoutExpired."""
        if self.returncode is None:
            with selectors.DefaultSelector() as ended:
                ended.register(self._answer, selectors.EVENT_READ)
                if not ended.select(timeout):
                    raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            self.returncode = int(self._answer.readline())
            self._answer.close()
        return self.returncode


def _read_at_start(environment: dict[str, str]) -> set[str]:
    settings = (f"{name}={value}" for name, value in environment.items())
    return {setting for setting in settings if setting.startswith(_AT_START)}


def _in_memory() -> BinaryIO:
    return open(os.memfd_create("stream"), "w+b", buffering=0)


def _text(file: BinaryIO) -> str:
    file.seek(0)
    with open(file.fileno(), closefd=False) as text:  # as `subprocess` reads text
        return text.read()


def _await_end(answer: BinaryIO, arguments: list[str], timeout: float) -> int:
    """Read the child's number, and then how it ended; a negative number is a signal.

    The child does not outlive a test that gives up.
    """
    child = int(answer.readline())
    try:
        with selectors.DefaultSelector() as ended:
            ended.register(answer, selectors.EVENT_READ)
            if not ended.select(timeout):
                raise subprocess.TimeoutExpired(arguments, timeout)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    return int(answer.readline())


def _serve(control: socket.socket) -> list[str] | None:
    """Fork for each request; return its arguments in the child, and None when all is over."""
    children: dict[int, tuple[int, int]] = {}
    """Of each child that runs, by a descriptor of it: its number, and where to tell its end."""
    waiting = selectors.PollSelector()
    waiting.register(control, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is not control:
                child, answer = children.pop(key.fd)
                waiting.unregister(key.fd)
                _, status = os.waitpid(child, 0)
                _tell(answer, os.waitstatus_to_exitcode(status))
                os.close(key.fd)
                os.close(answer)
                continue
            _, files, _, _ = socket.recv_fds(control, 1, 5)
            if not files:
                return None
            *streams, answer = files
            child = os.fork()
            if not child:
                control.detach()
                return _become(streams)
            for file in streams:
                os.close(file)
            _tell(answer, child)
            ended = os.pidfd_open(child)
            children[ended] = (child, answer)
            waiting.register(ended, selectors.EVENT_READ)


def _tell(answer: int, number: int) -> None:
    with suppress(BrokenPipeError):  # nobody waits for it any more
        os.write(answer, b"%d\n" % number)


def _become(files: list[int]) -> list[str]:
    """Take on what a new process is given, and nothing else; return its arguments."""
    request, *streams = files
    with open(request, "rb", closefd=False) as file:
        arguments, environment, folder = json.load(file)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(len(streams), os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    return list(arguments)


def _import_everything() -> None:
    """Import all but the command line, whose help is worded as it is imported."""
    import recorder_sync

    for module in pkgutil.walk_packages(recorder_sync.__path__, "recorder_sync."):
        if not module.name.startswith(_IMPORTED_LATER):
            import_module(module.name)
    for name in _OF_THE_COMMAND_LINE:
        import_module(name)
    loaded = [name for name in sys.modules if name.startswith(_IMPORTED_LATER)]
    assert not loaded, f"worded in one language for all: {loaded}"
    assert threading.active_count() == 1, "a thread would be missing after the fork"
    gc.collect()
    gc.freeze()


def _run_commands() -> None:
    shift_the_clock()
    _import_everything()
    arguments = _serve(socket.socket(fileno=int(sys.argv[1])))
    if arguments is not None:
        from recorder_sync.__main__ import main

        sys.argv[1:] = arguments
        main()


if __name__ == "__main__":
    _run_commands()
