"""Enforcement without a recording, interruptions, and dates that cannot be (Art. 4, 16, 17, 20)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recorder_sync.catalogue import recordings
from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind
from recorder_sync.custodian.duty import enter_calendar, explain
from recorder_sync.custodian.interruptions import explain_by_voice
from recorder_sync.custodian.registration import register_officers
from recorder_sync.inspection.correction import Correction, correct
from recorder_sync.model import AlertKind, Officer
from recorder_sync.rules.coverage import NoRecordingReason
from recorder_sync.rules.matter import Severity
from tests.conftest import Card, MediaFiles
from tests.watching.bed import DAY, DEVICE, HOUR, OFFICER, SECOND, Bed, another, named

BEGINS = datetime(2026, 11, 23, 1, tzinfo=UTC)
"""09:00 in Beijing."""
INSPECTION = CalendarEntry(
    "e1", CalendarKind.ENFORCEMENT, BEGINS, BEGINS + HOUR, officer=OFFICER, device=DEVICE
)
DUE = BEGINS + HOUR + DAY


@pytest.mark.raises_and_resolves(AlertKind.NO_RECORDING)
def test_enforcement_that_nothing_shows_is_told_until_a_recording_comes_in(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    enter_calendar(bed.station, [INSPECTION], "王队")
    bed.tick(DUE - 4 * HOUR - SECOND)
    assert bed.live() == []
    bed.tick(DUE + SECOND)
    breach = bed.the(AlertKind.NO_RECORDING)
    assert (breach.severity, breach.since, breach.officer) == (Severity.BREACH, DUE, OFFICER)
    card.put(named("20261123_093000"), another(media_files.audio, 1), BEGINS + HOUR / 2)
    bed.take_in(card)
    bed.tick()
    assert bed.is_resolved(breach.number)


def test_enforcement_is_no_matter_once_somebody_says_why_nothing_shows_it(bed: Bed) -> None:
    bed.register()
    enter_calendar(bed.station, [INSPECTION], "王队")
    bed.tick(DUE + SECOND)
    breach = bed.the(AlertKind.NO_RECORDING)
    explain(bed.station, "e1", NoRecordingReason.NOT_REQUIRED, None, "王队")
    bed.tick()
    assert bed.is_resolved(breach.number)


@pytest.mark.raises_and_resolves(AlertKind.COVERAGE_HOLE)
def test_a_recording_in_full_with_a_hole_is_told_until_somebody_says_why(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    enter_calendar(bed.station, [replace(INSPECTION, in_full=True)], "王队")
    card.put(named("20261123_093000"), another(media_files.audio, 2), BEGINS + HOUR / 2)
    bed.now = BEGINS + 2 * HOUR
    bed.take_in(card)
    bed.tick(DUE + SECOND)
    hole = bed.the(AlertKind.COVERAGE_HOLE)
    assert hole.count == 2
    explain(bed.station, "e1", NoRecordingReason.DEVICE_FAULT, None, "王队")
    bed.tick()
    assert bed.live() == []


def test_a_corrected_tag_may_take_the_recording_of_an_enforcement_away(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    register_officers(bed.station, [Officer("000002", "张伟")])
    enter_calendar(bed.station, [replace(INSPECTION, device=None)], "王队")
    card.put(named("20261123_093000"), another(media_files.audio, 3), BEGINS + HOUR / 2)
    bed.now = BEGINS + 2 * HOUR
    (sealed,) = bed.take_in(card).sealed
    bed.tick(DUE + SECOND)
    assert bed.live() == []
    known = recordings.recording(bed.station.catalogue, sealed.id).recording
    correct(bed.station, known, Correction("王队", "wrong officer", officer="000002"))
    bed.tick()
    assert bed.the(AlertKind.NO_RECORDING).officer == OFFICER


@pytest.mark.raises_and_resolves(AlertKind.GAP)
def test_an_interruption_is_told_until_it_is_explained(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    card.put(named("20261123_090000"), another(media_files.audio, 4), BEGINS)
    card.put(named("20261123_091200"), another(media_files.audio, 5), BEGINS + HOUR / 5)
    bed.now = BEGINS + HOUR
    resumed = max(bed.take_in(card).sealed, key=lambda one: one.start)
    bed.tick()
    gap = bed.the(AlertKind.GAP)
    assert (gap.severity, gap.count) == (Severity.WARNING, 1)
    explain_by_voice(bed.station, resumed.id, 1.0, None, "王队")
    bed.tick()
    assert bed.is_resolved(gap.number)


def test_nothing_is_said_of_an_interruption_that_a_file_on_the_card_may_fill(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    """What was told before stays, and other actions are told of all the same."""
    bed.register()

    def film(begins: str, at: datetime, number: int) -> None:
        card.put(named(begins), another(media_files.audio, number), at)

    film("20261123_090000", BEGINS, 1)
    film("20261123_091200", BEGINS + HOUR / 5, 2)
    bed.now = BEGINS + HOUR
    bed.take_in(card)
    bed.tick()
    gap = bed.the(AlertKind.GAP)
    film("20261123_090600", BEGINS + HOUR / 10, 3)
    bed.take_in(card, is_cut_off=True, for_=timedelta(minutes=5))
    bed.tick()
    assert bed.live(AlertKind.GAP) == [gap], "the file may be what is missing: it stays"
    (card.path / named("20261123_090600")).unlink()
    film("20261123_120000", BEGINS + 3 * HOUR, 4)
    film("20261123_121000", BEGINS + 3 * HOUR + HOUR / 6, 5)
    bed.now = BEGINS + 4 * HOUR
    bed.take_in(card)
    bed.tick()
    first, other = bed.live(AlertKind.GAP)
    assert (first, other.since) == (gap, BEGINS + 3 * HOUR + timedelta(seconds=2))
    film("20261123_090600", BEGINS + HOUR / 10, 3)
    bed.now += HOUR
    bed.take_in(card)
    bed.tick()
    assert [(one.number, one.count) for one in bed.live(AlertKind.GAP)] == [
        (gap.number, 2),
        (other.number, 1),
    ]


def test_no_alert_opens_of_an_interruption_that_a_file_on_the_card_may_fill(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    card.put(named("20261123_090000"), another(media_files.audio, 1), BEGINS)
    card.put(named("20261123_091200"), another(media_files.audio, 2), BEGINS + HOUR / 5)
    bed.now = BEGINS + HOUR
    bed.take_in(card)
    card.put(named("20261123_090600"), another(media_files.audio, 3), BEGINS + HOUR / 10)
    bed.take_in(card, is_cut_off=True)
    bed.tick()
    assert bed.live(AlertKind.GAP) == []


@pytest.mark.raises_and_resolves(AlertKind.WRONG_DATE)
def test_a_recording_dated_after_its_docking_is_told_until_somebody_looked_at_it(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    card.put(named("20261225_090000"), another(media_files.audio, 11), BEGINS)
    bed.now = BEGINS + timedelta(minutes=10)
    (sealed,) = bed.take_in(card).sealed
    bed.tick()
    wrong = bed.the(AlertKind.WRONG_DATE)
    assert [item.name for item in wrong.items] == [sealed.id]
    bed.resolve(wrong)
    bed.tick(BEGINS + DAY)
    assert len(bed.ever(AlertKind.WRONG_DATE)) == 1
