"""An intake that fails between the custody log and the catalogue: no false finding, ever.

The fault is one call that fails in this process, as on a state disk that is full for a
moment, or a kill of the real command.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from recorder_sync.catalogue import dockings, ledger, recordings
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.taking_up import note_taken_up, taken_up
from recorder_sync.cli.intake_display import display_for
from recorder_sync.custodian.registration import register_officers
from recorder_sync.custody import log
from recorder_sync.custody.log import Act
from recorder_sync.errors import MissingPart
from recorder_sync.ingest import placing, seal
from recorder_sync.ingest.capacity import capacity_of
from recorder_sync.ingest.intake import Intake, Request, looked_at
from recorder_sync.ingest.stopping import Stop
from recorder_sync.language import T
from recorder_sync.model import ItemOutcome, Officer
from recorder_sync.on_record import take_up_rest
from recorder_sync.station import Station
from tests.catalogue.cut_off import killed
from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import (
    check_done,
    check_records_agree,
    failing_once,
    in_place,
    take_in_here,
)
from tests.ingest.aftermath import dockings as dockings_of

_FULL = sqlite3.OperationalError("database or disk is full")


@contextmanager
def _opened(dock: Dock) -> Iterator[Station]:
    station = dock.station()
    try:
        yield station
    finally:
        station.catalogue.close()


def _fail(dock: Dock, card: Card, error: type[Exception] = sqlite3.OperationalError) -> None:
    with _opened(dock) as station, pytest.raises(error):
        take_in_here(station, card.path)


@pytest.mark.parametrize("where", ["open_docking", "add_inventory", "close_docking"])
def test_a_docking_that_only_the_log_has_is_taken_up(
    where: str, dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    with failing_once(dockings, where, _FULL):
        _fail(dock, card)
    check_done(dock.ingest(card), failed=0)
    outcomes = [d["outcome"] for d in dockings_of(dock)]
    ended = "done" if where == "close_docking" else "interrupted"
    assert outcomes == ["done", ended], "what came of it is what the log says"
    check_records_agree(dock)


@pytest.mark.parametrize("act", [Act.DOCKING_OPENED, Act.SEAL, Act.DOCKING_CLOSED])
def test_what_an_intake_put_on_record_before_it_was_killed_is_taken_up(
    act: Act, dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    killed(dock, "ingest", card.path, act=act)
    check_records_agree(dock)
    is_sealed = act is not Act.DOCKING_OPENED
    check_done(dock.ingest(card), sealed=0 if is_sealed else 1, already_sealed=int(is_sealed))
    assert len(in_place(dock)) == 1
    check_records_agree(dock)


@pytest.mark.parametrize("is_known", [False, True], ids=["sealed", "seen again"])
def test_what_is_sealed_or_seen_again_in_the_log_only_is_taken_up(
    dock: Dock, card: Card, media_files: MediaFiles, *, is_known: bool
) -> None:
    first = card.put("first.mp4", media_files.video)
    check_done(dock.ingest(card), sealed=1)
    first.unlink()
    card.put("second.mp4", media_files.video if is_known else media_files.other_video)
    with failing_once(recordings, "mark_sealed", _FULL):
        _fail(dock, card)
    check_done(dock.ingest(card), sealed=0, already_sealed=1, failed=0)
    assert len(in_place(dock)) == (1 if is_known else 2)
    check_records_agree(dock)


def test_a_new_segment_whose_folder_cannot_be_synced_holds_nothing(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    with failing_once(log, "sync_folder", OSError(errno.EIO, "Input/output error")):
        _fail(dock, card, MissingPart)
    with _opened(dock) as station:
        assert list(station.custody.entries()) == []
    check_done(dock.ingest(card), sealed=1, failed=0)
    check_records_agree(dock)


def test_an_officer_is_named_by_what_was_sealed_and_not_by_what_was_taken_back(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("device.json", b'{"device": "0031", "officer": "130100"}')
    card.put("a.mp4", media_files.video)
    check_done(dock.ingest(card), sealed=1)
    card.put("device.json", b'{"device": "0031", "officer": "130100", "officer_name": "Li"}')
    card.put("b.mp4", media_files.other_video)
    full = OSError(errno.ENOSPC, "No space left on device")
    with failing_once(placing, "move_into_place", full), _opened(dock) as station:
        assert take_in_here(station, card.path).of(ItemOutcome.FAILED)
    check_records_agree(dock)
    assert _name_of_the_officer(dock) is None
    check_done(dock.ingest(card), sealed=1, failed=0)
    assert _name_of_the_officer(dock) == "Li"
    check_records_agree(dock)


def test_a_seal_that_only_the_log_has_comes_before_what_is_registered_now(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    """The name on the card is the older one: it must not come back over the ledger's."""
    card.put("device.json", b'{"device": "0031", "officer": "130100", "officer_name": "Li"}')
    card.put("a.mp4", media_files.video)
    killed(dock, "ingest", card.path, act=Act.SEAL)
    with _opened(dock) as station:
        register_officers(station, [Officer("130100", None, None)])
    assert _name_of_the_officer(dock) is None
    check_records_agree(dock)


def _name_of_the_officer(dock: Dock) -> str | None:
    with _opened(dock) as station:
        (officer,) = ledger.officers(station.catalogue)
        return officer.name


@contextmanager
def _looked_at(station: Station, card: Card, device: str | None) -> Iterator[Intake]:
    with (
        capacity_of(station.settings) as capacity,
        display_for(station.settings, quiet=True) as display,
        looked_at(
            station, Request(card.path, device=device), capacity, display.card(None), Stop()
        ) as intake,
    ):
        yield intake


@pytest.mark.parametrize("device", [None, "0031"])
def test_what_another_intake_failed_to_seal_meanwhile_is_sealed_once(
    device: str | None, dock: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    other = Card(tmp_path / "other")
    for one in (card, other):
        one.put("a.mp4", media_files.video)
    with _opened(dock) as station:
        with _looked_at(station, other, device) as intake:
            # The end of its docking would make it good, but does not get through either.
            with (
                failing_once(recordings, "mark_sealed", _FULL),
                failing_once(dockings, "close_docking", _FULL),
            ):
                _fail(dock, card)
            assert intake.run().sealed == []
        seals = [e for e in station.custody.entries() if e.deed.act is Act.SEAL]
        assert len(seals) == len(in_place(dock)) == 1
    check_records_agree(dock)


def test_what_was_not_put_on_record_at_all_is_sealed_by_the_next_intake(
    dock: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    """The log failed, so there is an intent and a copy in its place, and no seal."""
    other = Card(tmp_path / "other")
    for one in (card, other):
        one.put("a.mp4", media_files.video)
    with _opened(dock) as station, _looked_at(station, other, None) as intake:
        with failing_once(seal, "_seal_deed", MissingPart(T("It is full."))):
            _fail(dock, card, MissingPart)
        assert intake.run().sealed == []
    assert len(in_place(dock)) == 1
    check_records_agree(dock)


def test_a_camera_whose_folder_is_none_keeps_no_other_from_being_sealed(
    dock: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    other = Card(tmp_path / "other")
    card.put("a.mp4", media_files.video)
    other.put("b.mp4", media_files.other_video)
    with _opened(dock) as station, _looked_at(station, other, "0032") as intake:
        (dock.evidence / "0031").symlink_to(tmp_path)
        with (
            _opened(dock) as second,
            _looked_at(second, card, "0031") as failing,
            pytest.raises(MissingPart),
        ):
            failing.run()
        assert len(intake.run().sealed) == 1


@pytest.mark.parametrize("entries_kept", [3, None], ids=["of a backup", "whole"])
def test_a_seal_is_found_however_far_the_catalogue_is_said_to_be(
    entries_kept: int | None, dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    """The log was put back from a backup, or the number is of an older version."""
    dock.configure(ingest={"immutable": False})
    for _ in range(3):
        check_done(dock.ingest(card), 1, sealed=0)
    (segment,) = (dock.state / "custody").glob("*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[:entries_kept]))
    card.put("clip.mp4", media_files.video)
    killed(dock, "ingest", card.path, act=Act.SEAL)
    with _opened(dock) as station, transaction(station.catalogue):
        note_taken_up(station.catalogue, 100)
    check_done(dock.ingest(card), sealed=0, already_sealed=1)
    with _opened(dock) as station:
        assert sum(e.deed.act is Act.SEAL for e in station.custody.entries()) == 1
        assert taken_up(station.catalogue) <= station.custody.size()
    assert dock.run("catalogue", "rebuild").code == 0


_TAMPERED = {
    "changed": "update dockings set device = '9999', source = '/nowhere'",
    "unsealed": "create temp table first as select id from recordings order by number limit 1;"
    " update inventory set recording = null, outcome = null"
    " where recording in (select id from first);"
    " delete from descriptions where recording in (select id from first);"
    " delete from recordings where id in (select id from first)",
}


@pytest.mark.parametrize("how", _TAMPERED)
def test_promise_5_what_no_intake_leaves_is_named_however_far_the_catalogue_is_said_to_be(
    how: str, dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    for content in (media_files.video, media_files.other_video):
        card.put("clip.mp4", content)
        check_done(dock.ingest(card), sealed=1)
    with closing(sqlite3.connect(dock.state / "catalogue.db")) as db:
        db.executescript(f"{_TAMPERED[how]}; pragma user_version = 0")
    for _ in range(2):
        assert dock.run("verify", "--all").code == 1
        with _opened(dock) as station:
            take_up_rest(station)


def test_an_entry_before_a_broken_line_is_taken_up_once(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    """A docking that is opened there would be opened, and ended, at every start."""
    card.put("clip.mp4", media_files.video)
    killed(dock, "ingest", card.path, act=Act.DOCKING_OPENED)
    with _opened(dock) as station:
        station.custody.append([station.deed(Act.SERVICE, "x", {"what": "started"})] * 2)
        (segment,) = (dock.state / "custody").glob("*.jsonl")
        lines = segment.read_bytes().splitlines(keepends=True)
        segment.write_bytes(b"".join([lines[0], *lines[2:]]))
    for _ in range(3):
        dock.ingest(card)
    acts = [line.split(b'"')[3] for line in segment.read_bytes().splitlines()]
    assert acts.count(b"docking-opened") == acts.count(b"docking-closed")
