"""SM3 on request: in the seal, the description, on screen and beside a copy, as OpenSSL has it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from recorder_sync.custody.log import Act, CustodyLog
from tests.conftest import Card, Dock, MediaFiles
from tests.inspection.test_export import tampered


@pytest.fixture
def station(dock: Dock, card: Card, media_files: MediaFiles) -> Dock:
    """A station that seals with SM3 as well; one recording was sealed before it did."""
    dock.configure(ingest={"immutable": False})
    card.put("earlier.wav", media_files.audio)
    assert dock.ingest(card).json["sealed"] == 1
    digests = ["blake3", "sha256", "sm3"]
    dock.configure(ingest={"immutable": False, "digests": digests})
    card.put("one.mp4", media_files.video)
    card.put("two.jpg", media_files.photo)
    assert dock.ingest(card).json["sealed"] == 2
    return dock


def openssl_sm3(file: Path) -> str:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    done = subprocess.run(
        ["openssl", "dgst", "-sm3", "-r", file], capture_output=True, text=True, check=True
    )
    return done.stdout.split()[0]


def with_sm3(dock: Dock) -> dict[str, Path]:
    """Return the recordings that were sealed with SM3, by id."""
    described = {
        path: json.loads(Path(f"{path}.json").read_bytes()) for path in dock.sealed_files()
    }
    return {text["id"]: path for path, text in described.items() if text["sm3"]}


def test_seal_description_and_screen_hold_the_digest_that_openssl_computes(station: Dock) -> None:
    entries = list(CustodyLog(station.state / "custody", "test").entries())
    seals = {e.deed.subject: e.deed.facts for e in entries if e.deed.act is Act.SEAL}
    assert len(seals) == 3
    assert len(with_sm3(station)) == 2
    for identifier, file in with_sm3(station).items():
        expected = openssl_sm3(file)
        assert json.loads(Path(f"{file}.json").read_bytes())["sm3"] == expected
        assert seals[identifier]["recording"]["sm3"] == expected
        assert station.run("recordings", "show", identifier, "--json").json["sm3"] == expected
        assert expected in station.run("recordings", "show", identifier).out


def test_a_recording_that_was_sealed_without_it_shows_no_line_for_it(station: Dock) -> None:
    known = with_sm3(station)
    (earlier,) = (
        r["id"]
        for r in station.run("recordings", "list", "--json").json["recordings"]
        if r["id"] not in known
    )
    assert "SM3" not in station.run("recordings", "show", earlier).out


def test_a_copy_is_checked_by_its_list_and_by_openssl(station: Dock, tmp_path: Path) -> None:
    to = tmp_path / "court"
    every = [r["id"] for r in station.run("recordings", "list", "--json").json["recordings"]]
    assert station.run("recordings", "export", *every, "--to", to).code == 0
    lines = (to / "SM3SUMS").read_text().splitlines()
    expected = {file.name: openssl_sm3(to / file.name) for file in with_sm3(station).values()}
    assert {line[66:]: line[:64] for line in lines} == expected
    _checked_by_cksum(to)


def _checked_by_cksum(folder: Path) -> None:
    check = ["cksum", "-a", "sm3", "-c", "SM3SUMS"]
    whole = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False)
    if "invalid" in whole.stderr or "unrecognized" in whole.stderr:
        pytest.skip("cksum knows no SM3 (GNU coreutils before 9.0)")
    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.count(": OK") == 2
    tampered(next(folder.glob("*.mp4")))
    changed = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False)
    assert changed.returncode == 1
    assert ".mp4: FAILED" in changed.stdout


def test_verification_and_a_rebuild_know_it(station: Dock) -> None:
    assert station.run("verify", "--all", "--json").json["findings"] == []
    before = station.run("recordings", "list", "--json").json
    assert station.run("catalogue", "rebuild").code == 0
    assert station.run("recordings", "list", "--json").json == before
