"""Where the programs that the virtual dock stands on are started."""

import os
import subprocess
from pathlib import Path

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
"""Not everyone's PATH has the tools that make file systems."""


class ProgramFailed(Exception):
    """A program ended badly; the message is its command line and its last words."""


def run(
    *command: str | Path, input_: bytes | None = None, env: dict[str, str] | None = None
) -> str:
    """Run a program to its end and return what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        input=input_,
        stdin=subprocess.DEVNULL if input_ is None else None,
        capture_output=True,
        check=False,
        env={**os.environ, "PATH": _PATH, **(env or {})},
    )
    if done.returncode:
        words = (done.stderr + done.stdout).decode("utf-8", "replace")
        line = " ".join(str(part) for part in command)
        raise ProgramFailed(f"{line} ended with {done.returncode}: {words[-3000:]}")
    return done.stdout.decode("utf-8", "replace")
