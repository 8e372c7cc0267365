"""A command that is forked from a warm process is the command that people start."""

import os
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import until
from tests.warm_start import WarmStart


def both(dock: Dock, *arguments: str, env: dict[str, str] | None = None) -> None:
    """The forked command and the new one say the same and end alike."""
    forked = dock.run(*arguments, env=env)
    dock.anew = True
    assert dock.run(*arguments, env=env) == forked
    dock.anew = False
    assert forked.out + forked.err, "or there would be nothing to compare"


@pytest.mark.long
def test_it_says_the_same_and_ends_alike(dock: Dock, card: Card, media_files: MediaFiles) -> None:
    """A command of each module, so that one that lacks an import is found here."""
    dock.configure(ingest={"immutable": False})
    card.put("现场.wav", media_files.audio)
    assert dock.ingest(card).code == 0
    dock.anew = True
    assert dock.run("status").code in (0, 1)
    dock.anew = False
    for arguments in (
        ["--help"],
        ["recordings", "list"],
        ["officers", "list"],
        ["cases", "list"],
        ["catalogue", "check"],
        ["config", "check"],
        ["dockings", "show", "20000101", "--json"],
        ["custody", "verify"],
        ["nonsense"],
        ["devices", "add", os.fsdecode(b"\xff")],
    ):
        both(dock, *arguments)


def test_it_has_its_own_environment_and_folder(
    dock: Dock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both(dock, "recordings", "show", "x", env={"RECORDER_SYNC_LANGUAGE": "zh_CN"})
    monkeypatch.chdir(tmp_path)
    dock.config = Path("config.toml")
    both(dock, "config", "show")
    monkeypatch.chdir("/")
    assert dock.run("config", "show").code != 0


def test_what_python_reads_as_it_starts_takes_a_new_process() -> None:
    warm = WarmStart()
    environment = dict(os.environ)
    assert warm.can_run({**environment, "ANYTHING": "else"})
    assert not warm.can_run({**environment, "PYTHONIOENCODING": "ascii"})
    assert not warm.can_run({**environment, "LC_ALL": "de_DE"})


@pytest.mark.long
def test_one_that_does_not_end_is_ended(dock: Dock) -> None:
    others = set(psutil.Process().children())  # servers that other tests have started
    warm = WarmStart()
    assert warm.can_run(dict(os.environ))
    with pytest.raises(subprocess.TimeoutExpired):
        warm.run(["--config", str(dock.config), "forward"], dict(os.environ), timeout=0.5)
    servers = set(psutil.Process().children()) - others
    assert servers
    until(lambda: not any(server.children() for server in servers), "the end of the command")
    done = warm.run(["--version"], dict(os.environ))
    assert (done.returncode, done.stderr) == (0, "")
