"""What a confined process cannot do, tried from inside one (promise 8)."""

import json
import os
import platform
import select
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from recorder_sync.config import Media as MediaSettings
from recorder_sync.media.confinement import confine
from recorder_sync.media.describer import Describer
from recorder_sync.model import Kind
from tests.conftest import MediaFiles

LIMIT = 512 << 20

_PRELUDE = f"""
import ctypes, errno, json, os, subprocess, sys
from recorder_sync.media.confinement import confine

def tried(what):
    "Return the name of the error that trying ended with, or None."
    try:
        what()
    except OSError as error:
        return errno.errorcode[error.errno]
    except MemoryError:
        return "MemoryError"
    return None

confine({LIMIT})
"""


def inside(script: str, *arguments: str | Path) -> Any:
    """Run a script in a process confined as the describer's are; return what it prints."""
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-c", _PRELUDE + textwrap.dedent(script)),
            *(str(a) for a in arguments),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# The network.


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"])
def test_there_is_no_network(family: str) -> None:
    script = f"""
        import socket
        print(json.dumps(tried(lambda: socket.socket(socket.{family}, socket.SOCK_DGRAM))))
    """
    assert inside(script) == "EACCES"


def test_the_programs_it_starts_have_no_network_either() -> None:
    script = """
        code = "import socket\\ntry: socket.socket()\\nexcept OSError as e: print(e.errno)"
        out = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
        print(json.dumps(errno.errorcode[int(out.stdout)]))
    """
    assert inside(script) == "EACCES"


def test_ffprobe_cannot_reach_a_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        script = """
            url = f"http://127.0.0.1:{sys.argv[1]}/x.mp4"
            done = subprocess.run(["ffprobe", "-v", "error", url], capture_output=True)
            print(json.dumps(done.returncode))
        """
        assert inside(script, str(server.getsockname()[1])) != 0
        with pytest.raises(BlockingIOError):
            server.accept()


# Files.


def test_nothing_can_be_written_into_a_file(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(b"evidence")
    script = """
        def write():
            with open(sys.argv[1], "r+b", buffering=0) as file:
                file.write(b"changed")
        print(json.dumps(tried(write)))
    """
    assert inside(script, old) is not None
    assert old.read_bytes() == b"evidence"


@pytest.mark.parametrize(
    "deed",
    [
        "open(path, 'w').close()",
        "os.truncate(path, 0)",
        "os.unlink(path)",
        "os.rename(path, path + '.gone')",
        "os.link(path, path + '.twin')",
        "os.chmod(path, 0)",
        "os.utime(path, (0, 0))",
    ],
)
def test_no_file_can_be_emptied_removed_renamed_or_marked(deed: str, tmp_path: Path) -> None:
    """The process runs as the user who owns the copies and the custody log."""
    path = tmp_path / "evidence"
    path.write_bytes(b"evidence")
    os.utime(path, (10**9, 10**9))
    before = path.stat()
    inside(f"path = sys.argv[1]\nprint(json.dumps(tried(lambda: {deed})))", path)
    assert [p.name for p in tmp_path.iterdir()] == ["evidence"]
    assert path.read_bytes() == b"evidence"
    after = path.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)


@pytest.mark.parametrize(
    "deed",
    ["open(path, 'x').close()", "os.mkdir(path)", "os.symlink('/etc', path)", "os.mkfifo(path)"],
)
def test_nothing_new_can_be_made(deed: str, tmp_path: Path) -> None:
    path = tmp_path / "new"
    inside(f"path = sys.argv[1]\nprint(json.dumps(tried(lambda: {deed})))", path)
    assert list(tmp_path.iterdir()) == []


def test_files_can_still_be_read(media_files: MediaFiles) -> None:
    script = "print(json.dumps(len(open(sys.argv[1], 'rb').read())))"
    assert inside(script, media_files.video) == media_files.video.stat().st_size


# Memory, rights and other processes.


def test_memory_is_limited() -> None:
    script = f"""
        print(json.dumps([tried(lambda: bytearray({LIMIT})), tried(lambda: bytearray(1 << 20))]))
    """
    assert inside(script) == ["MemoryError", None]


def test_the_limits_cannot_be_raised_again_without_rights() -> None:
    script = """
        import resource
        names = ("AS", "FSIZE", "CORE", "NOFILE")
        print(json.dumps([resource.getrlimit(getattr(resource, "RLIMIT_" + n)) for n in names]))
    """
    limits = inside(script)
    assert limits[:3] == [[LIMIT, LIMIT], [0, 0], [0, 0]]
    assert limits[3][1] <= 1024


def test_it_can_gain_no_rights_and_its_calls_are_filtered() -> None:
    status = inside("print(json.dumps(open('/proc/self/status').read()))")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert (facts["NoNewPrivs"], facts["Seccomp"]) == ("1", "2")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these call numbers are x86-64's")
@pytest.mark.parametrize(
    ("call", "number"),
    [("socket", 41), ("ptrace", 101), ("io_uring_setup", 425), ("x32 socket", 0x40000000 | 41)],
)
def test_ways_round_the_network_ban_are_refused(call: str, number: int) -> None:
    script = f"""
        libc = ctypes.CDLL(None, use_errno=True)
        result = libc.syscall({number}, 2, 1, 0, 0, 0, 0)
        print(json.dumps([result, errno.errorcode.get(ctypes.get_errno())]))
    """
    assert inside(script) == [-1, "EACCES"]


def test_the_parents_memory_cannot_be_written() -> None:
    """As the same user it could otherwise take over the daemon."""
    script = """
        print(json.dumps(tried(lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDWR))))
    """
    assert inside(script) is not None


def test_on_a_machine_it_does_not_know_it_refuses_to_start() -> None:
    script = f"""
        import platform
        from recorder_sync.media import confinement
        platform.machine = lambda: "vax"
        try:
            confinement.confine({LIMIT})
        except KeyError:
            print(json.dumps("refused"))
    """
    assert inside(script) == "refused"


def test_confining_this_machine_is_possible() -> None:
    """Without it no media file may be opened here at all."""
    child = os.fork()
    if child == 0:
        try:
            confine(4 << 30)
        except BaseException:  # noqa: BLE001 - a forked test must never return
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# The real confined process, as the describer starts it.


@contextmanager
def started(media_files: MediaFiles) -> Iterator[tuple[Describer, psutil.Process]]:
    before = set(psutil.Process().children())
    with closing(Describer(MediaSettings(processes=1))) as describer:
        describer.describe([(os.fsencode(media_files.video), Kind.VIDEO)])
        (child,) = set(psutil.Process().children()) - before
        yield describer, child


def test_it_inherits_no_handle_of_ours(media_files: MediaFiles, tmp_path: Path) -> None:
    secrets = [tmp_path / "kept", tmp_path / "inheritable"]
    handles = []
    for secret in secrets:
        secret.write_text("secret")
        handles.append(os.open(secret, os.O_RDONLY))
    os.set_inheritable(handles[1], True)
    try:
        with started(media_files) as (_, child):
            folder = Path(f"/proc/{child.pid}/fd")
            seen = {entry.name: str(entry.readlink()) for entry in folder.iterdir()}
        assert set(seen) == {"0", "1", "2"}
        assert seen["2"] == os.devnull
        assert not set(seen.values()) & {str(secret) for secret in secrets}
    finally:
        for handle in handles:
            os.close(handle)


def test_its_environment_holds_no_secret_of_ours(
    media_files: MediaFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_PASSWORD", "secret")
    with started(media_files) as (_, child):
        environment = child.environ()
    assert set(environment) <= {"PATH", "LC_ALL", "LC_CTYPE"}


def test_it_is_confined_before_it_is_asked_anything(media_files: MediaFiles) -> None:
    with started(media_files) as (_, child):
        status = Path(f"/proc/{child.pid}/status").read_text()
        limits = Path(f"/proc/{child.pid}/limits").read_text()
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status
    (space,) = (line for line in limits.splitlines() if line.startswith("Max address space"))
    assert space.split()[3] == str(MediaSettings().memory_limit_mib << 20)


_PARENT = """
import sys, threading
from contextlib import closing
from recorder_sync.config import Media
from recorder_sync.media.describer import Describer

with closing(Describer(Media(processes=1, time_limit_s=100))) as describer:
    describer.describe([(sys.argv[1].encode(), None)])
    print("described", flush=True)
    if len(sys.argv) > 2:
        describer.describe([(sys.argv[2].encode(), None)])
    threading.Event().wait()
"""


@contextmanager
def parent_of_a_describer(*paths: Path) -> Iterator[psutil.Popen]:
    parent = psutil.Popen(
        [sys.executable, "-c", _PARENT, *(str(p) for p in paths)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "described\n"
        yield parent
    finally:
        for process in (*parent.children(recursive=True), parent) if parent.is_running() else ():
            process.kill()
        parent.wait(10)


def ends(handle: int, seconds: float) -> bool:
    """Wait for the end of the process of a pidfd (pidfd_open(2))."""
    return bool(select.select([handle], [], [], seconds)[0])


def test_it_dies_with_its_parent(media_files: MediaFiles) -> None:
    with parent_of_a_describer(media_files.video) as parent:
        (child,) = parent.children()
        handle = os.pidfd_open(child.pid)
        try:
            assert not ends(handle, 0)
            parent.send_signal(signal.SIGKILL)
            assert ends(handle, 10)
        finally:
            os.close(handle)


def child_named(parent: psutil.Process, name: str) -> psutil.Process:
    """Wait until a process below `parent` has this name."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for child in parent.children(recursive=True):
            if child.name() == name:
                return child
    raise AssertionError(f"no {name} below {parent}")


def test_an_ffprobe_that_hangs_dies_with_the_parent_too(
    media_files: MediaFiles, tmp_path: Path
) -> None:
    pipe = tmp_path / "hangs.mp4"
    os.mkfifo(pipe)
    with parent_of_a_describer(media_files.video, pipe) as parent:
        writing = os.open(pipe, os.O_WRONLY)  # returns when the confined process opened it
        ffprobe = child_named(parent, "ffprobe")
        handle = os.pidfd_open(ffprobe.pid)
        try:
            parent.send_signal(signal.SIGKILL)
            assert ends(handle, 3)
        finally:
            os.close(handle)
            os.close(writing)  # and now it ends in any case
