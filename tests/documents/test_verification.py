"""Promise 5 for documents: verification finds any byte changed, removed or added."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from recorder_sync.catalogue import verified
from tests.conftest import Dock
from tests.documents.handing_in import CASE, PDF, add, begun, paper
from tests.inspection.furnished import verify_here

Unlock = Callable[[Path], None]


@pytest.fixture
def kept(dock: Dock, tmp_path: Path) -> Path:
    """The sealed file of the one document of a station."""
    begun(dock)
    return dock.evidence / str(add(dock, paper(tmp_path)).json["path"])


def kinds(dock: Dock, **how: bool) -> set[tuple[str, str]]:
    return {(one.kind.value, one.path) for one in verify_here(dock, **how)}


def test_a_document_is_re_read_and_named_where_it_is_not_as_it_was_sealed(
    dock: Dock, kept: Path, unlock: Unlock
) -> None:
    path = str(kept.relative_to(dock.evidence))
    unlock(kept)
    kept.write_bytes(PDF[:-1] + b"X")
    kept.chmod(0o440)
    assert kinds(dock) == {("changed", path)}
    assert kinds(dock, bodies=False) == set(), "the size is the same, and nothing was read"
    kept.unlink()
    assert kinds(dock, bodies=False) == {("missing", path)}
    done = dock.run("verify", "--case", CASE, "--json")
    assert done.code == 1
    assert [one["kind"] for one in done.json["findings"]] == ["missing"]


def test_what_lies_beside_a_document_is_named(dock: Dock, kept: Path, unlock: Unlock) -> None:
    added = kept.with_name("20260101-000000_d-aaaaaaaaaaaaa_x.pdf")
    added.write_bytes(b"x")
    description = kept.with_name(kept.name + ".json")
    unlock(description)
    description.write_text("{}")
    sums = kept.with_name("SHA256SUMS")
    sums.write_text(sums.read_text() + "0" * 64 + "  x.pdf\n")
    below = kept.relative_to(dock.evidence).parent
    assert kinds(dock) == {
        ("extra", f"{below}/{added.name}"),
        ("description-changed", f"{below}/{description.name}"),
        ("unprotected", f"{below}/{description.name}"),
        ("list-differs", f"{below}/SHA256SUMS"),
    }


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("update documents set title = 'x'", "catalogue-differs"),
        ("update documents set sha256 = blake3", "catalogue-differs"),
        ("delete from documents", "not-in-catalogue"),
    ],
)
def test_what_somebody_changes_in_the_catalogue_is_named(
    dock: Dock, kept: Path, statement: str, found: str
) -> None:
    assert kept.exists()
    with closing(sqlite3.connect(dock.state / "catalogue.db")) as db, db:
        db.execute(statement)
    assert {one.kind.value for one in verify_here(dock)} == {found}


def test_a_full_verification_re_reads_documents_and_says_when(dock: Dock, kept: Path) -> None:
    assert kept.exists()
    done = dock.run("verify", "--all", "--json")
    assert (done.code, done.json["checked"]) == (0, 1)
    station = dock.station()
    try:
        assert verified.standing(station.catalogue).never == 0
        new = add(dock, paper(dock.state.parent, PDF + b"new")).json["id"]
        assert verified.standing(station.catalogue).never == 1
        waiting = {one.recording: one.verified_at for one in verified.waiting(station.catalogue)}
        assert [one for one, at in waiting.items() if at is None] == [new], "a night's work"
        assert len(waiting) == 2
    finally:
        station.catalogue.close()


def test_a_document_is_handed_out_as_a_copy_that_anybody_can_check(
    dock: Dock, kept: Path, tmp_path: Path
) -> None:
    identifier = kept.name.split("_")[1]
    to = tmp_path / "copy"
    done = dock.run(
        *(
            "cases",
            "documents",
            "export",
            identifier,
            "--to",
            to,
            "--by",
            "法院",
            "--reason",
            "审理",
        )
    )
    assert done.code == 0, done.err
    assert (to / kept.name).read_bytes() == PDF
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=to, check=True)
    acts = [json.loads(line)["act"] for line in (to / f"{kept.name}.custody.jsonl").open("rb")]
    assert acts == ["document", "export"]
    checker = to / "verify_evidence.py"
    dock.run("custody", "checkpoint")
    key = dock.state / "custody" / "verifier-key"
    log = dock.state / "custody"
    for words in (
        ("export", to, "--log", log, "--verifier", key),
        ("evidence", dock.evidence, "--log", log, "--verifier", key),
    ):
        checked = subprocess.run(
            [sys.executable, checker, *words], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_with_a_proof_beside_it_a_copy_is_checked_by_the_verifier_key_alone(
    dock: Dock, kept: Path, tmp_path: Path
) -> None:
    identifier = kept.name.split("_")[1]
    why = ("--by", "王队", "--reason", "抄错")
    correct = ("cases", "documents", "correct", identifier, "--title", "更正后", *why)
    assert dock.run(*correct).code == 0
    to, alone = tmp_path / "copy", tmp_path / "proof.json"
    done = dock.run("cases", "documents", "export", identifier, "--to", to, "--proof")
    assert done.code == 0, done.err
    assert dock.run("custody", "prove", identifier, "--to", alone).code == 0
    proof = json.loads((to / f"{kept.name}.proof.json").read_text("utf-8"))
    assert proof["document"]["title"] == "更正后", "for people, as it is known today"
    assert json.loads(proof["description"])["title"] == "行政处罚决定书"
    assert dock.run("custody", "check", alone).code == 0
    key = dock.state / "custody" / "verifier-key"

    def check(*words: str | Path) -> tuple[int, str]:
        command = [sys.executable, to / "verify_evidence.py", *words, "--verifier", key]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    for words in (("export", to), ("proof", alone, "--file", kept)):
        code, said = check(*words)
        assert code == 0, said
        assert f"document {identifier}" in said
        assert "in title: a later correction" in said
    for part, changed, names in (
        ("document", {**proof["document"], "size": 1}, "size"),
        ("digests", {**proof["digests"], "sha256": "0" * 64}, "digests"),
    ):
        alone.write_text(json.dumps({**proof, part: changed}))
        code, said = check("proof", alone)
        assert (code, names in said) == (1, True), said
    assert dock.run("custody", "check", alone).code == 1, "the digests are not what was sealed"
