"""By night the service re-reads what has waited longest, gives way, and raises alerts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.config import load
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.ingest.recovery import incoming_folder, is_intake_under_way
from recorder_sync.ingest.stopping import Stop
from recorder_sync.inspection.nightly import verify_tonight
from recorder_sync.model import AlertKind
from recorder_sync.nightly_verification import NightlyVerification
from recorder_sync.rules.reverification import Night
from recorder_sync.station import now
from tests.conftest import Dock
from tests.ingest.aftermath import until

DAY = timedelta(days=1)


def verifications(dock: Dock) -> list[Any]:
    """Return the facts of every verification on record."""
    entries = CustodyLog(dock.state / "custody", "test").entries()
    return [entry.deed.facts for entry in entries if entry.deed.act is Act.VERIFICATION]


def alerts(dock: Dock) -> list[Any]:
    return list(dock.run("status", "--json").json["alerts"])


def work(dock: Dock, *, later: timedelta = timedelta(), hours: float = 8) -> bool:
    """Do the work of a night that has just begun, so much later than today."""
    station = dock.station()

    def clock() -> datetime:
        return station.now() + later

    night = Night(clock(), clock() + timedelta(hours=hours))
    try:
        return verify_tonight(replace(station, now=clock), night, Stop())
    finally:
        station.catalogue.close()


def spoil(file: Path) -> None:
    file.chmod(0o640)
    file.write_bytes(file.read_bytes()[::-1])
    file.chmod(0o440)


@contextmanager
def service(dock: Dock, clock: Callable[[], datetime]) -> Iterator[None]:
    settings = load(dock.config)
    verification = NightlyVerification(lambda: settings, clock, look_s=0.01)
    verification.start()
    try:
        yield
    finally:
        verification.stop(20)


def at_the_station(dock: Dock, clock: str) -> datetime:
    """Return a time of the station's day."""
    today = now().astimezone(load(dock.config).station.zone)
    return datetime.fromisoformat(f"{today:%Y-%m-%d}T{clock}").replace(tzinfo=today.tzinfo)


def test_all_metadata_and_tonights_part_are_verified_and_entered(station: Dock) -> None:
    station.configure(verification={"days": 2}, ingest={"immutable": False})
    assert work(station)
    records, part = verifications(station)
    assert (records["metadata"], records["checked"], records["bytes"]) == (True, 4, 0)
    sizes = sum(file.stat().st_size for file in station.sealed_files())
    assert sizes / 2 <= part["bytes"] < sizes
    assert len(part["verified"]) == part["checked"] < 4


def test_within_the_days_everything_is_re_read_once_and_then_again(station: Dock) -> None:
    station.configure(verification={"days": 3}, ingest={"immutable": False})
    for number in range(3):
        assert work(station, later=number * DAY)
    first = [name for facts in verifications(station) for name in facts["verified"]]
    assert len(set(first)) == 4
    for number in range(3, 6):
        assert work(station, later=number * DAY)
    read = [name for facts in verifications(station) for name in facts["verified"]]
    assert len(set(read[len(first) :])) == 4


@pytest.mark.raises_and_resolves(AlertKind.VERIFICATION_FINDING)
def test_a_finding_is_an_alert_with_the_recordings_path_until_a_person_resolves_it(
    station: Dock,
) -> None:
    station.configure(verification={"days": 1}, ingest={"immutable": False})
    file = station.sealed_files()[0]
    spoil(file)
    assert work(station)
    (alert,) = alerts(station)
    assert (alert["kind"], alert["severity"]) == ("verification-finding", "breach")
    assert str(file.relative_to(station.evidence)) in alert["text"]
    assert alert["hint"]
    found = [finding for facts in verifications(station) for finding in facts.get("findings", ())]
    assert [finding["kind"] for finding in found] == ["changed"]
    resolved = station.run("alerts", "resolve", str(alert["number"]), "--note", "已报告")
    assert resolved.code == 0, resolved.err
    assert work(station, later=DAY)
    assert alerts(station) == [], "it was found again, and a person knows it"


def test_many_findings_of_a_kind_are_two_alerts_and_the_next_night_none_more(
    station: Dock,
) -> None:
    for file in station.sealed_files():
        file.chmod(0o640)
    assert work(station)
    raised = alerts(station)
    assert [alert["kind"] for alert in raised] == ["verification-finding"] * 2
    for file in station.sealed_files():
        assert any(str(file.relative_to(station.evidence)) in a["text"] for a in raised)
    assert work(station, later=DAY)
    assert len(alerts(station)) == 2


@pytest.mark.long
@pytest.mark.raises_and_resolves(AlertKind.VERIFICATION_BEHIND)
def test_days_that_cannot_be_kept_are_one_alert_with_figures(station: Dock) -> None:
    station.configure(verification={"days": 1, "rate_mb_s": 0.001}, ingest={"immutable": False})
    for number in range(2):
        assert not work(station, later=number * DAY, hours=2 / 3600)
    raised = alerts(station)
    assert [alert["kind"] for alert in raised] == ["verification-behind"], raised
    (alert,) = raised
    assert "1 days" in alert["text"]
    station.configure(verification={"days": 30}, ingest={"immutable": False})
    assert work(station, later=2 * DAY)
    assert alerts(station) == [], "the days can be kept again"


def test_it_ends_with_the_night_and_goes_on_in_the_next(station: Dock) -> None:
    assert not work(station, hours=0)
    (only,) = verifications(station)
    assert (only["complete"], only["verified"]) == (False, [])
    assert work(station, later=DAY)


def test_it_waits_while_a_card_is_taken_in_by_whatever_process(station: Dock) -> None:
    opened = station.station()
    try:
        assert not is_intake_under_way(opened)
        with incoming_folder(opened, "20261123-100000-aaaaaa"):
            assert is_intake_under_way(opened)
            with service(station, lambda: at_the_station(station, "23:00")):
                # Twice as long as it takes to look: nothing is read meanwhile.
                assert not threading.Event().wait(0.5)
                assert verifications(station) == []
        assert not is_intake_under_way(opened)
        with service(station, lambda: at_the_station(station, "23:00")):
            until(lambda: len(verifications(station)) == 2, "the night's work")
    finally:
        opened.catalogue.close()


def test_by_day_nothing_is_re_read(station: Dock) -> None:
    looks = 0
    enough = threading.Event()

    def clock() -> datetime:
        nonlocal looks
        looks += 1
        if looks > 3:
            enough.set()
        return at_the_station(station, "12:00")

    with service(station, clock):
        assert enough.wait(20)
    assert verifications(station) == []


def test_each_night_is_worked_once(station: Dock) -> None:
    hour = "23:00"
    looks = threading.Semaphore(0)

    def clock() -> datetime:
        looks.release()
        return at_the_station(station, hour)

    with service(station, clock):
        until(lambda: len(verifications(station)) == 2, "the night's work")
        for _ in range(50):
            assert looks.acquire(timeout=20)
        assert len(verifications(station)) == 2
        hour = "03:00"  # of the night before, as the clock of this test has it
        until(lambda: len(verifications(station)) == 4, "another night's work")


@pytest.mark.parametrize("section", [{"nightly": False}, {"night_begins": "01:00"}])
def test_it_can_be_switched_off_and_moved(section: dict[str, object], station: Dock) -> None:
    station.configure(verification=section, ingest={"immutable": False})
    enough = threading.Semaphore(0)

    def clock() -> datetime:
        enough.release()
        return at_the_station(station, "23:00")

    settings = load(station.config)

    def in_use() -> Any:
        enough.release()
        return settings

    verification = NightlyVerification(in_use, clock, look_s=0.01)
    verification.start()
    for _ in range(5):
        assert enough.acquire(timeout=20)
    verification.stop(20)
    assert verifications(station) == []
