"""Follows one intake for its row on the board."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from recorder_sync.dock.board import Board, Progress
from recorder_sync.ingest.progress import SILENT_CARD_S
from recorder_sync.ingest.seal import Outcome
from recorder_sync.language import T, Text
from recorder_sync.model import CardPath, ItemOutcome
from recorder_sync.rules.docking import Stay

_SHOWN_EVERY_S = 0.2
_RATE_OVER_S = 3.0
"""Seconds over which the rate is an average."""


class RowObserver:
    """Counts what an intake tells, from any thread, and shows it a few times a second."""

    def __init__(self, board: Board, key: str, log: Callable[[Text], None]) -> None:
        self._board = board
        self._key = key
        self._log = log
        self._lock = threading.Lock()
        self._progress = Progress()
        self._planned = False
        self._shown_at = 0.0
        self._rate_at = time.monotonic()
        self._rate_from = 0
        self._moved_at = time.monotonic()

    def listing(self, files: int) -> None:
        if files % 200 == 0:
            self._board.change(self._key, message=T("Inventory: {files} files", files=files))

    def planned(self, recordings: int, size: int, already_sealed: int) -> None:
        with self._lock:
            self._planned = True
            self._rate_at = self._moved_at = time.monotonic()
            self._progress = Progress(
                recordings=recordings + already_sealed, done=already_sealed, size=size
            )
        self._show(now=True)

    def waiting(self, waits: bool) -> None:
        with self._lock:
            self._moved_at = time.monotonic()
            self._progress = replace(self._progress, waits=waits)
        self._show(now=True)

    def started(self, path: CardPath, size: int) -> None:
        """Nothing of it is shown."""

    def copied(self, path: CardPath, count: int) -> None:
        now = time.monotonic()
        with self._lock:
            self._moved_at = now
            copied = min(self._progress.size, self._progress.copied + count)
            rate = self._progress.rate
            if now - self._rate_at >= _RATE_OVER_S or (rate is None and now - self._rate_at > 0.5):
                rate = (copied - self._rate_from) / (now - self._rate_at)
                self._rate_at, self._rate_from = now, copied
            self._progress = replace(self._progress, copied=copied, rate=rate)
        self._show()

    def read_back(self, path: CardPath, count: int) -> None:
        with self._lock:
            done = min(self._progress.size, self._progress.read_back + count)
            self._progress = replace(self._progress, read_back=done)
        self._show()

    def finished(self, outcome: Outcome) -> None:
        if not self._planned:
            return
        with self._lock:
            sealed = outcome.what is not ItemOutcome.FAILED
            self._progress = replace(
                self._progress,
                done=self._progress.done + sealed,
                failed=self._progress.failed + (not sealed),
            )
        self._show()

    def notice(self, text: Text) -> None:
        self._log(text)

    def show_silence(self) -> None:
        """Say that the card gives nothing, when that is so."""
        progress, row = self._progress, self._board.rows().get(self._key)
        silent_s = time.monotonic() - self._moved_at
        copying = self._planned and row is not None and row.state is Stay.COPYING
        busy = copying and not progress.waits and progress.copied < progress.size
        if busy and silent_s >= SILENT_CARD_S:
            text = T("no data from the card for {seconds} s", seconds=int(silent_s))
            self._board.change(self._key, message=text)

    def _show(self, *, now: bool = False) -> None:
        moment = time.monotonic()
        with self._lock:
            progress = self._progress
            all_copied = progress.size > 0 and progress.copied >= progress.size
            is_over = progress.done + progress.failed >= progress.recordings
            if not (now or is_over or moment - self._shown_at >= _SHOWN_EVERY_S):
                return
            self._shown_at = moment
        state = Stay.VERIFYING if all_copied else Stay.COPYING
        self._board.follow(self._key, state, progress)
