"""Correcting a tag: who and why goes on record, and what was sealed stays (Art. 3, Art. 27)."""

import json
import sqlite3
from pathlib import Path

import pytest

from recorder_sync.catalogue import recordings
from recorder_sync.catalogue.search import Search, search
from recorder_sync.custody.log import Act, CustodyLog, Entry
from recorder_sync.description import Json, as_json
from recorder_sync.errors import UsageProblem
from recorder_sync.inspection.correction import Correction, correct
from recorder_sync.model import Recording
from tests.conftest import Card, Dock, Done, MediaFiles

WHY = ("--by", "王队", "--reason", "别人拍的")


def tag(dock: Dock, identifier: str, *arguments: str) -> Done:
    return dock.run("recordings", "tag", identifier, *arguments, "--json")


def found(dock: Dock, wanted: Search) -> list[str]:
    opened = dock.station()
    try:
        return [recording.id for recording in search(opened.catalogue, wanted).found]
    finally:
        opened.catalogue.close()


def described(dock: Dock, identifier: str) -> Json:
    """Return the RECORDING as the catalogue has it now."""
    opened = dock.station()
    try:
        return as_json(recordings.recording(opened.catalogue, identifier).recording)
    finally:
        opened.catalogue.close()


def tag_entries(dock: Dock) -> list[Entry]:
    entries = CustodyLog(dock.state / "custody", "test").entries()
    return [entry for entry in entries if entry.deed.act is Act.TAG]


def corrected_here(dock: Dock, identifier: str, wanted: Correction) -> Recording:
    opened = dock.station()
    try:
        before = recordings.recording(opened.catalogue, identifier).recording
        return correct(opened, before, wanted)
    finally:
        opened.catalogue.close()


@pytest.fixture
def recording(station: Dock) -> str:
    beside = Path(f"{station.sealed_files()[-1]}.json")
    return str(json.loads(beside.read_bytes())["id"])


def test_a_correction_is_shown_found_and_told_from_what_a_person_said(
    station: Dock, recording: str
) -> None:
    done = tag(station, recording, *WHY, "--officer", "000010", "--case", "2026-7")
    assert done.code == 0, done.err
    now = described(station, recording)
    assert now == done.json
    assert now["officer"] == {"cert_no": "000010", "name": None}
    assert (now["case"], now["device"]) == ("2026-7", "CAM001")
    assert now["tags"]["officer"] == {
        "value": "000010",
        "source": "person",
        "detail": "王队: 别人拍的",
        "others": [],
    }
    assert now["tags"]["device"]["source"] == "name", "what was not corrected stays"
    assert found(station, Search(officer="000010")) == [recording]
    assert found(station, Search(case="2026-7")) == [recording]
    assert recording not in found(station, Search(officer="000001"))


def test_art_27_the_evidence_and_its_description_stay_as_they_were_sealed(
    station: Dock, recording: str
) -> None:
    before = {p: p.read_bytes() for p in station.evidence.rglob("*") if p.is_file()}
    tag(station, recording, *WHY, "--officer", "000010", "--device", "CAM009", "--case", "2026-7")
    after = {p: p.read_bytes() for p in station.evidence.rglob("*") if p.is_file()}
    assert after == before
    done = station.run("verify", "--all", "--json")
    assert (done.code, done.json["findings"]) == (0, [])


def test_art_4_the_log_holds_both_values_and_who_and_why(station: Dock, recording: str) -> None:
    tag(station, recording, *WHY, "--officer", "000010")
    tag(station, recording, "--by", "李队", "--reason", "又错了", "--officer", "000011")
    first, second = tag_entries(station)
    assert first.deed.subject == second.deed.subject == recording
    assert first.deed.facts["by"] == "王队"
    assert first.deed.facts["reason"] == "别人拍的"
    assert first.deed.facts["before"]["officer"]["cert_no"] == "000001"
    assert first.deed.facts["after"]["officer"]["cert_no"] == "000010"
    assert second.deed.facts["before"] == first.deed.facts["after"]
    assert second.deed.facts["after"]["officer"]["cert_no"] == "000011"
    shown = station.run("recordings", "show", recording, "--json").json
    assert [entry["act"] for entry in shown["custody"]][:3] == ["seal", "tag", "tag"]


def test_a_registered_officer_is_shown_by_name(station: Dock, recording: str) -> None:
    station.run("officers", "add", "000010", "--name", "李明")
    tag(station, recording, *WHY, "--officer", "000010")
    assert described(station, recording)["officer"] == {"cert_no": "000010", "name": "李明"}
    assert found(station, Search(officer="李明")) == [recording]


def test_promise_7_the_name_of_the_officer_before_is_not_kept_for_the_one_after(
    station: Dock, recording: str
) -> None:
    station.run("officers", "add", "000010", "--name", "李明")
    tag(station, recording, *WHY, "--officer", "000010")
    tag(station, recording, *WHY, "--officer", "000099")
    assert described(station, recording)["officer"] == {"cert_no": "000099", "name": None}


def test_a_persons_word_settles_a_conflict(dock: Dock, card: Card, media_files: MediaFiles) -> None:
    card.put("DCAM_CAM001_000001_20261123_160000.wav", media_files.audio)
    card.put("recorder.ini", b"recorder_serial=CAM002\nuser_no=000010\n")
    (taken,) = dock.ingest(card).json["recordings"]
    assert {"device-conflict", "officer-conflict"} <= set(taken["flags"])
    done = tag(dock, taken["id"], *WHY, "--device", "CAM002")
    assert "device-conflict" not in done.json["flags"]
    assert "officer-conflict" in done.json["flags"], "nobody has decided that yet"
    done = tag(dock, taken["id"], *WHY, "--officer", "000010")
    assert not [flag for flag in done.json["flags"] if flag.endswith("-conflict")]
    (first, _) = tag_entries(dock)
    others = first.deed.facts["before"]["tags"]["device"]["others"]
    assert [other["value"] for other in others] == ["CAM002"], "what others said stays on record"


@pytest.mark.parametrize("what", ["--device", "--officer", "--case"])
def test_promise_3_the_same_card_after_a_correction_makes_no_second_copy(
    what: str, station: Dock, recording: str, tmp_path: Path
) -> None:
    """The card still holds the recording, under the device that it was sealed with."""
    assert tag(station, recording, *WHY, what, "CAM009").code == 0
    files = station.sealed_files()
    done = station.run("ingest", tmp_path / "card", "--json")
    assert "Traceback" not in done.err
    assert done.code in (0, 1), done.err
    assert (done.json["sealed"], done.json["already_sealed"], done.json["failed"]) == (0, 4, 0)
    assert station.sealed_files() == files


def test_promise_3_the_same_content_under_a_new_name_after_a_correction_is_no_second_copy(
    station: Dock, recording: str, tmp_path: Path
) -> None:
    assert tag(station, recording, *WHY, "--device", "CAM009").code == 0
    renamed = tmp_path / "card" / "DCIM"
    for path in list(renamed.iterdir()):
        path.rename(path.with_name(path.name.replace("_2026", "_2025")))
    done = station.run("ingest", tmp_path / "card", "--json")
    assert done.code in (0, 1), done.err
    assert (done.json["sealed"], done.json["already_sealed"]) == (0, 4)


# Corrections that make no sense.


@pytest.mark.parametrize(
    "arguments",
    [
        ("--by", "", "--reason", "x", "--case", "1"),
        ("--by", "王队", "--reason", "  ", "--case", "1"),
        ("--by", "王队", "--reason", "x"),
        ("--by", "王队", "--case", "1"),
    ],
)
def test_a_correction_needs_a_person_a_reason_and_something_to_correct(
    arguments: tuple[str, ...], station: Dock, recording: str
) -> None:
    done = station.run("recordings", "tag", recording, *arguments)
    assert done.code == 2
    assert tag_entries(station) == []


@pytest.mark.parametrize(("what", "value"), [("device", ""), ("officer", " "), ("case", "\t")])
def test_promise_7_an_empty_value_is_no_correction(
    what: str, value: str, station: Dock, recording: str
) -> None:
    other = {"case": "2026-7"} if what != "case" else {"officer": "000010"}
    wanted = Correction(by="王队", reason="别人拍的", **{**other, what: value})
    try:
        changed = corrected_here(station, recording, wanted)
    except UsageProblem:
        assert tag_entries(station) == []
        return
    for made in (changed.tags.device, changed.tags.officer, changed.tags.case):
        assert made is None or made.value.strip()


def test_spaces_around_a_number_are_not_part_of_it(station: Dock, recording: str) -> None:
    changed = corrected_here(
        station, recording, Correction("王队", "别人拍的", device=" CAM009 ", case="2026-7 ")
    )
    assert changed.tags.device is not None
    assert changed.tags.case is not None
    assert (changed.tags.device.value, changed.tags.case.value) == ("CAM009", "2026-7")


@pytest.mark.parametrize("what", ["--case", "--reason"])
def test_bytes_that_are_no_text_are_refused_as_wrong_usage(
    what: str, station: Dock, recording: str
) -> None:
    """The custody log is UTF-8; nothing that is not can stand in it."""
    given: dict[str, str | bytes] = {
        "--by": "王队",
        "--reason": "别人拍的",
        "--case": "2026-7",
        what: b"\xff",
    }
    arguments = [part for pair in given.items() for part in pair]
    done = station.run("recordings", "tag", recording, *arguments)
    assert "Traceback" not in done.err
    assert done.code == 2
    assert tag_entries(station) == []


def test_a_recording_that_is_not_there_cannot_be_corrected(station: Dock) -> None:
    done = tag(station, "zzzzz", *WHY, "--case", "1")
    assert done.code == 2
    assert tag_entries(station) == []


def test_without_an_entry_there_is_no_correction(station: Dock, recording: str) -> None:
    log = station.state / "custody"
    log.rename(log.with_name("gone"))
    log.write_text("a file stands where the folder should be")
    assert tag(station, recording, *WHY, "--case", "2026-7").code == 3
    db = sqlite3.connect(station.state / "catalogue.db")
    (case,) = db.execute("select case_no from recordings where id = ?", [recording]).fetchone()
    db.close()
    assert case is None
