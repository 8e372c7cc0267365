"""The demo on a terminal: however it ends, no process and no folder of it is left.

Through a real pseudo-terminal, as a person has it. The pages are in tests/web/browser.
"""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.ingest.aftermath import mounted

pytestmark = pytest.mark.long


class Terminal:
    """The demo on a terminal of its own, with temporary files in `place`."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.shown = ""
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            for name in ("DISPLAY", "WAYLAND_DISPLAY"):
                os.environ.pop(name, None)
            os.environ |= {"TMPDIR": str(place), "COLUMNS": "200", "RECORDER_SYNC_LANGUAGE": "en"}
            os.execv(sys.executable, [sys.executable, "-m", "recorder_sync", "demo"])
        self._seen: dict[int, psutil.Process] = {}

    def read_until(self, pattern: str, within_s: float = 90.0) -> re.Match[str]:
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if found := re.search(pattern, self.shown):
                return found
            if select.select([self.screen], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self.screen, 65536).decode(errors="replace")
                except OSError:  # it has ended
                    break
            self.look()
        raise AssertionError(self.shown)

    def look(self) -> None:
        """Note which processes belong to it."""
        with suppress(psutil.NoSuchProcess):
            for one in psutil.Process(self.pid).children(recursive=True):
                self._seen.setdefault(one.pid, one)

    def folder(self) -> Path:
        """Return its folder, as soon as its configuration is written."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if found := list(self.place.glob("recorder-sync-demo-*/config.toml")):
                return found[0].parent
            time.sleep(0.01)
        raise AssertionError(self.shown)

    def ended(self) -> int:
        """Wait for its end; return the exit code. What it still says is in `shown`."""
        with suppress(OSError, AssertionError):
            self.read_until(r"\Znever", within_s=60)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def assert_nothing_is_left(self) -> None:
        assert self._seen, "no process of it was seen"
        left = [one for one in self._seen.values() if one.is_running()]
        _, left = psutil.wait_procs(left, timeout=5)
        assert left == []
        assert list(self.place.iterdir()) == []


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[list[Terminal]]:
    found: list[Terminal] = []
    yield found
    for one in found:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(one.pid, signal.SIGKILL)
            os.waitpid(one.pid, 0)


def demo(terminals: list[Terminal], place: Path) -> Terminal:
    place.mkdir(exist_ok=True)
    terminals.append(Terminal(place))
    return terminals[-1]


def test_two_demos_run_beside_each_other_and_each_ends_without_a_trace(
    terminals: list[Terminal], tmp_path: Path
) -> None:
    one, other = demo(terminals, tmp_path / "1"), demo(terminals, tmp_path / "2")
    addresses = {t.read_until(r"Dock screen:\s+(\S+)/dock")[1] for t in (one, other)}
    assert len(addresses) == 2
    os.write(one.screen, b"\x03")  # Ctrl-C
    assert one.ended() == 130
    assert "nothing of it is left." in one.shown
    assert "Traceback" not in one.shown
    one.assert_nothing_is_left()
    other.look()
    os.close(other.screen)  # somebody closes the window
    assert os.waitstatus_to_exitcode(os.waitpid(other.pid, 0)[1]) in (129, -signal.SIGHUP)
    other.assert_nothing_is_left()


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_demo_that_is_broken_off_while_it_is_made_leaves_nothing(
    terminals: list[Terminal], tmp_path: Path, how: signal.Signals, code: int
) -> None:
    terminal = demo(terminals, tmp_path / "1")
    terminal.folder()
    terminal.look()
    os.kill(terminal.pid, how)
    os.kill(terminal.pid, how)  # somebody is impatient
    assert terminal.ended() == code
    assert "nothing of it is left." in terminal.shown
    terminal.assert_nothing_is_left()


def test_a_station_that_dies_takes_the_demo_and_its_folder_with_it(
    terminals: list[Terminal], tmp_path: Path
) -> None:
    terminal = demo(terminals, tmp_path / "1")
    terminal.folder()
    (station,) = psutil.Process(terminal.pid).children()
    terminal.look()
    station.kill()
    assert terminal.ended() != 0
    terminal.assert_nothing_is_left()


def test_where_another_program_takes_the_port_the_demo_says_so_and_ends(
    terminals: list[Terminal], tmp_path: Path
) -> None:
    terminal = demo(terminals, tmp_path / "1")
    configuration = tomllib.loads((terminal.folder() / "config.toml").read_text("utf-8"))
    with socket.create_server(("127.0.0.1", configuration["web"]["port"])):
        assert terminal.ended() != 0
    assert "The pages are not served: Nothing can be served at 127.0.0.1" in terminal.shown
    assert "Console:" not in terminal.shown
    terminal.assert_nothing_is_left()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts")
def test_without_room_the_demo_says_how_much_it_needs(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=8m", "tmpfs", place):
        done = subprocess.run(
            [sys.executable, "-m", "recorder_sync", "demo", "--once"],
            env={**os.environ, "TMPDIR": str(place), "RECORDER_SYNC_LANGUAGE": "en"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 3
        assert "The demo needs 1.0 GiB" in done.stderr or "The demo needs 1.1 GB" in done.stderr
        assert "TMPDIR=" in done.stderr
        assert list(place.iterdir()) == []
