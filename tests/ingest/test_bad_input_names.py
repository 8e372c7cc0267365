"""Hostile file names on a card: kept exactly, shown safely, safe on the evidence disk."""

import base64
import os
import pty
import subprocess
import unicodedata
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import (
    ask,
    check_done,
    check_evidence,
    contents,
    descriptions,
    dockings,
    run_without_rights,
    sealed,
)

_OWN_THE_TERMINAL = b"\x1b]0;owned\x07\x1b[2Jx.jpg"

_LONGEST_CHINESE = "执" * 83 + "ab.jpg"

HOSTILE = (
    b"..mp4.jpg",
    b"...jpg",
    b"a..b.jpg",
    b"..\\..\\up.jpg",
    b".hidden.jpg",
    b"new\nline.jpg",
    b"\n.jpg",
    b"cr\rover.jpg",
    b"tab\tbell\x07backspace\x08.jpg",
    bytes(range(1, 0x20)) + b"\x7f.jpg",
    _OWN_THE_TERMINAL,
    "\x9b2J C1 \x85.jpg".encode(),
    "right-to-left \u202egpj.exe.jpg".encode(),
    "zero\u200bwidth\ufeff line\u2028paragraph\u2029.jpg".encode(),
    b"\xff\xfe not utf-8 \xc3.jpg",
    b"\xed\xa0\x80 surrogate.jpg",
    "国徽.jpg".encode("gb18030"),
    b"l" * 251 + b".jpg",
    _LONGEST_CHINESE.encode(),
    b"\xff" * 251 + b".jpg",
    b"-rf.jpg",
    b"--help.jpg",
    b"\"double\" 'single' `back`.jpg",
    b"back\\slash\\n.jpg",
    b"$(reboot);&|<>*?.jpg",
    b"  spaces  .jpg",
    b"[bold red]markup[/].jpg",
    b"[/].jpg",
    b"{why} {0} %s %(x)s.jpg",
    "e\u0301.jpg".encode(),
    "\u00e9.jpg".encode(),
    b"SHA256SUMS.jpg",
    b"B3SUMS.jpg",
    b"x.jpg.json.jpg",
    b"CON.jpg",
)


@pytest.fixture
def hostile(card: Card, media_files: MediaFiles) -> Card:
    """A card on which every name is hostile, and one is not."""
    photo = media_files.photo.read_bytes()
    for number, name in enumerate((b"good.jpg", *HOSTILE)):
        card.put(name, photo + number.to_bytes(2, "big"))
    return card


def test_every_hostile_name_is_sealed_and_kept_exactly(dock: Dock, hostile: Card) -> None:
    before = contents(hostile.path)
    done = dock.ingest(hostile)
    check_done(done, failed=0)
    assert contents(hostile.path) == before
    assert done.json["sealed"] == len(HOSTILE) + 1
    check_evidence(dock, b"good.jpg", *HOSTILE)


def test_a_name_that_is_not_utf8_is_in_the_json_as_base64(dock: Dock, hostile: Card) -> None:
    done = dock.ingest(hostile)
    for recording in (*done.json["recordings"], *descriptions(dock)):
        exact = recording["original_path_base64"]
        if exact is None:
            assert recording["original_path"].encode() in (b"good.jpg", *HOSTILE)
        else:
            name = base64.b64decode(exact)
            assert name in HOSTILE
            assert name.decode("utf-8", "replace") == recording["original_path"]
    listed = ask(dock, "recordings", "list", "--json", "--limit", "1000")
    assert listed.code == 0
    check_evidence(dock, b"good.jpg", *HOSTILE)


def test_a_skipped_or_failed_name_that_is_not_utf8_is_in_the_json_as_base64(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("good.jpg", media_files.photo)
    names = {b"skipped \xff.txt", b"failed \xff.jpg"}
    card.put(b"skipped \xff.txt", b"text")
    card.put(b"failed \xff.jpg", media_files.photo).chmod(0)
    done = run_without_rights(dock, "ingest", card.path, "--json")
    check_done(done, 1, sealed=1, failed=1)
    shown = ask(dock, "dockings", "show", done.json["docking"], "--json").json["files"]
    assert {base64.b64decode(f["path_base64"]) for f in shown if f["path_base64"]} == names
    said = [*done.json["skipped"], *done.json["failures"]]
    assert {base64.b64decode(entry.get("path_base64") or "") for entry in said} == names
    check_evidence(dock, "good.jpg")


def test_names_on_the_evidence_disk_are_harmless(dock: Dock, hostile: Card) -> None:
    dock.ingest(hostile)
    assert len(dock.sealed_files()) == len(HOSTILE) + 1
    for file in dock.sealed_files():
        name = file.name
        assert len(os.fsencode(name)) <= 250
        assert name.isprintable()
        assert not set(name) & set("\\/'\"`$&|;<>*?[]{}() ")
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in name)
        assert name[0].isdigit()
        assert name.endswith(".jpg")


def test_no_name_reaches_the_output_raw(dock: Dock, hostile: Card) -> None:
    hostile.put(b"skip\x1b]0;owned\x07\nme.txt", b"text")
    hostile.put(b"skip\xff\x9b2J.txt", b"text")
    done = dock.run("ingest", hostile.path)
    assert done.code == 0, done.err
    (docking,) = dockings(dock)
    for shown in (
        done,
        ask(dock, "recordings", "list", "--limit", "1000"),
        ask(dock, "dockings", "list"),
        ask(dock, "dockings", "show", docking["docking"]),
        *(ask(dock, "recordings", "show", d["id"]) for d in _descriptions_of(dock, "owned", "C1")),
    ):
        assert shown.code == 0, shown.err
        for text in (shown.out, shown.err):
            raw = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}
            assert raw <= {"\n"}
    check_evidence(dock, b"good.jpg", *HOSTILE)


def _descriptions_of(dock: Dock, *parts: str) -> list[dict[str, str]]:
    return [d for d in descriptions(dock) if any(part in d["original_name"] for part in parts)]


def test_no_name_drives_a_terminal(dock: Dock, hostile: Card) -> None:
    hostile.put(b"skip\x1b]0;owned\x07me.txt", b"text")
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        dock.command("ingest", hostile.path),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"},
    )
    os.close(theirs)
    shown = _everything_from(ours)
    os.close(ours)
    assert child.wait(timeout=30) == 0
    assert b"Safe to take" in shown
    for sequence in (b"\x1b]", b"\x1b[2J", b"\x07", b"\x08", b"\xc2\x9b", b"\xe2\x80\xae", b"\xff"):
        assert sequence not in shown
    check_evidence(dock, b"good.jpg", *HOSTILE)


def _everything_from(terminal: int) -> bytes:
    shown = b""
    while True:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:  # EIO: nobody holds the other side any more
            return shown
        if not part:
            return shown
        shown += part


def test_a_failure_of_a_hostile_name_is_shown_safely(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("good.jpg", media_files.photo)
    deep = _OWN_THE_TERMINAL.replace(b".jpg", b"") + b"\n\xff"
    folder = deep
    for _ in range(66):
        folder += b"/d"
    Path(os.fsdecode(os.fsencode(card.path) + b"/" + folder)).mkdir(parents=True)
    done = dock.run("ingest", card.path)
    assert done.code == 1, done.err
    assert "nested too deep" in done.out
    raw = {c for c in done.out + done.err if unicodedata.category(c) == "Cc"}
    assert raw == {"\n"}
    as_json = dock.ingest(card)
    (failure,) = as_json.json["failures"]
    assert failure["path"].startswith(deep.decode("utf-8", "replace"))
    check_evidence(dock, "good.jpg")


def test_hostile_folder_names_are_kept_exactly(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    photo = media_files.photo.read_bytes()
    names = [
        b"...mp4/a.jpg",
        b"\x1b[2J/b.jpg",
        b"\xff\xfe/c.jpg",
        b"\n/d.jpg",
        b"-rf/e.jpg",
        b"/".join([b"n" * 255] * 12) + b"/f.jpg",
    ]
    for number, name in enumerate(names):
        card.put(name, photo + bytes([number]))
    before = contents(card.path)
    done = dock.ingest(card)
    check_done(done, sealed=len(names))
    assert contents(card.path) == before
    check_evidence(dock, *names)


def test_a_card_at_a_hostile_place_is_taken_in(
    dock: Dock, tmp_path: Path, media_files: MediaFiles
) -> None:
    place = os.fsencode(tmp_path) + b"/\xff\x1b]0;owned\x07\n[red]"
    card = Card(Path(os.fsdecode(place)))
    card.put("good.jpg", media_files.photo)
    card.put("unknown ending", media_files.video)
    done = dock.ingest(card)
    check_done(done, sealed=2)
    shown = ask(dock, "dockings", "show", done.json["docking"])
    assert shown.code == 0, shown.err
    assert "\x1b" not in shown.out
    check_evidence(dock, "good.jpg", "unknown ending")


def test_a_name_seen_again_is_known_whatever_its_bytes(dock: Dock, hostile: Card) -> None:
    assert dock.ingest(hostile).code == 0
    again = dock.ingest(hostile)
    check_done(again, sealed=0)
    assert again.json["already_sealed"] == len(HOSTILE) + 1
    assert sealed(dock).total() == len(HOSTILE) + 1
    check_evidence(dock, b"good.jpg", *HOSTILE)
