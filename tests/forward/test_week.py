"""A week without a network: the queue grows, people are told once, and then all of it goes."""

from datetime import timedelta, timezone
from typing import Any

import pytest

from recorder_sync.model import AlertKind
from recorder_sync.rules.forwarding import LONGEST_WAIT
from tests.forward.timed import Timed, timed
from tests.ingest.aftermath import until
from tests.on_the_day import today

pytestmark = pytest.mark.long

__all__ = ["timed"]

DAY = timedelta(days=1)
DAYS = 7
BEIJING = timezone(timedelta(hours=8))
IMPORTANT = "_IMP"


def _seal(bed: Timed, day: int) -> list[dict[str, Any]]:
    """Take in two recordings of that day; of the second day the later one is important."""
    names = []
    for hours in (1, 2):
        at = today() + bed.passed - timedelta(hours=hours)
        marked = IMPORTANT if (day, hours) == (2, 1) else ""
        names.append(f"DCAM_0031_000001_{at.astimezone(BEIJING):%Y%m%d_%H%M%S}{marked}.jpg")
        bed.card.put(names[-1], names[-1].encode() * 30, at)
    done = bed.dock.ingest(bed.card, "--device", "0031")
    assert done.code == 0, done.err
    made = [one for one in done.json["recordings"] if one["original_name"] in names]
    assert len(made) == 2
    return made


def test_art_21_a_week_without_network_costs_no_limit_and_then_all_goes_by_urgency(
    timed: Timed,
) -> None:
    bed = timed
    bed.set_up("parallel = 1")
    bed.bind()
    away = bed.nas.with_name("not-mounted")
    bed.nas.rename(away)
    sealed = _seal(bed, 0)
    bed.start()
    bed.until_failing("transient")
    assert bed.alerts(AlertKind.STORE_UNREACHABLE) == []
    for day in range(1, DAYS + 1):
        tried = bed.journal().count("not sent")
        bed.pass_time(int(DAY.total_seconds()))
        until(lambda: bed.journal().count("not sent") > tried, "it is tried again")  # noqa: B023
        if day in (2, 5):
            sealed += _seal(bed, day)
            queue = "select count(*) from uploads"
            until(lambda: bed.rows(queue) == [(len(sealed),)], "the queue grows")  # noqa: B023
        assert len(bed.alerts(AlertKind.STORE_UNREACHABLE)) == 1
    told = "select count(*) from alerts where kind = ?"
    for kind in (AlertKind.STORE_UNREACHABLE, AlertKind.QUEUE_WAITS):
        assert bed.rows(told, kind.value) == [(1,)], "people are told once"
    assert bed.confirmed() == set()
    assert bed.store()["state"] == "failing"
    away.rename(bed.nas)
    bed.pass_time(int(LONGEST_WAIT.total_seconds()))
    bed.until_confirmed(len(sealed))
    bed.until_back()
    until(lambda: "event=back store=nas" in bed.journal(), "the journal says so")
    order = [entry["subject"] for entry in bed.entries("confirmed")]
    by_urgency = sorted(sealed, key=lambda one: ("important" not in one["flags"], one["deadline"]))
    assert "important" in by_urgency[0]["flags"]
    assert order == [one["id"] for one in by_urgency]
    bed.assert_each_is_there_once(sealed)
    for one in sealed:
        shown = bed.dock.run("recordings", "show", one["id"], "--json").json
        assert shown["deadline"] == one["deadline"]
        assert shown["on_time"] is True, "it was sealed here in time"
    assert bed.alerts(AlertKind.STORE_UNREACHABLE) == bed.alerts(AlertKind.QUEUE_WAITS) == []
