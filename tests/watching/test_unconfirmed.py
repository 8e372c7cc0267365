"""Where a store has to confirm recordings, they count as stored only then (Art. 21)."""

from datetime import UTC, datetime
from typing import Any

from recorder_sync.custody.log import Act
from recorder_sync.model import AlertKind
from recorder_sync.on_record import enter, turn
from recorder_sync.rules.matter import Severity
from tests.conftest import Card, MediaFiles
from tests.watching.bed import DAY, HOUR, SECOND, Bed, another, named

ENDED = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""17:00 in Beijing."""


def _stores(**more: object) -> dict[str, Any]:
    place = {"path": "/nowhere", "own_disk": True}
    # What is said of the queue itself is of no interest here.
    return {
        "stores": [{"name": "nas", "directory": place, **more}],
        "backup": {"keep": 0},
    }


def _confirm(bed: Bed, recording: str) -> None:
    facts = {
        "store": "nas",
        "key": recording,
        "version": None,
        "size": 1,
        "proof": "read-back",
        "checksums": {},
        "kept_until": None,
        "lock": None,
        "description": {"key": f"{recording}.json", "version": None},
    }
    with turn(bed.station):
        enter(bed.station, [bed.station.deed(Act.CONFIRMED, recording, facts)])


def test_art_21_what_is_sealed_and_not_confirmed_is_outstanding_until_the_store_has_it(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.configure(**_stores(needed_for_deadline=True))
    bed.register()
    bed.tick()
    card.put(named("20261123_165958"), another(media_files.audio, 1), ENDED)
    bed.now = ENDED + HOUR
    (outcome,) = bed.take_in(card).outcomes
    assert outcome.recording is not None
    bed.tick(ENDED + DAY - 4 * HOUR - SECOND)
    assert bed.live(AlertKind.OUTSTANDING) == []
    bed.tick(ENDED + DAY - 4 * HOUR)
    warning = bed.the(AlertKind.OUTSTANDING)
    assert (warning.severity, warning.due) == (Severity.WARNING, ENDED + DAY)
    assert "are not in store nas" in warning.text.english
    bed.tick(ENDED + DAY + SECOND)
    assert bed.the(AlertKind.OUTSTANDING).severity is Severity.BREACH
    bed.restart()
    bed.tick(ENDED + DAY + 2 * SECOND)
    assert bed.the(AlertKind.OUTSTANDING).number == warning.number, "read anew after a start"
    _confirm(bed, outcome.recording.id)
    bed.tick()
    assert bed.is_resolved(warning.number)


def test_art_21_without_the_setting_what_is_sealed_here_is_stored(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.configure(**_stores())
    bed.register()
    card.put(named("20261123_165958"), another(media_files.audio, 1), ENDED)
    bed.now = ENDED + HOUR
    bed.take_in(card)
    bed.tick(ENDED + DAY + SECOND)
    assert bed.live(AlertKind.OUTSTANDING) == []


def test_art_21_what_the_store_does_not_take_need_not_be_there(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.configure(**_stores(needed_for_deadline=True, kinds=["video"]))
    bed.register()
    card.put(named("20261123_165958"), another(media_files.audio, 1), ENDED)
    bed.now = ENDED + HOUR
    bed.take_in(card)
    bed.tick(ENDED + DAY + SECOND)
    assert bed.live(AlertKind.OUTSTANDING) == []
