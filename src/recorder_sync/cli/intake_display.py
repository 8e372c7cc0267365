"""Intakes on the terminal while they run: bars, or plain lines where it is no terminal.

Several cards may be taken in at once; each has an observer of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from recorder_sync.cli.intake_lines import Lines
from recorder_sync.cli.screen import messages
from recorder_sync.config import Configuration
from recorder_sync.ingest.progress import Observer
from recorder_sync.ingest.seal import Outcome
from recorder_sync.language import Text
from recorder_sync.model import CardPath


class Display(Protocol):
    def card(self, name: str | None) -> Observer:
        """Return the observer of one card; `name` tells it from others, where there are any."""


@contextmanager
def display_for(settings: Configuration, *, quiet: bool) -> Iterator[Display]:
    """Yield the display that suits the terminal, or one that says nothing."""
    passes = 2 if settings.ingest.read_back else 1
    if quiet:
        yield _Silent()
    elif messages.console.is_terminal:
        from recorder_sync.cli.intake_bars import Bars  # rich's bars take a while to import

        with Bars(passes) as bars:
            yield bars
    else:
        with Lines(passes) as lines:
            yield lines


class _Silent:
    def card(self, name: str | None) -> Observer:
        return self

    def listing(self, files: int) -> None: ...
    def planned(self, recordings: int, size: int, already_sealed: int) -> None: ...
    def waiting(self, waits: bool) -> None: ...
    def started(self, path: CardPath, size: int) -> None: ...
    def copied(self, path: CardPath, count: int) -> None: ...
    def read_back(self, path: CardPath, count: int) -> None: ...
    def finished(self, outcome: Outcome) -> None: ...
    def notice(self, text: Text) -> None: ...
