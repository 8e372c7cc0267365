"""A bed whose service and commands live on a day that the test moves on."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.model import AlertKind
from tests.conftest import Card, Dock
from tests.forward import passing_time
from tests.forward.conftest import Forwarded
from tests.on_the_day import today

_MODULE = passing_time.__name__


class _DockOfItsOwnDay(Dock):
    has_moved_on = False

    def command(self, *arguments: str | bytes | Path) -> list[str]:
        """Return the whole command line; only the service and intakes mind what day it is."""
        python, program, *rest = super().command(*arguments)
        is_later = self.has_moved_on and arguments[0] == "ingest"
        minds = arguments == ("forward",) or is_later
        return [python, *(("-m", _MODULE) if minds else (program,)), *rest]


class Timed(Forwarded):
    """Time passes by what `pass_time` says, and as it does."""

    def __init__(self, folder: Path, card: Card) -> None:
        self._own_day = _DockOfItsOwnDay(folder)
        super().__init__(self._own_day, folder, card)
        self._file = folder / "passed"
        self._file.write_text("0")
        os.environ[passing_time.VARIABLE] = str(self._file)
        self.passed = timedelta()

    def pass_time(self, seconds: int) -> None:
        self.passed += timedelta(seconds=seconds)
        self._own_day.has_moved_on = True
        fresh = self._file.with_suffix(".fresh")
        fresh.write_text(str(round(self.passed.total_seconds())))
        fresh.replace(self._file)

    def alerts(self, kind: AlertKind, after: timedelta = timedelta()) -> list[RecordedAlert]:
        return super().alerts(kind, self.passed + after)


@pytest.fixture
def timed(tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> Iterator[Timed]:
    today()
    monkeypatch.setenv(passing_time.VARIABLE, "")
    bed = Timed(tmp_path, card)
    yield bed
    bed.end()
