"""A stay on a port when something else goes wrong, or the same device comes again at once."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.dock import docked, row_observer
from recorder_sync.errors import MissingPart
from recorder_sync.ingest.intake import Intake
from recorder_sync.ingest.volume import gone
from recorder_sync.language import T
from recorder_sync.rules.docking import Stay
from tests.conftest import Card, MediaFiles
from tests.dock.conftest import Port
from tests.faults.card import HostileCard
from tests.ingest.aftermath import sealed, until

Cards = Callable[[Path], HostileCard]


def test_what_went_wrong_stays_shown_when_nothing_more_is_copied(
    port: Port,
    camera: Card,
    media_files: MediaFiles,
    hostile: Cards,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(row_observer, "SILENT_CARD_S", 0.0)
    camera.put("clip.mp4", media_files.video.read_bytes() + random.Random(1).randbytes(8 << 20))
    card = hostile(camera.path)
    card.fail_reads("clip.mp4", 0, 8 << 20)
    port.plug(card.path)
    said = port.shows(Stay.NEEDS_CUSTODIAN)["message"]
    assert "could not be taken in" in said["en"]
    port.volume.tick()
    (row,) = port.board.rows().values()
    assert row.message
    assert row.message.english == said["en"]


def test_a_camera_that_comes_again_at_once_is_shown_when_its_earlier_stay_ends(
    port: Port, camera: Card, media_files: MediaFiles, hostile: Cards
) -> None:
    camera.put("clip.mp4", media_files.video.read_bytes() + random.Random(1).randbytes(8 << 20))
    card = hostile(camera.path)
    hang = card.hang_at("clip.mp4", 3 << 20)
    port.plug(card.path)
    hang.await_reader()
    earlier = port.volume
    earlier.gone()
    shutil.copytree(camera.path, camera.path.with_name("again"))
    port.plug(camera.path.with_name("again"))
    card.pull_out()
    hang.release()
    assert earlier.join(30)
    assert port.shows(Stay.SAFE)["safe_to_take"]
    port.pull()
    assert port.newest()["state"] == Stay.REMOVED


def test_a_device_whose_volume_was_gone_before_udev_said_so_is_alerted(
    port: Port, camera: Card, media_files: MediaFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel takes a device away step by step: its files go before it does."""
    camera.put("clip.mp4", media_files.video)

    def vanish(*_: object) -> Any:
        raise gone()

    monkeypatch.setattr(Intake, "run", vanish)
    port.plug(camera.path)
    until(lambda: any(r.docking for r in port.board.rows().values()), "the intake begins")
    port.pull()
    assert [alert["kind"] for alert in port.alerts()] == ["removed-early"]


def test_a_defect_is_alerted(
    port: Port, camera: Card, media_files: MediaFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera.put("clip.mp4", media_files.video)

    def fail(*_: object) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Intake, "run", fail)
    port.plug(camera.path)
    port.shows(Stay.NEEDS_CUSTODIAN)
    assert [alert["kind"] for alert in port.alerts()] == ["not-taken-in"]


def test_a_station_that_was_not_there_is_looked_for_again(
    port: Port, camera: Card, media_files: MediaFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docked, "_RETRY_S", 0.2)
    camera.put("clip.mp4", media_files.video)
    away = port.dock.state.with_name("away")
    catalogue = port.dock.state / "catalogue.db"
    catalogue.rename(away)
    port.plug(camera.path)
    port.shows(Stay.NEEDS_CUSTODIAN)
    away.rename(catalogue)
    port.shows(Stay.SAFE)
    assert sealed(port.dock) == {b"clip.mp4": 1}


def test_what_keeps_an_intake_from_going_on_is_alerted_once(
    port: Port, camera: Card, media_files: MediaFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docked, "_RETRY_S", 0.1)
    camera.put("clip.mp4", media_files.video)
    tries: list[int] = []

    def refuse(*_: object) -> Any:
        tries.append(len(tries))
        raise MissingPart(T("{free} MiB are free.", free=len(tries)), T("Free some."))

    monkeypatch.setattr(Intake, "run", refuse)
    port.plug(camera.path)
    until(lambda: len(tries) > 2, "another try")
    port.pull()
    assert [alert["kind"] for alert in port.alerts()] == ["not-taken-in"]
