"""One stay on a port: shown as it is, and pulling the plug at any moment loses nothing."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder_sync.catalogue import alerts
from recorder_sync.dock.clearing import Clearing
from recorder_sync.model import AlertKind
from recorder_sync.rules.docking import Stay, is_settled
from recorder_sync.watching.tick import tick
from tests.conftest import Card, MediaFiles
from tests.dock.conftest import Port
from tests.faults.card import HostileCard
from tests.ingest.aftermath import sealed, until

Cards = Callable[[Path], HostileCard]


def test_promise_2_a_device_is_safe_to_take_when_everything_on_it_is_sealed(
    port: Port, camera: Card, media_files: MediaFiles
) -> None:
    camera.put("clip.mp4", media_files.video)
    camera.put("photo.jpg", media_files.photo)
    port.plug(camera.path)
    shown = port.shows(Stay.SAFE)
    assert shown["safe_to_take"]
    assert shown["device"] == "0031"
    assert shown["recordings"] == {"total": 2, "done": 2, "failed": 0}
    assert shown["health"]["battery"]["percent"] == 91
    assert set(sealed(port.dock)) == {b"clip.mp4", b"photo.jpg"}
    port.pull()
    assert port.newest()["state"] == Stay.REMOVED
    assert port.alerts() == []


@pytest.mark.raises_and_resolves(AlertKind.REMOVED_EARLY)
def test_art_21_a_device_that_is_pulled_out_early_is_named_with_what_is_missing_until_it_is_in(
    port: Port, camera: Card, media_files: MediaFiles, hostile: Cards
) -> None:
    camera.put("clip.mp4", media_files.video.read_bytes() + random.Random(1).randbytes(8 << 20))
    card = hostile(camera.path)
    hang = card.hang_at("clip.mp4", 3 << 20)
    port.plug(card.path)
    hang.await_reader()
    card.pull_out()
    hang.release()
    port.pull()
    docking = port.newest()
    assert docking["state"] == Stay.REMOVED_EARLY
    assert docking["removed_at"]
    (alert,) = port.alerts()
    assert alert["kind"] == "removed-early"
    assert alert["device"] == "0031"
    assert "clip.mp4" in alert["text"]
    assert "removed-early" in open_after_a_look(port)
    port.plug(camera.path)
    port.shows(Stay.SAFE)
    assert "removed-early" not in open_after_a_look(port)


def open_after_a_look(port: Port) -> set[str]:
    """Have the daemon look at everything; return the kinds of the alerts that are open then."""
    station = port.dock.station()
    try:
        tick(station, station.now())
        return {one.kind.value for one in alerts.live(station.catalogue)}
    finally:
        station.catalogue.close()


def test_promise_3_a_device_that_comes_back_on_another_port_goes_on(
    port: Port, camera: Card, media_files: MediaFiles, hostile: Cards
) -> None:
    camera.put("photo.jpg", media_files.photo)
    camera.put("clip.mp4", media_files.video.read_bytes() + random.Random(1).randbytes(8 << 20))
    card = hostile(camera.path)
    hang = card.hang_at("clip.mp4", 3 << 20)
    port.plug(card.path)
    hang.await_reader()
    card.pull_out()
    hang.release()
    port.pull()
    port.plug(camera.path, port="1-2.4")
    assert port.shows(Stay.SAFE)["port"] == "1-2.4"
    assert sealed(port.dock) == {b"photo.jpg": 1, b"clip.mp4": 1}
    assert port.dock.run("verify", "--all").code == 0


def test_promise_4_an_empty_card_of_a_device_that_is_gone_is_not_safe(
    port: Port, camera: Card
) -> None:
    """A pulled vfat card lists as empty, without an error."""
    port.plug(camera.path)
    port.shows(Stay.SAFE)
    port.pull()
    port.plug(camera.path)
    port.lose()
    port.pull()
    assert port.newest()["state"] != Stay.SAFE


def test_an_empty_card_of_a_device_that_is_there_is_safe(port: Port, camera: Card) -> None:
    port.plug(camera.path)
    assert port.shows(Stay.SAFE)["recordings"]["total"] == 0


@pytest.mark.raises_and_resolves(AlertKind.DEVICE_HELD)
def test_an_unknown_device_is_held_until_the_custodian_registers_it(
    new_port: Callable[..., Port], card: Card, media_files: MediaFiles
) -> None:
    port = new_port()
    card.put("clip.mp4", media_files.video)
    port.plug(card.path)
    held = port.shows(Stay.HELD)
    assert not held["safe_to_take"]
    assert "devices add" in held["hint"]["en"]
    assert port.dock.sealed_files() == []
    (alert,) = port.alerts()
    assert alert["kind"] == "device-held"
    assert "device-held" in open_after_a_look(port)
    added = port.dock.run("devices", "add", "0077", "--docking", held["docking"])
    assert added.code == 0, added.err
    shown = port.shows(Stay.SAFE)
    assert (shown["device"], shown["docking"]) == ("0077", held["docking"])
    assert "device-held" not in open_after_a_look(port)
    (recording,) = port.dock.run("recordings", "list", "--json").json["recordings"]
    assert recording["device"] == "0077"


def test_the_names_on_an_unknown_device_are_not_put_on_record(
    new_port: Callable[..., Port], card: Card, media_files: MediaFiles
) -> None:
    port = new_port()
    card.put("my holiday.mp4", media_files.video)
    port.plug(card.path)
    port.shows(Stay.HELD)
    port.pull()
    assert port.newest()["state"] == Stay.REMOVED_EARLY
    log = b"".join(path.read_bytes() for path in (port.dock.state / "custody").glob("*.jsonl"))
    assert b"device-held" in log
    assert b"holiday" not in log


def test_a_station_that_takes_in_everything_holds_nothing(
    new_port: Callable[..., Port], card: Card, media_files: MediaFiles
) -> None:
    port = new_port(unknown="ingest")
    card.put("clip.mp4", media_files.video)
    port.plug(card.path)
    assert port.shows(Stay.SAFE)["device"] is None
    (recording,) = port.dock.run("recordings", "list", "--json").json["recordings"]
    assert recording["path"].startswith("unassigned/")


def test_two_devices_with_one_identity_are_a_conflict_that_is_shown(
    port: Port, camera: Card, media_files: MediaFiles
) -> None:
    camera.put("clip.mp4", media_files.video)
    port.plug(camera.path, twin=True)
    shown = port.shows(Stay.SAFE_WITH_PROBLEMS)
    assert shown["identity"] == "conflict"
    assert [alert["kind"] for alert in port.alerts()] == ["identity-conflict"]


def test_a_card_of_another_camera_is_a_conflict_that_is_shown(
    new_port: Callable[..., Port], camera: Card, media_files: MediaFiles
) -> None:
    """The camera's USB identity says 0099, the identity file on the card 0031."""
    port = new_port()
    for number, more in (("0031", ()), ("0099", ("--usb", "1234:abcd:CAM0031"))):
        assert port.dock.run("devices", "add", number, *more).code == 0
    camera.put("clip.mp4", media_files.video)
    port.plug(camera.path)
    assert port.shows(Stay.SAFE_WITH_PROBLEMS)["identity"] == "conflict"
    (alert,) = port.alerts()
    assert "0031" in alert["text"]
    assert "0099" in alert["text"]


def test_a_service_that_stops_leaves_what_the_next_one_goes_on_with(
    port: Port, camera: Card, media_files: MediaFiles, hostile: Cards
) -> None:
    camera.put("clip.mp4", media_files.video.read_bytes() + random.Random(1).randbytes(64 << 20))
    card = hostile(camera.path)
    hang = card.hang_at("clip.mp4", 3 << 20)
    port.plug(card.path)
    hang.await_reader()
    stopping = port.stop
    hang.release()
    stopping()
    assert port.newest()["state"] in {Stay.INTERRUPTED, Stay.SAFE}
    port.plug(card.path)
    port.shows(Stay.SAFE)
    assert sealed(port.dock) == {b"clip.mp4": 1}


@pytest.mark.raises_and_resolves(AlertKind.NOT_TAKEN_IN)
def test_art_24_recordings_that_cannot_be_read_open_a_fault_of_the_device(
    port: Port, camera: Card, media_files: MediaFiles, hostile: Cards
) -> None:
    camera.put("clip.mp4", media_files.video.read_bytes() + random.Random(1).randbytes(8 << 20))
    camera.put("photo.jpg", media_files.photo)
    card = hostile(camera.path)
    card.fail_reads("clip.mp4", 4 << 20, 4096)
    port.plug(card.path)
    shown = port.shows(Stay.NEEDS_CUSTODIAN)
    assert not shown["safe_to_take"]
    assert shown["recordings"] == {"total": 2, "done": 1, "failed": 1}
    assert shown["ready"] is False
    assert [alert["kind"] for alert in port.alerts()] == ["not-taken-in"]
    assert "not-taken-in" in open_after_a_look(port)
    port.pull()
    port.plug(camera.path)
    port.shows(Stay.SAFE)
    assert "not-taken-in" not in open_after_a_look(port)


def make_writable(port: Port) -> None:
    """Hand on every request, in the place of the unit that makes cards writable."""
    requests = port.runtime / "clear"
    (requests / "now").mkdir()
    for request in until(lambda: list(requests.glob("*.json")), "a request to clear"):
        request.rename(requests / "now" / request.name)


def test_promise_1_only_sealed_and_unchanged_recordings_are_cleared_and_only_on_request(
    new_port: Callable[..., Port], camera: Card, media_files: MediaFiles
) -> None:
    port = new_port(clear="sealed")
    assert port.dock.run("devices", "add", "0031").code == 0
    clip = camera.put("clip.mp4", media_files.video)
    changed = camera.put("photo.jpg", media_files.photo)
    other = camera.put("notes.txt", b"not a recording")
    port.runtime.joinpath("clear").mkdir()
    port.plug(camera.path)
    make_writable(port)
    state = changed.stat()
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    os.utime(changed, ns=(state.st_atime_ns, state.st_mtime_ns))
    (row,) = port.board.rows().values()
    assert not is_settled(row.state), "safe to take while the card is being written to"
    done = port.dock.run("clear")
    assert done.code == 0, done.err
    assert "removed=1" in done.err
    port.shows(Stay.SAFE)
    assert not clip.exists()
    assert changed.exists()
    assert other.exists()
    log = b"".join(path.read_bytes() for path in (port.dock.state / "custody").glob("*.jsonl"))
    assert log.count(b'"act":"cleared"') == 2


def test_a_clearing_that_nobody_begins_with_is_withdrawn(tmp_path: Path) -> None:
    clock = [100.0]
    (tmp_path / "now").mkdir()
    request = tmp_path / "docking.json"
    request.write_text("{}")
    clearing = Clearing(tmp_path, request.name, lambda: clock[0])
    assert clearing.is_under_way()
    clock[0] += 21
    assert not clearing.is_under_way()
    assert not request.exists()
