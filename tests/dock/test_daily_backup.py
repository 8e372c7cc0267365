"""The daemon makes the day's backup by itself, and says when it cannot."""

from collections.abc import Callable
from pathlib import Path

from tests.catalogue.whole import whole
from tests.conftest import Card, MediaFiles
from tests.dock.test_service import Daemon, new_daemon
from tests.ingest.aftermath import until

__all__ = ["new_daemon"]


def made(folder: Path) -> list[Path]:
    return sorted(folder.glob("catalogue-*.db"))


def test_the_day_s_backup_is_made_once_and_holds_what_is_there(
    new_daemon: Callable[..., Daemon], card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    daemon = new_daemon(backup={"folder": str(folder)})
    (first,) = until(lambda: made(folder), "a backup")
    until(lambda: list(folder.glob("custody/*.jsonl")), "the copy of the log")
    assert whole(first)["devices"] == []
    daemon.stop()
    again = new_daemon(backup={"folder": str(folder)})
    again.stop()
    assert made(folder) == [first], "one a day is enough"


def test_a_backup_that_fails_is_an_alert_and_the_daemon_goes_on(
    new_daemon: Callable[..., Daemon], tmp_path: Path
) -> None:
    folder = tmp_path / "disk"
    folder.write_text("no folder")
    daemon = new_daemon(backup={"folder": str(folder)})
    alerts = until(lambda: daemon.dock.run("status", "--json").json["alerts"], "an alert")
    (alert,) = alerts
    assert alert["kind"] == "backup-failed"
    assert str(folder) in alert["text"]
    assert "disk is mounted" in alert["hint"]
    assert daemon.process.poll() is None


def test_none_is_made_where_none_is_wanted(
    new_daemon: Callable[..., Daemon], tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    daemon = new_daemon(backup={"folder": str(folder), "keep": 0})
    notes = daemon.dock.state / "custody" / "checkpoints"
    until(lambda: list(notes.glob("[0-9]*")), "a first checkpoint")
    daemon.stop()
    assert not folder.exists()


def test_nobody_rebuilds_the_catalogue_of_a_daemon_that_runs(
    new_daemon: Callable[..., Daemon],
) -> None:
    daemon = new_daemon()
    done = daemon.dock.run("catalogue", "rebuild", "--json")
    assert done.code == 3
    assert "is in use" in done.json["error"]
    daemon.process.kill()
    daemon.process.wait()
    assert daemon.dock.run("catalogue", "rebuild").code == 0
