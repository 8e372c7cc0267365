"""What somebody puts into the state folder, on a stick or before a witness harms nothing.

It is found and named; no command hangs or ends with a traceback, and nothing is written
through a link.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, Done, MediaFiles


@pytest.fixture
def station(dock: Dock, card: Card, media_files: MediaFiles) -> Dock:
    card.put("clip.mp4", media_files.video)
    assert dock.ingest(card).code == 0
    assert dock.run("custody", "checkpoint").code == 0
    return dock


def _log(station: Dock) -> Path:
    return next((station.state / "custody").glob("*.jsonl"))


def _note(station: Dock) -> Path:
    return next((station.state / "custody/checkpoints").iterdir())


def _seq_as_text(station: Dock) -> None:
    *before, last = _log(station).read_bytes().splitlines(keepends=True)
    head, _, number = last.rstrip(b"}\n").rpartition(b'"seq":')
    rest = number.partition(b",")
    changed = head + b'"seq":"' + rest[0] + b'"' + b"".join(rest[1:]) + b"}\n"
    _log(station).write_bytes(b"".join(before) + changed)


def _nested(station: Dock) -> None:
    with _log(station).open("ab") as log:
        log.write(b"[" * 200_000 + b"\n")


def _no_text(station: Dock) -> None:
    folder = station.state / "custody/witnessed"
    folder.mkdir(exist_ok=True)
    (folder / ("0" * 19 + "3")).write_bytes(b"\xff\xfe")


def _pipe_for_a_note(station: Dock) -> None:
    note = _note(station)
    note.unlink()
    os.mkfifo(note)


def _pipe_for_the_log(station: Dock) -> None:
    log = _log(station)
    log.unlink()
    os.mkfifo(log)


def _folder_for_a_note(station: Dock) -> None:
    note = _note(station)
    note.unlink()
    note.mkdir()


def _segment_of_another_name(station: Dock) -> None:
    _log(station).rename(_log(station).with_name("0" * 19 + "5.jsonl"))
    shutil.rmtree(station.state / "custody/tree")


def _empty_segment_far_ahead(station: Dock) -> None:
    (station.state / "custody" / ("9" * 20 + ".jsonl")).touch()


def _keys_that_are_none(station: Dock) -> None:
    for name in ("verifier-key", "verifier-keys"):
        (station.state / "custody" / name).write_text("recorder-sync/test+00000000+AAAA\n")


ATTACKS: list[Callable[[Dock], None]] = [
    *(_seq_as_text, _nested, _no_text, _pipe_for_a_note, _pipe_for_the_log),
    *(_folder_for_a_note, _segment_of_another_name, _empty_segment_far_ahead),
    _keys_that_are_none,
]


def _told(done: Done) -> None:
    assert done.code in (1, 3), done.out + done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__.strip("_"))
def test_promise_5_it_is_found_and_no_command_hangs(
    station: Dock, attack: Callable[[Dock], None]
) -> None:
    attack(station)
    _told(station.run("verify", "--metadata"))
    _told(station.run("custody", "verify"))


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.with_name("elsewhere").write_bytes(b"not ours")
    path.symlink_to(path.with_name("elsewhere"))


def _device(path: Path) -> None:
    os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # as /dev/zero, which never ends


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


Put = Callable[[Path], None]


@pytest.fixture
def registered(dock: Dock) -> Dock:
    """A station with entries and a checkpoint, and without a recording."""
    dock.configure(ingest={"immutable": False})
    assert dock.run("devices", "add", "0031").code == 0
    assert dock.run("custody", "checkpoint").code == 0
    return dock


@pytest.mark.parametrize(
    ("name", "put"),
    [
        ("signing-key.pem", _pipe),
        ("signing-key.pem", _huge),
        ("next-signing-key.pem", _device),
        ("verifier-keys", _link),
    ],
)
def test_promise_5_no_key_is_read_from_what_is_no_file(
    registered: Dock, name: str, put: Put
) -> None:
    path = registered.state / "custody" / name
    path.unlink(missing_ok=True)
    put(path)
    _told(registered.run("custody", "checkpoint"))


@pytest.mark.parametrize(("level", "put"), [("level-00", _pipe), ("level-01", _link)])
def test_promise_5_the_hashes_are_made_anew_where_something_else_stands(
    registered: Dock, level: str, put: Put
) -> None:
    path = registered.state / "custody/tree" / level
    path.unlink(missing_ok=True)
    put(path)
    registered.run("devices", "add", "0032")
    registered.run("devices", "add", "0033")
    done = registered.run("custody", "checkpoint")
    assert "Traceback" not in done.err
    done = registered.run("custody", "verify")
    assert done.code == 0, done.err
    assert stat.S_ISREG(path.lstat().st_mode)
    elsewhere = path.with_name("elsewhere")
    assert not elsewhere.exists() or elsewhere.read_bytes() == b"not ours"


@pytest.mark.parametrize("put", [_pipe, _link])
def test_promise_5_a_segment_that_is_no_file_is_not_written_to(registered: Dock, put: Put) -> None:
    log = _log(registered)
    log.unlink()
    put(log)
    _told(registered.run("devices", "add", "0032"))
    elsewhere = log.with_name("elsewhere")
    assert not elsewhere.exists() or elsewhere.read_bytes() == b"not ours"


@pytest.mark.parametrize(
    ("name", "put"),
    [
        ("00000000000000000000.torn-0-0", _pipe),
        ("checkpoints/" + "9" * 20, _link),
        ("witnessed/" + "9" * 20, _device),
    ],
)
def test_promise_5_a_backup_copies_nothing_that_is_no_file(
    registered: Dock, name: str, put: Put
) -> None:
    path = registered.state / "custody" / name
    path.parent.mkdir(exist_ok=True)
    put(path)
    done = registered.run("catalogue", "backup")
    _told(done)
    assert path.name in done.err


@pytest.mark.parametrize(
    ("name", "put"), [("witness-key.pem", _pipe), ("trusted", _device), ("verifier-key", _link)]
)
def test_promise_5_a_witness_reads_nothing_that_is_no_file(
    registered: Dock, tmp_path: Path, name: str, put: Put
) -> None:
    folder = tmp_path / "witness"
    key = registered.state / "custody/verifier-key"
    made = registered.run("custody", "witness", "--new", "--folder", folder, "--trust", key)
    assert made.code == 0, made.err
    (folder / name).unlink()
    put(folder / name)
    _told(registered.run("custody", "witness", "--folder", folder))


@pytest.mark.parametrize("name", ["test.checkpoint.new", "test.checkpoint", "test.checkpoints"])
def test_promise_5_nothing_is_written_through_a_link_on_a_stick(
    station: Dock, tmp_path: Path, name: str
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    station.configure(witness={"folders": [str(stick)]})
    (stick / name).symlink_to(_log(station))
    before = _log(station).read_bytes()
    station.run("custody", "checkpoint")
    assert _log(station).read_bytes() == before
    (stick / name).unlink(missing_ok=True)
    (stick / name).symlink_to(station.state / "custody/elsewhere")
    station.run("custody", "checkpoint")
    assert not (station.state / "custody/elsewhere").exists()


def test_promise_5_a_note_under_a_larger_name_hides_no_newer_one(
    station: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    shutil.copytree(station.state, tmp_path / "old")
    old = _note(station).read_bytes()
    card.put("more.wav", media_files.audio)
    station.ingest(card)
    assert station.run("custody", "checkpoint").code == 0
    shutil.rmtree(station.state)
    shutil.copytree(tmp_path / "old", station.state)
    (station.evidence / ".checkpoints/test" / ("9" * 20)).write_bytes(old)
    done = station.run("custody", "checkpoint")
    assert done.code == 1, done.out
    assert "shorter than" in done.err


def test_promise_5_a_key_that_is_gone_is_not_replaced_when_its_notes_are_gone_too(
    station: Dock,
) -> None:
    subprocess.run(["chattr", "-R", "-f", "-i", station.evidence / ".checkpoints"], check=False)
    shutil.rmtree(station.evidence / ".checkpoints")
    shutil.rmtree(station.state / "custody/checkpoints")
    (station.state / "custody/signing-key.pem").unlink()
    done = station.run("custody", "checkpoint")
    assert done.code == 1
    assert "signing-key.pem" in done.err


def test_a_witness_takes_no_note_whose_last_line_has_no_end(station: Dock, tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    key = (station.state / "custody/verifier-key").read_text().strip()
    station.run("custody", "witness", "--new", "--folder", folder, "--trust", key)
    request = tmp_path / "request"
    request.write_text(station.run("custody", "request", "--since", "0").out)
    evil = tmp_path / "evil"
    evil.write_text(request.read_text().rstrip("\n"))
    assert station.run("custody", "witness", "--folder", folder, evil).code != 0
    assert station.run("custody", "witness", "--folder", folder, request).code == 0
    assert station.run("custody", "witness", "--folder", folder).code == 0
