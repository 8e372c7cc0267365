"""Art. 5 and 27: a check with none of our modules names every change of a real station."""

import base64
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder_sync.custody.checkpoint import Signer, Verifier, opened
from tests.conftest import Dock
from tests.independent.conftest import ALONE, TOOL, WITH_LIBRARIES, Check, answer, ask
from tests.independent.forging import chained, line_of, segment
from tests.ingest.aftermath import without_rights


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


def test_a_proof_signed_by_another_key_proves_nothing(
    station: Dock, key: str, check: Check
) -> None:
    file = station.state.parent / "proof.json"
    stranger = Signer("recorder-sync/other", Ed25519PrivateKey.generate()).verifier
    found = check("proof", file, "--verifier", stranger)
    assert found.names("bad-proof", "no key that is trusted")
    later = Signer("recorder-sync/test", Ed25519PrivateKey.generate()).verifier
    found = check("proof", file, "--verifier", later)
    assert found.names("earlier-key", key, "Anybody could have made")
    assert not found.held("sealed")


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


@pytest.fixture
def bare(copy: Path) -> Path:
    """A copy as it is made without `--proof`."""
    for proof in copy.glob("*.proof.json"):
        proof.unlink()
    return copy


def test_a_copy_without_proofs_says_that_nothing_signed_vouches_for_it(
    bare: Path, custody: Path, key: str, check: Check
) -> None:
    alone = check("export", bare, "--verifier", key)
    assert alone.code == 0
    assert not alone.said["vouched"]
    assert alone.not_checked("no-proof-beside")
    assert alone.held("fits-digests")
    assert not alone.held("file")
    with_log = check("export", bare, "--log", custody, "--verifier", key)
    assert with_log.findings == []
    assert with_log.held("custody-in-log")
    assert with_log.held("file")
    assert not with_log.held("fits-digests")
    assert with_log.said["vouched"]


@pytest.mark.parametrize(
    ("language", "fits", "missing"),
    [
        ("en", "fits the digests beside it, for which nothing signed vouches", "neither a proof"),
        ("zh", "没有任何签名为这些摘要作证", "既没有证明、也没有"),
    ],
)
def test_a_forged_copy_without_proofs_is_not_called_what_was_sealed(
    language: str, fits: str, missing: str, bare: Path, custody: Path, key: str, check: Check
) -> None:
    recording = next(bare.glob("*.mp4"))
    _forged_to_fit(bare, recording)
    said = ask(ALONE, "export", bare, "--verifier", key, "--language", language).stdout
    line = next(
        line
        for line in said.splitlines()
        if f"{recording.name}{'：' if language == 'zh' else ':'}" in line
    )
    assert fits in line
    assert missing in said.splitlines()[-1]
    found = check("export", bare, "--log", custody, "--verifier", key)
    assert found.names("custody-differs", recording.name)
    assert [
        one["values"]["file"] for one in found.said["held"] if one["code"] == "fits-digests"
    ] == [recording.name]


def _forged_to_fit(copy: Path, recording: Path) -> None:
    """Replace a recording in a copy, and everything in the copy that speaks of it."""
    described = recording.with_name(f"{recording.name}.json")
    beside = recording.with_name(f"{recording.name}.custody.jsonl")
    first, *others = beside.read_bytes().splitlines()
    seal = json.loads(first)
    sealed = seal["facts"]["recording"]

    def digests(data: bytes) -> dict[str, str]:
        return {
            "sha256": hashlib.sha256(data).hexdigest(),
            "blake3": blake3(data).hexdigest(),
            "sm3": hashlib.new("sm3", data).hexdigest(),
        }

    _changed(recording)
    forged = digests(recording.read_bytes())
    before = {sealed[name]: forged[name] for name in forged}
    sealed.update(forged)
    described.chmod(0o640)
    described.write_text(json.dumps(sealed, ensure_ascii=False), "utf-8")
    for name, digest in digests(described.read_bytes()).items():
        told = f"description_{name}"
        if told in seal["facts"]:
            before[seal["facts"][told]] = digest
            seal["facts"][told] = digest
    beside.write_bytes(b"".join(line + b"\n" for line in (line_of(seal), *others)))
    for sums in copy.glob("*SUMS"):
        text = sums.read_text("utf-8")
        for old, new in before.items():
            text = text.replace(old, new)
        sums.write_text(text, "utf-8")


def test_a_recording_with_the_number_of_another_is_found_though_the_log_has_that_one(
    bare: Path, custody: Path, key: str, check: Check
) -> None:
    """What stands in the log at a number vouches for one recording of the copy only."""
    recording = next(bare.glob("*.mp4"))
    for suffix in ("", ".json", ".custody.jsonl"):
        shutil.copy(bare / f"{recording.name}{suffix}", bare / f"A{recording.name}{suffix}")
    beside = bare / f"A{recording.name}.custody.jsonl"
    seal = json.loads(beside.read_bytes().splitlines()[0])
    seal["facts"]["recording"]["path"] = f"0031/A{recording.name}"
    beside.write_bytes(line_of(seal) + b"\n")
    found = check("export", bare, "--log", custody, "--verifier", key)
    assert found.names("bad-custody", recording.name, f"entry {seal['seq']} is out of order")


def test_a_seal_after_the_last_checkpoint_is_vouched_for_by_the_chain_only(
    station: Dock, custody: Path, key: str, tmp_path: Path, check: Check
) -> None:
    ids = [one["id"] for one in station.run("recordings", "list", "--json").json["recordings"]]
    to = tmp_path / "court"
    assert station.run("recordings", "export", *ids, "--to", str(to)).code == 0
    for checkpoint in sorted((custody / "checkpoints").iterdir())[1:]:
        checkpoint.unlink()
    first = sorted((custody / "checkpoints").iterdir())[0]
    lines = segment(custody).read_bytes().splitlines()[: int(first.name)]
    late = [
        beside.name.removesuffix(".custody.jsonl")
        for beside in to.glob("*.custody.jsonl")
        if beside.read_bytes().splitlines()[0] not in lines
    ]
    assert late
    found = check("export", to, "--log", custody, "--verifier", key)
    assert found.findings == []
    assert not found.said["vouched"]
    assert found.not_checked("late-seals")
    fits = [one["values"]["file"] for one in found.said["held"] if one["code"] == "fits-digests"]
    assert sorted(fits) == sorted(late)


def test_a_copy_does_not_show_that_it_is_complete(copy: Path, custody: Path, key: str) -> None:
    gone = next(copy.glob("*.mp4"))
    for path in copy.glob(f"{gone.name}*"):
        path.unlink()
    for sums in copy.glob("*SUMS"):
        kept = [line for line in sums.read_text("utf-8").splitlines(True) if gone.name not in line]
        sums.write_text("".join(kept), "utf-8")
    for words in ((), ("--log", custody)):
        found = answer(ALONE, "export", copy, *words, "--verifier", key)
        assert found.findings == []
        assert "leaves no trace" in (found.not_checked("completeness") or "")


def test_a_copy_from_before_a_change_of_the_key_is_vouched_for_by_the_log(
    copy: Path, station: Dock, custody: Path, key: str, check: Check
) -> None:
    done = station.run("custody", "rotate-key")
    assert done.code == 0, done.err
    newer = (custody / "verifier-key").read_text().strip()
    assert newer != key
    alone = check("export", copy, "--verifier", newer)
    assert alone.names("earlier-key", key)
    assert not alone.names("bad-proof")
    assert not alone.held("file")
    assert check("export", copy, "--verifier", key).findings == []
    with_log = check("export", copy, "--log", custody, "--verifier", newer)
    assert with_log.findings == []
    assert with_log.held("earlier-key-in-log")
    assert with_log.held("file")
    assert with_log.said["vouched"]


def test_a_proof_of_a_key_that_no_log_knows_is_found_with_the_log(
    copy: Path, custody: Path, key: str, check: Check
) -> None:
    file = next(copy.glob("*.mp4.proof.json"))
    forger = Signer("recorder-sync/test", Ed25519PrivateKey.generate())
    proof = json.loads(file.read_text("utf-8"))
    said = opened(proof["checkpoint"], [Verifier.parse(key)])
    forged = {"checkpoint": forger.signed(said), "verifier": str(forger.verifier)}
    file.write_text(json.dumps({**proof, **forged}), "utf-8")
    found = check("export", copy, "--log", custody, "--verifier", key)
    assert found.names("bad-note", file.name, "no key that is trusted")
    assert not found.held("earlier-key-in-log")


COPY_ATTACKS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "recording": (lambda c: _changed(next(c.glob("*.mp4"))), "changed"),
    "description": (lambda c: _described_otherwise(next(c.glob("*.mp4.json"))), "description"),
    "list": (lambda c: _unlisted(c / "SHA256SUMS"), "list"),
    "list of SM3": (lambda c: _unlisted(c / "SM3SUMS"), "list"),
    "file added": (lambda c: _added(c / "more.mp4"), "extra"),
    "recording gone": (lambda c: _gone(next(c.glob("*.mp4"))), "missing"),
    "proof changed": (lambda c: _edited_proof(next(c.glob("*.mp4.proof.json"))), "bad-proof"),
    "custody changed": (lambda c: _edited_seal(next(c.glob("*.mp4.custody.jsonl"))), "bad-custody"),
}


def _edited_seal(path: Path) -> Path:
    path.write_bytes(path.read_bytes().replace(b'"actor":"os:', b'"actor":"os:x', 1))
    return path


def _edited_proof(path: Path) -> Path:
    proof = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(PROOF_ATTACKS["entry edited"](proof)), "utf-8")
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


# --- Wrong usage is no finding


def _refused(check: Check, *words: object) -> str:
    found = check(*words)
    assert found.code == 2
    return str(found.said["error"])


def test_a_day_without_its_place_is_answered_with_the_place_to_give(
    station: Dock, custody: Path, key: str, tmp_path: Path, check: Check
) -> None:
    day = _first(station).parent
    place = day.relative_to(station.evidence)
    words = ("--log", custody, "--verifier", key)
    assert f"give --at {place}" in _refused(check, "evidence", day, *words)
    wrong = _refused(check, "evidence", station.evidence, "--at", place, *words)
    assert "leave out --at" in wrong
    (tmp_path / "empty").mkdir()
    assert check("evidence", tmp_path / "empty", *words).names("missing", place)


@pytest.mark.parametrize("left", ["nothing", "a file"])
def test_a_folder_that_is_no_copy_is_said_to_be_none(
    left: str, tmp_path: Path, key: str, check: Check
) -> None:
    folder = tmp_path / "no-copy"
    folder.mkdir()
    if left == "a file":
        (folder / "x.mp4").write_bytes(b"x")
    said = _refused(check, "export", folder, "--verifier", key)
    assert "no copy made by recordings export" in said


def test_a_file_that_another_command_takes_is_named_with_that_command(
    station: Dock, custody: Path, key: str, tmp_path: Path, check: Check
) -> None:
    proof, note = station.state.parent / "proof.json", newest(custody)
    old = sorted((custody / "checkpoints").iterdir())[0]
    link = tmp_path / "link.json"
    done = station.run("custody", "consistency", old.name, note.name, "--to", str(link))
    assert done.code == 0, done.err
    verifier, entries = custody / "verifier-key", segment(custody)
    for words, wrong, told in (
        (("proof", link), link, "command consistency"),
        (("proof", note), note, "command compare"),
        (("proof", verifier), verifier, "--verifier"),
        (("proof", entries), entries, "command log"),
        (("proof", _description(station)), _description(station), "command export or evidence"),
        (("proof", custody), custody, "log, evidence and export"),
        (("consistency", proof), proof, "command proof"),
        (("compare", note, proof), proof, "command proof"),
        (("compare", link, note), link, "command consistency"),
        (("compare", note, old, "--consistency", proof), proof, "command proof"),
    ):
        said = _refused(check, *words, "--verifier", key)
        assert str(wrong) in said
        assert told in said


def test_what_this_user_may_not_read_is_not_said_to_be_wrong(
    station: Dock, custody: Path, copy: Path, key: str
) -> None:
    day, name = _first(station).parent, _first(station).name
    store = ("evidence", station.evidence, "--log", custody)
    for path, words in (
        (_first(station), store),
        (day, store),
        (newest(custody), store),
        (segment(custody), ("log", custody)),
        (copy / name, ("export", copy)),
        (copy / f"{name}.custody.jsonl", ("export", copy)),
        (copy / f"{name}.proof.json", ("export", copy)),
        (copy / "SHA256SUMS", ("export", copy)),
        (copy, ("export", copy)),
        (station.state.parent / "proof.json", ("proof", station.state.parent / "proof.json")),
    ):
        mode = path.stat().st_mode
        path.chmod(0)
        found = answer(without_rights(list(ALONE)), *words, "--verifier", key)
        path.chmod(mode)
        assert found.code == 2, path
        said = json.dumps(found.said)
        assert path.name in said
        assert "Permission denied" in said


def test_what_may_not_be_read_hides_no_finding(station: Dock, custody: Path, key: str) -> None:
    one, other = station.sealed_files()[:2]
    one.chmod(0)
    _changed(other)
    words = ("evidence", station.evidence, "--log", custody, "--verifier", key)
    found = answer(without_rights(list(ALONE)), *words)
    assert found.names("changed", other.name)
    assert one.name in (found.not_checked("no-right") or "")
