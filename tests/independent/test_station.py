"""Art. 5 and 27: a check with none of our modules names every change of a real station."""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder_sync.custody.checkpoint import Signer, Verifier, opened
from tests.conftest import Dock
from tests.independent.conftest import ALONE, TOOL, WITH_LIBRARIES, Check, answer, ask
from tests.independent.forging import chained, segment


def newest(custody: Path) -> Path:
    return sorted((custody / "checkpoints").iterdir())[-1]


# --- Clean


def test_a_whole_station_is_clean(station: Dock, custody: Path, key: str, check: Check) -> None:
    log = check("log", custody, "--verifier", key)
    assert log.findings == []
    assert log.said["vouched"]
    store = check("evidence", station.evidence, "--log", custody, "--verifier", key)
    assert store.findings == []
    assert store.held("store")
    proof = check("proof", station.state.parent / "proof.json", "--verifier", key)
    assert proof.findings == []
    assert proof.held("proof")


def test_entries_after_the_last_checkpoint_are_counted_as_not_vouched_for(
    custody: Path, key: str, check: Check
) -> None:
    size = int(newest(custody).name)
    entries = len(segment(custody).read_bytes().splitlines())
    said = check("log", custody, "--verifier", key).not_checked("after-last")
    assert said is not None
    assert f"checkpoint: {entries - size}," in said


def test_a_key_found_beside_the_evidence_is_said_to_prove_little(
    custody: Path, key: str, check: Check
) -> None:
    alone = check("log", custody)
    assert alone.code == 0
    assert not alone.said["vouched"]
    assert key in (alone.not_checked("key-from-inside") or "")


def test_what_this_python_cannot_compute_is_said_and_sha256_is_checked(
    station: Dock, custody: Path, key: str
) -> None:
    words = ("evidence", station.evidence, "--log", custody, "--verifier", key)
    assert "BLAKE3" in (answer(ALONE, *words).not_checked("no-algorithm") or "")
    with_libraries = answer(WITH_LIBRARIES, *words).not_checked("no-algorithm")
    assert "BLAKE3" not in (with_libraries or "")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_people_read_the_result_in_their_language(
    station: Dock, custody: Path, key: str, language: str
) -> None:
    words = ("log", custody, "--verifier", key, "--language", language)
    verdict = {"en": "RESULT: all that was checked holds.", "zh": "结论：已核查的内容全部成立。"}
    assert ask(ALONE, *words).stdout.rstrip().endswith(verdict[language])
    newest(custody).write_text("rubbish")
    done = ask(ALONE, *words)
    assert done.returncode == 1
    assert {"en": "DOES NOT HOLD", "zh": "不成立"}[language] in done.stdout
    assert newest(custody).name in done.stdout


# --- The log

Lines = list[bytes]


def _edited(entries: Lines, number: int) -> bytes:
    return entries[number].replace(b'"actor":"os:', b'"actor":"os:x')


LOG_ATTACKS: dict[str, tuple[Callable[[Lines], Lines], str, str]] = {
    "edited": (lambda e: [e[0], _edited(e, 1), *e[2:]], "wrong-link", "line 3"),
    "swapped": (lambda e: [e[0], e[2], e[1], *e[3:]], "wrong-number", "line 2"),
    "dropped": (lambda e: [e[0], *e[2:]], "wrong-number", "line 2"),
    "repeated": (lambda e: [e[0], e[0], *e[1:]], "wrong-number", "line 2"),
    "not canonical": (lambda e: [e[0], e[1].replace(b":", b": ", 1), *e[2:]], "bad-line", "line 2"),
    "rubbish": (lambda e: [e[0], b"rubbish", *e[2:]], "bad-line", "line 2"),
    "cut": (lambda e: e[:4], "entries-gone", "has 4 entries"),
    "last edited": (lambda e: [*e[:-3], _edited(e, -3), *e[-2:]], "wrong-link", "follow"),
    "made anew": (
        lambda e: chained([e[0], _edited(e, 1), *e[2:]]),
        "other-entries",
        "the first 0 are sound",
    ),
}


@pytest.mark.parametrize("attack", LOG_ATTACKS)
def test_a_change_of_the_log_is_found_and_named(
    attack: str, custody: Path, key: str, check: Check
) -> None:
    forge, code, words = LOG_ATTACKS[attack]
    entries = segment(custody).read_bytes().splitlines()
    segment(custody).write_bytes(b"".join(line + b"\n" for line in forge(entries)))
    found = check("log", custody, "--verifier", key)
    assert found.names(code, words), found.findings
    assert found.code == 1


def test_a_log_cut_with_its_checkpoints_is_found_by_one_that_somebody_kept(
    custody: Path, key: str, tmp_path: Path, check: Check
) -> None:
    kept = tmp_path / "kept"
    shutil.copy(newest(custody), kept)
    newest(custody).unlink()
    entries = segment(custody).read_bytes().splitlines(keepends=True)
    size = int(newest(custody).name)
    segment(custody).write_bytes(b"".join(entries[:size]))
    assert check("log", custody, "--verifier", key).findings == []
    found = check("log", custody, "--verifier", key, "--checkpoint", kept)
    assert found.names("entries-gone", kept, f"has {size} entries")


def test_a_stick_with_all_checkpoints_one_after_the_other_vouches_as_well(
    custody: Path, key: str, tmp_path: Path, check: Check
) -> None:
    stick = tmp_path / "test.checkpoints"
    notes = [note.read_text("utf-8") for note in sorted((custody / "checkpoints").iterdir())]
    stick.write_text("".join(notes), "utf-8")
    shutil.rmtree(custody / "checkpoints")
    words = ("log", custody, "--verifier", key, "--checkpoint", stick)
    assert check(*words).findings == []
    stick.write_text("".join([notes[0], notes[1][:40], "\n", notes[2]]), "utf-8")
    torn = check(*words)
    assert torn.findings == []
    assert torn.not_checked("between-notes")
    origin, size, rest = notes[1].split("\n", 2)
    forged = f"{origin}\n{int(size) + 1}\n{rest}"
    stick.write_text("".join([notes[0], forged, notes[2]]), "utf-8")
    assert check(*words).names("bad-note", stick, "is false")


def test_a_torn_last_line_is_no_entry_and_no_finding(custody: Path, key: str, check: Check) -> None:
    with segment(custody).open("ab") as file:
        file.write(b'{"act":"vi')
    (custody / f"{segment(custody).stem}.torn-0-12").write_bytes(b"x")
    found = check("log", custody, "--verifier", key)
    assert found.findings == []
    assert "10 bytes" in (found.not_checked("torn") or "")
    assert found.not_checked("set-aside")


def _altered(note: str, line: int, text: str) -> str:
    lines = note.split("\n")
    lines[line] = text
    return "\n".join(lines)


NOTE_ATTACKS: dict[str, tuple[Callable[[str], str], str]] = {
    "size": (lambda note: _altered(note, 1, "3"), "not the size"),
    "origin": (lambda note: note.replace("/test\n", "/toast\n", 1), "is false"),
    "root": (
        lambda note: _altered(note, 2, base64.b64encode(bytes(32)).decode()),
        "is false",
    ),
    "signature": (lambda note: note.replace(note[-8:-4], "AAAA"), "is false"),
    "signature gone": (lambda note: note.rpartition("—")[0], "no signed checkpoint"),
    "name of the signer": (lambda note: note.replace("— recorder-sync/test", "— x"), "no key"),
}


@pytest.mark.parametrize("attack", NOTE_ATTACKS)
def test_a_change_of_a_checkpoint_is_found_and_named(
    attack: str, custody: Path, key: str, check: Check
) -> None:
    forge, words = NOTE_ATTACKS[attack]
    note = newest(custody).read_text("utf-8")
    assert forge(note) != note
    newest(custody).write_text(forge(note), "utf-8")
    found = check("log", custody, "--verifier", key)
    assert found.names("bad-note", newest(custody).name, words), found.findings


def test_a_log_without_checkpoints_is_not_whole(custody: Path, key: str, check: Check) -> None:
    shutil.rmtree(custody / "checkpoints")
    assert check("log", custody, "--verifier", key).names("no-checkpoint")


def test_everything_signed_anew_with_another_key_is_found_by_who_has_the_old_one(
    custody: Path, key: str, check: Check
) -> None:
    forger = Signer("recorder-sync/test", Ed25519PrivateKey.generate())
    for note in (custody / "checkpoints").iterdir():
        said = opened(note.read_text("utf-8"), [Verifier.parse(key)])
        note.write_text(forger.signed(said), "utf-8")
    (custody / "verifier-key").write_text(f"{forger.verifier}\n")
    assert check("log", custody).code == 0
    found = check("log", custody, "--verifier", key)
    assert found.names("other-key", forger.verifier)
    assert found.names("bad-note", "no key that is trusted")
    assert found.names("no-checkpoint")


# --- The evidence store


def _first(station: Dock) -> Path:
    return station.sealed_files()[0]


def _changed(path: Path) -> Path:
    path.chmod(0o640)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return path


def _gone(path: Path) -> Path:
    path.unlink()
    return path


def _description(station: Dock) -> Path:
    return _first(station).with_name(_first(station).name + ".json")


def _linked(path: Path) -> Path:
    moved = path.parents[4] / "elsewhere"
    path.rename(moved)
    path.symlink_to(moved)
    return path


def _described_otherwise(path: Path) -> Path:
    path.chmod(0o640)
    path.write_text(path.read_text("utf-8").replace('"size": ', '"size": 1'), "utf-8")
    return path


def _added(path: Path) -> Path:
    path.write_bytes(b"x")
    return path


def _unlisted(path: Path) -> Path:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    return path


STORE_ATTACKS: dict[str, tuple[Callable[[Dock], Path], str]] = {
    "body changed": (lambda s: _changed(_first(s)), "changed"),
    "body gone": (lambda s: _gone(_first(s)), "missing"),
    "body is a link": (lambda s: _linked(_first(s)), "unreadable"),
    "description changed": (lambda s: _described_otherwise(_description(s)), "description"),
    "description gone": (lambda s: _gone(_description(s)), "missing"),
    "description written anew": (
        lambda s: _rewritten(_description(s)),
        "description",
    ),
    "file added": (lambda s: _added(_first(s).with_name("120000_0000000000000_new.mp4")), "extra"),
    "file added elsewhere": (lambda s: _added(s.evidence / "note.txt"), "extra"),
    "SHA256SUMS changed": (lambda s: _unlisted(_first(s).with_name("SHA256SUMS")), "list"),
    "B3SUMS changed": (lambda s: _unlisted(_first(s).with_name("B3SUMS")), "list"),
    "list gone": (lambda s: _gone(_first(s).with_name("B3SUMS")), "unreadable"),
}


def _rewritten(path: Path) -> Path:
    path.chmod(0o640)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8"))), "utf-8")
    return path


@pytest.mark.parametrize("attack", STORE_ATTACKS)
def test_a_change_of_the_evidence_is_found_and_named(
    attack: str, station: Dock, custody: Path, key: str, check: Check
) -> None:
    tamper, code = STORE_ATTACKS[attack]
    path = tamper(station)
    found = check("evidence", station.evidence, "--log", custody, "--verifier", key)
    assert found.names(code, path.relative_to(station.evidence)), found.findings
    others = {one for one, _ in found.findings} - {code}
    assert others <= {"extra"}, "one change, one kind of finding"


def test_a_part_of_the_store_is_checked_alone(
    station: Dock, custody: Path, key: str, tmp_path: Path, check: Check
) -> None:
    day = _first(station).parent
    place = day.relative_to(station.evidence)
    shutil.copytree(day, tmp_path / "part")
    words = ("evidence", tmp_path / "part", "--at", place, "--log", custody, "--verifier", key)
    assert check(*words).findings == []
    name = _first(station).name
    (tmp_path / "part" / name).unlink()
    assert check(*words).names("missing", f"{place}/{name}")


def test_partial_copies_and_checkpoints_are_no_evidence(
    station: Dock, custody: Path, key: str, check: Check
) -> None:
    (station.evidence / ".incoming" / "rest").write_bytes(b"x")
    copies = station.evidence / ".checkpoints" / "test"
    shutil.copytree(custody / "checkpoints", copies, dirs_exist_ok=True)
    (station.evidence / ".checkpoints" / "other").mkdir()
    (station.evidence / ".checkpoints" / "other" / "7").write_bytes(b"of another station")
    words = ("evidence", station.evidence, "--log", custody, "--verifier", key)
    assert check(*words).findings == []
    shutil.rmtree(custody / "checkpoints")
    assert check(*words).findings == [], "the copies vouch as well"


def test_a_folder_replaced_by_a_link_is_named(
    station: Dock, custody: Path, key: str, tmp_path: Path, check: Check
) -> None:
    recording = _first(station)
    recording.parent.rename(tmp_path / "elsewhere")
    recording.parent.symlink_to(tmp_path / "elsewhere")
    found = check("evidence", station.evidence, "--log", custody, "--verifier", key)
    assert found.names("link", recording.relative_to(station.evidence))


# --- One proof


def _changed_proof(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda proof: {**proof, **changes}


def _first_of_path(proof: dict[str, Any]) -> dict[str, Any]:
    return {**proof, "path": [base64.b64encode(bytes(32)).decode(), *proof["path"][1:]]}


PROOF_ATTACKS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "entry edited": lambda p: {**p, "entry": p["entry"].replace("CAM001", "CAM002")},
    "number": lambda p: {**p, "number": p["number"] + 1},
    "number is a text": lambda p: {**p, "number": str(p["number"])},
    "path edited": _first_of_path,
    "path shortened": lambda p: {**p, "path": p["path"][1:]},
    "path lengthened": lambda p: {**p, "path": [*p["path"], p["path"][0]]},
    "checkpoint edited": lambda p: {**p, "checkpoint": p["checkpoint"].replace("=", "A", 1)},
    "checkpoint gone": _changed_proof(checkpoint=None),
    "another format": _changed_proof(format="recorder-sync-proof-2"),
}


@pytest.mark.parametrize("attack", PROOF_ATTACKS)
def test_a_proof_that_was_changed_proves_nothing(
    attack: str, station: Dock, key: str, check: Check
) -> None:
    file = station.state.parent / "proof.json"
    proof = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(PROOF_ATTACKS[attack](proof)), "utf-8")
    assert check("proof", file, "--verifier", key).names("bad-proof", file.name)


def test_a_proof_signed_by_another_key_proves_nothing(station: Dock, check: Check) -> None:
    other = Signer("recorder-sync/test", Ed25519PrivateKey.generate()).verifier
    found = check("proof", station.state.parent / "proof.json", "--verifier", other)
    assert found.names("bad-proof", "no key that is trusted")


def test_what_a_proof_tells_people_must_be_what_was_sealed(
    station: Dock, key: str, check: Check
) -> None:
    file = station.state.parent / "proof.json"
    proof = json.loads(file.read_text("utf-8"))
    proof["recording"]["size"] += 1
    file.write_text(json.dumps(proof), "utf-8")
    assert check("proof", file, "--verifier", key).names("proof-tells-other", "size")
    proof["recording"]["size"] -= 1
    proof["recording"]["case"] = "2026-1"
    file.write_text(json.dumps(proof), "utf-8")
    corrected = check("proof", file, "--verifier", key)
    assert corrected.findings == []
    assert "case" in (corrected.not_checked("proof-tells-later") or "")


def test_a_recording_is_checked_with_its_proof(station: Dock, key: str, check: Check) -> None:
    file = station.state.parent / "proof.json"
    path = station.evidence / json.loads(file.read_text("utf-8"))["recording"]["path"]
    words = ("proof", file, "--file", path, "--verifier", key)
    whole = check(*words)
    assert whole.findings == []
    assert whole.held("file")
    assert whole.held("description-holds")
    _changed(path)
    assert check(*words).names("changed", path)


# --- A copy that was handed over


@pytest.fixture
def copy(station: Dock, tmp_path: Path) -> Path:
    ids = [one["id"] for one in station.run("recordings", "list", "--json").json["recordings"]]
    to = tmp_path / "court"
    done = station.run("recordings", "export", *ids, "--to", str(to), "--proof")
    assert done.code == 0, done.err
    return to


def test_a_copy_is_checked_by_the_proofs_in_it(copy: Path, key: str, check: Check) -> None:
    found = check("export", copy, "--verifier", key)
    assert found.findings == []
    assert found.said["vouched"]
    assert found.held("file")


def test_a_copy_without_proofs_says_that_nothing_signed_vouches_for_it(
    copy: Path, custody: Path, key: str, check: Check
) -> None:
    for proof in copy.glob("*.proof.json"):
        proof.unlink()
    alone = check("export", copy, "--verifier", key)
    assert alone.code == 0
    assert not alone.said["vouched"]
    assert alone.not_checked("no-proof-beside")
    with_log = check("export", copy, "--log", custody, "--verifier", key)
    assert with_log.findings == []
    assert with_log.held("custody-in-log")
    assert with_log.said["vouched"]


COPY_ATTACKS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "recording": (lambda c: _changed(next(c.glob("*.mp4"))), "changed"),
    "description": (lambda c: _described_otherwise(next(c.glob("*.mp4.json"))), "description"),
    "list": (lambda c: _unlisted(c / "SHA256SUMS"), "list"),
    "list of SM3": (lambda c: _unlisted(c / "SM3SUMS"), "list"),
    "file added": (lambda c: _added(c / "more.mp4"), "extra"),
    "recording gone": (lambda c: _gone(next(c.glob("*.mp4"))), "missing"),
    "proof changed": (lambda c: _changed(next(c.glob("*.mp4.proof.json"))), "bad-proof"),
    "custody changed": (lambda c: _edited_seal(next(c.glob("*.mp4.custody.jsonl"))), "bad-custody"),
}


def _edited_seal(path: Path) -> Path:
    path.write_bytes(path.read_bytes().replace(b'"actor":"os:', b'"actor":"os:x', 1))
    return path


@pytest.mark.parametrize("attack", COPY_ATTACKS)
def test_a_change_of_a_copy_is_found_and_named(
    attack: str, copy: Path, key: str, check: Check
) -> None:
    tamper, code = COPY_ATTACKS[attack]
    path = tamper(copy)
    found = check("export", copy, "--verifier", key)
    assert found.names(code, path.name), found.findings


def test_custody_entries_left_out_of_a_copy_are_found_in_the_log(
    copy: Path, custody: Path, key: str, check: Check
) -> None:
    beside = next(copy.glob("*.mp4.custody.jsonl"))
    first, *_, last = beside.read_bytes().splitlines(keepends=True)
    beside.write_bytes(first + last.replace(b'"by":null', b'"by":"x"'))
    assert check("export", copy, "--verifier", key).not_checked("custody-without-log")
    found = check("export", copy, "--log", custody, "--verifier", key)
    assert found.names("custody-differs", beside.name)
    assert found.names("custody-not-in-log", "1")


def test_the_copy_brings_the_check_along(copy: Path, key: str) -> None:
    assert (copy / "verify_evidence.py").read_bytes() == TOOL.read_bytes()
    assert answer(ALONE, "export", copy, "--verifier", key).not_checked("own-copy")
