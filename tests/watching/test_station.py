"""The station itself: disk, clock, services, backups, witnesses, channels (Art. 5, 27)."""

import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from recorder_sync.backups import Backups
from recorder_sync.catalogue import messages, store_states, uploads
from recorder_sync.catalogue.database import transaction
from recorder_sync.clock_watch import report_step
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.clock_step import ClockStep
from recorder_sync.rules.matter import Severity
from recorder_sync.stores.store import Trouble
from recorder_sync.watching.sources import all_sources
from recorder_sync.watching.station import TimeSource
from recorder_sync.watching.tick import Watch
from recorder_sync.watching.watchdog import FILE_NAME
from recorder_sync.witnessing.making import checkpoints_of, make_checkpoint
from recorder_sync.witnessing.witnessed import Witnessed
from tests.conftest import Card, MediaFiles
from tests.ingest.aftermath import mounted
from tests.watching.bed import DAY, HOUR, MORNING, SECOND, Bed


@pytest.mark.raises_and_resolves(AlertKind.EVIDENCE_DISK)
def test_a_disk_with_no_room_but_the_reserve_is_a_breach_until_there_is_room(bed: Bed) -> None:
    bed.configure(ingest={"reserve_mib": 1 << 40}, backup={"keep": 0})
    bed.tick()
    full = bed.the(AlertKind.EVIDENCE_DISK)
    assert full.severity is Severity.BREACH
    bed.configure(backup={"keep": 0}, watch={"most_used_percent": 100})
    bed.tick(MORNING + HOUR)
    assert bed.is_resolved(full.number)


def test_a_full_disk_of_the_catalogue_is_told_while_that_can_still_be_put_on_record(
    bed: Bed, tmp_path: Path
) -> None:
    bed.dock.state = tmp_path / "small"
    bed.dock.state.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=64m", "tmpfs", bed.dock.state):
        bed.configure()
        bed.tick()
        low = bed.the(AlertKind.EVIDENCE_DISK)
        assert low.severity is Severity.WARNING
        assert "has less than 1 GiB left" in low.text.english
        (bed.dock.state / "ballast").write_bytes(bytes(40 << 20))
        bed.tick(MORNING + HOUR)
        assert bed.the(AlertKind.EVIDENCE_DISK).severity is Severity.BREACH
        subprocess.run(
            ["mount", "-o", "remount,size=2g", bed.dock.state], check=True, capture_output=True
        )
        bed.tick(MORNING + 2 * HOUR)
        assert bed.live() == []
        bed.station.catalogue.close()


def test_how_full_the_disk_is_is_kept_once_an_hour(bed: Bed) -> None:
    for minute in range(0, 125, 5):
        bed.tick(MORNING + timedelta(minutes=minute))
    kept = bed.station.catalogue.execute("select count(*) from disk_samples").fetchone()
    assert kept == (3,)


@pytest.mark.raises_and_resolves(AlertKind.RESTARTED)
def test_a_service_that_hung_is_a_matter_for_a_day(bed: Bed) -> None:
    bed.register()
    file = bed.dock.state / FILE_NAME
    file.write_text("dock 2026-11-23T00:10:00Z\ndock 2026-11-23T00:2")  # torn by a power cut
    bed.tick(MORNING + HOUR)
    alert = bed.the(AlertKind.RESTARTED)
    assert alert.since == MORNING + timedelta(minutes=10)
    assert "dock" in alert.text.english
    bed.tick(MORNING + DAY + timedelta(minutes=10))
    assert bed.live() == []


@pytest.mark.raises_and_resolves(AlertKind.CLOCK_STEPPED)
def test_a_clock_that_was_set_is_a_matter_for_a_day_and_once(bed: Bed) -> None:
    bed.register()
    report_step(bed.station, ClockStep(MORNING - HOUR, MORNING))
    bed.tick()
    alert = bed.the(AlertKind.CLOCK_STEPPED)
    assert alert.since == MORNING
    bed.restart()
    bed.tick(MORNING + HOUR)
    assert [one.number for one in bed.live()] == [alert.number]
    bed.tick(MORNING + DAY)
    assert bed.live() == []


def watch_whose_time_source(says: list[bool | None]) -> Watch:
    rest = [one for one in all_sources() if one.name != TimeSource.name]
    source = TimeSource(ask=lambda: says[0])
    source._EVERY_S = 0.0
    return Watch([*rest, source])


def test_an_hour_by_which_the_clock_was_set_is_no_hour_without_a_time_source(bed: Bed) -> None:
    bed.watch = watch_whose_time_source([False])
    bed.tick()
    report_step(bed.station, ClockStep(MORNING + SECOND, MORNING + HOUR + SECOND))
    bed.tick(MORNING + HOUR + 2 * SECOND)
    assert [alert.kind for alert in bed.live()] == [AlertKind.CLOCK_STEPPED]
    bed.tick(MORNING + 2 * HOUR + SECOND)
    assert bed.the(AlertKind.CLOCK_NOT_SYNCHRONISED)


@pytest.mark.raises_and_resolves(AlertKind.CLOCK_NOT_SYNCHRONISED)
def test_a_clock_without_a_time_source_is_told_after_an_hour_also_over_a_restart(
    bed: Bed,
) -> None:
    says: list[bool | None] = [False]
    bed.watch = watch_whose_time_source(says)
    bed.tick()
    bed.watch = watch_whose_time_source(says)
    bed.tick(MORNING + HOUR)
    assert bed.live() == []
    bed.tick(MORNING + HOUR + SECOND)
    alert = bed.the(AlertKind.CLOCK_NOT_SYNCHRONISED)
    assert alert.since == MORNING
    says[0] = None
    bed.tick(MORNING + 2 * HOUR)
    assert [one.number for one in bed.live()] == [alert.number], "nobody can tell: it stays"
    says[0] = True
    bed.tick(MORNING + 3 * HOUR)
    assert bed.live() == []


@pytest.mark.raises_and_resolves(AlertKind.BACKUP_FAILED)
def test_a_backup_that_is_not_made_in_time_is_told_until_one_is_made(bed: Bed) -> None:
    bed.configure(backup={"keep": 3})
    bed.tick()
    bed.tick(MORNING + 26 * HOUR)
    assert bed.live() == []
    bed.tick(MORNING + 26 * HOUR + SECOND)
    late = bed.the(AlertKind.BACKUP_FAILED)
    assert late.since == MORNING + 26 * HOUR
    Backups(bed.station).make()
    bed.tick()
    assert bed.is_resolved(late.number)


@pytest.mark.raises_and_resolves(AlertKind.NOT_WITNESSED)
def test_a_checkpoint_that_nobody_else_signed_is_told_until_somebody_has_it(bed: Bed) -> None:
    addresses = bed.dock.state.parent / "addresses"
    addresses.write_text("json://127.0.0.1:9/\n")
    addresses.chmod(0o600)
    bed.configure(witness={"channels_file": str(addresses)}, backup={"keep": 0})
    bed.register()
    settings = bed.station.settings
    made = make_checkpoint(settings, checkpoints_of(settings)).signed
    (note,) = (bed.dock.state / "custody" / "checkpoints").glob("0*[0-9]")
    os.utime(note, (MORNING.timestamp(), MORNING.timestamp()))
    bed.tick(MORNING + DAY)
    assert bed.live() == []
    bed.tick(MORNING + DAY + SECOND)
    alert = bed.the(AlertKind.NOT_WITNESSED)
    Witnessed(bed.dock.state / "custody").note_sent("x", made.checkpoint.size, bed.now)
    bed.tick()
    assert bed.is_resolved(alert.number)


def test_a_channel_that_delivers_nothing_is_told_until_it_does(bed: Bed) -> None:
    channel = {"name": "post", "url": "syslog://", "to": ["custodian"]}
    bed.configure(alerts={"channels": [channel]}, backup={"keep": 0})
    db = bed.station.catalogue
    messages.note_fails(db, "post", T("It does not answer."), MORNING)
    bed.tick(MORNING + HOUR / 2)
    assert bed.live() == []
    bed.tick(MORNING + HOUR / 2 + SECOND)
    alert = bed.the(AlertKind.CHANNEL_DEAD)
    messages.note_works(db, "post", bed.now)
    bed.tick()
    assert bed.is_resolved(alert.number)


@pytest.mark.raises_and_resolves(AlertKind.STORE_UNREACHABLE, AlertKind.STORE_STOPPED)
def test_a_store_that_is_away_is_told_after_a_while_and_one_that_refuses_at_once(bed: Bed) -> None:
    place = {"path": "/nowhere", "own_disk": True}
    bed.configure(stores=[{"name": "nas", "directory": place}], backup={"keep": 0})
    db = bed.station.catalogue

    def fails(trouble: Trouble) -> None:
        store_states.note_fails(db, "nas", trouble.value, T("It says no."), None, bed.now)

    bed.tick(MORNING)
    fails(Trouble.TRANSIENT)
    bed.tick(MORNING + HOUR / 4)
    assert bed.live() == []
    bed.tick(MORNING + HOUR / 4 + SECOND)
    away = bed.the(AlertKind.STORE_UNREACHABLE)
    fails(Trouble.WRONG_PLACE)
    bed.tick()
    assert bed.is_resolved(away.number)
    stopped = bed.the(AlertKind.STORE_STOPPED)
    assert stopped.severity is Severity.BREACH
    store_states.note_works(db, "nas")
    bed.tick()
    assert bed.is_resolved(stopped.number)


@pytest.mark.raises_and_resolves(AlertKind.LOCK_NOT_KEPT)
def test_art_25_a_store_that_keeps_no_legal_hold_is_told_at_once_until_it_does(bed: Bed) -> None:
    place = {"path": "/nowhere", "own_disk": True}
    bed.configure(stores=[{"name": "nas", "directory": place}], backup={"keep": 0})
    db = bed.station.catalogue
    bed.tick(MORNING)
    store_states.note_lock_fails(db, "nas", T("It has no hold."), None, bed.now)
    bed.tick()
    alert = bed.the(AlertKind.LOCK_NOT_KEPT)
    assert (alert.severity, alert.since) == (Severity.WARNING, MORNING)
    store_states.note_locks_work(db, "nas")
    bed.tick()
    assert bed.is_resolved(alert.number)


@pytest.mark.raises_and_resolves(AlertKind.QUEUE_WAITS)
def test_what_waits_for_a_store_for_more_than_six_hours_is_told_until_it_is_sent(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    place = {"path": "/nowhere", "own_disk": True}
    bed.configure(stores=[{"name": "nas", "directory": place}], backup={"keep": 0})
    card.put("clip.mp4", media_files.video)
    bed.tick(MORNING)
    bed.take_in(card)
    db, queued_at = bed.station.catalogue, bed.now
    with transaction(db):
        uploads.fill(db, "nas", lambda _: True, queued_at, since=None)
    bed.tick(queued_at + 6 * HOUR)
    assert bed.live(AlertKind.QUEUE_WAITS) == []
    bed.tick(queued_at + 6 * HOUR + SECOND)
    alert = bed.the(AlertKind.QUEUE_WAITS)
    with transaction(db):
        uploads.drop(db, "nas", lambda _: False)
    bed.tick()
    assert bed.is_resolved(alert.number)
