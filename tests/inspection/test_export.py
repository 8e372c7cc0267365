"""A checkable copy for a case file or a court (Art. 21, Art. 26, Art. 30)."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import ANY

import pytest

from recorder_sync.catalogue import recordings
from recorder_sync.catalogue.recordings import Sealed
from recorder_sync.custody.log import Act, CustodyLog, Entry, leaf_hash
from recorder_sync.errors import MissingPart, RecordingFailure, UsageProblem
from recorder_sync.inspection.export import export
from recorder_sync.station import Station
from tests.conftest import Dock


def log_of(dock: Dock) -> list[Entry]:
    return list(CustodyLog(dock.state / "custody", "test").entries())


def exports_in(dock: Dock) -> list[Entry]:
    return [entry for entry in log_of(dock) if entry.deed.act is Act.EXPORT]


def failed_in(dock: Dock) -> list[Entry]:
    return [entry for entry in log_of(dock) if entry.deed.act is Act.EXPORT_FAILED]


def ids_of(dock: Dock) -> list[str]:
    return [str(json.loads(Path(f"{p}.json").read_bytes())["id"]) for p in dock.sealed_files()]


def tampered(path: Path) -> None:
    path.chmod(0o640)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_a_copy_holds_recording_description_custody_and_lists(
    station: Dock, tmp_path: Path
) -> None:
    to = tmp_path / "court"
    one, other = station.sealed_files()[:2]
    first, second = ids_of(station)[:2]
    done = station.run(
        *("recordings", "export", first, second, "--to", str(to)),
        *("--by", "检察院", "--reason", "案件审查", "--json"),
    )
    assert done.code == 0, done.err
    assert done.json == {"to": str(to), "files": [str(to / one.name), str(to / other.name)]}
    assert left_in(to) == {
        *("B3SUMS", "SHA256SUMS", "verify_evidence.py"),
        *(one.name, f"{one.name}.json", f"{one.name}.custody.jsonl"),
        *(other.name, f"{other.name}.json", f"{other.name}.custody.jsonl"),
    }
    for file in (one, other):
        assert (to / file.name).read_bytes() == file.read_bytes()
        assert (to / f"{file.name}.json").read_bytes() == Path(f"{file}.json").read_bytes()


@pytest.mark.parametrize(("program", "list_"), [("b3sum", "B3SUMS"), ("sha256sum", "SHA256SUMS")])
def test_a_copy_is_checked_with_ordinary_tools_and_nothing_of_ours(
    program: str, list_: str, station: Dock, tmp_path: Path
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    to = tmp_path / "court"
    assert station.run("recordings", "export", *ids_of(station), "--to", str(to)).code == 0

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, "-c", list_], cwd=to, capture_output=True, text=True, check=False
        )

    whole = check()
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert whole.stdout.count(": OK") >= 2 * len(station.sealed_files())
    tampered(next(to.glob("*.mp4")))
    assert check().returncode != 0


def test_the_program_in_a_copy_needs_no_words_to_check_it(station: Dock, tmp_path: Path) -> None:
    to = tmp_path / "court"
    assert station.run("recordings", "export", ids_of(station)[0], "--to", str(to)).code == 0

    def check(*words: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, str(to / "verify_evidence.py"), *words]
        return subprocess.run(program, capture_output=True, text=True, check=False)

    assert check().stdout == check("export", str(to)).stdout
    tampered(next(to.glob("*.mp4")))
    assert check().returncode == 1


def test_the_custody_entries_beside_a_copy_are_the_exact_lines_of_the_log(
    station: Dock, tmp_path: Path
) -> None:
    to = tmp_path / "court"
    identifier = ids_of(station)[0]
    station.run("recordings", "show", identifier)
    station.run("recordings", "export", identifier, "--to", str(to))
    (beside,) = to.glob("*.custody.jsonl")
    entries = {entry.leaf: entry.deed.act for entry in log_of(station)}
    acts = [entries[leaf_hash(line)] for line in beside.read_bytes().splitlines()]
    assert acts == [Act.SEAL, Act.VIEW, Act.EXPORT]


def test_art_21_who_took_a_copy_and_why_is_entered_for_each_recording(
    station: Dock, tmp_path: Path
) -> None:
    first, second = ids_of(station)[:2]
    station.run(
        *("recordings", "export", first, second, "--to", str(tmp_path / "court")),
        *("--by", "检察院", "--reason", "案件审查"),
    )
    entered = exports_in(station)
    assert [entry.deed.subject for entry in entered] == [first, second]
    for entry in entered:
        assert entry.deed.actor.startswith("os:")
        assert entry.deed.facts == {
            "to": str(tmp_path / "court"),
            "by": "检察院",
            "reason": "案件审查",
        }


def _sealed(opened: Station) -> list[Sealed]:
    db = opened.catalogue
    return [recordings.recording(db, found) for found in recordings.sealed_ids(db)]


def test_the_entry_is_in_the_log_before_the_first_byte_is_copied(
    station: Dock, tmp_path: Path
) -> None:
    opened = station.station()
    entered_at_first_byte: list[list[str]] = []

    def copied(_count: int) -> None:
        entered_at_first_byte.append([entry.deed.subject for entry in exports_in(station)])

    try:
        wanted = _sealed(opened)[:2]
        export(opened, wanted, tmp_path / "court", by=None, reason=None, copied=copied)
    finally:
        opened.catalogue.close()
    assert entered_at_first_byte[0] == [wanted[0].recording.id]
    assert entered_at_first_byte[-1] == [one.recording.id for one in wanted]


def test_without_an_entry_there_is_no_copy(station: Dock, tmp_path: Path) -> None:
    shutil.rmtree(station.state / "custody")
    (station.state / "custody").write_text("a file stands where the folder should be")
    to = tmp_path / "court"
    done = station.run("recordings", "export", ids_of(station)[0], "--to", str(to))
    assert done.code == 3
    assert left_in(to) == set()


# Folders that will not do.


@pytest.mark.parametrize(
    "inside", ["court", "CAM001/court", ".incoming/court", "court/../CAM001/new"]
)
def test_a_folder_inside_the_evidence_is_refused_and_nothing_is_entered(
    inside: str, station: Dock
) -> None:
    before = len(log_of(station))
    to = station.evidence / inside
    done = station.run("recordings", "export", ids_of(station)[0], "--to", str(to), "--json")
    assert done.code == 2
    assert "inside the evidence folder" in done.json["error"]
    assert len(log_of(station)) == before
    assert not to.exists()


def test_a_way_round_by_a_link_is_refused_too(station: Dock, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(station.evidence)
    to = tmp_path / "link" / "court"
    done = station.run("recordings", "export", ids_of(station)[0], "--to", str(to))
    assert done.code == 2
    assert not (station.evidence / "court").exists()


def test_the_evidence_folder_itself_is_refused(station: Dock) -> None:
    done = station.run("recordings", "export", ids_of(station)[0], "--to", str(station.evidence))
    assert done.code == 2


def test_a_folder_that_is_not_empty_is_refused_and_left_as_it_was(
    station: Dock, tmp_path: Path
) -> None:
    to = tmp_path / "court"
    to.mkdir()
    (to / "other.txt").write_text("of another case")
    before = len(log_of(station))
    done = station.run("recordings", "export", ids_of(station)[0], "--to", str(to), "--json")
    assert done.code == 2
    assert "not empty" in done.json["error"]
    assert done.json["hint"]
    assert left_in(to) == {"other.txt"}
    assert len(log_of(station)) == before


def test_an_empty_folder_will_do(station: Dock, tmp_path: Path) -> None:
    to = tmp_path / "court"
    to.mkdir()
    assert station.run("recordings", "export", ids_of(station)[0], "--to", str(to)).code == 0


def test_a_file_in_place_of_the_folder_is_refused(station: Dock, tmp_path: Path) -> None:
    to = tmp_path / "court"
    to.write_text("a file")
    done = station.run("recordings", "export", ids_of(station)[0], "--to", str(to))
    assert done.code in (2, 3)
    assert "Traceback" not in done.err
    assert to.read_text() == "a file"


def test_a_recording_that_is_not_there_is_refused_before_anything_is_made(
    station: Dock, tmp_path: Path
) -> None:
    to = tmp_path / "court"
    done = station.run("recordings", "export", ids_of(station)[0], "zzzzz", "--to", str(to))
    assert done.code == 2
    assert not to.exists()
    assert exports_in(station) == []


def test_a_recording_named_twice_is_copied_once(station: Dock, tmp_path: Path) -> None:
    to = tmp_path / "court"
    identifier = ids_of(station)[0]
    done = station.run(
        "recordings", "export", identifier, identifier[:10], "--to", str(to), "--json"
    )
    assert done.code == 0, done.err
    assert len(done.json["files"]) == len(exports_in(station)) == 1


# Evidence that is not what was sealed.


@pytest.mark.parametrize("part", ["recording", "description"])
def test_a_tampered_source_is_refused_and_leaves_nothing_that_looks_like_a_copy(
    part: str, station: Dock, tmp_path: Path
) -> None:
    file = station.sealed_files()[0]
    tampered(file if part == "recording" else Path(f"{file}.json"))
    to = tmp_path / "court"
    done = station.run("recordings", "export", ids_of(station)[1], "--to", str(tmp_path / "good"))
    assert done.code == 0, done.err
    opened = station.station()
    try:
        (wanted,) = (s for s in _sealed(opened) if s.recording.path.endswith(file.name))
        with pytest.raises(RecordingFailure) as caught:
            export(opened, [wanted], to, by=None, reason=None)
    finally:
        opened.catalogue.close()
    assert file.name in caught.value.text.english
    assert "Do not use" in (caught.value.hint.english if caught.value.hint else "")
    assert not {"B3SUMS", "SHA256SUMS"} & left_in(to)
    if part == "recording":
        assert file.name not in left_in(to)


def test_a_tampered_source_ends_the_command_with_a_message(station: Dock, tmp_path: Path) -> None:
    identifier = ids_of(station)[0]
    file = station.sealed_files()[0]
    tampered(file)
    to = tmp_path / "court"
    done = station.run("recordings", "export", identifier, "--to", str(to), "--json")
    assert done.code == 1
    assert "not what was sealed" in done.json["error"]
    assert file.name in done.json["error"]
    assert left_in(to) == set()
    (tried,) = exports_in(station)
    (refused,) = failed_in(station)
    assert refused.deed.subject == tried.deed.subject == identifier
    assert refused.deed.facts == {**tried.deed.facts, "entry": tried.seq, "why": ANY}
    assert "not what was sealed" in refused.deed.facts["why"]


def test_art_21_of_several_only_those_that_were_copied_are_on_record_as_exported(
    station: Dock, tmp_path: Path
) -> None:
    """The second of three is refused: the first is copied out, the third was never begun."""
    ids, files, to = ids_of(station)[:3], station.sealed_files()[:3], tmp_path / "court"
    tampered(Path(f"{files[1]}.json"))
    assert station.run("recordings", "export", *ids, "--to", str(to)).code == 1
    assert [entry.deed.subject for entry in exports_in(station)] == ids[:2]
    assert [entry.deed.subject for entry in failed_in(station)] == ids[1:2]
    assert left_in(to) == {
        files[0].name,
        f"{files[0].name}.json",
        f"{files[0].name}.custody.jsonl",
    }
    shown = station.run("recordings", "show", ids[1]).out
    assert "export-failed" in shown


def test_a_copy_that_is_stopped_by_ctrl_c_is_taken_back(station: Dock, tmp_path: Path) -> None:
    opened = station.station()

    def stopped(_count: int) -> None:
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            export(
                opened, _sealed(opened)[:2], tmp_path / "x", by=None, reason=None, copied=stopped
            )
    finally:
        opened.catalogue.close()
    (failed,) = failed_in(station)
    assert failed.deed.facts["why"] == "KeyboardInterrupt"
    assert left_in(tmp_path / "x") == set()


def test_a_source_that_is_gone_leaves_nothing_that_looks_like_a_copy(
    station: Dock, tmp_path: Path
) -> None:
    identifier = ids_of(station)[0]
    station.sealed_files()[0].unlink()
    to = tmp_path / "court"
    done = station.run("recordings", "export", identifier, "--to", str(to), "--json")
    assert done.code == 1
    assert left_in(to) == set()


@pytest.fixture
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """An empty disk of the size that the test asks for."""
    to = tmp_path / "small"
    to.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={request.param}", "small", str(to)]
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("a small disk can only be mounted by root")
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield to
    subprocess.run(["umount", str(to)], check=True)


@pytest.mark.parametrize("small_disk", ["8k", "16k", "64k", "100k"], indirect=True)
def test_a_full_disk_is_said_so_and_leaves_only_whole_files(
    small_disk: Path, station: Dock
) -> None:
    result = station.run(
        "recordings", "export", *ids_of(station), "--to", str(small_disk), "--json"
    )
    assert result.code == 3
    assert result.json["hint"]
    assert not (small_disk / "verify_evidence.py").exists()
    taken_back = [entry.deed.subject for entry in failed_in(station)]
    for entry in exports_in(station):
        there = [path for path in small_disk.iterdir() if entry.deed.subject in path.name]
        assert bool(there) == (entry.deed.subject not in taken_back)
    sealed = {path.name: path for path in station.evidence.rglob("*") if path.is_file()}
    for left in small_disk.iterdir():
        if left.name.endswith(".custody.jsonl"):
            assert left.read_bytes().endswith(b"\n")
        else:
            assert left.read_bytes() == sealed[left.name].read_bytes(), left.name


def test_two_recordings_of_one_name_do_not_replace_each_other(
    station: Dock, tmp_path: Path
) -> None:
    opened = station.station()
    to = tmp_path / "court"
    try:
        one = _sealed(opened)[0]
        with pytest.raises(MissingPart):
            export(opened, [one, one], to, by=None, reason=None)
    finally:
        opened.catalogue.close()
    assert ".unfinished" not in left_in(to)


@pytest.mark.parametrize("proof", [False, True])
def test_the_copy_is_handed_over_with_the_command_that_checks_it(
    proof: bool, station: Dock, tmp_path: Path
) -> None:
    to = tmp_path / "court"
    words = ("recordings", "export", ids_of(station)[0], "--to", str(to))
    said = station.run(*words, *(["--proof"] if proof else [])).out
    assert "--verifier" in said
    assert ("--log" in said) == (not proof), "without proofs only the log vouches"


def test_a_copy_changes_nothing_in_the_evidence(station: Dock, tmp_path: Path) -> None:
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in station.evidence.rglob("*.mp4")}
    station.run("recordings", "export", *ids_of(station), "--to", str(tmp_path / "court"))
    after = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in station.evidence.rglob("*.mp4")}
    assert after == before
    assert station.run("verify").code == 0


def test_an_error_names_the_folder(station: Dock) -> None:
    opened = station.station()
    try:
        with pytest.raises(UsageProblem) as caught:
            export(opened, [], station.evidence / "x", by=None, reason=None)
    finally:
        opened.catalogue.close()
    assert str(station.evidence / "x") in caught.value.text.english
