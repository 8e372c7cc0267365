"""What an attack on an intake may leave behind: looked at from outside, never repaired."""

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

import pytest

from recorder_sync.cli.app import run
from recorder_sync.cli.intake_display import display_for
from recorder_sync.ingest.capacity import capacity_of
from recorder_sync.ingest.intake import Request, take_in
from recorder_sync.ingest.report import Report
from recorder_sync.ingest.stopping import Stop
from recorder_sync.station import Station
from tests.catalogue.whole import whole
from tests.conftest import Card, Dock, Done

Found = TypeVar("Found")


def contents(folder: Path) -> dict[bytes, tuple[object, ...]]:
    """Return everything below a folder: type, rights, owner, size, times and content.

    Two of these are equal when nobody changed anything; links are not followed.
    """
    return dict(_entries(os.fsencode(folder)))


def _entries(folder: bytes) -> Iterator[tuple[bytes, tuple[object, ...]]]:
    for at, folders, files in os.walk(folder):
        for name in (b".", *folders, *files):
            path = at + b"/" + name
            s = os.lstat(path)
            content: object = None
            if stat.S_ISLNK(s.st_mode):
                content = Path(os.fsdecode(path)).readlink()
            elif stat.S_ISREG(s.st_mode):
                content = _digest(path)
            facts = (s.st_mode, s.st_uid, s.st_gid, s.st_size, s.st_mtime_ns, s.st_ctime_ns)
            yield path, (*facts, content)


def _digest(path: bytes) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:  # a bad disk, or rights taken away: what it says is its content
        return os.strerror(error.errno or 0)


def sealed(dock: Dock) -> Counter[bytes]:
    """Count the sealed recordings by their exact path on the card, as described on disk.

    A salvage copy is no recording.
    """
    return Counter(_original_path(d) for d in descriptions(dock) if not d["missing"])


def descriptions(dock: Dock) -> list[Any]:
    """Return the description beside every sealed recording."""
    return [
        json.loads(Path(f"{path}.json").read_text(encoding="utf-8")) for path in dock.sealed_files()
    ]


def _original_path(description: Any) -> bytes:
    import base64

    exact = description["original_path_base64"]
    return base64.b64decode(exact) if exact else os.fsencode(description["original_path"])


def check_evidence(dock: Dock, *names: str | bytes, earlier: int = 0) -> None:
    """Evidence is whole by every measure: ours, sha256sum's and b3sum's.

    Exactly `names` are sealed, each once, beside `earlier` recordings from before; no
    partial copy is left.
    """
    found = sealed(dock)
    wanted = Counter(os.fsencode(name) for name in names)
    assert wanted <= found, f"lost: {wanted - found}"
    assert found.total() == wanted.total() + earlier, f"more than was put in: {found - wanted}"
    verified = ask(dock, "verify", "--all")
    assert verified.code == 0, verified.out + verified.err
    check_digest_lists(dock)
    assert partials(dock) == []


def ask(dock: Dock, *arguments: str) -> Done:
    """Run a command that looks at what an attack left, in this process: it is quicker."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = run(["--config", str(dock.config), *arguments])
    return Done(code, out.getvalue(), err.getvalue())


def take_in_here(station: Station, path: Path) -> Report:
    """Take a card in, in this process, so that a seam of it can be replaced."""
    with (
        capacity_of(station.settings) as capacity,
        display_for(station.settings, quiet=True) as display,
    ):
        return take_in(station, Request(path), capacity, display.card(None), Stop())


def dockings(dock: Dock) -> list[Any]:
    """Return every docking on record, newest first."""
    found: list[Any] = ask(dock, "dockings", "list", "--json").json["dockings"]
    return found


def check_digest_lists(dock: Dock) -> None:
    """`sha256sum -c` and, where installed, `b3sum -c` find every listed file unchanged."""
    recordings = Counter(path.parent for path in dock.sealed_files())
    for program, name in (("sha256sum", "SHA256SUMS"), ("b3sum", "B3SUMS")):
        lists = [folder / name for folder in recordings]
        for sums in lists:
            assert len(sums.read_text("utf-8").splitlines()) == 2 * recordings[sums.parent]
        if not shutil.which(program):
            sys.stderr.write(f"{program} is not installed: {name} not checked\n")
            continue
        for sums in lists:
            done = subprocess.run(
                [program, "-c", name], cwd=sums.parent, capture_output=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr


def partials(dock: Dock) -> list[Path]:
    """Return what a docking left in the incoming area; lock files are no docking's."""
    return [path for path in (dock.evidence / ".incoming").glob("*/**") if path.is_dir()]


def check_refused(done: Done, code: int, *words: str) -> None:
    """The command says what is wrong and what to do, for people and for programs."""
    assert "Traceback" not in done.err, done.err
    assert done.code == code, done.out + done.err
    problem, arrow, advice = done.err.partition("→")
    assert problem.startswith("✘")
    assert arrow
    assert advice.strip()
    for word in words:
        assert word.casefold() in done.err.casefold()
    if done.out:
        assert done.json["error"]
        assert done.json["hint"]


def check_done(done: Done, code: int = 0, **counts: int) -> None:
    """The command ended with this code, and its JSON has these counts."""
    assert "Traceback" not in done.err, done.err
    assert done.code == code, done.out + done.err
    assert {name: done.json[name] for name in counts} == counts


def check_failure(done: Done, path: str, *words: str) -> None:
    """Exactly this one file failed, with why and what to do; the command says so."""
    check_done(done, 1, failed=1)
    (failure,) = done.json["failures"]
    assert failure["path"] == path
    assert failure["hint"]
    for word in words:
        assert word.casefold() in failure["error"].casefold()


def skipped(done: Done) -> dict[str, str]:
    """Return why each file that is no recording was skipped."""
    return {entry["path"]: entry["reason"] for entry in done.json["skipped"]}


def until(found: Callable[[], Found], what: str, seconds: float = 30.0) -> Found:
    """Poll until something is there, and return it; fail when it does not come in time."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.001)
    return result


@contextmanager
def under_way(dock: Dock, *arguments: str | bytes | Path) -> Iterator[subprocess.Popen[str]]:
    """Start one command; it does not outlive the block."""
    pipe = subprocess.PIPE
    with subprocess.Popen(dock.command(*arguments), stdout=pipe, stderr=pipe, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def reached(child: subprocess.Popen[str], there: Callable[[], object], what: str) -> None:
    """Wait until a command has come so far; one that ended before fails the test."""
    until(lambda: there() or child.poll() is not None, what)
    assert there(), f"the command ended before: {what}"


def helpers(parent: int, module: str) -> list[int]:
    """Return the processes of a module that a command has started."""
    found = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # what ended meanwhile is no helper
            for pid in (task / "children").read_text().split():
                if module in Path(f"/proc/{pid}/cmdline").read_text():
                    found.append(int(pid))
    return found


def pause(child: subprocess.Popen[str]) -> None:
    """Stop a child with all its threads, and wait until they stand still."""
    child.send_signal(signal.SIGSTOP)
    tasks = Path(f"/proc/{child.pid}/task")
    until(lambda: all(_state_of(task) == "T" for task in tasks.iterdir()), "a paused child")


def _state_of(task: Path) -> str:
    return (task / "stat").read_text().rpartition(") ")[2][0]


def finish(child: subprocess.Popen[str], seconds: float = 60) -> Done:
    """Wait for a started command's end."""
    out, err = child.communicate(timeout=seconds)
    return Done(child.returncode, out, err)


def copying(dock: Dock, size: int) -> Path | None:
    """Return the partial copy of a recording of `size` bytes while it is being written."""
    for part in (dock.evidence / ".incoming").glob("*/*.part"):
        try:
            if 0 < part.stat().st_size < size:
                return part
        except FileNotFoundError:
            continue
    return None


def in_place(dock: Dock) -> list[Path]:
    """Return the recordings in their final place, also while a command is at work."""
    day = "[!.]*/[0-9]*/[0-9]*/[0-9]*"
    return [
        path
        for path in dock.evidence.glob(f"{day}/*_*")
        if path.suffix != ".json" and not path.name.endswith("_earlier.jpg")
    ]


def large(card: Card, name: str, source: Path, size: int) -> Path:
    """Put a recording on the card that takes a while to copy: zeros follow its container."""
    path = card.put(name, source)
    times = path.stat()
    os.truncate(path, size)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return path


@contextmanager
def growing(path: Path) -> Iterator[None]:
    """Append to a file without end, as a camera that is still recording."""
    over = threading.Event()

    def record() -> None:
        with path.open("ab", buffering=0) as file:
            while not over.is_set():
                file.write(bytes(64))

    def touch() -> None:
        while not over.is_set():  # the kernel may have the other one wait for the disk
            os.utime(path)

    camera = [threading.Thread(target=work) for work in (record, touch)]
    for thread in camera:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in camera:
            thread.join()


@contextmanager
def mounted(*arguments: str | Path) -> Iterator[None]:
    """Mount something for a while; the last argument is where."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting does not work here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", arguments[-1]], check=True)


def without_rights(command: list[str]) -> list[str]:
    """Return a command line that root's rights do not help: files' modes count for it.

    Root keeps its name but loses every capability, so that the interpreter of this test
    run may live in a folder that only root may enter.
    """
    if os.geteuid() != 0:
        return command
    if not shutil.which("setpriv"):
        pytest.skip("root cannot give up its rights: setpriv is not installed")
    none = ("--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all")
    return ["setpriv", *none, "--", *command]


def run_without_rights(dock: Dock, *arguments: str | Path) -> Done:
    """Run one command as a person whose rights end where files' modes say."""
    done = subprocess.run(
        without_rights(dock.command(*arguments)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def failing_once(where: object, name: str, error: Exception) -> Iterator[None]:
    """Have one call of a function fail, in this process; those after it do not."""
    real = getattr(where, name)
    errors = [error]

    def called(*arguments: Any, **named: Any) -> Any:
        if errors:
            raise errors.pop()
        return real(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, name, called)
        yield
    assert not errors, f"nobody called {name}"


def check_records_agree(dock: Dock) -> None:
    """A verification finds nothing, and the log alone gives the same catalogue."""
    verified = ask(dock, "verify", "--all", "--json")
    assert verified.code == 0, verified.json["findings"]
    before = whole(dock.state / "catalogue.db")
    rebuilt = ask(dock, "catalogue", "rebuild")
    assert rebuilt.code == 0, rebuilt.err
    assert whole(dock.state / "catalogue.db") == before
