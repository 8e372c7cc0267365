"""What the catalogue knows of stays and alerts is the same when it is made anew."""

import json

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.custody.canonical import canonical
from recorder_sync.health_json import health_json, health_of
from recorder_sync.language import T
from recorder_sync.model import AlertKind, ClockOffset, Health
from recorder_sync.rules.docking import Stay
from tests.catalogue.test_rebuild import rows
from tests.conftest import Card, Dock, MediaFiles
from tests.dock.conftest import Port


def raise_once(dock: Dock) -> None:
    station = dock.station()
    try:
        text = T("{size} MiB to copy, {free} MiB free.", size=3, free=2)
        raise_alert(station, AlertKind.NOT_TAKEN_IN, text, T("Free some."))
    finally:
        station.catalogue.close()


def test_an_alert_that_is_open_is_not_raised_again_after_a_rebuild(dock: Dock) -> None:
    raise_once(dock)
    before = rows(dock, "alerts")
    assert dock.run("catalogue", "rebuild").code == 0
    assert rows(dock, "alerts") == before
    raise_once(dock)
    assert len(rows(dock, "alerts")) == 1


def test_a_clock_that_is_off_by_whole_seconds_is_the_same_after_a_rebuild() -> None:
    found = health_json(Health(clock=ClockOffset(3.0, "status file")))
    again = health_json(health_of(json.loads(canonical(found))))
    assert json.dumps(again) == json.dumps(found)


def test_stays_are_the_same_after_a_rebuild(
    port: Port, card: Card, media_files: MediaFiles
) -> None:
    """It was held, registered, taken in, and pulled out."""
    card.put("clip.mp4", media_files.video)
    port.plug(card.path)
    docking = port.shows(Stay.HELD)["docking"]
    assert port.dock.run("devices", "add", "0077", "--docking", docking).code == 0
    port.shows(Stay.SAFE)
    port.pull()
    before = [rows(port.dock, name) for name in ("dockings", "inventory", "alerts")]
    assert before[0][0]["removed_at"]
    assert port.dock.run("catalogue", "rebuild").code == 0
    assert [rows(port.dock, name) for name in ("dockings", "inventory", "alerts")] == before
