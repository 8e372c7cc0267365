"""What an intake promises, seen through the real command."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recorder_sync.catalogue import recordings
from recorder_sync.cli.ingest import report_json
from recorder_sync.errors import NotFound
from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import take_in_here
from tests.on_the_day import today

_NAME = "DCIM/DCAM_CAM001_000001_20261123_160000.mp4"


def test_the_whole_inventory_is_on_record_with_what_was_skipped_and_why(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put(_NAME, media_files.video)
    card.put("readme.txt", b"hello\n")
    card.put("empty.mp4", b"")
    done = dock.ingest(card)
    assert done.json["inventory"] == 3
    shown = dock.run("dockings", "show", done.json["docking"], "--json").json
    assert {file["path"]: file["outcome"] for file in shown["files"]} == {
        _NAME: "sealed",
        "readme.txt": "skipped",
        "empty.mp4": "skipped",
    }
    assert all(file["reason"] for file in shown["files"] if file["outcome"] == "skipped")


def test_a_recording_under_another_ending_is_found_by_its_content(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("hidden.dat", media_files.video)
    card.put("noise.dat", bytes(range(256)) * 40)
    done = dock.ingest(card)
    (recording,) = done.json["recordings"]
    assert (recording["original_name"], recording["kind"]) == ("hidden.dat", "video")


def test_the_same_card_again_seals_nothing_twice_and_reads_no_body(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    path = card.put(_NAME, media_files.video, datetime(2026, 11, 23, 9, tzinfo=UTC))
    card.put("big.jpg", media_files.photo.read_bytes() + os.urandom(1 << 20))
    assert dock.ingest(card).json["sealed"] == 2
    again = dock.ingest(card).json
    assert (again["sealed"], again["already_sealed"], again["failed"]) == (0, 2, 0)
    # A body that changed behind the same size, time and ends is not even read.
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(before.st_size // 2)
        file.write(b"XXXX")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert dock.ingest(card).json["already_sealed"] == 2
    assert len(dock.sealed_files()) == 2


def test_the_same_name_with_other_content_is_a_new_recording(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    card.put(_NAME, media_files.video, at)
    dock.ingest(card)
    card.put(_NAME, media_files.other_video, at)
    assert dock.ingest(card).json["sealed"] == 1
    assert len(dock.sealed_files()) == 2


def test_other_content_under_the_same_name_size_and_time_is_sealed_and_reported(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    photo = media_files.photo.read_bytes()
    card.put("a.jpg", photo + b"first", at)
    dock.ingest(card)
    card.put("a.jpg", photo + b"other", at)
    again = dock.ingest(card)
    assert again.code == 1, "a person should look at it"
    (recording,) = again.json["recordings"]
    assert "content-conflict" in recording["flags"]
    assert len(dock.sealed_files()) == 2


def test_the_same_content_under_another_name_is_noted_and_not_stored_twice(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put(_NAME, media_files.video)
    identifier = dock.ingest(card).json["recordings"][0]["id"]
    card.put("DCIM/copy.mp4", media_files.video)
    again = dock.ingest(card).json
    assert (again["sealed"], again["already_sealed"]) == (0, 2)
    assert len(dock.sealed_files()) == 1
    shown = dock.run("recordings", "show", identifier, "--json").json
    assert {seen["path"] for seen in shown["seen"]} == {_NAME, "DCIM/copy.mp4"}
    assert "seen-again" in {entry["act"] for entry in shown["custody"]}


def test_a_recording_whose_evidence_is_gone_is_no_longer_safe_to_clear(
    dock: Dock, card: Card, media_files: MediaFiles, unlock: Callable[[Path], None]
) -> None:
    card.put(_NAME, media_files.video)
    dock.ingest(card)
    (evidence,) = dock.sealed_files()
    unlock(evidence)
    evidence.unlink()
    again = dock.ingest(card)
    assert (again.code, again.json["already_sealed"], again.json["failed"]) == (1, 0, 1)
    assert "only copy" in again.json["failures"][0]["hint"]


def test_art_21_a_late_recording_is_sealed_reported_and_listed(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    old = today() - timedelta(hours=30)
    card.put("DCIM/100MEDIA/MAH00001.AVI", media_files.audio, old)
    done = dock.ingest(card)
    assert (done.code, done.json["late"]) == (1, 1)
    late = dock.run("recordings", "list", "--late", "--json").json["recordings"]
    assert [recording["on_time"] for recording in late] == [False]
    assert dock.run("recordings", "list", "--on-time", "--json").json["recordings"] == []


def test_two_sources_that_disagree_are_a_conflict_and_both_are_kept(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put(_NAME, media_files.video)
    done = dock.ingest(card, "--officer", "000099")
    (recording,) = done.json["recordings"]
    assert done.code == 1
    assert recording["officer"]["cert_no"] == "000099"
    assert "officer-conflict" in recording["flags"]
    tag = recording["tags"]["officer"]
    assert (tag["source"], tag["others"][0]["value"]) == ("person", "000001")


def test_identity_files_of_every_shipped_kind_are_read(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    ini = "[a]\nrecorder_serial=ZFY-9\nuser_no=007\nuser_name=李明\ndept_code=13\n"
    card.put("my.ini", ini.encode("gb18030"))
    card.put("DCIM/100MEDIA/MAH00001.MP4", media_files.other_video)
    done = dock.ingest(card)
    (recording,) = done.json["recordings"]
    assert done.json["device"] == "ZFY-9"
    assert done.json["identity"] == {"source": "sidecar", "state": "unknown"}
    assert recording["officer"] == {"cert_no": "007", "name": "李明"}
    assert recording["tags"]["device"]["source"] == "sidecar"


def test_a_sidecar_a_day_speaks_for_the_recordings_of_that_day(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("sn.txt", b"000010\n")
    card.put("000010_20261123.xml", "<r><deviceno>Z1</deviceno><caseno>案1</caseno></r>".encode())
    card.put("000010_0_20261123_090000.mp4", media_files.video)
    card.put("000010_0_20261122_090000.mp4", media_files.other_video)
    found = {r["original_name"]: r for r in dock.ingest(card).json["recordings"]}
    assert found["000010_0_20261123_090000.mp4"]["case"] == "案1"
    assert found["000010_0_20261122_090000.mp4"]["case"] is None
    assert {r["device"] for r in found.values()} == {"Z1"}
    assert {r["officer"]["cert_no"] for r in found.values()} == {"000010"}


def test_what_one_name_says_is_said_of_this_recording_only(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    names = [f"DCAM_CAM001_{number:06d}_20261123_16000{number}.jpg" for number in range(1, 6)]
    for number, name in enumerate(names):
        card.put(name, media_files.photo.read_bytes() + bytes(number))
    done = dock.ingest(card, "--case", "2026-17").json["recordings"]
    assert {r["original_name"]: r["officer"]["cert_no"] for r in done} == {
        name: name.split("_")[2] for name in names
    }
    assert [r["tags"]["officer"]["others"] for r in done] == [[]] * len(names)
    assert {(r["case"], r["tags"]["case"]["source"]) for r in done} == {("2026-17", "person")}


def test_the_ledger_names_the_officer_a_device_is_given_to(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    dock.run("officers", "add", "000001", "--name", "王芳")
    dock.run("devices", "add", "0031", "--officer", "000001")
    card.put("DCIM/100MEDIA/MAH00001.MP4", media_files.video)
    done = dock.ingest(card, "--device", "0031")
    (recording,) = done.json["recordings"]
    assert done.json["identity"]["state"] == "known"
    assert recording["officer"] == {"cert_no": "000001", "name": "王芳"}
    assert recording["tags"]["officer"]["source"] == "ledger"


def test_what_nobody_names_is_unassigned_and_null(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("a.wav", media_files.audio)
    done = dock.ingest(card)
    (recording,) = done.json["recordings"]
    assert (recording["device"], recording["officer"], recording["case"]) == (None, None, None)
    assert recording["path"].startswith("unassigned/")
    assert done.json["battery"] is None


def test_the_report_has_every_recording_in_the_order_in_which_they_were_sealed(
    dock: Dock, card: Card, media_files: MediaFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "_AT_ONCE", 2)  # those that are read together
    photo, names = media_files.photo.read_bytes(), [f"{n}.jpg" for n in range(5)]
    for name in names:
        card.put(name, photo + name.encode())
    station = dock.station()
    try:
        report = take_in_here(station, card.path)
        told = report_json(report, station)["recordings"]
        assert isinstance(told, list)
        assert [one["id"] for one in told] == [one.id for one in report.sealed]
        assert sorted(one["original_name"] for one in told) == names
        with pytest.raises(NotFound):
            list(recordings.sealed_by_id(station.catalogue, [told[0]["id"], "gone"]))
    finally:
        station.catalogue.close()


def test_an_empty_card_is_never_called_done(dock: Dock, card: Card) -> None:
    done = dock.run("ingest", card.path)
    assert done.code == 1
    assert "Safe to take" not in done.out


def test_an_evidence_disk_that_is_not_mounted_is_noticed(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("a.wav", media_files.audio)
    dock.ingest(card)
    dock.evidence.rename(dock.evidence.with_name("elsewhere"))
    dock.evidence.mkdir()
    done = dock.ingest(card)
    assert done.code == 3
    assert "mounted" in done.err
    assert list(dock.evidence.iterdir()) == []


def test_sealed_files_are_read_only_and_status_names_the_protection(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("a.wav", media_files.audio)
    dock.ingest(card)
    (path,) = dock.sealed_files()
    assert path.stat().st_mode & 0o222 == 0
    protection = dock.run("status", "--json").json["evidence"]["protection"]
    if protection == "immutable":
        try:
            path.open("ab").close()
        except PermissionError:
            return
        raise AssertionError("status says immutable, but the file opens for writing")
    assert protection.startswith("read-only")
