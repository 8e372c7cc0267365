"""The README's commands work as written, in the order in which they are written."""

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.conftest import Card, MediaFiles

_ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _commands(page: str) -> list[str]:
    return _BLOCK.findall((_ROOT / page).read_text("utf-8"))


def test_both_languages_have_the_same_commands() -> None:
    assert _commands("README.zh-CN.md") == _commands("README.md")


def test_a_newcomer_can_follow_the_readme(
    tmp_path: Path, card: Card, media_files: MediaFiles
) -> None:
    card.put("DCIM/100MEDIA/REC00001.WAV", media_files.audio, datetime.now(UTC))
    blocks = [block for block in _commands("README.md") if block.strip() != "make test"]
    assert len(blocks) >= 4, "the README lost its commands"
    script = "set -eux\n" + "\n".join(blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=_ROOT,
        env={**os.environ, "HOME": str(tmp_path), "CARD": str(card.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    _remove_demo(done.stdout)
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-500:]
    assert "0031" in done.stdout


def _remove_demo(printed: str) -> None:
    """Remove the demo's folder as its last line says."""
    command = re.search(
        r"(chattr -R -i \S+ && )?rm -rf (\S*recorder-sync-demo-\S+)$", printed, re.MULTILINE
    )
    assert command, "the demo did not say how to remove it"
    subprocess.run(["sh", "-c", command[0]], check=True)


def test_make_test_is_what_ci_runs() -> None:
    assert "make test" in (_ROOT / ".ci" / "run").read_text()
    assert "make test\n" in (_ROOT / "README.md").read_text()
