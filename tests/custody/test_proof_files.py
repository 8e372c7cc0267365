"""Files that prove something to people who have nothing but a verifier key."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.cli.given_files import document_in
from recorder_sync.custody.checkpoint import Verifier, opened
from recorder_sync.custody.consistency import is_consistent
from tests.conftest import Dock, Done
from tests.custody.test_rotation import new_signer, signer_in


def key_file(dock: Dock) -> Path:
    return dock.state / "custody" / "verifier-key"


def proof_of(dock: Dock, to: Path) -> dict[str, Any]:
    (recording,) = dock.run("recordings", "list", "--json").json["recordings"]
    done = dock.run("custody", "prove", recording["id"], "--to", to)
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(to.read_text("utf-8"))
    return found


def checked(file: Path, *arguments: str | Path) -> Done:
    """Check a file on a computer that has no station and no configuration."""
    elsewhere = Dock.__new__(Dock)
    elsewhere.config = file.parent / "there is no configuration.toml"
    return elsewhere.run("custody", "check", file, *arguments, env={"RECORDER_SYNC_LANGUAGE": "en"})


# A proof is complete in itself.


def test_a_proof_has_the_description_and_the_digests_exactly_as_sealed(
    sealed: Dock, tmp_path: Path
) -> None:
    (file,) = sealed.sealed_files()
    (recording,) = sealed.run("recordings", "list", "--json").json["recordings"]
    tagged = sealed.run(
        *("recordings", "tag", recording["id"], "--by", "王队", "--reason", "案号"),
        *("--case", "2026-7"),
    )
    assert tagged.code == 0, tagged.err
    proof = proof_of(sealed, tmp_path / "proof.json")
    assert proof["description"] == Path(f"{file}.json").read_text("utf-8")
    content = file.read_bytes()
    assert proof["digests"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert proof["digests"]["size"] == len(content)
    assert set(proof["digests"]) == {"blake3", "sha256", "sm3", "size"}
    facts = json.loads(proof["entry"])["facts"]
    described = hashlib.sha256(proof["description"].encode()).hexdigest()
    assert described == facts["description_sha256"]
    assert proof["recording"]["case"] == "2026-7", "for people, corrections included"
    assert json.loads(proof["description"])["case"] is None


def test_a_catalogue_that_points_to_another_entry_proves_nothing(
    sealed: Dock, tmp_path: Path
) -> None:
    station = sealed.station()
    station.catalogue.execute("update recordings set custody_seq = 1")
    station.catalogue.conn.commit()
    station.catalogue.close()
    (recording,) = sealed.run("recordings", "list", "--json").json["recordings"]
    done = sealed.run("custody", "prove", recording["id"], "--to", tmp_path / "proof.json")
    assert done.code == 1
    assert "it is not" in done.err
    assert not (tmp_path / "proof.json").exists()


# `custody check`.


def test_a_proof_holds_with_the_verifier_key_or_the_file_that_has_it(
    sealed: Dock, tmp_path: Path
) -> None:
    proof_of(sealed, tmp_path / "proof.json")
    for verifier in (key_file(sealed), key_file(sealed).read_text().strip()):
        done = checked(tmp_path / "proof.json", "--verifier", verifier)
        assert done.code == 0, done.err
        assert "It holds" in done.out
        assert "not who made it" not in done.err
    found = checked(tmp_path / "proof.json", "--verifier", key_file(sealed), "--json").json
    assert (found["holds"], found["trusted"], found["why"]) == (True, "given", None)


def test_without_a_key_of_ones_own_it_is_said_what_that_is_worth(
    sealed: Dock, tmp_path: Path
) -> None:
    proof_of(sealed, tmp_path / "proof.json")
    done = checked(tmp_path / "proof.json")
    assert done.code == 0
    assert "taken from the file itself" in done.err
    assert "not who made it" in done.err
    assert checked(tmp_path / "proof.json", "--json").json["trusted"] == "the file itself"


def test_a_proof_made_with_another_key_does_not_hold(sealed: Dock, tmp_path: Path) -> None:
    """It fits together, and says so to nobody who has the station's key."""
    proof_of(sealed, tmp_path / "proof.json")
    done = checked(tmp_path / "proof.json", "--verifier", str(new_signer().verifier))
    assert done.code == 1
    assert "does not hold" in done.out


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("description", lambda text: text.replace("photo", "other")),
        ("digests", lambda digests: {**digests, "sha256": "0" * 64}),
        ("entry", lambda text: text.replace("photo", "other")),
        ("number", lambda number: number + 1),
        ("path", lambda path: path[1:]),
        ("path", lambda path: [*path[:-1], "not base64"]),
        ("checkpoint", lambda note: note.replace("recorder-sync/test", "recorder-sync/x", 1)),
        ("rotations", lambda _: [{}]),
    ],
)
def test_a_proof_that_was_changed_anywhere_does_not_hold(
    sealed: Dock, tmp_path: Path, key: str, change: Callable[[Any], Any]
) -> None:
    path = tmp_path / "proof.json"
    proof = proof_of(sealed, path)
    path.write_text(json.dumps({**proof, key: change(proof[key])}), encoding="utf-8")
    done = checked(path, "--verifier", key_file(sealed))
    assert done.code == 1, done.err
    assert "does not hold" in done.out
    assert "Traceback" not in done.err


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "x"}', "\ud800"])
def test_what_is_no_proof_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "proof.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    done = checked(path, "--verifier", str(new_signer().verifier))
    assert done.code == 2
    assert "Traceback" not in done.err


def test_a_proof_made_after_a_rotation_holds_for_old_keys_and_the_newest(
    sealed: Dock, tmp_path: Path
) -> None:
    old = key_file(sealed).read_text().strip()
    before = tmp_path / "before.json"
    proof_of(sealed, before)
    assert sealed.run("custody", "rotate-key").code == 0
    after = tmp_path / "after.json"
    proof_of(sealed, after)
    keys = sealed.state / "custody" / "verifier-keys"
    assert [checked(after, "--verifier", key).code for key in (old, key_file(sealed), keys)] == [
        *(0, 0, 0),
    ]
    assert checked(before, "--verifier", old).code == 0
    assert checked(before, "--verifier", key_file(sealed)).code == 1, "it has no rotation in it"
    assert checked(before, "--verifier", keys).code == 1, "only the newest key of a file counts"


# `custody consistency`.


@pytest.fixture
def grown(sealed: Dock) -> tuple[Dock, list[str]]:
    """A station with two checkpoints, and their notes."""
    notes = [sealed.run("custody", "checkpoint").out]
    assert sealed.run("devices", "add", "0031").code == 0
    notes.append(sealed.run("custody", "checkpoint").out)
    return sealed, notes


def sizes(notes: list[str]) -> list[str]:
    return [note.splitlines()[1] for note in notes]


def test_a_file_proves_that_the_log_only_grew_between_two_checkpoints(
    grown: tuple[Dock, list[str]], tmp_path: Path
) -> None:
    dock, notes = grown
    path = tmp_path / "consistency.json"
    done = dock.run("custody", "consistency", *sizes(notes), "--to", path)
    assert done.code == 0, done.err
    document = json.loads(path.read_text("utf-8"))
    assert document["format"] == "recorder-sync-consistency-1"
    assert [document["old"], document["new"]] == notes
    assert document["verifier"] == key_file(dock).read_text().strip()
    assert checked(path, "--verifier", key_file(dock)).code == 0
    printed = dock.run("custody", "consistency", *sizes(notes))
    assert printed.json == document


def test_a_checkpoint_that_somebody_kept_in_a_file_is_enough(
    grown: tuple[Dock, list[str]], tmp_path: Path
) -> None:
    dock, notes = grown
    stick = tmp_path / "stick"
    stick.write_text(notes[0], encoding="utf-8")
    done = dock.run("custody", "consistency", stick, sizes(notes)[1])
    assert done.code == 0, done.err
    assert done.json["old"] == notes[0]


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("proof", lambda proof: proof[1:]),
        ("proof", lambda proof: [*proof, proof[0]]),
        ("new", lambda note: note.replace("test", "tset", 1)),
        ("old", lambda note: note.replace("test", "tset", 1)),
    ],
)
def test_a_consistency_file_that_was_changed_does_not_hold(
    grown: tuple[Dock, list[str]], tmp_path: Path, key: str, change: Callable[[Any], Any]
) -> None:
    dock, notes = grown
    document = dock.run("custody", "consistency", *sizes(notes)).json
    path = tmp_path / "consistency.json"
    path.write_text(json.dumps({**document, key: change(document[key])}), encoding="utf-8")
    assert checked(path, "--verifier", key_file(dock)).code == 1


def test_a_checkpoint_of_a_log_that_was_forked_is_not_the_beginning_of_this_one(
    grown: tuple[Dock, list[str]], tmp_path: Path
) -> None:
    """Signed with the station's own key, as a copied state folder can."""
    dock, notes = grown
    real = opened(notes[0], [Verifier.parse(key_file(dock).read_text())])
    forked = signer_in(dock.state / "custody").signed(type(real)(real.origin, real.size, bytes(32)))
    (tmp_path / "forked").write_text(forked, encoding="utf-8")
    done = dock.run("custody", "consistency", tmp_path / "forked", sizes(notes)[1])
    assert done.code == 1
    assert "not those that the checkpoint vouches for" in done.err


def test_checkpoints_in_the_wrong_order_or_of_no_size_are_refused(
    grown: tuple[Dock, list[str]],
) -> None:
    dock, notes = grown
    assert dock.run("custody", "consistency", *sizes(notes)[::-1]).code == 2
    assert dock.run("custody", "consistency", "99999", sizes(notes)[1]).code == 2
    assert dock.run("custody", "consistency", "no such file", sizes(notes)[1]).code == 3


def test_checkpoints_before_and_after_a_rotation_are_proven_to_whoever_has_either_key(
    sealed: Dock, tmp_path: Path
) -> None:
    known = [Verifier.parse(key_file(sealed).read_text())]
    old = sealed.run("custody", "checkpoint").out
    for _ in range(2):
        assert sealed.run("custody", "rotate-key").code == 0
        known.append(Verifier.parse(key_file(sealed).read_text()))
    new = sealed.run("custody", "checkpoint").out
    document = sealed.run("custody", "consistency", *sizes([old, new])).json
    assert [is_consistent(document, verifier) for verifier in known] == [True] * 3
    forged = signer_in(sealed.state / "custody").signed(opened(old, [known[0]]))
    with pytest.raises(ValueError, match="does not count"):
        is_consistent({**document, "old": forged}, known[0])


# What is handed over may be anything.

_DEEP = "[" * 200_000


@pytest.mark.parametrize("text", [_DEEP, '{"format": ' + _DEEP, '{"a":' * 100_000])
def test_promise_5_a_document_that_is_nested_without_end_is_refused(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "file").write_text(text)
    done = checked(tmp_path / "file")
    assert done.code == 2, done.err
    assert "nested too deeply" in done.err


@pytest.mark.parametrize("part", ["entry", "rotation"])
def test_promise_5_a_proof_of_an_entry_that_is_nested_without_end_does_not_hold(
    sealed: Dock, tmp_path: Path, part: str
) -> None:
    proof = proof_of(sealed, tmp_path / "proof.json")
    if part == "entry":
        proof["entry"] = _DEEP
    else:
        proof["rotations"] = [{"entry": _DEEP, "number": 0, "path": []}]
    (tmp_path / "changed.json").write_text(json.dumps(proof))
    done = checked(tmp_path / "changed.json")
    assert done.code == 1, done.err
    assert "does not hold" in done.out


def test_promise_5_a_file_without_end_is_refused_and_not_read_to_it(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 40)
    for path in (tmp_path / "huge", Path("/dev/zero")):
        done = checked(path)
        assert done.code == 2
        assert "too large" in done.err


@pytest.mark.parametrize("value", ["é", "\ud800", 7, None, [], {}])
def test_promise_5_a_consistency_file_of_other_types_does_not_hold(
    sealed: Dock, tmp_path: Path, value: Any
) -> None:
    size = next(iter((sealed.state / "custody/checkpoints").iterdir())).name.lstrip("0")
    file = tmp_path / "consistency.json"
    assert sealed.run("custody", "consistency", size, size, "--to", file).code == 0
    document = json.loads(file.read_text("utf-8"))
    for key in ("proof", "old", "new", "rotations"):
        for changed in (value, [value], [{"entry": value, "number": value, "path": value}]):
            (tmp_path / "changed.json").write_text(json.dumps({**document, key: changed}))
            found = document_in(tmp_path / "changed.json")
            try:
                held = is_consistent(found, Verifier.parse(document["verifier"]))
            except ValueError:
                held = False
            assert not held or not changed


def test_why_a_proof_does_not_hold_is_said_in_chinese_on_a_chinese_screen(
    sealed: Dock, tmp_path: Path
) -> None:
    proof_of(sealed, tmp_path / "proof.json")
    chinese = {"RECORDER_SYNC_LANGUAGE": "zh_CN"}
    other = str(new_signer().verifier)
    for key, words in ((other, "没有任何已知的人签过名"), ("a+b+c", "它不是验证公钥")):
        file = tmp_path / "proof.json"
        done = sealed.run("custody", "check", file, "--verifier", key, env=chinese)
        assert words in done.out + done.err
