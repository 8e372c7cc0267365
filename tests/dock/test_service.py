"""The daemon as systemd runs it: ready, reloaded, watched, stopped."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Dock, MediaFiles
from tests.ingest.aftermath import until


class Daemon:
    """`recorder-sync dock` in a child process, with a service manager that listens."""

    def __init__(self, dock: Dock, folder: Path) -> None:
        self.dock = dock
        self.status_file = folder / "run" / "status.json"
        self._log = folder / "journal"
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        (folder / "notify").unlink(missing_ok=True)
        self._manager.bind(str(folder / "notify"))
        self._manager.settimeout(30)
        self._log.write_bytes(b"")
        self.process = dock.start(
            "dock",
            journal=self._log,
            env={"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "3000000"},
        )

    def told(self, word: str) -> str:
        """Wait until the service manager is told something with this word."""
        while True:
            message = self._manager.recv(4096).decode()
            if word in message:
                return message

    def status(self) -> Any:
        return json.loads(self.status_file.read_text("utf-8"))

    def log(self) -> str:
        return self._log.read_text("utf-8")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._manager.close()


@pytest.fixture
def new_daemon(dock: Dock, tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Start the daemon with these sections of the configuration; it is ready when returned."""
    started: list[Daemon] = []

    def start(**sections: dict[str, object]) -> Daemon:
        configure(dock, tmp_path, **sections)
        daemon = Daemon(dock, tmp_path)
        started.append(daemon)
        daemon.told("READY=1")
        return daemon

    yield start
    for daemon in started:
        daemon.end()


def configure(station: Dock, folder: Path, /, **sections: dict[str, object]) -> None:
    paths: dict[str, object] = {"runtime": str(folder / "run"), **sections.pop("paths", {})}
    station.configure(paths=paths, ingest={"immutable": False}, **sections)


def test_the_daemon_says_that_it_is_ready_alive_and_stopping(
    new_daemon: Callable[..., Daemon],
) -> None:
    daemon = new_daemon()
    assert daemon.status()["ports"] == []
    assert daemon.status()["pid"] == daemon.process.pid
    daemon.told("WATCHDOG=1")
    assert daemon.stop() == 128 + signal.SIGTERM
    daemon.told("STOPPING=1")
    assert not daemon.status_file.exists()


def test_status_tells_whether_the_daemon_runs(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    assert daemon.dock.run("status", "--json").json["service"] == "running"
    daemon.process.kill()
    daemon.process.wait()
    assert daemon.dock.run("status", "--json").json["service"] == "not-running"


def test_a_bad_configuration_is_refused_and_the_old_one_stays_in_force(
    new_daemon: Callable[..., Daemon], tmp_path: Path
) -> None:
    daemon = new_daemon()
    daemon.dock.config.write_text('[station]\nid = "test"\nidd = 1\n', encoding="utf-8")
    daemon.process.send_signal(signal.SIGHUP)
    problem = until(lambda: daemon.status()["configuration_problem"], "a problem in the status")
    assert "station.idd" in problem
    configure(daemon.dock, tmp_path)
    daemon.process.send_signal(signal.SIGHUP)
    until(lambda: not daemon.status()["configuration_problem"], "no problem any more")
    assert daemon.stop() == 128 + signal.SIGTERM


def test_what_needs_a_restart_is_said(new_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    daemon = new_daemon()
    configure(daemon.dock, tmp_path, station={"id": "another"})
    daemon.process.send_signal(signal.SIGHUP)
    problem = until(lambda: daemon.status()["configuration_problem"], "a problem in the status")
    assert "restart" in problem
    assert "station" in problem


def test_a_daemon_that_cannot_open_the_station_says_why(dock: Dock, tmp_path: Path) -> None:
    configure(dock, tmp_path, paths={"evidence": "/proc/evidence"})
    done = dock.run("dock")
    assert done.code == 3
    assert "→" in done.err


def test_a_second_daemon_of_the_same_station_is_refused_and_the_first_goes_on(
    new_daemon: Callable[..., Daemon],
) -> None:
    daemon = new_daemon()
    second = daemon.dock.run("dock")
    assert second.code == 3
    assert "already" in second.err
    assert "systemctl stop" in second.err
    assert daemon.dock.run("status", "--json").json["service"] == "running"
    daemon.process.kill()
    daemon.process.wait()
    assert new_daemon().status()["ports"] == []


def test_art_16_what_is_dropped_into_a_folder_is_taken_in(
    new_daemon: Callable[..., Daemon], media_files: MediaFiles, tmp_path: Path
) -> None:
    dropped = tmp_path / "dropped" / "0042"
    dropped.mkdir(parents=True)
    folder = {
        "name": "interviews",
        "path": str(dropped.parent),
        "device_folders": True,
        "settle_s": 0,
    }
    daemon = new_daemon(dock={"folders": [folder]})
    (dropped / "clip.mp4").write_bytes(media_files.video.read_bytes())

    def sealed() -> Any:
        return daemon.dock.run("recordings", "list", "--json").json["recordings"]

    (recording,) = until(sealed, "a sealed recording")
    assert recording["device"] == "0042"
    (dropped / "later.jpg").write_bytes(media_files.photo.read_bytes())
    until(lambda: len(sealed()) == 2, "another one")
    assert daemon.stop() == 128 + signal.SIGTERM
    dockings = daemon.dock.run("dockings", "list", "--json").json["dockings"]
    assert {d["port"] for d in dockings} == {"folder interviews"}
    assert {d["state"] for d in dockings} == {"removed"}


def test_a_daemon_that_was_killed_leaves_nothing_open_for_the_next(
    new_daemon: Callable[..., Daemon],
) -> None:
    daemon = new_daemon()
    daemon.process.kill()
    daemon.process.wait()
    again = new_daemon()
    assert again.status()["pid"] == again.process.pid
    started = time.monotonic()
    assert again.stop() == 128 + signal.SIGTERM
    assert time.monotonic() - started < 10


def test_promise_9_a_drop_folder_that_cannot_be_taken_in_stops_no_other(
    new_daemon: Callable[..., Daemon], media_files: MediaFiles, tmp_path: Path
) -> None:
    """The first folder holds the station's own evidence, and is refused again and again."""
    daemon_folder = tmp_path / "dropped"
    daemon_folder.mkdir()
    folders = [
        {"name": "wrong", "path": str(tmp_path), "settle_s": 0},
        {"name": "right", "path": str(daemon_folder), "settle_s": 0},
    ]
    daemon = new_daemon(dock={"folders": folders})
    until(lambda: "not taken in" in daemon.log(), "the wrong folder is refused")
    (daemon_folder / "clip.mp4").write_bytes(media_files.video.read_bytes())
    until(
        lambda: daemon.dock.run("recordings", "list", "--json").json["recordings"],
        "a sealed recording",
    )
    assert daemon.stop() == 128 + signal.SIGTERM
    assert daemon.dock.run("catalogue", "rebuild").code == 0


def test_drop_folders_that_come_with_a_restart_only_are_said(
    new_daemon: Callable[..., Daemon], tmp_path: Path
) -> None:
    daemon = new_daemon()
    folder = {"name": "interviews", "path": str(tmp_path / "dropped")}
    configure(daemon.dock, tmp_path, dock={"folders": [folder]})
    daemon.process.send_signal(signal.SIGHUP)
    problem = until(lambda: daemon.status()["configuration_problem"], "a problem in the status")
    assert "dock.folders" in problem


IN_A_PROCESS = """
import signal, sys
from dataclasses import replace
from pathlib import Path
from recorder_sync import service
from recorder_sync.dock.ports import usb_ports
from recorder_sync.dock.watcher import Watcher

class Broken(Watcher):
    def events(self):
        raise RuntimeError("a defect")

def broken(in_use, capacity):
    return replace(usb_ports(in_use, capacity), teller=Broken(frozenset()))

is_broken = sys.argv[2] == "broken"
daemon = service.DockService(Path(sys.argv[1]), ports=broken if is_broken else usb_ports)
if not is_broken:
    daemon._signals._received += [signal.SIGTERM, signal.SIGHUP]
sys.exit(daemon.run())
"""


def in_a_process(station: Dock, how: str) -> int:
    command = [sys.executable, "-c", IN_A_PROCESS, str(station.config), how]
    return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode


def test_a_daemon_that_sees_no_device_any_more_ends_so_that_it_is_started_again(
    dock: Dock, tmp_path: Path
) -> None:
    configure(dock, tmp_path)
    assert in_a_process(dock, "broken") == 1


def test_a_reload_that_comes_with_the_stop_does_not_undo_it(dock: Dock, tmp_path: Path) -> None:
    configure(dock, tmp_path)
    assert in_a_process(dock, "stopped and reloaded") == 128 + signal.SIGTERM


def test_art_5_the_daemon_signs_the_log_when_it_starts_and_when_it_stops(
    new_daemon: Callable[..., Daemon],
) -> None:
    daemon = new_daemon()
    notes = daemon.dock.state / "custody" / "checkpoints"
    until(lambda: list(notes.glob("[0-9]*")), "a first checkpoint")
    assert daemon.stop() == 128 + signal.SIGTERM
    verified = daemon.dock.run("custody", "verify", "--json")
    assert verified.code == 0, verified.err
    newest = max(int(path.name) for path in notes.glob("[0-9]*"))
    assert newest == verified.json["entries"]
