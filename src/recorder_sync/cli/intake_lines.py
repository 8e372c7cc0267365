"""Intakes as plain lines, at least one a second, so that a log shows they are alive."""

import threading
import time

from recorder_sync.cli.screen import messages
from recorder_sync.ingest.progress import SILENT_CARD_S, Observer
from recorder_sync.ingest.seal import Outcome
from recorder_sync.language import T, Text
from recorder_sync.model import CardPath, ItemOutcome
from recorder_sync.shown import amount, span

SHOWN_ROWS = 40
"""Recordings, or files with the same problem, that are listed one by one."""

_SILENCE_S = 0.9


class Lines:
    """Every recording of a small card when it is done, and the state once a second."""

    def __init__(self, passes: int) -> None:
        self.passes = passes
        self._end = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="progress", daemon=True)
        self._cards: list[_Card] = []
        self._said = time.monotonic()

    def __enter__(self) -> "Lines":
        self._heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._heart.join()

    def card(self, name: str | None) -> Observer:
        card = _Card(self, f"{name}: " if name else "")
        self._cards.append(card)
        return card

    def say(self, text: str) -> None:
        self._said = time.monotonic()
        messages.print(text, markup=False)

    def _beat(self) -> None:
        while not self._end.wait(_SILENCE_S / 3):
            if time.monotonic() - self._said >= _SILENCE_S * 2 / 3:
                for card in [card for card in self._cards if not card.is_over] or self._cards:
                    self.say(card.name + card.state().shown)


class _Card:
    def __init__(self, lines: Lines, name: str) -> None:
        self.name = name
        self._lines = lines
        self._lock = threading.Lock()
        self._began = self._moved_at = time.monotonic()
        self._files = self._done = self._size = self._listed = 0
        self._moved = 0.0
        self._planned = self._waits = False

    @property
    def is_over(self) -> bool:
        return self._planned and self._done >= self._files

    def listing(self, files: int) -> None:
        self._listed = files

    def planned(self, recordings: int, size: int, already_sealed: int) -> None:
        self._files, self._size, self._planned = recordings, size, True
        self._began = self._moved_at = time.monotonic()
        self._say(
            T(
                "{files} recording(s), {size} to copy; {known} sealed earlier",
                files=recordings,
                size=amount(size),
                known=already_sealed,
            )
        )

    def waiting(self, waits: bool) -> None:
        if waits and not self._waits:
            self._say(T("waiting for its turn"))
        self._waits = waits
        self._moved_at = time.monotonic()

    def started(self, path: CardPath, size: int) -> None: ...

    def copied(self, path: CardPath, count: int) -> None:
        self._move(count)

    def read_back(self, path: CardPath, count: int) -> None:
        self._move(count)

    def finished(self, outcome: Outcome) -> None:
        with self._lock:
            self._done += outcome.what is not ItemOutcome.ALREADY_SEALED
        if outcome.failure is not None:
            self._say(T("failed: {path}: {why}", path=outcome.path.shown, why=outcome.failure.text))
        elif self._files <= SHOWN_ROWS and outcome.what is ItemOutcome.SEALED:
            self._say(T("sealed: {path}", path=outcome.path.shown))

    def notice(self, text: Text) -> None:
        self._say(text)

    def state(self) -> Text:
        """Return how far the card is."""
        if not self._planned:
            return T("Inventory: {files} files", files=self._listed)
        if self._waits:
            return T("waiting for its turn")
        silent_s = time.monotonic() - self._moved_at
        if silent_s >= SILENT_CARD_S:
            return T("no data from the card for {seconds} s", seconds=int(silent_s))
        rate = self._moved / max(0.001, time.monotonic() - self._began)
        left = span((self._size - self._moved) / rate) if rate else None
        return T(
            "{done}/{files} recordings, {moved} of {size}, {rate}/s, {left} left",
            done=self._done,
            files=self._files,
            moved=amount(round(self._moved)),
            size=amount(self._size),
            rate=amount(round(rate)),
            left=left or "?",
        )

    def _move(self, count: int) -> None:
        with self._lock:
            self._moved += count / self._lines.passes
            self._moved_at = time.monotonic()

    def _say(self, text: Text) -> None:
        self._lines.say(self.name + text.shown)
