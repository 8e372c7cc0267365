"""Devices that do not come back, and what dockings measure of them (Art. 21, 22, 24)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from recorder_sync.catalogue import dockings
from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.dockings import Became
from recorder_sync.custodian.deferring import Wanted, add
from recorder_sync.custodian.duty import enter_calendar
from recorder_sync.ingest.docking_log import log_opening
from recorder_sync.ingest.failures import explained
from recorder_sync.ingest.intake import Request, looked_at
from recorder_sync.ingest.stopping import Stop
from recorder_sync.model import (
    AlertKind,
    Battery,
    CardPath,
    ClockOffset,
    FileSystemState,
    Health,
    ItemOutcome,
    Storage,
)
from recorder_sync.rules.deadline import DeferralReason
from recorder_sync.rules.matter import Severity
from tests.conftest import Card, MediaFiles
from tests.watching.bed import DAY, DEVICE, HOUR, MORNING, OFFICER, SECOND, Bed, Unmoved, named

GOOD = Health(
    battery=Battery(95, "sysfs"),
    storage=Storage(1000, 100, 900),
    clock=ClockOffset(1.5, "gphoto2"),
    file_system=FileSystemState.CLEAN,
)


@pytest.mark.raises_and_resolves(AlertKind.DEVICE_OVERDUE)
def test_an_issued_device_is_overdue_by_the_ledger_alone_until_it_is_docked(
    bed: Bed, card: Card
) -> None:
    bed.register()
    bed.issue()
    due = MORNING + DAY
    bed.tick(due - 4 * HOUR - SECOND)
    assert bed.live() == []
    bed.tick(due - 4 * HOUR)
    warning = bed.the(AlertKind.DEVICE_OVERDUE)
    assert (warning.severity, warning.due, warning.officer) == (Severity.WARNING, due, OFFICER)
    bed.tick(due + SECOND)
    breach = bed.the(AlertKind.DEVICE_OVERDUE)
    assert (breach.number, breach.severity, breach.since) == (
        warning.number,
        Severity.BREACH,
        due,
    )
    bed.take_in(card)
    bed.tick()
    assert bed.is_resolved(warning.number)


def test_the_hours_run_from_the_end_of_the_holder_s_shift(bed: Bed) -> None:
    bed.register()
    bed.issue()
    ends = MORNING + 10 * HOUR
    shift = CalendarEntry("s1", CalendarKind.SHIFT, MORNING + HOUR, ends, officer=OFFICER)
    enter_calendar(bed.station, [shift], "王队")
    bed.tick(ends + DAY)
    assert bed.the(AlertKind.DEVICE_OVERDUE).due == ends + DAY
    later = replace(shift, ends=ends + 5 * HOUR)
    enter_calendar(bed.station, [later], "王队")
    bed.tick()
    assert bed.live() == [], "the calendar was changed, and the limit with it"


@pytest.mark.raises_and_resolves(AlertKind.BACK_DATED_DEFERRAL)
def test_a_deferral_moves_the_limit_and_one_that_comes_too_late_is_shown(bed: Bed) -> None:
    bed.register()
    bed.issue()
    bed.tick(MORNING + DAY + HOUR)
    overdue = bed.the(AlertKind.DEVICE_OVERDUE)
    wanted = Wanted(
        DeferralReason.WATER,
        begins=MORNING,
        expected=MORNING + 3 * DAY,
        device=DEVICE,
        approver="赵所",
        approved_at=MORNING - HOUR,
    )
    add(bed.station, wanted, "王队")
    bed.tick()
    assert bed.is_resolved(overdue.number)
    late = bed.the(AlertKind.BACK_DATED_DEFERRAL)
    assert (late.severity, late.device) == (Severity.NOTICE, DEVICE)
    bed.resolve(late)
    bed.tick(MORNING + 2 * DAY)
    assert len(bed.ever(AlertKind.BACK_DATED_DEFERRAL)) == 1, "a person has answered it"


@pytest.mark.raises_and_resolves(AlertKind.NOT_DOCKED)
def test_a_device_that_nobody_plugs_in_for_days_is_a_notice_until_somebody_does(
    bed: Bed, card: Card
) -> None:
    bed.register()
    bed.tick(MORNING + 7 * DAY)
    assert bed.live() == []
    bed.tick(MORNING + 7 * DAY + SECOND)
    assert bed.the(AlertKind.NOT_DOCKED).severity is Severity.NOTICE
    bed.take_in(card)
    bed.tick()
    assert bed.live() == []


@pytest.mark.parametrize(
    ("kind", "bad", "times"),
    [
        pytest.param(
            AlertKind.BATTERY_FAILING,
            replace(GOOD, battery=Battery(70, "sysfs")),
            2,
            marks=pytest.mark.raises_and_resolves(AlertKind.BATTERY_FAILING),
        ),
        pytest.param(
            AlertKind.STORAGE_NEARLY_FULL,
            replace(GOOD, storage=Storage(1000, 950, 50)),
            1,
            marks=pytest.mark.raises_and_resolves(AlertKind.STORAGE_NEARLY_FULL),
        ),
        pytest.param(
            AlertKind.CLOCK_OFF,
            replace(GOOD, clock=ClockOffset(90.0, "gphoto2")),
            1,
            marks=pytest.mark.raises_and_resolves(AlertKind.CLOCK_OFF),
        ),
        pytest.param(
            AlertKind.FILE_SYSTEM_DAMAGE,
            replace(GOOD, file_system=FileSystemState.DIRTY),
            1,
            marks=pytest.mark.raises_and_resolves(AlertKind.FILE_SYSTEM_DAMAGE),
        ),
    ],
)
def test_what_a_check_finds_wrong_is_a_matter_until_a_good_check(
    bed: Bed, card: Card, kind: AlertKind, bad: Health, times: int
) -> None:
    bed.register()
    for time in range(times):
        bed.tick()
        assert bed.live(kind) == []
        bed.now = MORNING + time * HOUR
        bed.take_in(card, health=bad)
    bed.tick()
    assert bed.the(kind).device == DEVICE
    bed.now += HOUR
    bed.take_in(card, health=GOOD)
    bed.tick()
    assert bed.live(kind) == []


@pytest.mark.raises_and_resolves(AlertKind.IDENTITY_CONFLICT)
def test_a_conflict_of_identity_is_a_matter_until_a_docking_without(bed: Bed, card: Card) -> None:
    bed.register()
    bed.take_in(card, in_conflict=True)
    bed.tick()
    alert = bed.the(AlertKind.IDENTITY_CONFLICT)
    assert "OTHER" in alert.text.english
    assert DEVICE in alert.text.english
    bed.now += HOUR
    bed.take_in(card)
    bed.tick()
    assert bed.live() == []


@pytest.mark.raises_and_resolves(AlertKind.READ_ERRORS)
def test_files_that_a_card_does_not_give_are_read_errors_until_it_does(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    """The card that fails is that of tests/faults; here its failure is put on record."""
    bed.register()
    card.put(named("20261123_070000"), media_files.audio, MORNING - HOUR)
    report = bed.take_in(card, is_cut_off=True)
    why = explained(OSError(5, "Input/output error"))
    hint = why.hint.english if why.hint else None
    path = CardPath(named("20261123_070000").encode())
    failed = Became(report.docking, path, ItemOutcome.FAILED, None, why.text.english, hint)
    with transaction(bed.station.catalogue):
        dockings.set_outcomes(bed.station.catalogue, [failed])
    bed.tick()
    alert = bed.the(AlertKind.READ_ERRORS)
    assert alert.device == DEVICE
    bed.now += timedelta(minutes=5)
    request = Request(card.path, device=DEVICE)
    with looked_at(bed.station, request, bed.capacity, Unmoved(), Stop()) as intake:
        log_opening(bed.station, intake.report)
        bed.tick()
        assert bed.live() == [alert], "the next docking has not read anything yet"
    bed.now += timedelta(minutes=5)
    bed.take_in(card)
    bed.tick()
    assert bed.live() == []
