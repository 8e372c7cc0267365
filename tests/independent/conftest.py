"""A station with a log that has several checkpoints, and the independent check run beside it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Card, Dock, MediaFiles

TOOL = Path(__file__).parents[2] / "tools/verify_evidence.py"

WITH_LIBRARIES = (sys.executable, "-I")
ALONE = (sys.executable, "-I", "-S")
"""Nothing but the standard library can be imported."""


@dataclass(frozen=True)
class Answer:
    """What the check said, as its JSON."""

    code: int
    said: dict[str, Any]

    @property
    def findings(self) -> list[tuple[str, str]]:
        """Code and text of each finding."""
        return [(one["code"], one["text"]) for one in self.said["findings"]]

    def names(self, code: str, *words: object) -> bool:
        """Tell whether a finding of this code names all these words."""
        return any(
            found == code and all(str(word) in text for word in words)
            for found, text in self.findings
        )

    def held(self, code: str) -> bool:
        return any(one["code"] == code for one in self.said["held"])

    def not_checked(self, code: str) -> str | None:
        return next((one["text"] for one in self.said["not_checked"] if one["code"] == code), None)


Check = Callable[..., Answer]


def ask(python: Sequence[str], *words: object) -> subprocess.CompletedProcess[str]:
    """Run the check as an outsider would, in a folder that has nothing of ours."""
    return subprocess.run(
        [*python, str(TOOL), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        timeout=100,
        env={"LC_ALL": "C.UTF-8"},
    )


def answer(python: Sequence[str], *words: object) -> Answer:
    done = ask(python, *words, "--json")
    assert "Traceback" not in done.stderr, done.stderr
    said = json.loads(done.stdout)
    assert done.returncode == {True: 0, False: 1, None: 2}[said["holds"]]
    return Answer(done.returncode, said)


@pytest.fixture(params=[ALONE, WITH_LIBRARIES], ids=["alone", "with libraries"])
def check(request: pytest.FixtureRequest) -> Check:
    """Run the check with nothing but Python, and with the libraries that it may use."""
    return lambda *words: answer(request.param, *words)


@pytest.fixture(scope="session")
def recorded_once(media_files: MediaFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a station: three recordings, three checkpoints, entries after them."""
    folder = tmp_path_factory.mktemp("recorded")
    dock = Dock(folder)
    dock.configure(ingest={"immutable": False, "digests": ["blake3", "sha256", "sm3"]})
    card = Card(folder / "card")
    card.put("DCIM/DCAM_CAM001_000001_20261122_160000.mp4", media_files.other_video)
    card.put("DCIM/DCAM_CAM001_000001_20261123_100000_IMP.wav", media_files.audio)
    assert dock.ingest(card).json["sealed"] == 2
    assert dock.run("custody", "checkpoint").code == 0
    card.put("DCIM/DCAM_CAM001_000001_20261123_110000.jpg", media_files.photo)
    assert dock.ingest(card).json["sealed"] == 1
    assert dock.run("custody", "checkpoint").code == 0
    assert dock.run("officers", "add", "110101", "--name", "王芳 <1.5e-7>").code == 0
    one = dock.run("recordings", "list", "--json").json["recordings"][0]["id"]
    assert dock.run("custody", "prove", one, "--to", str(folder / "proof.json")).code == 0
    assert dock.run("devices", "add", "0099").code == 0
    return folder


@pytest.fixture
def station(recorded_once: Path, tmp_path: Path) -> Dock:
    """A copy of that station; a proof of one recording lies beside it as `proof.json`."""
    shutil.copytree(recorded_once / "card", tmp_path / "card")
    shutil.copy(recorded_once / "proof.json", tmp_path)
    dock = Dock(tmp_path)
    dock.take_over(recorded_once)
    dock.configure(ingest={"immutable": False, "digests": ["blake3", "sha256", "sm3"]})
    return dock


@pytest.fixture
def custody(station: Dock) -> Path:
    return station.state / "custody"


@pytest.fixture
def key(custody: Path) -> str:
    """The verifier key, as an inspector was given it."""
    return (custody / "verifier-key").read_text().strip()
