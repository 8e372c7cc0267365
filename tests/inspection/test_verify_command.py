"""What the command `verify` tells people, refuses, and makes an alert of."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.custody.log import Act, CustodyLog
from tests.conftest import Dock
from tests.inspection.furnished import log_file, log_lines, second_connection
from tests.inspection.test_nightly import alerts, spoil, work
from tests.inspection.test_resuming import stopped_after


def loosen(*files: Path) -> None:
    """Take the protection off."""
    for file in files:
        file.chmod(0o640)


def verifications(dock: Dock) -> list[Any]:
    entries = CustodyLog(dock.state / "custody", "test").entries()
    return [entry.deed.facts for entry in entries if entry.deed.act is Act.VERIFICATION]


# What was read now, and what was not.


def test_what_an_earlier_run_had_read_is_not_told_as_read_now(station: Dock) -> None:
    stopped_after(station, 1)
    done = station.run("verify", "--all")
    assert done.code == 0
    assert "✔ 3 recording(s)" in done.out
    assert "read now and whole; 1 were whole when read since 2026-11-23" in done.out
    assert "not read again" in done.out
    assert "4 recording(s)" not in done.out


def test_nothing_is_told_as_read_when_all_were_read_earlier(station: Dock) -> None:
    stopped_after(station, 4)
    done = station.run("verify", "--all")
    assert "✔ No recording read now: 4 were whole when read since 2026-11-23" in done.out
    assert "0 B" not in done.out


def test_findings_are_counted_beside_what_was_read_now(station: Dock) -> None:
    stopped_after(station, 1)
    loosen(station.sealed_files()[-1])
    done = station.run("verify", "--all")
    assert done.code == 1
    assert "3 recording(s) verified now, 1 finding(s); 1 were whole when read since" in done.out


def test_json_says_how_many_were_not_read_again(station: Dock) -> None:
    stopped_after(station, 1)
    assert station.run("verify", "--json").json["not_read_again"] == 1
    assert station.run("verify", "--json").json["not_read_again"] == 0


# Scopes.


def test_a_case_that_does_not_exist_is_refused(station: Dock) -> None:
    done = station.run("verify", "--case", "nosuch")
    assert (done.code, done.out) == (2, "")
    assert "There is no case nosuch." in done.err
    assert "cases list" in done.err
    assert verifications(station) == []


@pytest.mark.parametrize("scope", [("--since", "2030-01-01"), ("--case", "2026-9")])
@pytest.mark.parametrize("content", [(), ("--metadata",)])
def test_where_nothing_was_sealed_nothing_is_said_to_be_whole(
    station: Dock, scope: tuple[str, ...], content: tuple[str, ...]
) -> None:
    assert station.run("cases", "add", "2026-9").code == 0
    done = station.run("verify", *scope, *content)
    assert done.code == 0
    assert "Nothing was sealed in this scope: nothing was verified." in done.out
    assert "✔" not in done.out


@pytest.mark.parametrize(
    "options",
    [
        ("--metadata", "--rate", "5"),
        ("--metadata", "--anew"),
        ("--sample", "1", "--anew"),
        ("--since", "2026-01-01", "--anew"),
    ],
)
def test_what_would_be_ignored_is_refused(station: Dock, options: tuple[str, ...]) -> None:
    done = station.run("verify", *options)
    assert (done.code, done.out) == (2, "")
    assert verifications(station) == []


# Alerts.


def test_a_finding_of_the_command_is_an_alert_and_status_shows_it(station: Dock) -> None:
    file = station.sealed_files()[0]
    spoil(file)
    assert station.run("verify", "--all").code == 1
    (alert,) = alerts(station)
    assert alert["kind"] == "verification-finding"
    assert str(file.relative_to(station.evidence)) in alert["text"]


def test_many_findings_of_a_kind_are_two_alerts_and_open_ones_are_not_raised_again(
    station: Dock,
) -> None:
    loosen(*station.sealed_files())
    assert station.run("verify", "--metadata").code == 1
    assert len(alerts(station)) == 2
    for arguments in (("--all",), ("--metadata",), *[("--sample", "1")] * 3):
        assert station.run("verify", *arguments).code == 1
    assert work(station)
    assert len(alerts(station)) == 2


def test_what_is_found_later_is_another_alert(station: Dock) -> None:
    one, *others = station.sealed_files()
    loosen(*others)
    assert station.run("verify", "--metadata").code == 1
    before = alerts(station)
    loosen(one)
    assert station.run("verify", "--metadata").code == 1
    (new,) = [alert for alert in alerts(station) if alert not in before]
    assert str(one.relative_to(station.evidence)) in new["text"]


def test_a_log_too_broken_for_an_alert_is_told_and_nothing_crashes(station: Dock) -> None:
    *lines, last = log_lines(station)
    log_file(station).write_bytes(b"".join(lines) + last.replace(b"{", b"[", 1))
    done = station.run("verify", "--metadata")
    assert done.code == 1
    assert "log-broken" in done.out
    assert "No alert could be put on record" in done.err
    assert "Traceback" not in done.err


# The screen.


@contextmanager
def edited(dock: Dock) -> Iterator[Any]:
    db = second_connection(dock)
    try:
        yield db
    finally:
        db.close()


def test_ten_findings_of_a_kind_and_table_are_shown_and_the_rest_counted(station: Dock) -> None:
    with edited(station) as db:
        for number in range(13):
            db.execute("insert into cases (number, party) values (?, 'X')", [f"no-{number}"])
        db.execute("insert into officers (cert_no, unit) values ('999', 'X')")
    done = station.run("verify", "--metadata")
    assert done.out.count("catalogue.db/cases/") == 10
    assert "and 3 more (all with --json)" in done.out
    assert done.out.count("catalogue.db/officers/999") == 1
    assert "14 finding(s)" in done.out
    assert len(station.run("verify", "--metadata", "--json").json["findings"]) == 14


def test_a_log_that_was_cut_is_told_before_what_follows_from_it(furnished: Dock) -> None:
    log_file(furnished).write_bytes(b"".join(log_lines(furnished)[:-8]))
    done = furnished.run("verify", "--metadata")
    assert done.code == 1
    assert done.out.startswith("✘ checkpoint-differs")
    assert len(done.out.splitlines()) > 2
