"""docs/custody-format.md: its commands check a real station, and find what was changed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from recorder_sync.custody.log import Act
from tests.conftest import Dock
from tests.independent.forging import segment

_PAGE = (Path(__file__).parents[2] / "docs/custody-format.md").read_text("utf-8")
_CHAIN, _COPY, _SIGNATURE, _ROOT = re.findall(r"^```sh\n(.*?)^```", _PAGE, re.MULTILINE | re.DOTALL)

needs_b3sum = pytest.mark.skipif(shutil.which("b3sum") is None, reason="b3sum is not installed")


def run(script: str, folder: Path, **variables: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", **{k: str(v) for k, v in variables.items()}},
        capture_output=True,
        text=True,
        check=False,
    )


def _forge(custody: Path) -> None:
    path = segment(custody)
    path.write_bytes(path.read_bytes().replace(b'"actor":"os:', b'"actor":"os:x', 1))


def test_the_chain_is_checked_with_a_shell(station: Dock, custody: Path, tmp_path: Path) -> None:
    whole = run(_CHAIN, tmp_path, STATE=station.state)
    assert (whole.stdout, whole.stderr) == ("", "")
    _forge(custody)
    assert run(_CHAIN, tmp_path, STATE=station.state).stdout.count("broken at:") == 1


@pytest.mark.skipif(shutil.which("xxd") is None, reason="xxd is not installed")
def test_the_root_is_computed_with_a_shell(station: Dock, custody: Path, tmp_path: Path) -> None:
    notes = sorted((custody / "checkpoints").iterdir())
    assert len(notes) >= 3
    for note in notes:
        _, size, root, *_ = note.read_text("utf-8").split("\n")
        found = run(_ROOT, tmp_path, STATE=station.state, SIZE=size)
        assert found.stdout.strip() == root, found.stderr
    _forge(custody)
    assert run(_ROOT, tmp_path, STATE=station.state, SIZE=size).stdout.strip() != root


def test_a_signature_is_checked_with_openssl(custody: Path, key: str, tmp_path: Path) -> None:
    note = sorted((custody / "checkpoints").iterdir())[-1]
    done = run(_SIGNATURE, tmp_path, NOTE=note, KEY=key)
    assert done.stdout == "Signature Verified Successfully\n", done.stderr
    note.write_text(note.read_text("utf-8").replace("\n1", "\n2", 1), "utf-8")
    assert run(_SIGNATURE, tmp_path, NOTE=note, KEY=key).returncode != 0


@needs_b3sum
def test_a_copy_is_checked_with_digest_lists(station: Dock, tmp_path: Path) -> None:
    identifier = station.run("recordings", "list", "--json").json["recordings"][0]["id"]
    copy = tmp_path / "copy"
    assert station.run("recordings", "export", identifier, "--to", str(copy)).code == 0
    assert run(_COPY, tmp_path, COPY=copy).returncode == 0
    description = next(copy.glob("*.jpg.json"))
    description.chmod(0o640)
    description.write_bytes(b"x")
    assert run(_COPY, tmp_path, COPY=copy).returncode != 0


def test_every_act_is_on_the_page() -> None:
    described = set(re.findall(r"^\| `([a-z-]+)` \| ", _PAGE, re.MULTILINE))
    assert {act.value for act in Act} <= described


def test_every_name_of_a_description_is_on_the_page(station: Dock) -> None:
    recording = station.run("recordings", "list", "--json").json["recordings"][0]
    section = _PAGE.partition("### The description")[2].partition("\n## ")[0]
    assert set(recording) <= set(re.findall(r"`([a-z0-9_]+)`", section))
