"""What is on cards and not in: outstanding, deleted, numbers that are missing."""

from datetime import UTC, datetime, timedelta

import pytest

from recorder_sync.ingest.docking_log import log_opening
from recorder_sync.ingest.intake import Request, looked_at
from recorder_sync.ingest.stopping import Stop
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Severity
from tests.conftest import Card, MediaFiles
from tests.watching.bed import (
    DAY,
    DEVICE,
    HOUR,
    OFFICER,
    SECOND,
    Bed,
    Unmoved,
    another,
    counted,
    named,
)

ENDED = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""17:00 in Beijing."""


@pytest.mark.raises_and_resolves(AlertKind.OUTSTANDING)
def test_what_was_pulled_out_is_told_before_the_limit_and_after_it_until_it_is_sealed(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    card.put(named("20261123_165958"), another(media_files.audio, 1), ENDED)
    bed.now = ENDED + HOUR
    bed.take_in(card, is_cut_off=True)
    bed.tick(ENDED + DAY - 4 * HOUR - SECOND)
    assert bed.live() == []
    bed.tick(ENDED + DAY - 4 * HOUR)
    warning = bed.the(AlertKind.OUTSTANDING)
    assert (warning.severity, warning.due) == (Severity.WARNING, ENDED + DAY)
    assert (warning.device, warning.officer, warning.count) == (DEVICE, OFFICER, 1)
    bed.tick(ENDED + DAY)
    assert bed.the(AlertKind.OUTSTANDING).severity is Severity.WARNING
    bed.tick(ENDED + DAY + SECOND)
    breach = bed.the(AlertKind.OUTSTANDING)
    assert (breach.number, breach.severity) == (warning.number, Severity.BREACH)
    assert breach.since == ENDED + DAY
    bed.take_in(card)
    bed.tick()
    assert bed.live() == []
    assert bed.is_resolved(warning.number)


def test_what_is_being_taken_in_just_now_is_not_outstanding_for_an_hour(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    card.put(named("20261122_100000"), another(media_files.audio, 2), ENDED - 2 * DAY)
    bed.now = ENDED
    request = Request(card.path, device=DEVICE)
    with looked_at(bed.station, request, bed.capacity, Unmoved(), Stop()) as intake:
        log_opening(bed.station, intake.report)
        bed.tick(ENDED + HOUR)
        assert bed.live() == []
        bed.tick(ENDED + HOUR + SECOND)
        assert bed.the(AlertKind.OUTSTANDING).severity is Severity.BREACH


@pytest.mark.raises_and_resolves(AlertKind.DELETED_BEFORE_INGEST)
def test_a_file_that_vanished_before_it_was_sealed_is_a_breach_until_it_is_there_again(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    bed.now = ENDED
    card.put(named("20261123_160000"), another(media_files.audio, 3), ENDED - HOUR)
    gone = card.put(named("20261123_163000"), another(media_files.audio, 4), ENDED - HOUR / 2)
    bed.take_in(card, is_cut_off=True)
    content, at = gone.read_bytes(), ENDED - HOUR / 2
    gone.unlink()
    bed.now = ENDED + HOUR
    bed.take_in(card)
    bed.tick()
    found = bed.the(AlertKind.DELETED_BEFORE_INGEST)
    assert (found.severity, found.since) == (Severity.BREACH, ENDED + HOUR)
    assert [item.name for item in found.items] == [named("20261123_163000")]
    card.put(named("20261123_163000"), content, at)
    bed.now = ENDED + 2 * HOUR
    bed.take_in(card)
    bed.tick()
    assert bed.live(AlertKind.DELETED_BEFORE_INGEST) == []


@pytest.mark.raises_and_resolves(AlertKind.SEQUENCE_HOLE)
def test_a_number_that_nobody_saw_is_a_hole_until_somebody_does(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    bed.now = ENDED
    for number in (7, 8, 10):
        card.put(
            counted(number),
            another(media_files.audio, number),
            ENDED - timedelta(minutes=30 - number),
        )
    bed.take_in(card)
    bed.tick()
    hole = bed.the(AlertKind.SEQUENCE_HOLE)
    assert [item.name for item in hole.items] == ["MAH0009"]
    card.put(counted(9), another(media_files.audio, 9), ENDED - timedelta(minutes=21))
    bed.now += HOUR
    bed.take_in(card)
    bed.tick()
    assert bed.live(AlertKind.SEQUENCE_HOLE) == []
