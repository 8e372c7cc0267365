"""What a command asks of the kernel, by strace."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest


def system_calls(command: Sequence[str | Path], log: Path, *options: str) -> str:
    """Run a command that ends well; return strace's lines of it and of all that it starts.

    Where calls may not be watched the test is skipped.
    """
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "signal=none", *options, "-o", str(log), *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    if "PTRACE" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("system calls may not be watched here")
    assert done.returncode == 0, done.stderr
    return log.read_text(errors="replace")
