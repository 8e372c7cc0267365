"""Art. 5 and 27: with the key and with root, a past can be rewritten here, but not elsewhere.

Each attack is made by somebody who has the station's key and made every link, hash and
checkpoint of the log's folder anew.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Dock
from tests.custody.test_checkpoints import chained, lines, segment
from tests.dock.test_service import Daemon
from tests.ingest.aftermath import until
from tests.witnessing.conftest import (
    Forward,
    Office,
    add_entries,
    alerted,
    checkpoint,
    witnessed,
)

Attack = Callable[[Dock, Path], None]


def forget_checkpoints(dock: Dock) -> None:
    """Remove every trace of checkpoints in the log's folder, but for the key."""
    for name in ("checkpoints", "tree", "witnessed"):
        shutil.rmtree(dock.state / "custody" / name, ignore_errors=True)


def put_back(dock: Dock, backup: Path) -> None:
    """The state folder as it was in a backup."""
    shutil.rmtree(dock.state)
    shutil.copytree(backup, dock.state)


def put_back_and_work_on(dock: Dock, backup: Path) -> None:
    put_back(dock, backup)
    add_entries(dock, "0101", "0102", "0103", "0104")


def cut_the_end(dock: Dock, _backup: Path) -> None:
    segment(dock).write_bytes(b"".join(line + b"\n" for line in lines(dock)[:-2]))
    forget_checkpoints(dock)


def rewrite(dock: Dock, _backup: Path) -> None:
    changed = [line.replace(b"0001", b"0009") for line in lines(dock)]
    segment(dock).write_bytes(chained(changed))
    forget_checkpoints(dock)


ATTACKS = [put_back, put_back_and_work_on, cut_the_end, rewrite]


@pytest.fixture
def backup(signed: Dock, tmp_path: Path) -> Path:
    """A backup of the state folder, after which the station worked on and signed."""
    folder = tmp_path / "backup"
    shutil.copytree(signed.state, folder)
    add_entries(signed, "0004", "0005")
    return folder


def check_refused(dock: Dock, *words: str) -> None:
    """Nothing more is signed, by the command and by the daemon, and verification finds it."""
    notes = dock.state / "custody" / "checkpoints"
    before = sorted(notes.iterdir()) if notes.exists() else []
    done = dock.run("custody", "checkpoint")
    assert done.code == 1, done.out
    assert any(word in done.err for word in words), done.err
    assert dock.run("custody", "verify").code == 1
    assert (sorted(notes.iterdir()) if notes.exists() else []) == before


@pytest.mark.parametrize("attack", ATTACKS)
def test_art_27_the_evidence_disk_shows_it(signed: Dock, backup: Path, attack: Attack) -> None:
    checkpoint(signed)
    attack(signed, backup)
    check_refused(signed, ".checkpoints")


@pytest.mark.parametrize("attack", ATTACKS)
def test_art_27_a_stick_shows_it_when_the_evidence_disk_was_changed_too(
    signed: Dock, backup: Path, attack: Attack, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    signed.configure(witness={"folders": [str(stick)]}, ingest={"immutable": False})
    checkpoint(signed)
    attack(signed, backup)
    shutil.rmtree(signed.evidence / ".checkpoints")
    check_refused(signed, str(stick))


def test_art_27_a_note_from_a_mail_shows_it_when_all_here_was_changed(
    signed: Dock, backup: Path, tmp_path: Path
) -> None:
    mail = tmp_path / "mail"
    mail.write_text(f"Keep this.\r\n\r\n{checkpoint(signed)}", "utf-8")
    rewrite(signed, backup)
    shutil.rmtree(signed.evidence / ".checkpoints")
    assert signed.run("custody", "checkpoint").code == 0, "here, nothing is left that shows it"
    assert signed.run("custody", "verify").code == 0
    done = signed.run("custody", "verify", "--against", mail)
    assert done.code == 1
    assert str(mail) in done.err


@pytest.mark.parametrize("attack", ATTACKS)
def test_art_27_a_witness_refuses_it_and_somebody_is_told(
    signed: Dock, backup: Path, attack: Attack, office: Office, forward: Forward
) -> None:
    """Even when nothing on the station itself is left that shows it."""
    office.trust(signed)
    office.listen()
    checkpoint(signed)
    service = forward(servers=[office.server()])
    until(lambda: witnessed(signed), "a cosigned note")
    service.stop()
    seen = office.seen()
    attack(signed, backup)
    shutil.rmtree(signed.evidence / ".checkpoints")
    checkpoint(signed)
    forward(servers=[office.server()])
    alerted(signed, "office-b", "refuses")
    hint = signed.run("status", "--json").json["alerts"][0]["hint"]
    assert "Touch nothing" in hint
    assert witnessed(signed) == []
    assert office.seen() == seen


def test_art_5_two_stations_with_one_key_are_noticed_by_the_witness(
    signed: Dock, office: Office, forward: Forward, tmp_path: Path
) -> None:
    """The state folder was copied to another computer, and both take in footage."""
    (tmp_path / "second").mkdir()
    second = Dock(tmp_path / "second")
    shutil.copytree(signed.state, second.state)
    (second.evidence / ".incoming").mkdir(parents=True)
    office.trust(signed)
    office.listen()
    add_entries(signed, "0004")
    checkpoint(signed)
    forward(signed, servers=[office.server()])
    until(lambda: witnessed(signed), "a cosigned note")
    add_entries(second, "0104", "0105")
    checkpoint(second)
    forward(second, servers=[office.server()])
    alerted(second, "office-b", "refuses")
    assert witnessed(second) == []


def test_art_5_a_copied_state_folder_is_noticed_on_the_same_evidence_disk(
    signed: Dock, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(signed.state, copy)
    add_entries(signed, "0004")
    checkpoint(signed)
    signed.state = copy
    signed.configure(ingest={"immutable": False})
    add_entries(signed, "0104")
    check_refused(signed, ".checkpoints")


def test_art_5_a_new_state_folder_for_old_evidence_is_noticed(signed: Dock) -> None:
    """The log is begun anew, with a new key: the old evidence has no log any more."""
    shutil.rmtree(signed.state)
    add_entries(signed, "0001", "0002", "0003")
    done = signed.run("custody", "checkpoint")
    assert done.code == 1
    assert "no checkpoint that this station has signed" in done.err


def test_art_27_the_daemon_alerts_and_signs_nothing(
    signed: Dock, backup: Path, tmp_path: Path
) -> None:
    checkpoint(signed)
    put_back_and_work_on(signed, backup)
    notes = signed.state / "custody" / "checkpoints"
    before = sorted(notes.iterdir())
    signed.configure(paths={"runtime": str(tmp_path / "run")}, ingest={"immutable": False})
    daemon = Daemon(signed, tmp_path)
    try:
        daemon.told("READY=1")
        alerted(signed, ".checkpoints", "not those")
        daemon.stop()
    finally:
        daemon.end()
    assert sorted(notes.iterdir()) == before
