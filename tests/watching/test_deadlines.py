"""`deadlines list`: everything that has a limit, the most urgent first (Art. 21)."""

from datetime import UTC, datetime, timedelta

from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind
from recorder_sync.catalogue.footage import earliest_end
from recorder_sync.custodian.deferring import Wanted, add
from recorder_sync.custodian.duty import enter_calendar
from recorder_sync.ingest.stopping import Stop
from recorder_sync.rules.deadline import Deferral, DeferralReason
from recorder_sync.watching.deadlines import Running, RunningDeadline, What, running_deadlines
from recorder_sync.watching.source import Look
from recorder_sync.web.deadlines import read_ahead
from recorder_sync.web.desks import Desks
from tests.conftest import Card, MediaFiles
from tests.on_the_day import today
from tests.watching.bed import DAY, DEVICE, HOUR, MORNING, OFFICER, Bed, another, named

ENDED = datetime(2026, 11, 23, 1, tzinfo=UTC)


def running(bed: Bed) -> list[RunningDeadline]:
    return running_deadlines(Look(bed.station, bed.now))


def test_recordings_devices_and_enforcement_are_listed_by_the_time_that_is_left(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    bed.register("CAM002", "000002")
    bed.issue("CAM002", "000002")
    card.put(named("20261123_090000"), another(media_files.audio, 1), ENDED)
    card.put(named("20261123_100000"), another(media_files.audio, 2), ENDED + HOUR)
    enforcement = CalendarEntry(
        "e1", CalendarKind.ENFORCEMENT, ENDED - HOUR / 2, ENDED + HOUR / 2, officer="000002"
    )
    enter_calendar(bed.station, [enforcement], "王队")
    bed.now = ENDED + 2 * HOUR
    bed.take_in(card, is_cut_off=True)
    assert [(one.what, one.due) for one in running(bed)] == [
        (What.DEVICE, MORNING + DAY),
        (What.RECORDING, ENDED + DAY),
        (What.ENFORCEMENT, ENDED + HOUR / 2 + DAY),
        (What.RECORDING, ENDED + HOUR + DAY),
    ]
    bed.take_in(card)
    assert [one.what for one in running(bed)] == [What.DEVICE, What.ENFORCEMENT]


def test_a_deferral_is_named_and_moves_the_limit(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    card.put(named("20261123_090000"), another(media_files.audio, 1), ENDED)
    bed.now = ENDED + HOUR
    bed.take_in(card, is_cut_off=True)
    wanted = Wanted(
        DeferralReason.WATER, MORNING, MORNING + 2 * DAY, device=DEVICE, approver="赵所"
    )
    entered = add(bed.station, wanted, "王队").deferral
    (one,) = running(bed)
    assert (one.due, one.deferral) == (MORNING + 3 * DAY, entered.id)


def test_the_command_says_what_is_overdue_by_its_exit_code(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    bed.now = today()
    assert bed.dock.run("deadlines", "list").code == 0
    none = bed.dock.run("deadlines", "list", "--overdue")
    assert (none.code, none.out.strip()) == (0, "No limit has passed.")
    late = named("20261121_090000")
    card.put(late, another(media_files.audio, 1), bed.now - 2 * DAY)
    bed.now -= timedelta(hours=2)
    bed.take_in(card, is_cut_off=True)
    done = bed.dock.run("deadlines", "list", "--json")
    assert done.code == 1
    (one,) = done.json["deadlines"]
    assert (done.json["count"], done.json["overdue"]) == (1, 1)
    assert (one["what"], one["name"], one["device"], one["officer"]) == (
        "recording",
        late,
        DEVICE,
        OFFICER,
    )
    assert one["left_s"] < 0
    shown = bed.dock.run("deadlines", "list")
    assert DEVICE in shown.out
    assert "-1 d" in shown.out or "-2 d" in shown.out or "-2" in shown.out
    narrow = bed.dock.run("deadlines", "list", env={"COLUMNS": "80"})
    assert "What" in narrow.out
    assert "recording" in narrow.out, "what it is about is readable on 80 columns"
    assert max(map(len, narrow.out.splitlines())) <= 80


def test_what_ends_with_the_calendar_stops_neither_the_list_nor_a_look(bed: Bed) -> None:
    bed.register()
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    endless = CalendarEntry("e9", CalendarKind.ENFORCEMENT, ENDED, last, officer=OFFICER)
    enter_calendar(bed.station, [endless], "王队")
    done = bed.dock.run("deadlines", "list")
    assert (done.code, "9999-12-31" in done.out) == (0, True), done.err
    first = datetime(1, 1, 1, tzinfo=UTC)
    always = Deferral("1", DeferralReason.WATER, first, bed.now, DEVICE, expected=last)
    assert earliest_end(bed.station.catalogue, always) is None


def test_what_was_read_ahead_after_a_start_is_not_read_again(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    bed.issue()
    card.put(named("20261123_090000"), another(media_files.audio, 1), ENDED)
    bed.take_in(card, is_cut_off=True)
    settings = bed.station.settings
    desks, kept, stop = Desks(lambda: settings), Running(), Stop()
    read_ahead(desks, kept, stop)
    asked: list[str] = []
    with desks.lent() as desk:
        desk.station.catalogue.conn.set_trace_callback(asked.append)
        found = kept.deadlines(Look(desk.station, bed.now))
        desk.station.catalogue.conn.set_trace_callback(None)
    assert [one.name for one in found if one.what is What.RECORDING]
    assert asked
    assert not [one for one in asked if "inventory" in one or "device_events" in one]
    stop.request()
    read_ahead(desks, Running(), stop)  # a service that ends waits for nothing
    desks.close()
