"""A stay on record, from the log alone if need be: nobody is accused of what a fault left."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from recorder_sync.catalogue import dockings
from recorder_sync.catalogue.dockings import Docking
from recorder_sync.custody.log import Act
from recorder_sync.dock.stay_log import end_stays_of_earlier_runs, log_end
from recorder_sync.ingest.docking_log import docking_facts
from recorder_sync.ingest.recovery import recover
from recorder_sync.model import Identity, IdentityState
from recorder_sync.rules.docking import Stay
from tests.conftest import Card, Dock, MediaFiles
from tests.dock.conftest import Port
from tests.ingest.aftermath import ask, check_done, check_records_agree, failing_once

_FULL = sqlite3.OperationalError("database or disk is full")


def test_the_end_of_a_docking_that_never_began_leaves_nothing(dock: Dock) -> None:
    """Its intake failed before anything of it was on record."""
    station = dock.station()
    try:
        size = station.custody.size()
        log_end(station, "20260101-120000-abcdef", Stay.INTERRUPTED)
        assert station.custody.size() == size
    finally:
        station.catalogue.close()
    assert dock.run("catalogue", "rebuild").code == 0


def test_the_end_of_a_stay_whose_beginning_only_the_log_has_is_on_record_too(dock: Dock) -> None:
    station = dock.station()
    try:
        nobody = Identity(None, None, IdentityState.UNKNOWN, ())
        number, at = "20260101-120000-abcdef", datetime(2026, 1, 1, 12, tzinfo=UTC)
        held = Docking(number, "/card", "1-1", nobody, None, at, state=Stay.HELD)
        station.custody.append([station.deed(Act.DEVICE_HELD, number, docking_facts(held))])
        log_end(station, number, Stay.REMOVED)
        assert dockings.is_entered(station.catalogue, number)
        assert dockings.open_stays(station.catalogue) == {}
    finally:
        station.catalogue.close()
    check_records_agree(dock)


@pytest.mark.parametrize("end", [Port.pull, Port.stop])
def test_a_device_that_was_held_and_is_gone_is_no_finding(
    port: Port, card: Card, media_files: MediaFiles, end: Callable[[Port], None]
) -> None:
    card.put("clip.mp4", media_files.video)
    port.plug(card.path)
    port.shows(Stay.HELD)
    end(port)
    for _ in range(2):
        _check_no_finding(port.dock)
        _start_again(port.dock)
    port.close()
    check_records_agree(port.dock)


def test_a_held_device_that_only_the_log_has_is_taken_up(
    port: Port, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    with failing_once(dockings, "open_docking", _FULL):
        port.plug(card.path)
        port.shows(Stay.NEEDS_CUSTODIAN)
    port.pull()
    _check_no_finding(port.dock)
    station = port.dock.station()
    assert dockings.open_stays(station.catalogue) == {}, "nothing is plugged in"
    station.catalogue.close()
    _start_again(port.dock)
    port.close()
    check_records_agree(port.dock)


def test_an_end_of_a_stay_that_only_the_log_has_is_taken_up(
    port: Port, camera: Card, media_files: MediaFiles
) -> None:
    camera.put("clip.mp4", media_files.video)
    port.plug(camera.path)
    port.shows(Stay.SAFE)
    with failing_once(dockings, "end_stay", _FULL):
        port.pull()
    _check_no_finding(port.dock)
    assert port.newest()["state"] == Stay.REMOVED
    port.close()
    check_records_agree(port.dock)


def test_an_end_of_an_intake_that_only_the_log_has_is_taken_up(
    port: Port, camera: Card, media_files: MediaFiles
) -> None:
    camera.put("clip.mp4", media_files.video)
    with failing_once(dockings, "close_docking", _FULL):
        port.plug(camera.path)
        port.shows(Stay.NEEDS_CUSTODIAN)
    _check_no_finding(port.dock)
    port.pull()
    port.close()
    check_records_agree(port.dock)


def test_so_is_the_end_of_an_empty_card(new_port: Callable[..., Port], card: Card) -> None:
    """Nothing in the inventory says that its docking was ever opened."""
    port = new_port(unknown="ingest")
    with failing_once(dockings, "close_docking", _FULL):
        port.plug(card.path)
        port.shows(Stay.NEEDS_CUSTODIAN)
        port.pull()
    _check_no_finding(port.dock)
    check_done(port.dock.ingest(card), 1, sealed=0)
    port.close()
    check_records_agree(port.dock)


def _check_no_finding(dock: Dock) -> None:
    verified = ask(dock, "verify", "--all", "--json")
    assert verified.code == 0, verified.json["findings"]


def _start_again(dock: Dock) -> None:
    """Do what the start of the service does with what earlier runs left."""
    station = dock.station()
    try:
        recover(station)
        end_stays_of_earlier_runs(station)
        recover(station)
    finally:
        station.catalogue.close()
