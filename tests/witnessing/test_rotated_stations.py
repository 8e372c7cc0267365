"""A witness and the keys of its stations: what was given up signs nothing for it any more."""

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from recorder_sync.custody.checkpoint import Signer
from recorder_sync.custody.checkpoints import Checkpoints
from recorder_sync.custody.consistency import prove_consistency
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.witnessing.witness_client import request_for
from tests.conftest import Dock, Done
from tests.custody.test_rotation import deed
from tests.witnessing.conftest import Office, add_entries, checkpoint

ORIGIN = "recorder-sync/test"


def key_of(station: Dock) -> str:
    return (station.state / "custody/verifier-key").read_text("utf-8").strip()


def offered(station: Dock, office: Office, since: int) -> Done:
    done = station.run("custody", "request", "--since", str(since))
    assert done.code == 0, done.err
    return office.run("-", say=done.out)


@pytest.fixture
def known(signed: Dock, office: Office) -> Dock:
    """A station that the witness trusts, and has seen three entries of."""
    office.trust(signed)
    assert offered(signed, office, 0).code == 0
    return signed


def test_art_5_a_stolen_key_counts_no_more_once_the_next_one_has_signed(
    known: Dock, office: Office, tmp_path: Path
) -> None:
    """The thief has the log as it was with the old key's last note, and goes on from there."""
    old = key_of(known)
    old_key = (known.state / "custody/signing-key.pem").read_bytes()
    assert known.run("custody", "rotate-key").code == 0
    assert office.run("--trust", key_of(known)).code == 0
    assert offered(known, office, 3).code == 0
    size = int(checkpoint(known).split("\n")[1])
    seen = office.seen()
    custody = tmp_path / "stolen"
    shutil.copytree(known.state / "custody", custody)
    log = CustodyLog(custody, "test")
    log.append([deed(Act.SERVICE, "test", {})])
    honest = Checkpoints(custody, log, "test")
    made = honest.make()
    key = load_pem_private_key(old_key, password=None)
    assert isinstance(key, Ed25519PrivateKey)
    thief = Signer(ORIGIN, key)
    assert str(thief.verifier) == old
    body = request_for(made, size, honest).body
    stolen = body.partition("\n\n")[0] + "\n\n" + thief.signed(made.checkpoint)
    done = office.run("-", say=stolen)
    assert done.code == 1, done.out
    assert "No key that the witness trusts has signed this" in done.err
    assert office.seen() == seen
    assert office.run("-", say=body).code == 0, "the new key's signature counts"


def test_until_the_next_key_has_signed_the_station_is_cosigned_with_the_one_it_has(
    known: Dock, office: Office
) -> None:
    new = Signer(ORIGIN, Ed25519PrivateKey.generate()).verifier
    assert office.run("--trust", str(new)).code == 0
    add_entries(known, "0004")
    assert offered(known, office, 3).code == 0


def test_a_key_that_is_distrusted_signs_nothing_more_and_what_was_seen_stays(
    known: Dock, office: Office
) -> None:
    key = known.state / "custody/verifier-key"
    assert office.run("--distrust", key).code == 0
    add_entries(known, "0004")
    done = offered(known, office, 3)
    assert done.code == 1
    assert "does not know the log" in done.err
    assert office.run("--trust", key).code == 0, "it was a mistake"
    refused = offered(known, office, 0)
    assert refused.code == 1
    assert "--since 3" in refused.err, "what was seen is not forgotten"
    assert offered(known, office, 3).code == 0


def test_a_key_that_is_not_trusted_cannot_be_distrusted(known: Dock, office: Office) -> None:
    stranger = Signer(ORIGIN, Ed25519PrivateKey.generate()).verifier
    done = office.run("--distrust", str(stranger))
    assert done.code == 2
    assert str(office.folder / "trusted") in done.err


def test_of_a_file_with_several_keys_the_newest_is_trusted_and_none_is_distrusted(
    known: Dock, office: Office
) -> None:
    assert known.run("custody", "rotate-key").code == 0
    keys = known.state / "custody/verifier-keys"
    assert office.run("--trust", keys).code == 0
    assert key_of(known) in (office.folder / "trusted").read_text("utf-8")
    done = office.run("--distrust", keys)
    assert done.code == 2
    assert "several keys" in done.err


def test_a_witness_follows_a_rotation_that_is_proven_from_what_it_has_seen(
    known: Dock, office: Office, tmp_path: Path
) -> None:
    old = key_of(known)
    assert known.run("custody", "rotate-key").code == 0
    size = str(int(checkpoint(known).split("\n")[1]))
    proof = tmp_path / "consistency.json"
    assert known.run("custody", "consistency", "3", size, "--to", proof).code == 0
    assert office.run("--trust", proof).code == 0
    assert (office.folder / "trusted").read_text("utf-8").split() == [key_of(known)]
    assert (office.folder / "distrusted").read_text("utf-8").split() == [old]
    assert offered(known, office, 3).code == 0


def test_a_key_that_was_distrusted_is_trusted_again_only_by_its_own_name(
    known: Dock, office: Office, tmp_path: Path
) -> None:
    assert known.run("custody", "rotate-key").code == 0
    leaked = key_of(known)
    assert office.run("--trust", leaked).code == 0
    assert office.run("--distrust", leaked).code == 0
    size = str(int(checkpoint(known).split("\n")[1]))
    proof = tmp_path / "consistency.json"
    assert known.run("custody", "consistency", "3", size, "--to", proof).code == 0
    done = office.run("--trust", proof)
    assert done.code == 2
    assert "a key that is distrusted" in done.err
    assert leaked not in (office.folder / "trusted").read_text("utf-8")


def test_art_5_a_rotation_in_another_log_than_the_one_that_was_seen_is_not_followed(
    known: Dock, office: Office, tmp_path: Path
) -> None:
    """A thief of the key makes a log in which the key is handed over to them."""
    custody = tmp_path / "thief" / "custody"
    shutil.copytree(known.state / "custody", custody)
    for segment in custody.glob("*.jsonl"):
        segment.unlink()
    for folder in ("tree", "checkpoints"):
        shutil.rmtree(custody / folder)
    log = CustodyLog(custody, "test")
    log.append([deed(Act.SERVICE, "test", {"number": number}) for number in range(3)])
    thief = Checkpoints(custody, log, "test")
    thief.make()
    thief.rotate(deed)
    newest, *_, oldest = thief.kept()
    document = prove_consistency(thief, oldest, newest)
    assert document["rotations"]
    file = tmp_path / "consistency.json"
    file.write_text(json.dumps(document), "utf-8")
    before = (office.folder / "trusted").read_bytes()
    done = office.run("--trust", file)
    assert done.code == 2, done.out
    assert "does not begin with the 3 entries" in done.err
    assert (office.folder / "trusted").read_bytes() == before
    assert not (office.folder / "distrusted").exists()


def test_a_file_that_leads_from_no_trusted_key_is_not_followed(
    known: Dock, office: Office, tmp_path: Path
) -> None:
    assert office.run("--distrust", key_of(known)).code == 0
    assert known.run("custody", "rotate-key").code == 0
    size = str(int(checkpoint(known).split("\n")[1]))
    proof = tmp_path / "consistency.json"
    assert known.run("custody", "consistency", "3", size, "--to", proof).code == 0
    done = office.run("--trust", proof)
    assert done.code == 2
    assert "leads to no new key" in done.err


def test_the_name_of_a_folder_that_was_mistyped_makes_no_new_witness(
    known: Dock, office: Office, tmp_path: Path
) -> None:
    done = known.run("custody", "witness", "--folder", tmp_path / "ofice-b", "--trust", "x")
    assert done.code != 0
    done = known.run("custody", "witness", "--folder", tmp_path / "ofice-b")
    assert done.code == 2
    assert "--new" in done.err
    assert not (tmp_path / "ofice-b").exists()
    assert office.run("--new").out.startswith(str(office.key)), "one that is there stays"
