"""The tick itself: late starts, restarts, clocks that are set, sources that fail."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.alerts.record import acknowledge
from recorder_sync.alerts.watched import WATCHED
from recorder_sync.catalogue import alerts
from recorder_sync.custody.log import Act
from recorder_sync.ingest.stopping import Stop, Stopping
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.escalation import Stage
from recorder_sync.rules.matter import Matter, Severity
from recorder_sync.rules.reconcile import AlertState, Changes
from recorder_sync.watching.figures import figures
from recorder_sync.watching.source import Look, Undecided
from recorder_sync.watching.sources import all_sources
from recorder_sync.watching.tick import Watch, tick
from tests.alert_kinds import NO_FACTS_YET
from tests.conftest import Card, MediaFiles
from tests.watching.bed import DAY, DEVICE, HOUR, MORNING, SECOND, Bed, another, counted, named


def test_every_kind_that_the_tick_keeps_is_asked_of_one_source() -> None:
    asked = [kind for source in all_sources() for kind in source.kinds]
    assert len(asked) == len(set(asked))
    assert set(asked) == WATCHED - set(NO_FACTS_YET) - {AlertKind.WATCH_FAILING}


def test_asked_again_nothing_changes(bed: Bed, card: Card, media_files: MediaFiles) -> None:
    bed.register()
    bed.issue()
    card.put(counted(1), another(media_files.audio, 1), MORNING)
    card.put(counted(3), another(media_files.audio, 2), MORNING)
    bed.take_in(card, for_=timedelta(minutes=1))
    first = bed.tick(MORNING + 3 * DAY)
    assert len(first.opened) == 2
    size = bed.station.custody.size()
    assert bed.tick() == Changes()
    assert tick(bed.station, bed.now) == Changes(), "nor with nothing in memory"
    assert bed.station.custody.size() == size


def test_after_three_days_without_power_each_breach_is_raised_once_with_its_true_time(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    bed.issue()
    card.put(named("20261123_075958"), another(media_files.audio, 3), MORNING)
    bed.now = MORNING + SECOND
    bed.take_in(card, is_cut_off=True)
    bed.tick()
    bed.restart()
    opened = bed.tick(MORNING + 3 * DAY).opened
    assert {(one.kind, one.severity, one.since) for one in opened} == {
        (AlertKind.OUTSTANDING, Severity.BREACH, MORNING + DAY)
    }, "it was docked since the issue, so only its recording is out"
    (told,) = alerts.told(bed.station.catalogue)
    assert told.stage is Stage.LATER, "not once for each stage that was missed"
    bed.restart()
    assert bed.tick(MORNING + 3 * DAY + SECOND) == Changes()
    assert len(bed.ever(AlertKind.OUTSTANDING)) == 1


@pytest.mark.parametrize("hours", [-4, 6])
def test_a_clock_that_is_set_opens_nothing_twice(bed: Bed, hours: int) -> None:
    bed.register()
    bed.issue()
    bed.tick(MORNING + DAY + HOUR)
    breach = bed.the(AlertKind.DEVICE_OVERDUE)
    told = alerts.told(bed.station.catalogue)
    bed.tick(bed.now + hours * HOUR)
    bed.tick(MORNING + DAY + HOUR)
    again = bed.the(AlertKind.DEVICE_OVERDUE)
    assert (again.number, again.severity, again.since) == (
        breach.number,
        Severity.BREACH,
        MORNING + DAY,
    )
    assert alerts.told(bed.station.catalogue) == told


class Broken:
    """Watches what cannot be watched just now."""

    name = "broken"
    what = T("Devices that have to be docked")
    kinds = frozenset({AlertKind.DEVICE_OVERDUE, AlertKind.NOT_DOCKED})

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        del look
        yield from ()
        raise OSError(5, "Input/output error", "/srv")


@pytest.mark.raises_and_resolves(AlertKind.WATCH_FAILING)
def test_a_source_that_fails_stops_no_other_and_resolves_nothing(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    bed.issue()
    bed.tick(MORNING + DAY + SECOND)
    overdue = bed.the(AlertKind.DEVICE_OVERDUE)
    card.put(counted(1), another(media_files.audio, 4), MORNING)
    card.put(counted(3), another(media_files.audio, 5), MORNING)
    bed.take_in(card)
    whole = bed.watch
    rest = [one for one in all_sources() if AlertKind.DEVICE_OVERDUE not in one.kinds]
    bed.watch = Watch([Broken(), *rest])
    bed.tick(bed.now + HOUR)
    failing = bed.the(AlertKind.WATCH_FAILING)
    assert "a read or write error" in failing.text.english
    assert bed.live(AlertKind.SEQUENCE_HOLE), "the others are asked all the same"
    assert bed.the(AlertKind.DEVICE_OVERDUE).number == overdue.number, "it is left as it is"
    bed.watch = whole
    bed.tick(bed.now + HOUR)
    assert bed.is_resolved(failing.number)
    assert bed.is_resolved(overdue.number)


def test_rows_of_one_device_that_make_no_sense_hide_no_other_device(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    bed.register("CAM002", "000002")
    card.put(named("20261123_070000"), another(media_files.audio, 6), MORNING)
    bed.take_in(card, is_cut_off=True)
    db = bed.station.catalogue
    db.execute("update devices set registered_at = 'yesterday' where number = 'CAM002'")
    bed.tick(MORNING + 8 * DAY)
    assert bed.the(AlertKind.WATCH_FAILING)
    assert bed.the(AlertKind.NOT_DOCKED).device == DEVICE
    assert bed.the(AlertKind.OUTSTANDING).device == DEVICE


def test_an_alert_of_an_early_removal_ends_when_everything_is_sealed_later(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    card.put(named("20261123_070000"), another(media_files.audio, 7), MORNING)
    docking = bed.take_in(card, is_cut_off=True).docking
    text, hint = T("Pulled out too early."), T("Plug it in again.")
    kind = AlertKind.REMOVED_EARLY
    raise_alert(bed.station, kind, text, hint, device=DEVICE, docking=docking)
    bed.tick()
    early = bed.the(kind)
    bed.now += HOUR
    bed.take_in(card)
    bed.tick()
    assert bed.is_resolved(early.number)


def test_what_happened_stays_open_until_a_person_resolves_it(bed: Bed) -> None:
    raise_alert(bed.station, AlertKind.STATION, T("The disk is full."), T("Make room."))
    bed.tick()
    bed.resolve(bed.the(AlertKind.STATION))
    bed.tick(MORNING + DAY)
    assert bed.live() == []


def test_everything_about_an_alert_stands_in_the_custody_log(bed: Bed, card: Card) -> None:
    bed.register()
    bed.issue()
    bed.tick(MORNING + DAY)
    warning = bed.the(AlertKind.DEVICE_OVERDUE)
    acknowledge(bed.station, warning.number, "王队")
    bed.tick(MORNING + DAY + SECOND)
    breach = bed.the(AlertKind.DEVICE_OVERDUE)
    assert (breach.state, breach.times_worse) == (AlertState.OPEN, 1)
    bed.take_in(card)
    bed.tick()
    acts = [e.deed.act for e in bed.station.custody.entries() if e.deed.act.value[:5] == "alert"]
    assert acts == [Act.ALERT, Act.ALERT_ACKNOWLEDGED, Act.ALERT_UPDATED, Act.ALERT_RESOLVED]


def test_the_figures_are_those_of_the_alerts(bed: Bed) -> None:
    bed.register()
    bed.issue()
    bed.tick(MORNING + DAY - HOUR)
    found = figures(bed.station.catalogue, bed.now)
    assert found.last_tick_at == bed.now
    assert found.by_kind == {"device-overdue": 1}
    assert found.by_severity == {"warning": 1}
    assert found.next_due == MORNING + DAY


def test_a_look_that_is_cut_off_puts_nothing_on_record(bed: Bed) -> None:
    bed.register()
    bed.issue()
    bed.now = MORNING + 2 * DAY
    stop = Stop()
    stop.request()
    with pytest.raises(Stopping):
        bed.watch.tick(bed.station, bed.now, stop.check)
    assert bed.live() == []
    bed.tick()
    assert bed.the(AlertKind.DEVICE_OVERDUE).since == MORNING + DAY
