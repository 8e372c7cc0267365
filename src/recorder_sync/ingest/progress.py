"""What an intake tells while it runs, for a screen, a terminal or a log.

Methods are called from several threads, often; an observer must be quick and must not
raise.
"""

from typing import Protocol

from recorder_sync.ingest.seal import Outcome
from recorder_sync.language import Text
from recorder_sync.model import CardPath

SILENT_CARD_S = 10.0
"""Seconds without a byte from a card after which a person is told."""


class Observer(Protocol):
    def listing(self, files: int) -> None:
        """So many files are in the inventory so far."""

    def planned(self, recordings: int, size: int, already_sealed: int) -> None:
        """So many recordings of so many bytes are to be copied."""

    def waiting(self, waits: bool) -> None:
        """The card waits for its turn to be copied, or does not any more."""

    def started(self, path: CardPath, size: int) -> None:
        """A recording's copy begins; again after a source that changed."""

    def copied(self, path: CardPath, count: int) -> None:
        """So many more bytes of it are copied."""

    def read_back(self, path: CardPath, count: int) -> None:
        """So many more bytes of the copy are read back."""

    def finished(self, outcome: Outcome) -> None:
        """A file has its outcome."""

    def notice(self, text: Text) -> None:
        """Something a person should know."""
