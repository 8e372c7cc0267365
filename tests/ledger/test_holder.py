"""The officer of a recording is who held the device when it was recorded."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from recorder_sync.custodian import moves
from recorder_sync.rules.whereabouts import Happening
from tests.conftest import Card, Dock, MediaFiles


def at(dock: Dock, hour: int, what: Happening, officer: str | None = None) -> None:
    """Put on record what happened on 23 November 2026 at this hour, UTC."""
    station = replace(dock.station(), now=lambda: datetime(2026, 11, 23, hour, tzinfo=UTC))
    try:
        if what is Happening.ISSUED:
            assert officer
            moves.issue(station, "0031", officer)
        else:
            moves.enter(station, "0031", what)
    finally:
        station.catalogue.close()


def recorded_at_eight(dock: Dock, card: Card, media_files: MediaFiles) -> Any:
    """Take in a recording made at 08:00 UTC, and return it."""
    card.put("clip.mp4", media_files.video)
    (recording,) = dock.ingest(card, "--device", "0031").json["recordings"]
    return recording


def test_it_is_who_held_it_then_not_who_holds_it_now(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    dock.run("devices", "add", "0031", "--officer", "000099")
    dock.run("officers", "add", "000001", "--name", "王芳")
    at(dock, 1, Happening.ISSUED, "000001")
    at(dock, 9, Happening.RETURNED)
    at(dock, 10, Happening.ISSUED, "000010")
    recording = recorded_at_eight(dock, card, media_files)
    assert recording["officer"] == {"cert_no": "000001", "name": "王芳"}
    tag = recording["tags"]["officer"]
    assert tag["source"] == "ledger"
    assert tag["detail"] == "issued to at 2026-11-23T01:00:00.000Z"


def test_promise_7_while_nobody_held_it_the_officer_is_unknown(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    dock.run("devices", "add", "0031", "--officer", "000099")
    at(dock, 1, Happening.ISSUED, "000001")
    at(dock, 7, Happening.RETURNED)
    recording = recorded_at_eight(dock, card, media_files)
    assert recording["officer"] is None
    assert recording["tags"]["officer"] is None


def test_what_the_camera_itself_says_goes_before_the_ledger_and_a_difference_shows(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    dock.run("devices", "add", "0031")
    at(dock, 1, Happening.ISSUED, "000001")
    card.put("DCAM_0031_000010_20261123_160000.mp4", media_files.other_video)
    (recording,) = dock.ingest(card).json["recordings"]
    assert recording["officer"]["cert_no"] == "000010"
    assert "officer-conflict" in recording["flags"]
