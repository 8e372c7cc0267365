"""What docs/stores.md tells a newcomer to type, typed as it stands there."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stores.s3.server import MODERN

ROOT = Path(__file__).parents[3]
HEADING = "## To try: from nothing to a locked recording"


def _blocks() -> list[str]:
    page = (ROOT / "docs/stores.md").read_text(encoding="utf-8")
    section = page.partition(HEADING)[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def test_a_newcomer_comes_from_nothing_to_a_confirmed_and_locked_recording(tmp_path: Path) -> None:
    if MODERN.place is None:
        pytest.skip(f"NO S3 SERVER {MODERN.name}: make it with `sudo make stores` (minutes, once)")
    server, bind, send = _blocks()
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    environment = {**os.environ, "COLUMNS": "200"}
    environment.pop("RECORDER_SYNC_CONFIG", None)
    with subprocess.Popen(
        ["bash", "-c", f"exec {server}"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            assert any("Control-C stops it" in line for line in running.stdout)
            typed = subprocess.run(
                ["bash", "-e", "-m"],
                input=bind + send,
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=240,
                check=False,
            )
        finally:
            running.send_signal(signal.SIGINT)
    said = typed.stdout + typed.stderr
    assert typed.returncode == 0, said
    assert "✘" not in said
    assert "!" not in typed.stdout.partition("it is the store that was bound")[0]
    assert "compliance" in said
    assert "confirmed" in said
    subprocess.run(["chattr", "-R", "-f", "-i", str(tmp_path)], check=False)
