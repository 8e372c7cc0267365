"""The daemon watches: what the calendar expects is an alert, without any camera."""

from collections.abc import Callable
from pathlib import Path

from tests.dock.test_service import Daemon, new_daemon
from tests.ingest.aftermath import until

__all__ = ["new_daemon"]


def test_what_is_put_on_record_is_looked_at_soon_and_shown_in_the_live_status(
    new_daemon: Callable[..., Daemon], tmp_path: Path
) -> None:
    daemon = new_daemon(backup={"keep": 0})
    dock = daemon.dock
    until(lambda: daemon.status()["watch"], "the first look")
    assert dock.run("officers", "add", "000001").code == 0
    calendar = tmp_path / "calendar.csv"
    calendar.write_text(
        "id,kind,begins,ends,officer\ne1,enforcement,2026-11-20 09:00,2026-11-20 10:00,000001\n"
    )
    done = dock.run("calendar", "import", str(calendar))
    assert done.code == 0, done.err

    def kinds() -> list[str]:  # this computer's own disk may be full
        told = [one["kind"] for one in dock.run("status", "--json").json["alerts"]]
        return [kind for kind in told if kind != "evidence-disk"]

    def figures() -> dict[str, int]:
        by_kind: dict[str, int] = daemon.status()["watch"]["alerts"]["by_kind"]
        return {kind: count for kind, count in by_kind.items() if kind != "evidence-disk"}

    assert until(kinds, "an alert") == ["no-recording"]
    until(lambda: figures() == {"no-recording": 1}, "the figures")
    assert dock.run("calendar", "explain", "e1", "--reason", "forgotten").code == 0
    until(lambda: not kinds(), "the end of the alert")
