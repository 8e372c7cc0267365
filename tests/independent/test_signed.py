"""Keys that change, witnesses, and two histories: the check follows the format, not the program."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from tests.independent import forging
from tests.independent.conftest import Check
from tests.independent.forging import (
    Pen,
    chained,
    consistency,
    encoded,
    entry,
    keep,
    leaf,
    note,
    path,
    rotation,
    write_log,
)

FIRST, SECOND, THIRD, STRANGER = (Pen() for _ in range(4))
WITNESS = Pen("witness.example/w1", kind=4)


def log_of(count: int) -> list[bytes]:
    return chained([entry() for _ in range(count)])


def leaves(lines: list[bytes]) -> list[bytes]:
    return [leaf(line) for line in lines]


# --- Keys that change


@pytest.fixture
def rotated(tmp_path: Path) -> Path:
    """A log whose key changed at entries 3 and 6, with checkpoints of every time."""
    acts = [entry() for _ in range(10)]
    acts[3] = rotation(FIRST, SECOND)
    acts[6] = rotation(SECOND, THIRD)
    lines = chained(acts)
    folder = write_log(tmp_path / "log", lines, THIRD)
    at = leaves(lines)
    keep(folder, note(at[:2], FIRST))
    keep(folder, note(at[:4], FIRST, SECOND))
    keep(folder, note(at[:6], SECOND))
    keep(folder, note(at[:8], SECOND, THIRD))
    keep(folder, note(at[:9], THIRD))
    return folder


def test_a_stolen_old_key_signs_nothing_for_who_trusts_the_new_one(
    tmp_path: Path, check: Check
) -> None:
    """The rotation itself is genuine and stands at its number; what is before it is forged."""
    lines = chained([sealing(), entry(actor="os:forger"), rotation(FIRST, SECOND)])
    folder = write_log(tmp_path / "log", lines, SECOND)
    keep(folder, note(leaves(lines), FIRST))
    assert check("log", folder, "--verifier", SECOND.vkey).names("no-checkpoint")
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof_of(lines, 0, FIRST, 2)), "utf-8")
    assert check("proof", file, "--verifier", SECOND.vkey).names("bad-proof", "not in force")
    assert check("proof", file, "--verifier", FIRST.vkey).findings == []


def test_no_key_comes_back(tmp_path: Path, check: Check) -> None:
    lines = chained([rotation(FIRST, SECOND), rotation(SECOND, FIRST), entry()])
    folder = write_log(tmp_path / "log", lines, FIRST)
    keep(folder, note(leaves(lines), FIRST))
    found = check("log", folder, "--verifier", FIRST.vkey)
    assert found.names("false-rotation", "Entry 1")


@pytest.mark.parametrize("pen", [FIRST, SECOND, THIRD], ids=["first", "second", "third"])
def test_who_trusts_one_key_follows_its_changes_both_ways(
    pen: Pen, rotated: Path, check: Check
) -> None:
    found = check("log", rotated, "--verifier", pen.vkey)
    assert found.findings == []
    assert found.held("rotations")


@pytest.mark.parametrize(
    ("size", "pen", "words"),
    [
        (5, FIRST, "not in force"),
        (9, SECOND, "not in force"),
        (7, FIRST, "not in force"),
        (2, THIRD, "not in force"),
        (6, STRANGER, "no key that is trusted"),
    ],
)
def test_a_checkpoint_signed_with_a_key_of_another_time_is_named(
    size: int, pen: Pen, words: str, rotated: Path, check: Check
) -> None:
    lines = (rotated / f"{0:020d}.jsonl").read_bytes().splitlines()
    file = keep(rotated, note(leaves(lines[:size]), pen))
    found = check("log", rotated, "--verifier", FIRST.vkey)
    assert found.names("bad-note", file.name, words)


FALSE_ROTATIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "not signed by the old key": lambda: rotation(
        FIRST, SECOND, old_signature=STRANGER.sign("anything")
    ),
    "not signed by the new key": lambda: rotation(FIRST, SECOND, new_signature=""),
    "signed for another log": lambda: rotation(FIRST, SECOND, "recorder-sync/other"),
    "from a stranger": lambda: rotation(Pen("x"), SECOND),
    "another subject": lambda: {**rotation(FIRST, SECOND), "subject": "x"},
    "no signature": lambda: rotation(FIRST, SECOND, old_signature=None),
}


@pytest.mark.parametrize("attack", FALSE_ROTATIONS)
def test_a_false_change_of_the_key_is_named_and_gives_no_trust(
    attack: str, tmp_path: Path, check: Check
) -> None:
    lines = chained([entry(), FALSE_ROTATIONS[attack](), entry(), entry()])
    folder = write_log(tmp_path / "log", lines, SECOND)
    keep(folder, note(leaves(lines), SECOND))
    found = check("log", folder, "--verifier", FIRST.vkey)
    assert found.names("false-rotation", "Entry 1")
    assert found.names("bad-note", "no key that is trusted")


def test_a_change_that_does_not_follow_the_one_before_is_named(
    tmp_path: Path, check: Check
) -> None:
    lines = chained([rotation(FIRST, SECOND), rotation(FIRST, THIRD), entry()])
    folder = write_log(tmp_path / "log", lines, SECOND)
    keep(folder, note(leaves(lines), SECOND))
    found = check("log", folder, "--verifier", FIRST.vkey)
    assert found.names("false-rotation", "Entry 1")


def sealing() -> dict[str, Any]:
    recording = {"id": "x", "path": "a/b", "size": 1, "sha256": "0" * 64, "blake3": "1" * 64}
    described = {"description_sha256": "2" * 64, "description_blake3": "3" * 64}
    return entry("seal", facts={"recording": recording, **described})


def proof_of(lines: list[bytes], number: int, pen: Pen, *rotations: int) -> dict[str, Any]:
    at = leaves(lines)

    def one(which: int) -> dict[str, Any]:
        return {
            "entry": lines[which].decode(),
            "number": which,
            "path": [encoded(one) for one in path(which, at)],
        }

    return {
        "format": "recorder-sync-proof-1",
        **one(number),
        "checkpoint": note(at, pen),
        "verifier": pen.vkey,
        "rotations": [one(which) for which in rotations],
    }


def test_a_proof_brings_the_changes_of_the_key_along(tmp_path: Path, check: Check) -> None:
    lines = chained([sealing(), rotation(FIRST, SECOND), entry(), rotation(SECOND, THIRD), entry()])
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof_of(lines, 0, THIRD, 1, 3)), "utf-8")
    for pen in (FIRST, SECOND, THIRD):
        assert check("proof", file, "--verifier", pen.vkey).findings == []
    for rotations in ((), (3,), (3, 1), (1,)):
        file.write_text(json.dumps(proof_of(lines, 0, THIRD, *rotations)), "utf-8")
        found = check("proof", file, "--verifier", FIRST.vkey)
        assert found.names("bad-proof" if rotations == (3, 1) else "earlier-key")
        assert not found.held("proof")
    file.write_text(json.dumps(proof_of(lines, 0, SECOND, 1, 3)), "utf-8")
    assert check("proof", file, "--verifier", FIRST.vkey).names("bad-proof", "not in force")


def test_a_description_must_say_what_its_seal_says(tmp_path: Path, check: Check) -> None:
    """The digests of the seal fit the file, but the seal tells something else."""
    store = tmp_path / "store"
    (store / "a").mkdir(parents=True)
    sealed = sealing()
    recording, facts = sealed["facts"]["recording"], sealed["facts"]
    for told in (recording, {**recording, "device": "0031"}):
        data = json.dumps(told).encode()
        (store / "a/b.json").write_bytes(data)
        facts["description_sha256"] = hashlib.sha256(data).hexdigest()
        facts["description_blake3"] = blake3(data).hexdigest()
        lines = chained([sealed])
        folder = write_log(tmp_path / f"log-{len(data)}", lines, FIRST)
        keep(folder, note(leaves(lines), FIRST))
        found = check("evidence", store, "--log", folder, "--verifier", FIRST.vkey)
        assert found.names("description", "a/b.json", "Entry 0".lower()) == (told is not recording)


# --- Witnesses


@pytest.fixture
def witnessed(tmp_path: Path) -> Path:
    """A log of 7 entries, of which a witness cosigned 5."""
    lines = log_of(7)
    folder = write_log(tmp_path / "log", lines, FIRST)
    keep(folder, note(leaves(lines), FIRST))
    text = note(leaves(lines[:5]), FIRST)
    body = forging.body(leaves(lines[:5]))
    keep(folder, text + WITNESS.cosigned(body, 1_795_000_000), "witnessed")
    return folder


def test_a_witness_says_what_it_saw_and_when(witnessed: Path, check: Check) -> None:
    found = check("log", witnessed, "--verifier", FIRST.vkey, "--witness", WITNESS.vkey)
    assert found.findings == []
    (said,) = [one["text"] for one in found.said["held"] if one["code"] == "witness"]
    assert WITNESS.name in said
    assert "first 5 entries" in said
    assert "2026-11-18 11:06:40 UTC" in said


def test_a_witness_that_nobody_vouched_for_is_not_counted(witnessed: Path, check: Check) -> None:
    found = check("log", witnessed, "--verifier", FIRST.vkey)
    assert WITNESS.name in (found.not_checked("other-witness") or "")
    other = Pen("witness.example/w2", kind=4)
    found = check("log", witnessed, "--verifier", FIRST.vkey, "--witness", other.vkey)
    assert found.names("no-witness", other.name)


@pytest.mark.parametrize("change", ["time", "signature"])
def test_a_false_cosignature_is_named(change: str, witnessed: Path, check: Check) -> None:
    (file,) = (witnessed / "witnessed").iterdir()
    text = file.read_text("utf-8")
    body = text.partition("\n\n")[0] + "\n"
    line = WITNESS.cosigned(body if change == "time" else body + "x", 1_795_000_000)
    if change == "time":
        data = bytearray(base64.b64decode(line.split(" ")[2]))
        data[11] += 1
        line = f"— {WITNESS.name} {encoded(bytes(data))}\n"
    file.write_text(text[: text.rindex("—")] + line, "utf-8")
    found = check("log", witnessed, "--verifier", FIRST.vkey, "--witness", WITNESS.vkey)
    assert found.names("bad-note", file.name, "is false")


def test_a_log_rewritten_after_a_witness_saw_it_is_found(witnessed: Path, check: Check) -> None:
    lines = chained([entry(actor="os:forger"), *(entry() for _ in range(6))])
    (witnessed / f"{0:020d}.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    keep(witnessed, note(leaves(lines), FIRST))
    found = check("log", witnessed, "--verifier", FIRST.vkey, "--witness", WITNESS.vkey)
    assert found.names("other-entries", "witnessed/")


def test_time_stamps_are_left_to_openssl(witnessed: Path, check: Check) -> None:
    (witnessed / "witnessed" / f"{5:020d}.tsr").write_bytes(b"\x30\x03")
    found = check("log", witnessed, "--verifier", FIRST.vkey)
    assert found.findings == []
    assert "openssl ts -verify" in (found.not_checked("time-stamps") or "")


# --- Two checkpoints


def consistency_file(
    to: Path, lines: list[bytes], old: int, new: int, changes: dict[str, Any] | None = None
) -> Path:
    at = leaves(lines)
    to.write_text(
        json.dumps(
            {
                "format": "recorder-sync-consistency-1",
                "old": note(at[:old], FIRST),
                "new": note(at[:new], FIRST),
                "proof": [encoded(one) for one in consistency(old, at[:new])],
                "verifier": FIRST.vkey,
                **(changes or {}),
            }
        ),
        "utf-8",
    )
    return to


@pytest.mark.parametrize(("old", "new"), [(1, 1), (1, 2), (3, 7), (4, 8), (6, 13), (8, 8)])
def test_a_log_that_only_grew_is_consistent(
    old: int, new: int, tmp_path: Path, check: Check
) -> None:
    file = consistency_file(tmp_path / "c.json", log_of(13), old, new)
    found = check("consistency", file, "--verifier", FIRST.vkey)
    assert found.findings == []
    assert found.held("grown")
    assert not check("consistency", file).said["vouched"]


def test_a_log_that_was_changed_has_no_consistency(tmp_path: Path, check: Check) -> None:
    other = chained([entry(actor="os:forger"), *(entry() for _ in range(12))])
    file = tmp_path / "c.json"
    words = ("consistency", file, "--verifier", FIRST.vkey)
    consistency_file(file, log_of(13), 6, 13, {"new": note(leaves(other), FIRST)})
    assert check(*words).names("bad-consistency", "does not begin")
    consistency_file(file, log_of(13), 6, 13, {"proof": []})
    assert check(*words).names("bad-consistency", "wrong length")
    consistency_file(file, log_of(13), 6, 13, {"old": note(leaves(log_of(6)), STRANGER)})
    assert check(*words).names("bad-consistency", "no key that is trusted")


def test_a_consistency_file_brings_the_changes_of_the_key_along(
    tmp_path: Path, check: Check
) -> None:
    lines = chained([entry(), rotation(FIRST, SECOND), entry(), entry()])
    at = leaves(lines)
    changes = {"old": note(at[:1], FIRST), "new": note(at, SECOND)}
    changed = {
        "entry": lines[1].decode(),
        "number": 1,
        "path": [encoded(one) for one in path(1, at)],
    }
    file = consistency_file(tmp_path / "c.json", lines, 1, 4, {**changes, "rotations": [changed]})
    (tmp_path / "old").write_text(changes["old"], "utf-8")
    (tmp_path / "new").write_text(changes["new"], "utf-8")
    for pen in (FIRST, SECOND):
        assert check("consistency", file, "--verifier", pen.vkey).findings == []
        two = ("compare", tmp_path / "new", tmp_path / "old", "--consistency", file)
        assert check(*two, "--verifier", pen.vkey).held("one-log")
    consistency_file(file, lines, 1, 4, changes)
    assert check("consistency", file, "--verifier", FIRST.vkey).names("bad-consistency")


def test_what_a_proof_repeats_must_be_what_was_sealed(tmp_path: Path, check: Check) -> None:
    file = tmp_path / "proof.json"
    proof = proof_of(chained([sealing(), entry()]), 0, FIRST)
    for name, value in (("digests", {"sha256": "9" * 64}), ("description", "{}")):
        file.write_text(json.dumps({**proof, name: value}), "utf-8")
        found = check("proof", file, "--verifier", FIRST.vkey)
        assert found.names("proof-tells-other", name)


@pytest.fixture
def two(tmp_path: Path) -> Callable[[str, str], tuple[Path, Path]]:
    def two(mine: str, yours: str) -> tuple[Path, Path]:
        (tmp_path / "mine").write_text(mine, "utf-8")
        (tmp_path / "yours").write_text(yours, "utf-8")
        return tmp_path / "mine", tmp_path / "yours"

    return two


Two = Callable[[str, str], tuple[Path, Path]]


def test_two_checkpoints_of_one_log_are_told_by_the_log_or_a_consistency_file(
    two: Two, tmp_path: Path, check: Check
) -> None:
    lines = log_of(9)
    at = leaves(lines)
    notes = two(note(at[:8], FIRST), note(at[:5], FIRST))
    folder = write_log(tmp_path / "log", lines, FIRST)
    file = consistency_file(tmp_path / "c.json", lines, 5, 8)
    words = ("compare", *notes, "--verifier", FIRST.vkey)
    assert check(*words, "--log", folder).held("one-log")
    assert check(*words, "--consistency", file).held("one-log")
    assert check(*words).code == 2
    consistency_file(file, lines, 5, 9)
    assert check(*words, "--consistency", file).names("other-consistency")


def test_a_fork_is_found_between_two_people_without_the_log(two: Two, check: Check) -> None:
    other = chained([entry(actor="os:forger"), *(entry() for _ in range(4))])
    notes = two(note(leaves(log_of(5)), FIRST), note(leaves(other), FIRST))
    assert check("compare", *notes, "--verifier", FIRST.vkey).names("fork", "A FORK")


def test_a_fork_of_different_sizes_is_found_by_the_log(
    two: Two, tmp_path: Path, check: Check
) -> None:
    other = chained([entry(actor="os:forger"), *(entry() for _ in range(3))])
    notes = two(note(leaves(log_of(5)), FIRST), note(leaves(other), FIRST))
    folder = write_log(tmp_path / "log", log_of(9), FIRST)
    found = check("compare", *notes, "--log", folder, "--verifier", FIRST.vkey)
    assert found.names("fork-from-log", "yours")
    assert not found.names("fork-from-log", "mine")


def test_what_is_not_signed_is_no_fork(two: Two, check: Check) -> None:
    notes = two(note(leaves(log_of(5)), FIRST), note(leaves(log_of(5)), STRANGER))
    found = check("compare", *notes, "--verifier", FIRST.vkey)
    assert found.names("bad-note", "yours", "no key that is trusted")
    assert not found.names("fork")
