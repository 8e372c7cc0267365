"""The real command, killed by itself between the custody log and the catalogue."""

import signal
import subprocess
import sys
from pathlib import Path

from recorder_sync.custody.log import Act
from tests.conftest import Dock

_KILLED = """
import os, signal, sys
sys.path.insert(0, {root!r})
from tests.on_the_day import shift_the_clock
shift_the_clock()
from recorder_sync.custody.log import CustodyLog
append = CustodyLog.append
def append_and_die(self, deeds):
    entries = append(self, deeds)
    if {act!r} in ("", *(deed.act.value for deed in deeds)):
        os.kill(os.getpid(), signal.SIGKILL)
    return entries
CustodyLog.append = append_and_die
from recorder_sync.__main__ import main
main()
"""


def killed(dock: Dock, *arguments: str | Path, act: Act | None = None) -> None:
    """Run a command that dies the moment an entry of this act, or its first one, is synced."""
    script = _KILLED.format(root=str(Path(__file__).parents[2]), act=act.value if act else "")
    command = [sys.executable, "-c", script, "--config", str(dock.config), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
