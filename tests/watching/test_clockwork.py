"""The clockwork: looks are made in time, whatever a look dies of."""

from collections.abc import Callable, Iterator
from datetime import datetime
from queue import Empty, Queue

import pytest

from recorder_sync.catalogue import alerts
from recorder_sync.clockwork import Clockwork
from recorder_sync.config import load
from recorder_sync.model import AlertKind
from recorder_sync.rules.reconcile import Changes
from recorder_sync.station import Station
from recorder_sync.watching.figures import Figures
from recorder_sync.watching.tick import Watch
from tests.conftest import Dock
from tests.ingest.aftermath import until

_AN_HOUR = 3600.0
"""So long that only the first look is made by the clock."""
_WAIT_S = 20.0

Begin = Callable[..., Clockwork]


@pytest.fixture
def told() -> Queue[Figures]:
    return Queue()


@pytest.fixture
def begin(dock: Dock, told: Queue[Figures]) -> Iterator[Begin]:
    """Start a clockwork of an hour, and wait for its first look."""
    started: list[Clockwork] = []
    settings = load(dock.config)
    dock.station().catalogue.close()

    def begin(watch: Watch | None = None, **options: float) -> Clockwork:
        options = {"every_s": _AN_HOUR, **options}
        clockwork = Clockwork(lambda: settings, told.put, watch, **options)
        started.append(clockwork)
        clockwork.start()
        return clockwork

    yield begin
    for one in started:
        one.stop(_WAIT_S)


def test_a_look_is_made_at_the_start_and_when_one_is_asked_for(
    begin: Begin, told: Queue[Figures]
) -> None:
    clockwork = begin()
    first = told.get(timeout=_WAIT_S)
    assert first.last_tick_at is not None
    clockwork.wake()
    assert told.get(timeout=_WAIT_S).last_tick_at != first.last_tick_at


def test_a_look_is_made_soon_after_something_was_put_on_record_and_not_before(
    begin: Begin, told: Queue[Figures], dock: Dock
) -> None:
    clockwork = begin()
    told.get(timeout=_WAIT_S)
    clockwork.beat()
    clockwork.beat()
    with pytest.raises(Empty):
        told.get(timeout=0.3)
    assert dock.run("devices", "add", "0031").code == 0
    clockwork.beat()
    clockwork.beat()
    told.get(timeout=_WAIT_S)


def test_a_clock_that_is_set_back_by_an_hour_stops_no_look(
    begin: Begin, told: Queue[Figures]
) -> None:
    """APScheduler's next look is an hour away, by a clock that shows what somebody set."""
    clockwork = begin(overdue_s=0.0)
    told.get(timeout=_WAIT_S)
    clockwork.beat()
    told.get(timeout=_WAIT_S)


class Dying(Watch):
    """Dies of its first look, as a defect would have it."""

    died = False

    def tick(
        self, station: Station, now: datetime, check: Callable[[], None] = lambda: None
    ) -> Changes:
        if not self.died:
            self.died = True
            raise ZeroDivisionError("division by zero")
        return super().tick(station, now, check)


def test_a_look_that_dies_is_an_alert_and_the_next_one_is_made(
    begin: Begin, told: Queue[Figures], dock: Dock
) -> None:
    watch = Dying()
    clockwork = begin(watch)
    station = dock.station()
    try:
        (alert,) = until(lambda: alerts.live(station.catalogue), "an alert")
        assert alert.kind is AlertKind.WATCH_FAILING
        assert "division by zero" in alert.text.english
        clockwork.wake()
        told.get(timeout=_WAIT_S)
        assert alerts.live(station.catalogue) == []
    finally:
        station.catalogue.close()


def test_it_stops_at_once_and_makes_no_more_looks(begin: Begin, told: Queue[Figures]) -> None:
    clockwork = begin(every_s=0.05)
    told.get(timeout=_WAIT_S)
    assert clockwork.stop(_WAIT_S)
    while not told.empty():
        told.get()
    with pytest.raises(Empty):
        told.get(timeout=0.3)
