"""Alerts of something that happened: raised once, and gone when their cause is seen to go."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from recorder_sync.alerts.events import events_gone
from recorder_sync.alerts.raising import raise_alert
from recorder_sync.alerts.record import resolve
from recorder_sync.catalogue import alerts
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.station import Station
from tests.alerts.looking import look, opened
from tests.conftest import Card, Dock, MediaFiles
from tests.on_the_day import today

LAMP = T("The lamp is out.")
HINT = T("Change it.")


def raised(station: Station) -> int:
    raise_alert(station, AlertKind.STATION, LAMP, HINT)
    return len(alerts.live(station.catalogue))


def test_what_is_open_is_not_raised_again_and_what_happens_again_is(dock: Dock) -> None:
    with opened(dock) as station:
        assert [raised(station), raised(station)] == [1, 1]
        (one,) = alerts.live(station.catalogue)
        resolve(station, one.number, "王队", "换了")
        assert raised(station) == 1
        assert alerts.live(station.catalogue)[0].number != one.number


def test_many_that_raise_the_same_at_once_open_one_alert(dock: Dock) -> None:
    """As ports do when a hub fails: each has a thread and a connection of its own."""
    with opened(dock):
        pass
    start = Barrier(8)

    def raise_it(number: int) -> None:
        with opened(dock) as station:
            start.wait()
            raise_alert(station, AlertKind.STATION, LAMP, HINT)
            raise_alert(station, AlertKind.STATION, T("Port {port}.", port=number % 2), HINT)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(raise_it, range(8)))
    with opened(dock) as station:
        assert len(alerts.newest(station.catalogue, 100)) == 3
        assert station.custody.size() == 3


def test_a_finding_that_a_person_answered_is_not_raised_every_night(dock: Dock) -> None:
    with opened(dock) as station:
        finding = (station, AlertKind.VERIFICATION_FINDING, LAMP, HINT)
        raise_alert(*finding)
        (one,) = alerts.live(station.catalogue)
        resolve(station, one.number, "王队", "已从备份恢复")
        raise_alert(*finding)
        assert alerts.live(station.catalogue) == []


def test_an_event_and_the_rule_that_knows_it_are_one_alert(dock: Dock) -> None:
    with opened(dock) as station:
        raise_alert(station, AlertKind.CLOCK_STEPPED, LAMP, HINT, about="test")
        raise_alert(station, AlertKind.CLOCK_STEPPED, T("Again."), HINT, about="test")
        (one,) = alerts.live(station.catalogue)
        assert one.key == "clock-stepped/test"
        look(station)
        assert alerts.live(station.catalogue) == [], "the rule does not say so any more"


def test_a_look_that_finds_nothing_does_not_resolve_what_happened(dock: Dock) -> None:
    with opened(dock) as station:
        raised(station)
        look(station)
        assert len(alerts.live(station.catalogue)) == 1


def test_a_docking_that_was_cut_off_is_over_when_everything_of_it_is_sealed(
    dock: Dock, tmp_path: Path, media_files: MediaFiles
) -> None:
    dock.run("devices", "add", "0031")
    card = Card(tmp_path / "camera")
    card.put("device.json", b'{"device": "0031"}')
    card.put("a.mp4", media_files.video)
    made = today()
    gone = card.put("b.mp4", media_files.other_video, made)
    first = dock.ingest(card).json["docking"]
    with opened(dock) as station:
        db = station.catalogue
        db.execute(
            "update inventory set outcome = null, recording = null where path = ?", [b"b.mp4"]
        )
        db.conn.commit()
        early = (station, AlertKind.REMOVED_EARLY, T("Pulled out."), HINT)
        raise_alert(*early, device="0031", docking=first)
        assert events_gone(db) == ()
    gone.unlink()
    dock.ingest(card)
    with opened(dock) as station:
        assert events_gone(station.catalogue) == (), "b.mp4 is still not sealed"
    card.put("b.mp4", media_files.other_video, made)
    dock.ingest(card)
    with opened(dock) as station:
        (one,) = alerts.live(station.catalogue)
        assert events_gone(station.catalogue) == (one.number,)
