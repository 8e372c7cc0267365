"""What a store has confirmed is looked at again, night after night."""

from pathlib import Path
from typing import Any

import pytest

from recorder_sync.catalogue import copies
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Severity
from recorder_sync.rules.resampling import UNREADABLE_AFTER, wait_after
from tests.catalogue.whole import whole
from tests.faults.conftest import disk
from tests.faults.disk import FaultyDisk
from tests.forward.timed import Timed, timed
from tests.ingest.aftermath import until

pytestmark = pytest.mark.long

__all__ = ["disk", "timed"]

NIGHT = {"nightly": False, "night_begins": "22:00", "night_ends": "06:00"}
SIX_HOURS = 6 * 3600
"""From the afternoon of the tests to midnight."""
DAY = 24 * 3600


def _confirmed(bed: Timed, count: int, more: str = "") -> list[dict[str, Any]]:
    """Have so many recordings confirmed by a store of which all is looked at each night."""
    bed.set_up(f"look_again_percent = 100\n{more}", verification=NIGHT)
    bed.bind()
    sealed = bed.seal(count, size=5000)
    bed.start()
    bed.until_confirmed(count)
    return sealed


def _looked_at(bed: Timed) -> list[str]:
    entries = bed.entries("copies-looked-at")
    return [one for entry in entries for one in entry["facts"]["read_back"]]


def _file(bed: Timed, one: dict[str, Any]) -> Path:
    (key,) = [key for key in bed.objects() if one["id"] in key and not key.endswith(".json")]
    path = bed.nas / key
    path.chmod(0o640)
    return path


def test_each_night_copies_are_read_again_and_that_is_on_record(timed: Timed) -> None:
    sealed = _confirmed(timed, 3)
    assert timed.entries("copies-looked-at") == [], "not by day"
    timed.pass_time(SIX_HOURS)
    until(lambda: len(_looked_at(timed)) == 3, "the first night")
    timed.pass_time(DAY)
    until(lambda: len(_looked_at(timed)) == 6, "the second night")
    assert sorted(_looked_at(timed)) == sorted(2 * [one["id"] for one in sealed])
    assert timed.entries("copy-lost") == []
    assert timed.stop()
    before = whole(timed.dock.state / "catalogue.db")
    assert len(before["copies_looked_at"]) == 3
    assert timed.dock.run("catalogue", "rebuild").code == 0
    assert whole(timed.dock.state / "catalogue.db") == before
    assert timed.dock.run("verify", "--json").json["findings"] == []


def test_art_27_a_copy_that_vanished_or_changed_is_an_alert_at_once_and_is_sent_again(
    timed: Timed,
) -> None:
    gone, changed, good = _confirmed(timed, 3)
    path = _file(timed, gone)
    path.unlink()
    other = _file(timed, changed)
    content = bytearray(other.read_bytes())
    content[4321] ^= 1
    other.write_bytes(content)
    timed.pass_time(SIX_HOURS)
    until(lambda: len(timed.entries("copy-lost")) == 2, "both are found")
    # The log comes before the catalogue, which may not know of the second loss yet.
    until(lambda: len(timed.entries("confirmed")) == 4, "what vanished is sent again")
    until(lambda: timed.confirmed() == {gone["id"], good["id"]}, "and there again")
    timed.until_failed(1)  # what somebody changed is not written over
    assert path.read_bytes() == (timed.dock.evidence / gone["path"]).read_bytes()
    said = {entry["subject"]: entry["facts"]["what"] for entry in timed.entries("copy-lost")}
    assert said == {gone["id"]: "missing", changed["id"]: "changed"}
    alerts = timed.alerts(AlertKind.COPY_DIFFERS)
    assert {one.severity for one in alerts} == {Severity.BREACH}
    for one in (gone, changed):
        assert sum(one["id"] in alert.text.english for alert in alerts) == 1
    shown = timed.dock.run("recordings", "show", changed["id"], "--json").json
    assert shown["stores"]["nas"]["state"] == "failed"
    station = timed.dock.station()
    try:
        assert copies.confirmed_by(station.catalogue, changed["id"]) == {}, (
            "no card is cleared by it"
        )
    finally:
        station.catalogue.close()
    other.rename(timed.nas / ".what-somebody-made")
    timed.retry()
    timed.until_confirmed(3)
    assert len(timed.entries("confirmed")) == 5, "each once, and once more what was lost"
    timed.stop()
    assert timed.dock.run("verify", "--json").json["findings"] == []
    before = timed.rows("select * from copies order by recording")
    assert timed.dock.run("catalogue", "rebuild").code == 0
    assert timed.rows("select * from copies order by recording") == before


def test_what_is_lost_waits_for_a_person_where_the_settings_say_so(timed: Timed) -> None:
    (one,) = _confirmed(timed, 1, "send_lost_again = false")
    path = _file(timed, one)
    path.unlink()
    timed.pass_time(SIX_HOURS)
    timed.until_failed(1)
    assert "not there any more" in timed.store()["failures"][0]["why"]
    assert timed.confirmed() == set()
    timed.stop()
    timed.start()  # nor does a start, which looks at everything, send it
    until(lambda: timed.journal().count("forwarding") == 2, "it works")
    assert not path.exists()
    timed.retry()
    timed.until_confirmed(1)
    assert path.exists()


def test_a_copy_of_which_only_the_size_was_known_is_proven_by_reading_it(timed: Timed) -> None:
    (one,) = _confirmed(timed, 1, "read_back_percent = 0")
    assert timed.rows("select proof from copies") == [("size",)]
    timed.pass_time(SIX_HOURS)
    until(lambda: timed.rows("select proof from copies") == [("read-back",)], "it is read")
    assert _looked_at(timed) == [one["id"]]


def test_a_store_that_is_away_by_night_has_lost_nothing(timed: Timed) -> None:
    _confirmed(timed, 2)
    timed.nas.rename(timed.nas.with_name("away"))
    timed.pass_time(SIX_HOURS)
    timed.until_failing("transient")
    assert timed.entries("copy-lost") == []
    assert len(timed.confirmed()) == 2
    timed.nas.with_name("away").rename(timed.nas)
    timed.pass_time(3600)
    until(lambda: len(_looked_at(timed)) == 2, "it is back, and all of it there")
    timed.until_back()


def test_a_copy_that_cannot_be_read_at_a_store_that_is_there_is_lost_and_no_other_is(
    timed: Timed, disk: FaultyDisk
) -> None:
    bed = timed
    more = "look_again_percent = 100\n"
    store = f'[[stores]]\nname = "nas"\n{more}{bed.directory(disk.path)}'
    bed.set_up(stores=store, verification=NIGHT)
    bed.bind()
    bad, good = bed.seal(2, size=5000)
    bed.start()
    bed.until_confirmed(2)
    (key,) = [key for key in bed.objects(disk.path) if bad["id"] in key and ".json" not in key]
    place = disk.place_of(disk.path / key)
    disk.fail_reads(place, 4096)
    bed.pass_time(SIX_HOURS)
    for failures in range(1, UNREADABLE_AFTER):
        until(lambda: bed.journal().count("cannot be looked at") == failures, "it fails")  # noqa: B023
        assert len(bed.confirmed()) == 2, "it may be the store"
        bed.pass_time(int(wait_after(failures).total_seconds()))
    until(lambda: bed.entries("copy-lost"), "it is the copy")
    (entry,) = bed.entries("copy-lost")
    assert (entry["subject"], entry["facts"]["what"]) == (bad["id"], "unreadable")
    until(lambda: _looked_at(bed) == [good["id"]], "the other one is there")
    (alert,) = bed.alerts(AlertKind.COPY_DIFFERS)
    assert "cannot be read" in alert.text.english
