"""A lost dock PC comes back from one store alone: log, catalogue, recordings (Art. 5, 27)."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.from_store.conftest import Lost
from tests.ingest.aftermath import until

pytestmark = pytest.mark.long


def test_state_and_evidence_come_back_from_one_store_as_they_were(lost: Lost) -> None:
    done = lost.rebuild("--with-recordings")
    assert done.code == 0, done.err + done.out
    assert done.json["files"] == {"fetched": 3, "already_here": 0, "failed": 0}
    assert done.json["custody"]["trusted"] == "signing key"
    assert lost.here().startswith(lost.log)
    assert lost.files() == lost.evidence
    assert lost.dock.run("recordings", "list", "--json").json == lost.before
    verified = lost.dock.run("verify", "--all", "--json")
    assert (verified.code, verified.json["findings"]) == (0, [])
    assert verified.json["checked"] == 3


def test_without_the_recordings_the_catalogue_says_that_only_the_store_has_them(
    lost: Lost,
) -> None:
    done = lost.rebuild()
    assert done.code == 0, done.err + done.out
    listed = lost.dock.run("recordings", "list", "--json").json["recordings"]
    assert [one["stores"]["nas"]["state"] for one in listed] == ["confirmed"] * 3
    assert [one["here"] for one in listed] == [False] * 3
    verified = lost.dock.run("verify", "--all", "--json")
    assert (verified.code, verified.json["findings"]) == (0, [])
    assert verified.json["only_in_store"] == 3
    again = lost.rebuild("--with-recordings")
    assert again.code == 0, again.err + again.out
    assert again.json["custody"] is None, "the log is here already"
    assert lost.files() == lost.evidence
    listed = lost.dock.run("recordings", "list", "--json").json
    assert listed == lost.before
    assert lost.dock.run("verify", "--all", "--json").json["only_in_store"] == 0


def test_the_station_goes_on_and_the_store_takes_what_is_new(lost: Lost) -> None:
    assert lost.rebuild("--with-recordings").code == 0
    bed = lost.bed
    (new,) = bed.seal(1, first=7)
    bed.start()
    bed.until_confirmed(4)
    assert bed.stop() == 128 + signal.SIGTERM
    assert new["id"] in bed.confirmed()
    assert lost.dock.run("custody", "checkpoint").code == 0
    assert lost.dock.run("custody", "verify").code == 0
    assert len(bed.entries("store-bound")) == 1, "it is bound as it was, by the log's own word"


def test_a_correction_of_a_tag_comes_back_and_the_description_is_the_sealed_one(
    station: Lost,
) -> None:
    (first, *_) = station.bed.rows("select id from recordings order by id")
    why = ("--by", "王队", "--reason", "错")
    assert station.dock.run("recordings", "tag", first[0], *why, "--case", "2026-9").code == 0
    station.forward_everything()
    station.lose()
    done = station.rebuild("--with-recordings")
    assert done.code == 0, done.err + done.out
    assert station.files() == station.evidence
    assert station.dock.run("recordings", "list", "--json").json == station.before


def test_a_rotated_key_comes_back_with_the_one_before_it(station: Lost) -> None:
    station.forward_everything()
    assert station.dock.run("custody", "rotate-key").code == 0
    station.forward_everything()
    keys = (station.dock.state / "custody" / "verifier-keys").read_text("utf-8")
    station.lose()
    assert station.rebuild("--with-recordings").code == 0
    assert (station.dock.state / "custody" / "verifier-keys").read_text("utf-8") == keys
    assert len(keys.splitlines()) == 2
    assert station.dock.run("verify", "--all", "--json").json["findings"] == []


def test_without_the_signing_key_the_log_comes_back_and_the_key_is_to_be_compared(
    station: Lost,
) -> None:
    station.forward_everything()
    handed_out = (station.dock.state / "custody" / "verifier-key").read_text("utf-8").strip()
    station.lose(with_key=False)
    done = station.rebuild("--verifier", handed_out)
    assert done.code == 0, done.err + done.out
    assert (done.json["custody"]["trusted"], done.json["custody"]["verifier"]) == (
        "given",
        handed_out,
    )


def test_a_killed_rebuild_is_run_again_and_nothing_is_lost_or_twice(lost: Lost) -> None:
    """Killed at each of many moments; the last run is whole."""
    key = (lost.dock.state / "custody" / "signing-key.pem").read_bytes()
    command = lost.dock.command(
        "catalogue", "rebuild", "--from-store", "nas", "--with-recordings", "--json"
    )
    for after_s in (0.35, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        keys = [*lost.dock.state.glob("custody*/signing-key.pem")]
        assert key in {path.read_bytes() for path in keys}, "the key is never lost"
    done = lost.rebuild("--with-recordings")
    assert done.code == 0, done.err + done.out
    assert lost.files() == lost.evidence
    assert lost.dock.run("recordings", "list", "--json").json == lost.before
    assert not (lost.dock.state / "custody.from-store").exists()
    assert not (lost.dock.evidence / ".incoming" / "from-store").exists()
    verified = lost.dock.run("verify", "--all", "--json")
    assert (verified.code, verified.json["findings"]) == (0, [])


@pytest.mark.parametrize("is_described", [True, False])
def test_what_was_moved_but_neither_listed_nor_protected_is_finished(
    lost: Lost, is_described: bool
) -> None:
    """As a kill between moving a file and describing or listing it leaves it."""
    assert lost.rebuild("--with-recordings").code == 0
    (folder,) = {path.parent for path in lost.dock.sealed_files()}
    for name in ("B3SUMS", "SHA256SUMS"):
        (folder / name).unlink()
    for path in lost.dock.sealed_files():
        path.chmod(0o640)
        if not is_described:
            path.with_name(f"{path.name}.json").unlink()
    done = lost.rebuild("--with-recordings")
    assert (done.code, done.json["files"]["fetched"]) == (0, 0)
    assert lost.files() == lost.evidence
    assert {oct(path.stat().st_mode & 0o777) for path in lost.dock.sealed_files()} == {"0o440"}


def test_cosigned_notes_and_the_list_of_deliveries_come_back(station: Lost, tmp_path: Path) -> None:
    custody = station.dock.state / "custody"
    station.forward_everything()
    note = max((custody / "checkpoints").iterdir())
    (custody / "witnessed").mkdir()
    shutil.copy(note, custody / "witnessed" / note.name)
    line = f"{note.name} fsid-1 {json.dumps(str(tmp_path / 'usb'))}\n".encode()
    with (custody / "delivered").open("ab") as file:
        file.write(line)
    station.bed.start()
    until(lambda: list(station.records.glob("witnessed/*")), "the cosigned note is there")
    until(lambda: _delivered(station).endswith(line), "the list is there")
    station.bed.stop()
    kept = {path.name: path.read_bytes() for path in (custody / "witnessed").glob("[0-9]*")}
    station.lose()
    assert station.rebuild().code == 0
    assert {p.name: p.read_bytes() for p in (custody / "witnessed").glob("[0-9]*")} == kept
    # What lay beside the evidence that is lost is not missed.
    assert (custody / "delivered").read_bytes() == line


def _delivered(station: Lost) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(station.records.glob("delivered/*")))


def test_the_end_of_the_log_that_no_checkpoint_vouches_for_is_in_the_store_too(
    station: Lost,
) -> None:
    assert station.dock.run("custody", "checkpoint").code == 0
    bed = station.bed
    bed.seal(1, first=5)
    bed.start()
    until(lambda: _has_all(station), "all seals are there")
    until(
        lambda: station.has_note(max((station.dock.state / "custody/checkpoints").iterdir()).name),
        "",
    )
    bed.stop()
    station.lose()
    done = station.rebuild()
    assert done.code == 1
    assert done.json["custody"]["vouched"] < done.json["custody"]["entries"]
    assert any("No checkpoint vouches for" in problem for problem in done.json["problems"])
    assert done.json["recordings"] == 4
    entry = station.bed.entries("catalogue-rebuilt")[-1]
    assert entry["facts"]["brought"]["vouched"] == done.json["custody"]["vouched"], "for good"


def _has_all(station: Lost) -> bool:
    return station.pieces().count(b'"act":"seal"') == 4


def test_it_is_read_only_for_those_who_may_read_only(lost: Lost) -> None:
    """The log that is brought back is for the station's owner, and the key for nobody else."""
    assert lost.rebuild().code == 0
    key = lost.dock.state / "custody" / "signing-key.pem"
    assert oct(key.stat().st_mode & 0o777) == "0o600"
    assert key.stat().st_uid == os.stat(lost.dock.state).st_uid


def test_promise_5_a_file_that_is_missing_here_is_not_taken_for_one_that_is_in_the_store(
    lost: Lost,
) -> None:
    """Somebody removes evidence, and has the catalogue made anew from the store to hide it."""
    assert lost.rebuild("--with-recordings").code == 0
    gone = lost.dock.sealed_files()[0]
    gone.unlink()
    assert lost.rebuild().code == 0
    verified = lost.dock.run("verify", "--all", "--json").json
    assert [finding["kind"] for finding in verified["findings"]] == ["missing"]
    assert verified["only_in_store"] == 0
