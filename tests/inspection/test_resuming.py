"""A verification of everything that was cut off goes on where it was."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.ingest.stopping import Stop
from recorder_sync.inspection.pace import Pace
from recorder_sync.inspection.verification import Scope, verify
from tests.conftest import Dock
from tests.ingest.aftermath import until
from tests.inspection.furnished import second_connection


def size_of(dock: Dock) -> int:
    return sum(file.stat().st_size for file in dock.sealed_files())


def stopped_after(dock: Dock, recordings: int) -> None:
    """Verify everything, and ask it to stop after so many recordings."""
    station, stop = dock.station(), Stop()
    looked_at = 0

    def checked(_path: str, _size: int) -> None:
        nonlocal looked_at
        looked_at += 1
        if looked_at == recordings:
            stop.request()

    try:
        result = verify(station, Scope(), checked, pace=Pace(stop=stop))
    finally:
        station.catalogue.close()
    assert (result.complete, result.checked) == (False, recordings)


@contextmanager
def re_reading(dock: Dock) -> Iterator[subprocess.Popen[bytes]]:
    """Start a verification that never ends, and wait until it reads a recording."""
    names = {str(file) for file in dock.sealed_files()}
    with subprocess.Popen(
        dock.command("verify", "--all", "--json", "--rate", "0.001"), stdout=subprocess.PIPE
    ) as child:
        try:
            until(lambda: names & _open_files(child.pid), "a recording being read")
            yield child
        finally:
            child.kill()


def _open_files(pid: int) -> set[str]:
    found = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(handle.readlink()))
        except FileNotFoundError:
            continue
    return found


def next_one(dock: Dock, *arguments: str) -> Any:
    done = dock.run("verify", "--all", "--json", *arguments)
    assert done.code == 0, done.err
    return done.json


def test_what_was_re_read_before_it_was_stopped_is_not_re_read_again(station: Dock) -> None:
    stopped_after(station, 2)
    went_on = next_one(station)
    assert (went_on["re_read_earlier"], went_on["checked"]) == (2, 4)
    assert 0 < went_on["bytes"] < size_of(station)
    fresh = next_one(station)
    assert (fresh["re_read_earlier"], fresh["bytes"]) == (0, size_of(station))


def test_it_can_be_begun_anew(station: Dock) -> None:
    stopped_after(station, 2)
    assert next_one(station, "--anew")["bytes"] == size_of(station)


def test_what_was_re_read_too_long_ago_is_re_read_again(station: Dock) -> None:
    stopped_after(station, 2)
    opened = station.station()
    long_after = replace(opened, now=lambda: opened.now() - timedelta(days=31))
    try:
        verify(long_after, Scope(), bodies=True, anew=True, pace=Pace(stop=_stopped()))
    finally:
        opened.catalogue.close()
    assert next_one(station)["bytes"] == size_of(station)


def _stopped() -> Stop:
    stop = Stop()
    stop.request()
    return stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly_and_is_on_record(number: signal.Signals, station: Dock) -> None:
    with re_reading(station) as child:
        child.send_signal(number)
        assert child.wait(30) == 128 + number
    entry = list(CustodyLog(station.state / "custody", "test").entries())[-1]
    assert entry.deed.act is Act.VERIFICATION
    assert entry.deed.facts["complete"] is False


def test_killed_it_goes_on_with_what_is_on_record(station: Dock) -> None:
    stopped_after(station, 2)
    with re_reading(station) as child:
        os.kill(child.pid, signal.SIGKILL)
    assert next_one(station)["re_read_earlier"] == 2


def test_a_recording_that_is_not_whole_is_found_again_after_an_interruption(
    station: Dock,
) -> None:
    first = station.sealed_files()[0]
    first.chmod(0o640)
    first.write_bytes(first.read_bytes()[::-1])
    first.chmod(0o440)
    stopped_after(station, 2)
    done = station.run("verify", "--all", "--json")
    assert [f["kind"] for f in done.json["findings"]] == ["changed"]
    assert done.json["re_read_earlier"] == 1


def test_a_recording_and_the_station_tell_when_they_were_last_re_read(station: Dock) -> None:
    (one, *_) = station.run("recordings", "list", "--json").json["recordings"]

    def re_read_at() -> Any:
        return station.run("recordings", "show", one["id"], "--json").json["verified_at"]

    assert re_read_at() is None
    assert station.run("status", "--json").json["verification"] == {"oldest": None, "never": 4}
    next_one(station, "--metadata")
    assert re_read_at() is None, "metadata proves nothing of the content"
    next_one(station)
    at = re_read_at()
    assert at is not None
    assert station.run("status", "--json").json["verification"] == {"oldest": at, "never": 0}
    assert at[:10] == "2026-11-23"


def test_a_rebuilt_catalogue_knows_what_was_re_read_and_goes_on(station: Dock) -> None:
    stopped_after(station, 2)

    def known() -> list[Any]:
        db = second_connection(station)
        try:
            return [
                db.execute(f"select * from {table} order by 1").fetchall()
                for table in ("verified", "verification_runs")
            ]
        finally:
            db.close()

    before = known()
    assert [len(rows) for rows in before] == [2, 1]
    assert station.run("catalogue", "rebuild").code == 0
    assert known() == before
    assert next_one(station)["re_read_earlier"] == 2


def test_a_rate_is_kept(station: Dock) -> None:
    """Pure arithmetic of waiting, on a clock of its own."""
    now = 0.0

    class Waits(Stop):
        def wait(self, seconds: float) -> None:
            nonlocal now
            now += seconds

    pace = Pace(1_000_000, Waits(), clock=lambda: now)
    for _ in range(100):
        pace.took(500_000)
    assert 45 <= now <= 50


def test_it_stands_still_while_something_more_urgent_goes_on() -> None:
    urgent = [True, True, False]
    waited = []

    class Waits(Stop):
        def wait(self, seconds: float) -> None:
            waited.append(seconds)

    Pace(stop=Waits(), gives_way=lambda: urgent.pop(0)).step()
    assert len(waited) == 2
    assert urgent == []


def test_the_evidence_is_the_same_after_all_this(station: Dock) -> None:
    copy = station.evidence.with_name("before")
    shutil.copytree(station.evidence, copy)
    next_one(station)
    done = subprocess.run(["diff", "-r", str(copy), str(station.evidence)], check=False)
    assert done.returncode == 0
