"""Verification finds any byte changed, removed or added (promise 5, Art. 27, Art. 30)."""

import hashlib
import json
import mmap
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from recorder_sync.custody.log import Act, CustodyLog, Entry
from recorder_sync.inspection.verification import Scope, verify
from tests.conftest import Card, Dock, Done, MediaFiles
from tests.inspection.furnished import verify_here

Findings = set[tuple[str, str]]


def verified(dock: Dock, *scope: str) -> Done:
    return dock.run("verify", *(scope or ("--all",)), "--json")


def findings(done: Done) -> Findings:
    assert "Traceback" not in done.err, done.err
    return {(found["kind"], found["path"]) for found in done.json["findings"]}


def found(dock: Dock) -> Findings:
    """Verify everything with the real command, whose exit code has to agree."""
    done = verified(dock)
    assert done.code == (1 if findings(done) else 0), done.err
    return findings(done)


def found_here(dock: Dock) -> Findings:
    """Verify everything in this process, where there are many cases of a kind."""
    return {(f.kind.value, f.path) for f in verify_here(dock)}


def relative(dock: Dock, path: Path) -> str:
    return str(path.relative_to(dock.evidence))


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change a file's content and leave no other trace."""
    mode = path.stat().st_mode
    path.chmod(0o640)
    path.write_bytes(change(path.read_bytes()))
    path.chmod(mode)


def flipped(at: int) -> Callable[[bytes], bytes]:
    def flip(data: bytes) -> bytes:
        changed = bytearray(data)
        changed[at] ^= 1
        return bytes(changed)

    return flip


def sql(dock: Dock, *statements: str) -> None:
    """Do what a database administrator could."""
    db = sqlite3.connect(dock.state / "catalogue.db")
    db.execute("pragma foreign_keys=off")
    for statement in statements:
        assert db.execute(statement).rowcount > 0, statement
    db.commit()
    db.close()


def log_of(dock: Dock) -> list[Entry]:
    return list(CustodyLog(dock.state / "custody", "test").entries())


def a_recording(dock: Dock) -> Path:
    """Return one that shares its folder with others."""
    return dock.sealed_files()[-1]


# Whole evidence.


def test_whole_evidence_is_whole(station: Dock) -> None:
    done = verified(station)
    assert (done.code, done.json["findings"]) == (0, [])
    assert done.json["checked"] == 4
    assert done.json["bytes"] == sum(p.stat().st_size for p in station.sealed_files())


def test_art_30_people_are_told_in_one_sentence(station: Dock) -> None:
    done = station.run("verify")
    assert done.code == 0
    assert "4 recording(s)" in done.out
    assert "nothing added or missing" in done.out


@pytest.mark.parametrize(("program", "list_"), [("b3sum", "B3SUMS"), ("sha256sum", "SHA256SUMS")])
def test_outsiders_can_check_every_folder_with_ordinary_tools(
    program: str, list_: str, station: Dock
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    lists = list(station.evidence.rglob(list_))
    assert len(lists) == len({path.parent for path in station.sealed_files()}) == 2
    listed = 0
    for path in lists:
        done = subprocess.run(
            [program, "-c", list_], cwd=path.parent, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        listed += done.stdout.count(": OK")
    assert listed == 2 * len(station.sealed_files()), "each recording and its description"


def test_art_4_the_verification_itself_is_entered_in_the_custody_log(station: Dock) -> None:
    before = len(log_of(station))
    file = a_recording(station)
    rewrite(file, flipped(0))
    done = verified(station)
    alert, entry = log_of(station)[before:]
    assert (alert.deed.act, entry.deed.act) == (Act.ALERT, Act.VERIFICATION)
    facts = entry.deed.facts
    assert (facts["checked"], facts["bytes"]) == (4, done.json["bytes"])
    assert facts["scope"] == {"since": None, "sample": None, "case": None}
    assert [(f["kind"], f["path"]) for f in facts["findings"]] == [
        ("changed", relative(station, file))
    ]


def test_a_verification_that_cannot_be_entered_is_not_reported_as_done(station: Dock) -> None:
    folder = station.state / "custody"
    shutil.rmtree(folder)
    folder.write_text("a file stands where the folder should be")
    done = verified(station)
    assert done.code == 3
    assert "custody" in done.err


# One byte.


def test_one_byte_changed_anywhere_in_any_recording_is_found(station: Dock) -> None:
    for file in station.sealed_files():
        size = file.stat().st_size
        for at in (0, 1, size // 3, size - 2, size - 1):
            rewrite(file, flipped(at))
            assert found_here(station) == {("changed", relative(station, file))}, at
            rewrite(file, flipped(at))
    assert found(station) == set()


@pytest.mark.parametrize(
    "change",
    [flipped(-1), lambda d: d[:-1], lambda d: d + b"\0", lambda _: b""],
    ids=["flipped", "shorter", "longer", "emptied"],
)
def test_a_changed_recording_is_named(change: Callable[[bytes], bytes], station: Dock) -> None:
    file = a_recording(station)
    rewrite(file, change)
    done = verified(station)
    assert done.code == 1
    assert findings(done) == {("changed", relative(station, file))}
    (finding,) = done.json["findings"]
    assert finding["recording"] in file.name


def test_people_are_told_which_file_and_what_to_do(station: Dock) -> None:
    file = a_recording(station)
    rewrite(file, flipped(0))
    done = station.run("verify")
    assert done.code == 1
    assert "changed" in done.out
    assert file.name in done.out.replace("\n", "")
    assert "Touch nothing" in done.out


def test_a_change_is_found_though_the_old_bytes_are_still_in_memory(station: Dock) -> None:
    """Written round the page cache, as a failing disk changes it."""
    file = a_recording(station)
    file.chmod(0o640)
    file.read_bytes()
    try:
        handle = os.open(file, os.O_RDWR | os.O_DIRECT)
    except OSError as error:
        pytest.skip(f"this file system has no direct writes: {error.strerror}")
    buffer = mmap.mmap(-1, 4096)
    try:
        os.preadv(handle, [buffer], 0)
        buffer[100] ^= 1
        os.pwrite(handle, buffer, 0)
    finally:
        os.close(handle)
    assert ("changed", relative(station, file)) in found(station)


# Files removed, replaced, added.


def test_a_recording_that_is_gone_is_named(station: Dock) -> None:
    file = a_recording(station)
    file.unlink()
    assert found(station) == {("missing", relative(station, file))}


def test_a_folder_that_is_gone_is_named_file_by_file(station: Dock) -> None:
    folder = a_recording(station).parent
    gone = [p for p in station.sealed_files() if p.parent == folder]
    shutil.rmtree(folder)
    names = {relative(station, p) for p in gone}
    assert found(station) >= {("missing", name) for name in names} | {
        ("description-missing", f"{name}.json") for name in names
    }


def test_a_link_in_place_of_a_recording_is_found_though_the_content_is_the_same(
    station: Dock, tmp_path: Path
) -> None:
    file = a_recording(station)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert found(station) == {("changed", relative(station, file))}


@pytest.mark.parametrize("which", ["description", "B3SUMS", "SHA256SUMS", "folder", "device"])
def test_a_link_in_place_of_anything_else_is_found_though_the_content_is_the_same(
    which: str, station: Dock, tmp_path: Path
) -> None:
    """What a link points at can be changed later, outside the evidence folder."""
    file = a_recording(station)
    path = {
        "description": Path(f"{file}.json"),
        "B3SUMS": file.parent / "B3SUMS",
        "SHA256SUMS": file.parent / "SHA256SUMS",
        "folder": file.parent,
        "device": station.evidence / "CAM001",
    }[which]
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert relative(station, path) in {path for _, path in found_here(station)}


@pytest.mark.parametrize("which", ["recording", "description"])
def test_a_pipe_in_place_of_a_file_is_found_and_stops_nothing(which: str, station: Dock) -> None:
    file = a_recording(station)
    path = file if which == "recording" else Path(f"{file}.json")
    path.unlink()
    os.mkfifo(path)
    done = subprocess.Popen(
        station.command("verify", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, _ = done.communicate(timeout=15)
    except subprocess.TimeoutExpired:
        pytest.fail("verify waits for ever at a pipe")
    finally:
        done.kill()
        done.communicate()
    assert relative(station, path) in {f["path"] for f in json.loads(out)["findings"]}


def test_a_folder_in_place_of_a_file_is_found(station: Dock) -> None:
    file = a_recording(station)
    file.unlink()
    file.mkdir()
    assert relative(station, file) in {path for _, path in found(station)}


def _file(path: Path) -> None:
    path.write_bytes(b"added")


def _empty_file(path: Path) -> None:
    path.write_bytes(b"")


def _folder_with_a_file(path: Path) -> None:
    path.mkdir()
    (path / "inside.mp4").write_bytes(b"added")


def _empty_folder(path: Path) -> None:
    path.mkdir()


def _link_to_a_file(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def _link_to_a_folder(path: Path) -> None:
    path.symlink_to("/etc")


def _link_to_nothing(path: Path) -> None:
    path.symlink_to("/nowhere")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    "add",
    [
        _file,
        _empty_file,
        _folder_with_a_file,
        _empty_folder,
        _link_to_a_file,
        _link_to_a_folder,
        _link_to_nothing,
        _pipe,
    ],
)
@pytest.mark.parametrize("where", ["beside the recordings", "at the top"])
def test_anything_added_is_found(add: Callable[[Path], None], where: str, station: Dock) -> None:
    file = a_recording(station)
    path = (file.parent if where == "beside the recordings" else station.evidence) / "added"
    add(path)
    kinds = found_here(station)
    assert {kind for kind, _ in kinds} == {"extra"}
    assert all(name.startswith(relative(station, path)) for _, name in kinds)


def test_an_added_name_of_any_bytes_is_shown_and_entered_readably(station: Dock) -> None:
    raw = os.fsencode(station.evidence) + b"/\xff\xfe"
    with open(raw, "wb") as file:
        file.write(b"added")
    assert found(station) == {("extra", "\ufffd\ufffd")}


def test_promise_8_an_added_name_cannot_fool_the_inspectors_screen(station: Dock) -> None:
    _file(station.evidence / "x\x1b[2K\n\u2714 4 recording(s) whole\u202e")
    done = station.run("verify")
    assert done.code == 1
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert not [line for line in done.out.splitlines() if line.startswith("\u2714")]


# Descriptions and lists.


def test_a_changed_description_is_named(station: Dock) -> None:
    beside = Path(f"{a_recording(station)}.json")
    rewrite(beside, lambda data: data.replace(b'"on_time": true', b'"on_time": true '))
    rewrite(beside, lambda data: data.replace(b'"on_time": false', b'"on_time": true'))
    assert found(station) == {("description-changed", relative(station, beside))}


def test_a_description_that_is_gone_is_named(station: Dock) -> None:
    beside = Path(f"{a_recording(station)}.json")
    beside.unlink()
    assert found(station) == {("description-missing", relative(station, beside))}


@pytest.mark.parametrize("name", ["B3SUMS", "SHA256SUMS"])
@pytest.mark.parametrize(
    "change",
    [
        flipped(0),
        flipped(-2),
        lambda data: data[data.index(b"\n") + 1 :],
        lambda data: data + b"0" * 64 + b"  added.mp4\n",
        lambda data: data + data.splitlines(keepends=True)[0],
        lambda data: data[:-1],
        lambda data: data.replace(b"\n", b"\x0b", 1),
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda _: b"",
    ],
    ids=[
        *("digest", "name", "line gone", "line added", "line twice", "no last newline"),
        *("newline becomes another", "dos newlines", "emptied"),
    ],
)
def test_a_changed_digest_list_is_named(
    name: str, change: Callable[[bytes], bytes], station: Dock
) -> None:
    path = a_recording(station).parent / name
    rewrite(path, change)
    assert found_here(station) == {("list-differs", relative(station, path))}


@pytest.mark.parametrize("name", ["B3SUMS", "SHA256SUMS"])
def test_a_digest_list_that_is_gone_is_named(name: str, station: Dock) -> None:
    path = a_recording(station).parent / name
    path.unlink()
    assert found(station) == {("list-differs", relative(station, path))}


# The catalogue, changed by its administrator.


@pytest.mark.parametrize(
    "statement",
    [
        "update recordings set blake3 = 'b' where id = '{id}'",
        "update recordings set sha256 = 'a' where id = '{id}'",
        "update recordings set size = size + 1 where id = '{id}'",
        "update recordings set path = path || 'x' where id = '{id}'",
        "update recordings set description_blake3 = 'b' where id = '{id}'",
        "update recordings set description_sha256 = 'a' where id = '{id}'",
        "update recordings set on_time = 1 - on_time where id = '{id}'",
        "update recordings set deadline = '2030-01-01T00:00:00.000Z' where id = '{id}'",
        "update recordings set recorded_start = '2030-01-01T00:00:00.000Z' where id = '{id}'",
        "update recordings set device = null, officer = null where id = '{id}'",
        "update recordings set custody_seq = 1 where id = '{id}'",
        "update descriptions set json = replace(json, '{blake3}', 'b') where recording = '{id}'",
        "update descriptions set json = replace(json, '000001', '000002') where recording = '{id}'",
    ],
    ids=lambda statement: statement.split(" where ")[0][7:50],
)
def test_a_changed_catalogue_is_named(statement: str, station: Dock) -> None:
    file = a_recording(station)
    described = json.loads(Path(f"{file}.json").read_bytes())
    sql(station, statement.format(id=described["id"], blake3=described["blake3"]))
    kinds = {kind for kind, path in found_here(station) if path == relative(station, file)}
    assert kinds == {"catalogue-differs"}


def test_a_recording_deleted_from_the_catalogue_is_named(station: Dock) -> None:
    file = a_recording(station)
    identifier = json.loads(Path(f"{file}.json").read_bytes())["id"]
    sql(
        station,
        f"delete from descriptions where recording = '{identifier}'",
        f"delete from recordings where id = '{identifier}'",
    )
    assert found(station) == {("not-in-catalogue", relative(station, file))}


def test_a_recording_deleted_from_catalogue_and_disk_is_named_as_missing_too(
    station: Dock,
) -> None:
    file = a_recording(station)
    identifier = json.loads(Path(f"{file}.json").read_bytes())["id"]
    sql(
        station,
        f"delete from descriptions where recording = '{identifier}'",
        f"delete from recordings where id = '{identifier}'",
    )
    file.unlink()
    Path(f"{file}.json").unlink()
    assert found(station) >= {
        ("not-in-catalogue", relative(station, file)),
        ("missing", relative(station, file)),
    }


def test_a_recording_hidden_by_its_state_is_found(station: Dock) -> None:
    """A row marked as still being sealed is not searched for, nor verified as sealed."""
    file = a_recording(station)
    identifier = json.loads(Path(f"{file}.json").read_bytes())["id"]
    sql(station, f"update recordings set state = 'sealing' where id = '{identifier}'")
    done = verified(station)
    assert "Traceback" not in done.err
    shown = {r["id"] for r in station.run("recordings", "list", "--json").json["recordings"]}
    hidden_and_named = relative(station, file) in {path for _, path in findings(done)}
    assert identifier in shown or hidden_and_named


def test_a_correction_of_a_tag_is_no_finding(station: Dock) -> None:
    identifier = json.loads(Path(f"{a_recording(station)}.json").read_bytes())["id"]
    done = station.run(
        *("recordings", "tag", identifier, "--by", "王队", "--reason", "别人拍的"),
        *("--officer", "000010", "--case", "2026-7", "--device", "CAM009"),
    )
    assert done.code == 0, done.err
    assert found(station) == set()


# The custody log.


def custody_lines(dock: Dock) -> tuple[Path, list[bytes]]:
    (segment,) = (dock.state / "custody").glob("*.jsonl")
    return segment, segment.read_bytes().splitlines(keepends=True)


def seal_line(lines: list[bytes], file: Path) -> int:
    (at,) = (n for n, line in enumerate(lines) if b'"seal"' in line and file.name.encode() in line)
    return at


def test_a_seal_entry_removed_from_the_custody_log_is_found_and_its_place_named(
    station: Dock,
) -> None:
    file = a_recording(station)
    segment, lines = custody_lines(station)
    del lines[seal_line(lines, file)]
    segment.write_bytes(b"".join(lines))
    done = verified(station)
    assert ("log-broken", "custody") in findings(done)
    (broken,) = (f for f in done.json["findings"] if f["kind"] == "log-broken")
    assert segment.name in broken["text"]


def relinked(lines: list[bytes]) -> list[bytes]:
    """Number and link the lines anew, as somebody who knows the format would."""
    previous, fresh = "0" * 64, []
    for number, line in enumerate(lines):
        fields: dict[str, Any] = json.loads(line)
        line = rfc8785.dumps({**fields, "seq": number, "prev": previous})  # noqa: PLW2901
        previous = hashlib.sha256(b"\0" + line).hexdigest()
        fresh.append(line + b"\n")
    return fresh


def test_a_seal_entry_removed_from_a_log_that_was_linked_anew_is_found(station: Dock) -> None:
    file = a_recording(station)
    segment, lines = custody_lines(station)
    del lines[seal_line(lines, file)]
    segment.write_bytes(b"".join(relinked(lines)))
    assert ("not-in-log", relative(station, file)) in found(station)


def test_a_changed_entry_is_found_and_the_rest_is_still_verified(station: Dock) -> None:
    """A broken log is one finding more, not the end of the verification."""
    segment, lines = custody_lines(station)
    lines[1] = lines[1].replace(b'"size":', b'"Size":')
    segment.write_bytes(b"".join(lines))
    file = a_recording(station)
    rewrite(file, flipped(0))
    kinds = found(station)
    assert ("log-broken", "custody") in kinds
    assert ("changed", relative(station, file)) in kinds


def test_a_last_entry_that_is_none_is_a_finding_like_any_other(station: Dock) -> None:
    segment, lines = custody_lines(station)
    lines[-1] = b"{}\n"
    segment.write_bytes(b"".join(lines))
    done = verified(station)
    assert done.code == 1
    assert "log-broken" in {kind for kind, _ in findings(done)}


def test_a_custody_log_that_is_gone_is_found_for_every_recording(station: Dock) -> None:
    shutil.rmtree(station.state / "custody")
    kinds = found(station)
    for file in station.sealed_files():
        assert ("not-in-log", relative(station, file)) in kinds


def test_a_custody_log_cut_off_at_its_end_hides_no_recording(station: Dock) -> None:
    """The catalogue still knows what was sealed after the cut, and the disk is still read."""
    file = a_recording(station)
    segment, lines = custody_lines(station)
    segment.write_bytes(b"".join(lines[: seal_line(lines, file)]))
    rewrite(file, flipped(0))
    kinds = found(station)
    assert ("not-in-log", relative(station, file)) in kinds
    assert ("changed", relative(station, file)) in kinds


def test_a_catalogue_row_that_points_beyond_the_log_hides_no_recording(station: Dock) -> None:
    file = a_recording(station)
    identifier = json.loads(Path(f"{file}.json").read_bytes())["id"]
    sql(station, f"update recordings set custody_seq = 1000000 where id = '{identifier}'")
    rewrite(file, flipped(0))
    assert ("changed", relative(station, file)) in found(station)


# A part of the evidence.


def test_a_sample_is_as_many_as_asked_for_and_finds_what_it_meets(station: Dock) -> None:
    assert verified(station, "--sample", "2").json["checked"] == 2
    for file in station.sealed_files():
        rewrite(file, flipped(0))
    done = verified(station, "--sample", "2")
    assert (done.code, len(done.json["findings"])) == (1, 2)
    assert verified(station, "--sample", "100").json["checked"] == 4


def test_one_case_and_a_time_narrow_what_is_verified(station: Dock) -> None:
    identifier = json.loads(Path(f"{a_recording(station)}.json").read_bytes())["id"]
    station.run(
        *("recordings", "tag", identifier, "--by", "王队", "--reason", "案号"),
        *("--case", "2026-7"),
    )
    assert verified(station, "--case", "2026-7").json["checked"] == 1
    assert verified(station, "--case", "2026-8").code == 2, "there is no such case"
    assert verified(station, "--since", "2026-01-01").json["checked"] == 4
    assert verified(station, "--since", "2099-01-01").json["checked"] == 0


@pytest.mark.parametrize("scope", [("--all", "--sample", "1"), ("--since", "x"), ("--sample", "0")])
def test_a_scope_that_makes_no_sense_is_refused_and_nothing_is_entered(
    scope: tuple[str, ...], station: Dock
) -> None:
    before = len(log_of(station))
    assert verified(station, *scope).code == 2
    assert len(log_of(station)) == before


@pytest.mark.parametrize("since", ["0001-01-01", "9999-12-31"])
def test_a_time_at_the_end_of_the_calendar_is_a_time_like_any_other(
    since: str, station: Dock
) -> None:
    done = verified(station, "--since", since)
    assert "Traceback" not in done.err
    assert done.code in (0, 2)


# While other things happen.


def test_what_is_being_copied_is_nobody_elses_business(station: Dock) -> None:
    folder = station.evidence / ".incoming" / "20261123-160000-abcd"
    folder.mkdir(parents=True)
    (folder / "0.part").write_bytes(b"half a copy")
    assert found(station) == set()


def test_a_sealed_file_changed_with_roots_rights_is_found(
    dock: Dock, card: Card, media_files: MediaFiles, unlock: Callable[[Path], None]
) -> None:
    """With the protection of the real configuration in force."""
    card.put("MAH00001.MP4", media_files.video)
    assert dock.ingest(card).json["sealed"] == 1
    (file,) = dock.sealed_files()
    assert file.stat().st_mode & 0o222 == 0
    unlock(file)
    rewrite(file, flipped(1000))
    assert found(dock) == {
        ("changed", relative(dock, file)),
        ("unprotected", relative(dock, file)),
    }


def test_an_empty_station_is_whole(dock: Dock) -> None:
    done = verified(dock)
    assert done.code == 0
    assert {key: done.json[key] for key in ("checked", "bytes", "findings", "complete")} == {
        "checked": 0,
        "bytes": 0,
        "findings": [],
        "complete": True,
    }


def test_every_recording_is_told_while_it_is_verified(station: Dock) -> None:
    opened = station.station()
    told: list[tuple[str, int]] = []
    try:
        result = verify(opened, Scope(), lambda path, size: told.append((path, size)))
        known = {(row["path"], row["size"]) for row in opened.catalogue["recordings"].rows}
    finally:
        opened.catalogue.close()
    assert set(told) == known
    assert result.checked == len(told)


def test_a_broken_last_line_is_a_finding_though_a_dead_run_left_its_docking_open(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    dock.ingest(card)
    (dock.evidence / ".incoming" / "20261123-180000-abcdef").mkdir()
    segment = next((dock.state / "custody").glob("*.jsonl"))
    *lines, _ = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines) + b"{}\n")
    done = dock.run("verify", "--all", "--json")
    assert done.code == 1, done.err
    assert "log-broken" in {finding["kind"] for finding in done.json["findings"]}
