"""While it runs, the daemon signs the log in time, and puts a clock that was set on record."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.custody.log import Act, CustodyLog
from tests.conftest import Dock
from tests.dock import settable_clock
from tests.dock.test_service import Daemon, configure, new_daemon
from tests.ingest.aftermath import until

__all__ = ["new_daemon"]


def signed_sizes(dock: Dock) -> list[int]:
    return sorted(
        int(path.name) for path in (dock.state / "custody" / "checkpoints").glob("0*[0-9]")
    )


def entries(dock: Dock) -> int:
    return CustodyLog(dock.state / "custody", "test").size()


def add_devices(dock: Dock, first: int, count: int) -> None:
    for number in range(first, first + count):
        assert dock.run("devices", "add", f"{number:04}").code == 0


def test_the_log_is_signed_after_so_many_entries_whoever_made_them(
    new_daemon: Callable[..., Daemon],
) -> None:
    daemon = new_daemon(custody={"checkpoint_entries": 3})
    dock = daemon.dock
    (first,) = until(lambda: signed_sizes(dock), "the checkpoint of the start")
    add_devices(dock, 1, 3)
    until(lambda: signed_sizes(dock)[-1] >= first + 3, "a checkpoint after three entries")


def test_how_many_entries_may_go_unsigned_is_taken_up_with_the_configuration(
    new_daemon: Callable[..., Daemon], tmp_path: Path
) -> None:
    daemon = new_daemon()
    dock = daemon.dock
    (first,) = until(lambda: signed_sizes(dock), "the checkpoint of the start")
    add_devices(dock, 1, 3)
    assert signed_sizes(dock) == [first]
    configure(dock, tmp_path, custody={"checkpoint_entries": 4})
    daemon.process.send_signal(signal.SIGHUP)  # its entry is the fourth
    until(lambda: signed_sizes(dock)[-1] >= first + 4, "a checkpoint after four entries")


def test_what_was_done_since_is_signed_at_the_stop(new_daemon: Callable[..., Daemon]) -> None:
    daemon = new_daemon()
    until(lambda: signed_sizes(daemon.dock), "the checkpoint of the start")
    add_devices(daemon.dock, 1, 2)
    daemon.stop()
    assert signed_sizes(daemon.dock)[-1] == entries(daemon.dock)


class SettableDock(Dock):
    """A station whose computer has a clock that the test can set."""

    def command(self, *arguments: str | bytes | Path) -> list[str]:
        script = settable_clock.__file__
        options = ("--config", str(self.config), *(os.fsdecode(a) for a in arguments))
        return [sys.executable, script, *options]


def steps_on_record(dock: Dock) -> list[Any]:
    log = CustodyLog(dock.state / "custody", "test")
    return [e.deed.facts for e in log.entries() if e.deed.act is Act.CLOCK_STEP]


def told_of_steps(dock: Dock) -> list[Any]:
    """Return the alerts of clock steps; what the machine's own clock lacks is told besides."""
    found = dock.run("status", "--json").json["alerts"]
    return [one for one in found if one["kind"] == "clock-stepped"]


@pytest.mark.parametrize("seconds", [3600, -7200])
def test_a_clock_that_was_set_is_on_record_and_somebody_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    monkeypatch.setenv(settable_clock.VARIABLE, str(clock))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]), prepend=os.pathsep)
    dock = SettableDock(tmp_path)
    configure(dock, tmp_path)
    daemon = Daemon(dock, tmp_path)
    try:
        daemon.told("READY=1")
        daemon.told("WATCHDOG=1")
        assert steps_on_record(dock) == []
        fresh = tmp_path / "fresh"
        fresh.write_text(str(seconds))
        fresh.rename(clock)
        (facts,) = until(lambda: steps_on_record(dock), "an entry")
        assert facts["offset_s"] == pytest.approx(seconds, abs=0.1)
        assert (facts["after"] > facts["before"]) == (seconds > 0)
        (alert,) = until(lambda: told_of_steps(dock), "an alert")
        assert "clock of the station was set" in alert["text"]
        daemon.told("WATCHDOG=1")
        daemon.told("WATCHDOG=1")
        assert len(steps_on_record(dock)) == 1
    finally:
        daemon.end()
