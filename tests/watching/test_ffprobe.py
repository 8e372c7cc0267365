"""The station says when the program that describes recordings is older than the distribution's."""

from pathlib import Path

import pytest
import structlog

from recorder_sync.journal import log_to_the_journal
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Severity
from recorder_sync.watching.ffprobe import Ffprobe
from recorder_sync.watching.tick import Watch
from tests.media.ffprobes import NEW, OLD, ffprobe, program
from tests.watching.bed import DAY, HOUR, MORNING, Bed


@pytest.fixture(autouse=True)
def _journal() -> None:
    log_to_the_journal()


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small one that is as new as the distribution's, `bin/ffprobe`."""
    ffprobe(tmp_path / "bin/ffprobe", OLD)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    return ffprobe(tmp_path / "small", OLD)


@pytest.mark.raises_and_resolves(AlertKind.FFPROBE)
def test_it_is_told_once_the_distribution_has_a_newer_one_until_it_is_built_again(
    bed: Bed, small: Path, tmp_path: Path
) -> None:
    bed.watch = Watch([Ffprobe(small)])
    bed.tick()
    assert bed.live() == []

    ffprobe(tmp_path / "bin/ffprobe", NEW)
    with structlog.testing.capture_logs() as journal:
        bed.tick(MORNING + HOUR)
        bed.tick(MORNING + HOUR)
    alert = bed.the(AlertKind.FFPROBE)
    assert (alert.severity, alert.since) == (Severity.NOTICE, MORNING + HOUR)
    assert f"built from FFmpeg {OLD}; this computer has {NEW}" in alert.text.english
    assert [line["event"] for line in journal] == [alert.text.english], "once, not each minute"

    bed.watch = Watch([Ffprobe(small)])
    bed.tick(MORNING + DAY)
    assert [one.number for one in bed.live()] == [alert.number], "the same after a restart"

    ffprobe(small, NEW)
    bed.tick(MORNING + 2 * DAY)
    assert bed.is_resolved(alert.number)


def test_as_long_as_no_file_changes_no_program_is_started(
    bed: Bed, small: Path, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    program(tmp_path / "bin/ffprobe", f"echo x >> {asked}; echo 'ffprobe version {OLD}'")
    bed.watch = Watch([Ffprobe(small)])
    for minute in range(3):
        bed.tick(MORNING + minute * HOUR)
    assert asked.read_text() == "x\n"


def test_one_that_is_named_and_does_not_run_is_a_warning_until_it_does(
    bed: Bed, small: Path, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    program(small, f"[ -e {library} ] || exit 127; echo 'ffprobe version {OLD}'")
    bed.configure(media={"ffprobe": str(small)}, backup={"keep": 0})
    bed.watch = Watch([Ffprobe()])
    with structlog.testing.capture_logs() as journal:
        bed.tick()
        bed.tick()
    alert = bed.the(AlertKind.FFPROBE)
    assert alert.severity is Severity.WARNING
    assert f"{small} does not work: it ended with code 127" in alert.text.english
    assert [line["event"] for line in journal] == [alert.text.english]
    library.touch()
    bed.tick(MORNING + HOUR)
    assert bed.is_resolved(alert.number), "asked again, though the program is the same"
