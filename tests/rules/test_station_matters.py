"""What is wrong with the station itself (Art. 5, 27)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.model import AlertKind
from recorder_sync.rules.forecast import DiskSample
from recorder_sync.rules.matter import Matter, Severity
from recorder_sync.rules.station_matters import (
    Backup,
    ClockStep,
    EvidenceDisk,
    Restart,
    StationFacts,
    StoreWatch,
    station_matters,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def matters(now: datetime = NOW, **facts: object) -> list[Matter]:
    return list(station_matters(StationFacts("dock-01", **facts), now))  # type: ignore[arg-type]


def disk(*used: int, every: timedelta = HOUR) -> EvidenceDisk:
    newest = NOW - HOUR
    samples = [DiskSample(newest - n * every, u) for n, u in enumerate(reversed(used))]
    return EvidenceDisk("/srv/evidence", 1000, tuple(samples))


def test_a_station_of_which_nothing_is_known_has_no_matters() -> None:
    assert matters() == []
    assert matters(disks=(EvidenceDisk("d", 1000, ()), EvidenceDisk("e", 0, ()))) == []


def test_a_disk_that_is_full_stops_sealing_and_is_a_breach() -> None:
    (matter,) = matters(disks=(disk(999, 1000, 1000),))
    assert (matter.severity, matter.since) == (Severity.BREACH, NOW - 2 * HOUR)
    assert matter.key == "evidence-disk/%2Fsrv%2Fevidence"


def test_a_disk_that_is_nearly_full_is_a_warning_since_it_crossed_the_limit() -> None:
    assert matters(disks=(disk(899),)) == []
    (matter,) = matters(disks=(disk(950, 899, 900, 905),))
    assert (matter.severity, matter.since) == (Severity.WARNING, NOW - 2 * HOUR)
    assert matter.text.english == "The evidence disk /srv/evidence is 90 % full."


def test_a_disk_that_is_forecast_to_be_full_is_a_notice_and_later_a_warning() -> None:
    filling = disk(*range(300, 400, 10), every=DAY)  # 390 now, 10 more a day: full in 61 days
    assert matters(disks=(filling,)) == []
    full = NOW - HOUR + 61 * DAY
    (notice,) = matters(full - 14 * DAY, disks=(filling,))
    assert (notice.severity, notice.since) == (Severity.NOTICE, full - 14 * DAY)
    assert matters(full - 14 * DAY - SECOND, disks=(filling,)) == []
    assert (
        notice.text.english == "The evidence disk /srv/evidence will be full on about 2027-01-23."
    )
    (warning,) = matters(full - 3 * DAY, disks=(filling,))
    assert (warning.severity, warning.since) == (Severity.WARNING, full - 3 * DAY)


@pytest.mark.parametrize(
    ("facts", "kind", "begins_after"),
    [
        ({"stores": (StoreWatch("s", NOW),)}, AlertKind.STORE_UNREACHABLE, timedelta(minutes=15)),
        ({"stores": (StoreWatch("s", None, NOW),)}, AlertKind.QUEUE_WAITS, 6 * HOUR),
        ({"oldest_unwitnessed": NOW}, AlertKind.NOT_WITNESSED, DAY),
        ({"unsynchronised_since": NOW}, AlertKind.CLOCK_NOT_SYNCHRONISED, HOUR),
        ({"backups": (Backup("b", NOW - DAY, NOW),)}, AlertKind.BACKUP_FAILED, 26 * HOUR),
        ({"backups": (Backup("b", NOW),)}, AlertKind.BACKUP_FAILED, 26 * HOUR),
    ],
)
def test_what_may_last_a_while_is_a_matter_after_it_to_the_second(
    facts: dict[str, object], kind: AlertKind, begins_after: timedelta
) -> None:
    assert matters(NOW + begins_after, **facts) == []
    (matter,) = matters(NOW + begins_after + SECOND, **facts)
    assert matter.kind is kind
    (later,) = matters(NOW + begins_after + 100 * DAY, **facts)
    assert later == matter


def test_what_a_matter_began_with() -> None:
    (away,) = matters(NOW + HOUR, stores=(StoreWatch("s", NOW),))
    (waits,) = matters(NOW + DAY, stores=(StoreWatch("s", None, NOW),))
    (unwitnessed,) = matters(NOW + 2 * DAY, oldest_unwitnessed=NOW)
    assert (away.since, waits.since, unwitnessed.since) == (NOW, NOW + 6 * HOUR, NOW + DAY)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"watchdog_restarts": (Restart("dock", NOW),)}, AlertKind.RESTARTED),
        ({"clock_steps": (ClockStep(NOW, -3600.0),)}, AlertKind.CLOCK_STEPPED),
    ],
)
def test_what_happens_in_a_moment_is_a_matter_for_a_day(
    facts: dict[str, object], kind: AlertKind
) -> None:
    (matter,) = matters(NOW, **facts)
    assert (matter.kind, matter.since, matter.severity) == (kind, NOW, Severity.WARNING)
    assert matters(NOW + DAY - SECOND, **facts) == [matter]
    assert matters(NOW + DAY, **facts) == []


def test_restarts_of_one_service_are_one_matter() -> None:
    restarts = (Restart("dock", NOW), Restart("web", NOW), Restart("dock", NOW - HOUR))
    dock, web = matters(watchdog_restarts=restarts)
    assert (dock.key, dock.count, dock.since) == ("restarted/dock", 2, NOW - HOUR)
    assert web.key == "restarted/web"


def test_a_clock_that_is_set_by_two_seconds_is_no_matter() -> None:
    assert matters(clock_steps=(ClockStep(NOW, 2.0), ClockStep(NOW, -2.0))) == []


def test_a_backup_that_failed_is_a_matter_until_one_succeeds() -> None:
    (matter,) = matters(backups=(Backup("b", NOW - DAY, NOW - HOUR, NOW),))
    assert (matter.since, matter.severity) == (NOW, Severity.WARNING)
    assert matter.text.english == "The backup to b failed."
    assert matters(backups=(Backup("b", NOW - DAY, NOW, NOW - HOUR),)) == []
    assert matters(backups=(Backup("b", NOW - DAY, NOW, NOW),)) == []


@given(st.timedeltas(timedelta(), 30 * DAY), st.timedeltas(timedelta(), 30 * DAY))
def test_what_lasts_is_a_matter_for_good_until_its_facts_change(
    first: timedelta, more: timedelta
) -> None:
    facts: dict[str, object] = {
        "disks": (disk(*range(300, 400, 10), every=DAY),),
        "stores": (StoreWatch("s", NOW, NOW),),
        "oldest_unwitnessed": NOW,
        "unsynchronised_since": NOW,
        "backups": (Backup("b", NOW),),
    }
    before = {m.key: m for m in matters(NOW + first, **facts)}
    after = {m.key: m for m in matters(NOW + first + more, **facts)}
    for key, matter in before.items():
        assert after[key].severity.rank >= matter.severity.rank
        assert after[key].since >= matter.since
