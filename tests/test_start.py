"""A command brings what it needs, and nothing that takes long to import besides.

Each module named here once came with every command. Together they took a third of the processor
time of a start, which 16 cameras and a script that lists recordings pay each time.
"""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.system_calls import system_calls

_OF_FEW_LINES = ("structlog", "asyncio", "pygments", "rich.traceback")
"""A logger, what colours its tracebacks, and what it has for programs of another kind: with the
first line of the journal (`journal.py`), which a command that goes well never writes."""

_OF_OTHER_WORK = (
    "cryptography",
    "fastapi",
    "apprise",
    "recorder_sync.catalogue.alerts",
    "recorder_sync.catalogue.rebuild",
    "recorder_sync.catalogue.steps",
    "recorder_sync.rules.escalation",
    "recorder_sync.rules.forwarding",
    "recorder_sync.stores.store",
)
"""Signing, pages, channels, alerts, a catalogue that is made anew, evidence stores."""

_OF_DOCUMENTS = (
    "recorder_sync.catalogue.cases",
    "recorder_sync.catalogue.documents",
    "recorder_sync.rules.marks",
)
"""Cases and their documents, with which a card has nothing to do."""

_FOR_PERSONS = ("rich",)
"""Tables and colours: JSON is for programs."""

_INTAKE = ("recorder_sync.ingest", "psutil")
"""A list takes nothing in."""

_NOT_TO_COPY = ("pydantic", "recorder_sync.config", "sqlite_utils", "recorder_sync.catalogue")
"""The process that copies small recordings is told what it needs: all settings take a tenth of a
second before the first is copied, and seven MiB."""

_IGNORED = {"PYTHONPROFILEIMPORTTIME", "COVERAGE_PROCESS_START"}


def brought(dock: Dock, *arguments: str | Path) -> set[str]:
    """Run a command as people do; return the modules that it imported until its end."""
    environment = {name: value for name, value in os.environ.items() if name not in _IGNORED}
    done = subprocess.run(
        [
            *(sys.executable, "-X", "importtime", "-m", "recorder_sync"),
            *("--config", str(dock.config), *map(str, arguments)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env=environment,
    )
    assert done.returncode in (0, 1), done.stderr[-500:]  # 1: the card's recordings are late
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    modules = {line.rsplit("|", 1)[1].strip() for line in lines}
    assert {"recorder_sync.cli.app", "recorder_sync.config", "typer"} <= modules
    return modules


def needless(modules: set[str], *unwanted: tuple[str, ...]) -> set[str]:
    """Return what of the unwanted was imported, after a look that all of it still exists."""
    names = {name for group in unwanted for name in group}
    assert {name for name in names if find_spec(name) is None} == set(), "they were renamed"
    return names & modules


@pytest.mark.parametrize("known", [False, True], ids=["new", "sealed before"])
def test_an_intake_brings_neither_the_journal_nor_what_other_work_needs(
    dock: Dock, card: Card, media_files: MediaFiles, known: bool
) -> None:
    dock.configure(ingest={"immutable": False})
    card.put("a.wav", media_files.audio)
    if known:
        assert dock.ingest(card, "--device", "0031").code == 0
    modules = brought(dock, "ingest", card.path, "--json", "--device", "0031")
    unwanted = (_OF_FEW_LINES, _OF_OTHER_WORK, _OF_DOCUMENTS, _FOR_PERSONS)
    assert needless(modules, *unwanted) == set()
    assert len(dock.sealed_files()) == 1, "it took the recording in"


def test_a_list_for_programs_brings_no_tables_and_no_intake(dock: Dock) -> None:
    modules = brought(dock, "recordings", "list", "--json")
    assert needless(modules, _OF_FEW_LINES, _OF_OTHER_WORK, _FOR_PERSONS, _INTAKE) == set()


def test_a_table_for_people_is_drawn_by_rich(dock: Dock) -> None:
    """Or the test above would look for something that nobody imports any more."""
    assert set(_FOR_PERSONS) <= brought(dock, "officers", "list")


def test_what_sends_to_a_store_brings_neither_signing_nor_another_stores_checksum() -> None:
    """Twelve MiB of the hundred that the forward service may take."""
    sends = "import recorder_sync.forward_service, recorder_sync.stores.s3"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", sends],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    modules = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines()}
    assert {"recorder_sync.stores.s3_sums", "recorder_sync.witnessing.delivery"} <= modules
    assert needless(modules, ("cryptography", "awscrt")) == set()


def test_the_process_that_copies_small_recordings_brings_no_settings(
    dock: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    """Not by itself, and not with what it is asked."""
    dock.configure(ingest={"immutable": False})
    for number in range(256):
        card.put(f"{number}.jpg", media_files.photo.read_bytes() + number.to_bytes(2, "big"))
    watched = ("-s", "300", "-e", "trace=execve,openat")
    calls = system_calls(dock.command("ingest", card.path), tmp_path / "calls", *watched)
    (copies,) = re.findall(r'^(\d+) +execve\(.*"recorder_sync\.ingest\.copier"', calls, re.M)
    opened = set(re.findall(rf'^{copies} +openat\([^"]*"(.*?)"', calls, re.M))
    there = {re.sub(r"(\.[\w-]+)?\.pyc?$", "", path).replace("/__pycache__", "") for path in opened}
    assert any(path.endswith("recorder_sync/ingest/small") for path in there)
    modules = {name for name in _NOT_TO_COPY if any(_is_of(name, path) for path in there)}
    assert needless(modules, _NOT_TO_COPY) == set()


def _is_of(module: str, path: str) -> bool:
    as_file = "/" + module.replace(".", "/")
    return path.endswith((as_file, f"{as_file}/__init__"))


def test_the_version_is_told_without_the_program(dock: Dock) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "recorder_sync", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    ours = {
        line.rsplit("|", 1)[1].strip()
        for line in done.stderr.splitlines()
        if "recorder_sync" in line
    }
    assert ours <= {"recorder_sync", "recorder_sync.__main__"}
    assert done.stdout.startswith("recorder-sync ")
