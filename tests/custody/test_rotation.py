"""The key that signs checkpoints can be changed, and what was given up signs nothing more."""

import base64
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from recorder_sync.custody.checkpoint import Checkpoint, Signer, Verifier, opened
from recorder_sync.custody.checkpoints import Checkpoints
from recorder_sync.custody.consistency import is_consistent, prove_consistency
from recorder_sync.custody.copy import extend_copy
from recorder_sync.custody.log import Act, CustodyLog, Deed
from recorder_sync.custody.proof import holds, prove
from recorder_sync.custody.rotation import Rotation, rotation_facts, succession
from recorder_sync.durable import exclusive
from recorder_sync.errors import CustodyProblem
from recorder_sync.witnessing.witness_client import request_for
from tests.conftest import Dock

ORIGIN = "recorder-sync/test"


def deed(act: Act, subject: str, facts: Any) -> Deed:
    return Deed(act, subject, "os:custodian", datetime(2026, 11, 23, 8, tzinfo=UTC), facts)


def checkpoints_in(folder: Path) -> Checkpoints:
    return Checkpoints(folder, CustodyLog(folder, "test"), "test")


def grow(folder: Path, count: int = 3) -> None:
    log = CustodyLog(folder, "test")
    log.append([deed(Act.SERVICE, "test", {"number": number}) for number in range(count)])


def new_signer() -> Signer:
    return Signer(ORIGIN, Ed25519PrivateKey.generate())


def signer_in(folder: Path) -> Signer:
    key = load_pem_private_key((folder / "signing-key.pem").read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return Signer(ORIGIN, key)


def proof_in(folder: Path, number: int) -> dict[str, Any]:
    checkpoints = checkpoints_in(folder)
    return prove(CustodyLog(folder, "test"), checkpoints, checkpoints.make(), number)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The custody folder of a station whose log has three entries and a checkpoint."""
    path = tmp_path / "custody"
    grow(path)
    checkpoints_in(path).make()
    return path


# What a rotation leaves.


def test_both_keys_sign_the_entry_and_the_first_checkpoint_and_later_ones_have_the_new_alone(
    dock: Dock,
) -> None:
    """With nothing of ours: the text, its two signatures, and whose notes they are."""
    assert dock.run("devices", "add", "0031").code == 0
    before = dock.run("custody", "checkpoint", "--json").json["verifier"]
    done = dock.run("custody", "rotate-key", "--json")
    assert done.code == 0, done.err
    (segment,) = (dock.state / "custody").glob("*.jsonl")
    entry = json.loads(segment.read_bytes().splitlines()[done.json["number"]])
    facts = entry["facts"]
    assert (entry["act"], entry["subject"]) == ("key-rotated", ORIGIN)
    assert (facts["old"], facts["new"]) == (before, done.json["new"])
    text = f"recorder-sync key rotation\n{ORIGIN}\n{facts['old']}\n{facts['new']}\n".encode()
    for name in ("old", "new"):
        key = base64.b64decode(facts[name].split("+", 2)[2])[1:]
        signature = base64.b64decode(facts[f"{name}_signature"])
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
    old, new = Verifier.parse(facts["old"]), Verifier.parse(facts["new"])
    first = (dock.state / "custody" / "checkpoints" / f"{entry['seq'] + 1:020d}").read_text("utf-8")
    assert opened(first, [old]) == opened(first, [new])
    assert dock.run("devices", "add", "0032").code == 0
    later = dock.run("custody", "checkpoint").out
    assert opened(later, [new]).size > entry["seq"] + 1
    with pytest.raises(ValueError, match="nobody who is known"):
        opened(later, [old])
    assert dock.run("custody", "verify").code == 0


def test_the_newest_verifier_key_is_handed_out_and_all_are_listed_oldest_first(
    folder: Path,
) -> None:
    keys = [(folder / "verifier-key").read_text()]
    for _ in range(2):
        checkpoints_in(folder).rotate(deed)
        keys.append((folder / "verifier-key").read_text())
        grow(folder)
    assert len(set(keys)) == 3
    assert (folder / "verifier-keys").read_text() == "".join(keys)
    assert checkpoints_in(folder).check() == 4


def test_the_old_private_key_is_gone_and_its_bytes_are_overwritten_first(folder: Path) -> None:
    old = (folder / "signing-key.pem").read_bytes()
    os.link(folder / "signing-key.pem", folder.parent / "the same bytes on disk")
    checkpoints_in(folder).rotate(deed)
    assert (folder.parent / "the same bytes on disk").read_bytes() == bytes(len(old))
    keys = {path.name for path in folder.glob("*.pem*")}
    assert keys == {"signing-key.pem"}
    assert (folder / "signing-key.pem").stat().st_mode & 0o777 == 0o600


def test_a_station_that_has_done_nothing_yet_can_change_its_key(tmp_path: Path) -> None:
    checkpoints = checkpoints_in(tmp_path / "custody")
    assert checkpoints.rotate(deed).number == 0
    assert checkpoints.check() == 2


# Who trusts one key follows to the others.


def test_a_proof_holds_for_whoever_has_an_old_key_and_for_whoever_has_the_newest(
    folder: Path,
) -> None:
    known = [checkpoints_in(folder).verifier()]
    for _ in range(3):
        known.append(checkpoints_in(folder).rotate(deed).new)
        grow(folder)
    proof = proof_in(folder, 1)
    assert [holds(proof, verifier) for verifier in known] == [True] * 4
    with pytest.raises(ValueError, match="not one of those"):
        holds(proof, new_signer().verifier)


@pytest.mark.parametrize("change", ["missing", "moved", "of another log", "path"])
def test_a_proof_with_a_rotation_that_was_changed_proves_nothing(folder: Path, change: str) -> None:
    old = checkpoints_in(folder).verifier()
    checkpoints_in(folder).rotate(deed)
    grow(folder)
    proof = proof_in(folder, 1)
    (rotation,) = proof["rotations"]
    forged = {
        "missing": [],
        "moved": [{**rotation, "number": rotation["number"] + 1}],
        "of another log": [
            {**rotation, "entry": rotation["entry"].replace(f'"{ORIGIN}"', '"recorder-sync/x"')}
        ],
        "path": [{**rotation, "path": rotation["path"][1:]}],
    }[change]
    with pytest.raises(ValueError, match=r"rotation|rotates|known|not in the log"):
        holds({**proof, "rotations": forged}, old)


# A key that leaked and was given up.


def test_a_checkpoint_signed_by_the_old_key_after_the_rotation_does_not_count(
    folder: Path,
) -> None:
    leaked = signer_in(folder)
    checkpoints_in(folder).rotate(deed)
    grow(folder)
    checkpoints = checkpoints_in(folder)
    real = checkpoints.make().checkpoint
    note = folder / "checkpoints" / f"{real.size:020d}"
    note.write_text(leaked.signed(real), encoding="utf-8")
    with pytest.raises(CustodyProblem, match="key that does not count"):
        checkpoints.check()
    with pytest.raises(CustodyProblem, match="key that does not count"):
        checkpoints.make()


def test_with_a_leaked_key_nothing_can_be_proven_to_whoever_has_the_new_one(folder: Path) -> None:
    """Neither after the rotation nor before it, for which that key still counted."""
    leaked = signer_in(folder)
    rotation = checkpoints_in(folder).rotate(deed)
    proof = proof_in(folder, 1)
    honest = opened(proof["checkpoint"], [rotation.new])
    assert honest.size == rotation.number + 1
    resigned = {**proof, "checkpoint": leaked.signed(honest)}
    with pytest.raises(ValueError, match=r"does not count|known"):
        holds(resigned, rotation.new)
    with pytest.raises(ValueError, match=r"does not count|known"):
        holds({**resigned, "rotations": []}, rotation.new)


def test_a_leaked_key_cannot_hand_over_a_second_time(folder: Path) -> None:
    leaked, thief = signer_in(folder), new_signer()
    checkpoints_in(folder).rotate(deed)
    log = CustodyLog(folder, "test")
    log.append([deed(Act.KEY_ROTATED, ORIGIN, rotation_facts(leaked, thief))])
    with pytest.raises(CustodyProblem, match="not in use"):
        checkpoints_in(folder).check()


@pytest.mark.parametrize("name", ["old", "new", "old_signature", "new_signature"])
def test_an_entry_with_a_false_rotation_is_found(folder: Path, name: str) -> None:
    facts = rotation_facts(signer_in(folder), new_signer())
    other = rotation_facts(new_signer(), new_signer())
    CustodyLog(folder, "test").append([deed(Act.KEY_ROTATED, ORIGIN, {**facts, name: other[name]})])
    with pytest.raises(CustodyProblem, match="false"):
        checkpoints_in(folder).check()


@pytest.mark.parametrize("copy", ["gone", "emptied", "of another log", "moved"])
def test_the_copy_of_the_rotations_may_be_lost_and_cannot_lie(folder: Path, copy: str) -> None:
    old = signer_in(folder)
    checkpoints_in(folder).rotate(deed)
    grow(folder)
    checkpoints_in(folder).make()
    path = folder / "rotations"
    real = path.read_bytes()
    first, line = real.splitlines()
    forged = json.dumps({**json.loads(line), "facts": rotation_facts(old, new_signer())})
    moved = json.dumps({**json.loads(line), "seq": 999})  # the old key would count until then
    forgeries = {"of another log": forged, "moved": moved}
    path.write_bytes(first + b"\n" + forgeries[copy].encode() if copy in forgeries else b"")
    if copy == "gone":
        path.unlink()
    assert len(list(checkpoints_in(folder).kept())) == 3
    checkpoints_in(folder).make()
    assert path.read_bytes() == real


# The rule.


def rotations(*numbers: int) -> tuple[list[Verifier], list[Rotation]]:
    keys = [new_signer().verifier for _ in range(len(numbers) + 1)]
    return keys, [Rotation(n, keys[i], keys[i + 1]) for i, n in enumerate(numbers)]


def test_which_key_counts_at_which_size() -> None:
    keys, changes = rotations(5, 9)
    known = succession(keys[0], changes)
    assert {size: [keys.index(k) for k in known.vouching_at(size)] for size in range(4, 13)} == {
        4: [0],
        5: [0],
        6: [0, 1],
        7: [1],
        8: [1],
        9: [1],
        10: [1, 2],
        11: [2],
        12: [2],
    }


def test_rotations_that_do_not_follow_each_other_are_refused() -> None:
    keys, changes = rotations(5, 9)
    for wrong in (changes[::-1], changes[1:], [changes[0], changes[0]]):
        with pytest.raises(ValueError, match=r"order|not in use"):
            succession(keys[0], wrong)
    with pytest.raises(ValueError, match="taken up again"):
        succession(keys[0], [*changes, Rotation(12, keys[2], keys[0])])


def test_a_checkpoint_between_two_rotations_needs_the_key_between() -> None:
    signers = [new_signer() for _ in range(3)]
    changes = [
        Rotation(n, signers[i].verifier, signers[i + 1].verifier) for i, n in enumerate((5, 9))
    ]
    known = succession(signers[0].verifier, changes)
    checkpoint = Checkpoint(ORIGIN, 8, bytes(32))
    assert known.opened(signers[1].signed(checkpoint)) == checkpoint
    for wrong in (signers[0], signers[2]):
        with pytest.raises(ValueError, match="does not count for its size"):
            known.opened(wrong.signed(checkpoint))


# Power off between any two steps.

_CALLS = ("fsync", "rename", "link", "unlink", "ftruncate", "open", "write")


def killed_at(work: Callable[[], object], name: str, count: int) -> bool:
    """Do the work in a child process that is killed before its `count`-th call of `name`.

    Tells whether it was: False says that the work has fewer such calls.
    """
    child = os.fork()
    if child == 0:
        real, calls = getattr(os, name), iter(range(1, count))

        def call(*arguments: Any, **options: Any) -> Any:
            if next(calls, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        setattr(os, name, call)
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.long
@pytest.mark.parametrize("name", _CALLS)
def test_promise_3_a_rotation_that_was_cut_off_anywhere_goes_on_by_itself(
    folder: Path, tmp_path: Path, name: str
) -> None:
    count = 0
    while True:
        count += 1
        copy = tmp_path / f"{name}-{count}"
        subprocess.run(["cp", "-a", folder, copy], check=True)
        old = checkpoints_in(copy).verifier()
        if not killed_at(partial(checkpoints_in(copy).rotate, deed), name, count):
            break
        grow(copy, 1)
        checkpoints = checkpoints_in(copy)
        signed = checkpoints.make()
        rotated = list(CustodyLog(copy, "test").lines_of(Act.KEY_ROTATED))
        keys = checkpoints.succession()
        assert len(keys.rotations) == len(rotated) <= 1
        assert keys.newest == checkpoints.verifier() == signer_in(copy).verifier
        assert (keys.newest != old) == bool(rotated)
        assert opened(signed.note, [keys.newest]).size == CustodyLog(copy, "test").size()
        assert checkpoints.check() >= 2
        assert {path.name for path in copy.glob("*.pem")} == {"signing-key.pem"}
        assert (copy / "verifier-keys").read_text().splitlines() == [
            str(key) for key in keys.verifiers
        ]
        assert (copy / "verifier-key").read_text() == f"{keys.newest}\n"
        assert holds(proof_in(copy, 1), old)
    assert count > 1, f"a rotation has no call of {name}: this test has to follow"


def test_a_rotation_cut_off_after_its_entry_goes_on_to_the_checkpoint_of_both(
    folder: Path,
) -> None:
    old = checkpoints_in(folder).verifier()
    count = 1
    while killed_at(lambda: checkpoints_in(folder).rotate(deed), "write", count):
        count += 1
        if any(CustodyLog(folder, "test").lines_of(Act.KEY_ROTATED)):
            break
    grow(folder)
    signed = checkpoints_in(folder).make()
    new = checkpoints_in(folder).verifier()
    assert opened(signed.note, [old]) == opened(signed.note, [new])
    assert signed.checkpoint.size == CustodyLog(folder, "test").size()


# What is read while somebody else writes it.


def test_proofs_hold_while_the_hashes_are_removed_and_made_anew(folder: Path) -> None:
    grow(folder, 60)
    checkpoints = checkpoints_in(folder)
    signed, verifier = checkpoints.make(), checkpoints.verifier()
    oldest = list(checkpoints.kept())[-1]
    log, ended = CustodyLog(folder, "test"), threading.Event()

    def verify() -> None:
        other = checkpoints_in(folder)
        while not ended.is_set():
            with exclusive(folder / "checkpoint.lock"):  # as whoever makes them anew has it
                (folder / "tree/level-02").unlink(missing_ok=True)
            other.check()

    verifying = threading.Thread(target=verify)
    verifying.start()
    try:
        for number in range(60):
            assert holds(prove(log, checkpoints, signed, number), verifier)
            assert is_consistent(prove_consistency(checkpoints, oldest, signed), verifier)
            assert request_for(signed, 3, checkpoints).proof
    finally:
        ended.set()
        verifying.join()


def test_hashes_that_were_changed_prove_nothing_and_it_is_said(folder: Path) -> None:
    grow(folder, 20)
    checkpoints = checkpoints_in(folder)
    signed = checkpoints.make()
    with (folder / "tree/level-01").open("r+b") as level:
        level.write(bytes(32))
    with pytest.raises(CustodyProblem, match="do not lead from entry 2"):
        prove(CustodyLog(folder, "test"), checkpoints, signed, 2)
    assert checkpoints.check() == 2, "they are made anew from the log"
    assert holds(prove(CustodyLog(folder, "test"), checkpoints, signed, 2), checkpoints.verifier())


def test_promise_5_a_checkpoint_that_is_being_written_is_no_reason_for_a_backup_to_fail(
    folder: Path, tmp_path: Path
) -> None:
    """It is there under another name for a moment, and the backup may just look then."""
    ended = threading.Event()
    being_written = folder / "checkpoints" / ("0" * 18 + "99.new")

    def write() -> None:
        while not ended.is_set():
            being_written.write_bytes(b"half of")
            being_written.unlink()

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for number in range(100):
            to = tmp_path / f"copy-{number}"
            extend_copy(CustodyLog(folder, "test"), folder, to)
            assert not list(to.rglob("*.new*"))
    finally:
        ended.set()
        writing.join()
