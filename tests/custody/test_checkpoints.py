"""Art. 5 and 27: a checkpoint kept elsewhere shows every change of the log before it."""

import base64
import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from recorder_sync.custody.checkpoint import Verifier, opened
from recorder_sync.custody.proof import holds
from tests.conftest import Card, Dock, MediaFiles


def segment(dock: Dock) -> Path:
    (path,) = (dock.state / "custody").glob("*.jsonl")
    return path


def lines(dock: Dock) -> list[bytes]:
    return segment(dock).read_bytes().splitlines()


def chained(entries: list[bytes]) -> bytes:
    """Write a log whose every line follows the one before, as a forger would."""
    previous, forged = "0" * 64, []
    for number, line in enumerate(entries):
        fields = json.loads(line)
        fields.update(seq=number, prev=previous)
        text = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        forged.append(text.encode())
        previous = hashlib.sha256(b"\0" + text.encode()).hexdigest()
    return b"".join(line + b"\n" for line in forged)


def test_a_checkpoint_is_a_signed_note_that_anyone_can_check(sealed: Dock) -> None:
    """https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint, by hand."""
    said = sealed.run("custody", "checkpoint", "--json").json
    name, key_hash, encoded = said["verifier"].split("+", 2)
    key = base64.b64decode(encoded)
    text, signature_line = said["checkpoint"].split("\n\n")
    text += "\n"
    dash, signer, signature = signature_line.strip().split(" ")
    data = base64.b64decode(signature)
    assert (dash, signer) == ("—", name)
    assert key[0] == 1
    assert data[:4].hex() == key_hash
    assert hashlib.sha256(name.encode() + b"\n" + key).digest()[:4] == data[:4]
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(data[4:], text.encode())
    origin, size, root = text.splitlines()
    assert origin == "recorder-sync/test"
    assert int(size) == len(lines(sealed))
    assert base64.b64decode(root) == naive([leaf(line) for line in lines(sealed)])
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(data[4:], text.encode() + b"x")


def leaf(line: bytes) -> bytes:
    return hashlib.sha256(b"\0" + line).digest()


def naive(hashes: list[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return hashlib.sha256(b"\1" + naive(hashes[:half]) + naive(hashes[half:])).digest()


def test_a_log_that_has_not_changed_has_one_checkpoint(sealed: Dock) -> None:
    first = sealed.run("custody", "checkpoint").out
    assert sealed.run("custody", "checkpoint").out == first
    assert len(list((sealed.state / "custody" / "checkpoints").iterdir())) == 1
    assert sealed.run("devices", "add", "0031").code == 0
    assert sealed.run("custody", "checkpoint").out != first
    done = sealed.run("custody", "verify", "--json")
    assert done.json == {"entries": len(lines(sealed)), "checkpoints": 2, "elsewhere": 2}


def _last_line_changed(entries: list[bytes]) -> list[bytes]:
    fields = json.loads(entries[-1])
    return [*entries[:-1], json.dumps({**fields, "actor": "os:nobody"}).encode()]


def _first_line_changed(entries: list[bytes]) -> list[bytes]:
    fields = json.loads(entries[0])
    return [json.dumps({**fields, "actor": "os:nobody"}).encode(), *entries[1:]]


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (_last_line_changed, "not those"),
        (_first_line_changed, "not those"),
        (lambda entries: [*entries[:1], *entries[2:], entries[-1]], "not those"),
        (lambda entries: [entries[1], entries[0], *entries[2:]], "not those"),
        (lambda entries: entries[:-1], "removed from its end"),
    ],
    ids=["last changed", "first changed", "one replaced", "two swapped", "end cut off"],
)
@pytest.mark.parametrize("hashes", ["kept", "removed"])
def test_a_log_rewritten_with_a_sound_chain_is_found_and_nothing_is_signed(
    sealed: Dock, forge: Callable[[list[bytes]], list[bytes]], words: str, hashes: str
) -> None:
    """By somebody with root, who made every link anew."""
    forged = chained(forge(lines(sealed)))
    segment(sealed).write_bytes(forged)
    if hashes == "removed":
        for path in (sealed.state / "custody" / "tree").iterdir():
            path.unlink()
    kept = {path: path.read_bytes() for path in (sealed.state / "custody" / "tree").iterdir()}
    found = sealed.run("custody", "verify")
    assert found.code == 1
    assert words in found.err
    for path, hashes_of_level in kept.items():  # verification made them anew
        path.write_bytes(hashes_of_level)
    signed = sealed.run("custody", "checkpoint")
    assert (signed.code, signed.out) == (1, "")
    assert words in signed.err


def test_hashes_that_are_gone_or_cut_are_made_anew(sealed: Dock) -> None:
    tree = sealed.state / "custody" / "tree"
    before = {path.name: path.read_bytes() for path in tree.iterdir()}
    (tree / "level-01").write_bytes(before["level-01"][:-1])
    assert sealed.run("custody", "verify").code == 0
    assert {path.name: path.read_bytes() for path in tree.iterdir()} == before
    for path in tree.iterdir():
        path.unlink()
    assert sealed.run("custody", "checkpoint").code == 0
    assert {path.name: path.read_bytes() for path in tree.iterdir()} == before


def test_a_checkpoint_that_was_changed_is_found(sealed: Dock) -> None:
    (note,) = (sealed.state / "custody" / "checkpoints").iterdir()
    note.write_text(note.read_text("utf-8").replace("recorder-sync/test\n", "another/log\n", 1))
    found = sealed.run("custody", "verify")
    assert found.code == 1
    assert "checkpoint" in found.err


def test_a_checkpoint_that_is_no_text_is_found(sealed: Dock) -> None:
    (note,) = (sealed.state / "custody" / "checkpoints").iterdir()
    note.write_bytes(b"\xff" * 100)
    found = sealed.run("custody", "verify")
    assert found.code == 1
    assert "Traceback" not in found.err


def test_nobody_else_may_read_the_key_and_a_lost_one_is_not_replaced_in_silence(
    sealed: Dock,
) -> None:
    key = sealed.state / "custody" / "signing-key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    key.unlink()
    done = sealed.run("custody", "checkpoint")
    assert done.code == 1
    assert "is gone" in done.err
    assert not key.exists()


def test_without_the_key_the_log_is_held_against_the_notes_and_the_copy_is_asked_for(
    sealed: Dock,
) -> None:
    key = sealed.state / "custody" / "signing-key.pem"
    copy = key.read_bytes()
    key.unlink()
    done = sealed.run("custody", "verify")
    assert done.code == 1
    assert "is gone" in done.err
    assert "as every checkpoint says" in done.err
    assert "Put the copy of signing-key.pem back" in done.err
    whole = segment(sealed).read_bytes()
    segment(sealed).write_bytes(chained(_first_line_changed(lines(sealed))))
    done = sealed.run("custody", "verify")
    assert done.code == 1
    assert "not those that the checkpoint vouches for" in done.err
    segment(sealed).write_bytes(whole)
    key.write_bytes(copy)
    assert sealed.run("custody", "verify").code == 0


@pytest.mark.parametrize("keys", [None, b"", b"no key"])
def test_without_any_key_nothing_is_said_of_the_log(sealed: Dock, keys: bytes | None) -> None:
    folder = sealed.state / "custody"
    (folder / "signing-key.pem").unlink()
    (folder / "verifier-keys").unlink()
    if keys is not None:
        (folder / "verifier-keys").write_bytes(keys)
    done = sealed.run("custody", "verify")
    assert done.code == 1
    assert "Put the copy of signing-key.pem back" in done.err
    assert "as every checkpoint says" not in done.err


def test_another_key_put_among_those_handed_out_is_found(sealed: Dock) -> None:
    assert sealed.run("custody", "rotate-key").code == 0
    folder = sealed.state / "custody"
    (folder / "signing-key.pem").unlink()
    old, new = (folder / "verifier-keys").read_text("utf-8").splitlines()
    (folder / "verifier-keys").write_text(f"{old}\n{old}\n", "utf-8")
    assert "not those that the custody log names" in sealed.run("custody", "verify").err
    (folder / "verifier-keys").write_text(f"{old}\n{new}\n", "utf-8")
    assert "as every checkpoint says" in sealed.run("custody", "verify").err


def test_a_log_that_no_checkpoint_vouches_for_is_not_said_to_be_as_they_say(dock: Dock) -> None:
    assert dock.run("cases", "add", "2026-7").code == 0
    done = dock.run("custody", "verify")
    assert done.code == 0
    assert "No checkpoint vouches for them yet" in done.err
    assert "custody checkpoint" in done.err
    assert "every checkpoint" not in done.err
    assert dock.run("custody", "checkpoint").code == 0
    assert "as every checkpoint says" in dock.run("custody", "verify").err


def proof_of(dock: Dock, to: Path) -> Any:
    (recording,) = dock.run("recordings", "list", "--json").json["recordings"]
    done = dock.run("custody", "prove", recording["id"], "--to", to)
    assert done.code == 0, done.err
    return json.loads(to.read_text("utf-8"))


def test_one_file_proves_the_seal_of_a_recording(sealed: Dock, tmp_path: Path) -> None:
    proof = proof_of(sealed, tmp_path / "proof.json")
    verifier = Verifier.parse((sealed.state / "custody" / "verifier-key").read_text("utf-8"))
    assert holds(proof, verifier)
    entry = json.loads(proof["entry"])
    assert entry["act"] == "seal"
    assert entry["facts"]["recording"]["blake3"] == proof["recording"]["blake3"]
    assert opened(proof["checkpoint"], [verifier]).size == len(lines(sealed))
    assert "Verifier key" in sealed.run("custody", "verify").out


@pytest.mark.parametrize("key", ["entry", "number", "path", "checkpoint"])
def test_a_proof_that_was_changed_proves_nothing(sealed: Dock, tmp_path: Path, key: str) -> None:
    proof = proof_of(sealed, tmp_path / "proof.json")
    verifier = Verifier.parse(proof["verifier"])
    changed = {
        "entry": proof["entry"].replace("photo", "other"),
        "number": proof["number"] + 1,
        "path": proof["path"][1:],
        "checkpoint": proof["checkpoint"].replace("test", "tset", 1),
    }[key]
    with suppress(ValueError):  # some are refused at once
        assert not holds({**proof, key: changed}, verifier)


def test_who_looks_into_the_log_sees_acts_newest_first(sealed: Dock) -> None:
    entries = sealed.run("custody", "log", "--json").json["entries"]
    assert [entry["seq"] for entry in entries] == list(range(len(lines(sealed))))[::-1]
    (seal,) = (entry for entry in entries if entry["act"] == "seal")
    only = sealed.run("custody", "log", "--subject", seal["subject"], "--json").json["entries"]
    assert [entry["seq"] for entry in only] == [seal["seq"]]


def test_art_4_what_is_shown_of_a_device_is_all_that_happened_to_its_recordings(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    assert dock.run("devices", "add", "0031").code == 0
    assert dock.run("devices", "add", "0032").code == 0
    assert dock.ingest(card, "--device", "0031").code == 0
    found = dock.run("custody", "log", "--subject", "0031", "--json").json["entries"]
    acts = {entry["act"] for entry in found}
    assert {"docking-opened", "inventory", "seal", "docking-closed"} <= acts
    assert not [entry for entry in found if entry["subject"] == "0032"]
    done = dock.run("custody", "log", "--subject", "0099")
    assert done.code == 0
    assert "No entry is about 0099" in done.err
