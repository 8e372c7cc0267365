"""Whoever rules the store cannot pass another log or another recording off as the station's."""

import json
import shutil
from pathlib import Path

import pytest

from tests.from_store.conftest import Lost

pytestmark = pytest.mark.long


def _nothing_here(lost: Lost) -> bool:
    custody = lost.dock.state / "custody"
    left = [*custody.glob("*.jsonl"), *lost.dock.state.glob("custody.*")]
    return not left and not (lost.dock.state / "catalogue.db").exists()


def _change(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.chmod(0o640)
    path.write_bytes(content.replace(old, new, 1))


def test_art_27_a_changed_entry_is_named_with_its_object_and_nothing_is_brought_back(
    lost: Lost,
) -> None:
    piece = min(lost.records.glob("log/*"))
    _change(piece, b'"device":"0031"', b'"device":"0032"')
    done = lost.rebuild("--with-recordings")
    assert done.code == 1
    assert piece.name in done.json["error"]
    assert _nothing_here(lost)


def test_art_27_a_log_without_its_last_entries_is_found_by_the_checkpoint(lost: Lost) -> None:
    last = max(lost.records.glob("log/*"))
    lines = last.read_bytes().splitlines(keepends=True)
    first = int(last.name[:20])
    last.chmod(0o640)
    last.unlink()
    shorter = last.with_name(f"{first:020d}-{first + len(lines) - 1:020d}.jsonl")
    if len(lines) > 1:
        shorter.write_bytes(b"".join(lines[:-1]))
    done = lost.rebuild()
    assert done.code == 1
    assert "shorter" in done.json["error"]
    assert _nothing_here(lost)


def test_a_piece_of_the_log_that_is_missing_is_named(lost: Lost) -> None:
    piece = max(lost.records.glob("log/*"))
    lines = piece.read_bytes().splitlines(keepends=True)
    rest = piece.with_name(f"{int(piece.name[:20]) + 2:020d}-{piece.name[21:]}")
    piece.unlink()
    rest.write_bytes(b"".join(lines[2:]))
    done = lost.rebuild()
    assert done.code == 1
    assert "entries 0 to 1" in done.json["error"]
    assert _nothing_here(lost)


def test_a_checkpoint_that_the_station_never_signed_is_named_and_left_out(lost: Lost) -> None:
    note = max(lost.records.glob("checkpoints/*"))
    forged = note.with_name(f"{int(note.name) - 1:020d}")
    text = note.read_text("utf-8").replace(f"\n{int(note.name)}\n", f"\n{int(note.name) - 1}\n")
    forged.write_text(text, encoding="utf-8")
    done = lost.rebuild("--with-recordings")
    assert done.code == 1
    assert any(forged.name in problem for problem in done.json["problems"])
    kept = {path.name for path in (lost.dock.state / "custody" / "checkpoints").iterdir()}
    assert forged.name not in kept
    assert lost.dock.run("verify", "--all", "--json").json["findings"] == []


def test_another_log_with_a_key_of_its_own_is_refused_by_the_signing_key(
    lost: Lost, tmp_path: Path
) -> None:
    """Somebody who rules the store puts a whole log there, sealed and signed by himself."""
    forger = Lost(lost.bed, tmp_path / "forger")
    custody = lost.dock.state / "custody"
    (custody / "signing-key.pem").unlink()
    shutil.rmtree(lost.bed.nas)
    lost.bed.nas.mkdir()
    lost.bed.bind()
    lost.bed.seal(2, first=20)
    forger.stick.parent.mkdir()
    forger.forward_everything()
    forger.lose(with_key=False)
    shutil.copy(lost.stick / "signing-key.pem", custody / "signing-key.pem")
    done = lost.rebuild()
    assert done.code == 1
    assert "is signed with the station's key" in done.json["error"]
    assert _nothing_here(lost)


def test_a_store_that_is_not_the_one_of_the_log_is_refused(lost: Lost) -> None:
    """Its content is a copy, and its marker is another: somebody swapped the disk."""
    marker = lost.bed.nas / ".recorder-sync-store"
    found = json.loads(marker.read_bytes())
    marker.chmod(0o640)
    marker.write_text(json.dumps({**found, "id": "0" * 32}))
    done = lost.rebuild()
    assert done.code == 3
    assert "is not the store that was bound" in done.json["error"]
    assert _nothing_here(lost)


def test_an_empty_store_says_so(lost: Lost) -> None:
    shutil.rmtree(lost.records)
    done = lost.rebuild()
    assert done.code == 2
    assert "no custody log of station test" in done.json["error"]
    assert _nothing_here(lost)


def test_a_missing_description_is_named_and_made_from_the_log(lost: Lost) -> None:
    (gone, *_) = (key for key in lost.bed.objects() if key.endswith(".json"))
    (lost.bed.nas / gone).unlink()
    done = lost.rebuild("--with-recordings")
    assert done.code == 1, done.err
    assert done.out, done.err
    assert any(gone in problem for problem in done.json["problems"])
    assert lost.files() == lost.evidence, "byte for byte the sealed one"
    assert lost.dock.run("verify", "--all", "--json").json["findings"] == []


@pytest.mark.parametrize("what", ["changed", "missing"])
def test_a_recording_that_is_not_as_sealed_is_named_and_the_others_come_back(
    lost: Lost, what: str
) -> None:
    (key, *_) = (key for key in lost.bed.objects() if not key.endswith(".json"))
    path = lost.bed.nas / key
    content = path.read_bytes()
    path.chmod(0o640)
    path.unlink()
    if what == "changed":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    done = lost.rebuild("--with-recordings")
    assert done.code == 1
    assert any(key in problem for problem in done.json["problems"])
    assert done.json["files"] == {"fetched": 2, "already_here": 0, "failed": 1}
    verified = lost.dock.run("verify", "--all", "--json")
    assert {finding["kind"] for finding in verified.json["findings"]} >= {"missing"}
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    again = lost.rebuild("--with-recordings")
    assert (again.code, again.json["files"]["fetched"]) == (0, 1)
    assert lost.files() == lost.evidence


def test_a_log_that_is_here_is_not_replaced(lost: Lost) -> None:
    assert lost.rebuild().code == 0
    segment = min((lost.dock.state / "custody").glob("*.jsonl"))
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[:3]))
    done = lost.rebuild("--with-recordings")
    assert done.code == 1
    assert "does not begin with" in done.json["error"]
    assert segment.read_bytes() == b"".join(lines[:3])


def test_a_checkpoint_elsewhere_that_vouches_for_more_is_told(lost: Lost, tmp_path: Path) -> None:
    """The store was given less of the log than the station's stick knows of."""
    stick = tmp_path / "usb"
    stick.mkdir()
    assert lost.rebuild().code == 0
    lost.dock.configure(ingest={"immutable": False}, witness={"folders": [str(stick)]})
    with lost.dock.config.open("a", encoding="utf-8") as file:
        file.write(f'\n[[stores]]\nname = "nas"\n{lost.bed.directory(lost.bed.nas)}')
    lost.bed.seal(1, first=9)
    assert lost.dock.run("custody", "checkpoint").code == 0
    lost.lose()
    done = lost.rebuild()
    assert done.code == 1
    assert any(str(stick) in problem for problem in done.json["problems"])
