"""What the units write when the watchdog ended a service is what the station reads."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from recorder_sync.watching.watchdog import restarts
from tests.service.conftest import UNITS


def _stop_post(unit: str) -> str:
    """Return the shell's words of `ExecStopPost=`, as systemd hands them on."""
    text = (UNITS / f"recorder-sync-{unit}.service").read_text()
    (words,) = re.findall(r"^ExecStopPost=-/bin/sh -c '(.*)'$", text, re.MULTILINE)
    return str(words).replace("$$", "$").replace("%%", "%")


@pytest.mark.parametrize("unit", ["dock", "forward"])
def test_only_a_service_that_the_watchdog_ended_is_noted(unit: str, tmp_path: Path) -> None:
    for result in ("success", "exit-code", "watchdog"):
        subprocess.run(
            ["/bin/sh", "-c", _stop_post(unit)],
            env={**os.environ, "SERVICE_RESULT": result, "STATE_DIRECTORY": str(tmp_path)},
            check=True,
        )
    (found,) = restarts(tmp_path)
    assert found.service == unit


def test_where_no_unit_wrote_anything_nothing_is_known(tmp_path: Path) -> None:
    assert restarts(tmp_path) == ()
