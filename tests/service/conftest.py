"""The scripts and rules of the service, run for real where nobody else is touched by it."""

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.loop import attach
from tests.service.installing import EMPTY_ENVIRONMENTS, ROOT, make

UNITS = ROOT / "systemd"
RULES = ROOT / "udev-rules"

_APART = """
set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/udev/rules.d /run/recorder-sync/volumes /run/recorder-sync/clear/now
grep -v '^recorder-sync:' /etc/passwd > /run/passwd
grep -v '^recorder-sync:' /etc/group > /run/group
echo 'recorder-sync:x:987:987::/:/bin/false' >> /run/passwd
echo 'recorder-sync:x:987:' >> /run/group
mount --bind /run/passwd /etc/passwd
mount --bind /run/group /etc/group
"""
"""A /run and a service user that nobody else on this computer sees."""


class Apart:
    """Runs shell commands as root in a mount namespace of their own."""

    def run(self, *lines: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", _script(lines)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def _script(lines: tuple[str, ...]) -> str:
    volume = shlex.quote(str(UNITS / "recorder-sync-volume"))
    return "\n".join([_APART, f"volume={volume}", *lines])


@pytest.fixture
def quick_python(tmp_path: Path) -> Path:
    python = tmp_path / "python"
    python.write_text(EMPTY_ENVIRONMENTS)
    python.chmod(0o755)
    return python


@pytest.fixture
def system(tmp_path: Path, quick_python: Path) -> Path:
    """A system with everything installed but the program's libraries."""
    folder = tmp_path / "system"
    make("install", folder, quick_python)
    return folder


@pytest.fixture
def apart() -> Apart:
    if os.geteuid() != 0:
        pytest.skip("only root may make a mount namespace")
    apart = Apart()
    tried = apart.run("true")
    if tried.returncode:
        pytest.skip(f"no mount namespace can be made here: {tried.stderr.strip()}")
    return apart


Attach = Callable[[Path], str]


@pytest.fixture
def attached() -> Iterator[Attach]:
    """Attach an image to a loop device, and return the device's name."""
    with ExitStack() as cleaning:

        def attached(image: Path) -> str:
            device = attach(image, cleaning)
            # The flag outlives what the device was attached to.
            cleaning.callback(subprocess.run, ["blockdev", "--setrw", device], check=False)
            return Path(device).name

        yield attached
