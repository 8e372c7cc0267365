"""Intakes as progress bars: one for each card, and one for each recording under way."""

import threading
import time

from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from recorder_sync.cli.screen import messages
from recorder_sync.ingest.progress import SILENT_CARD_S, Observer
from recorder_sync.ingest.seal import Outcome
from recorder_sync.language import T, Text, tr
from recorder_sync.model import CardPath, ItemOutcome

_NAME_WIDTH = 36
_REDRAW_S = 0.1
_OWN_BAR = 4 << 20
"""Bytes from which a recording has a bar of its own: smaller ones only flicker by."""


class Bars:
    """A recording's bar is full when its copy is read back."""

    def __init__(self, passes: int) -> None:
        self._passes = passes
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=messages.console,
            transient=True,
        )
        self._cards: list[_Card] = []
        self._end = threading.Event()
        self._watch = threading.Thread(target=self._look_for_silence, daemon=True)

    def __enter__(self) -> "Bars":
        self._progress.start()
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._watch.join()
        self._progress.stop()

    def card(self, name: str | None) -> Observer:
        card = _Card(self._progress, self._passes, f"{name}  " if name else "")
        self._cards.append(card)
        return card

    def _look_for_silence(self) -> None:
        while not self._end.wait(1.0):
            for card in list(self._cards):
                card.draw_silence()


class _Card:
    def __init__(self, progress: Progress, passes: int, name: str) -> None:
        self._progress = progress
        self._passes = passes
        self._name = name
        self._lock = threading.Lock()
        self._tasks: dict[CardPath, TaskID] = {}
        self._files = 0
        self._done = 0
        self._moved = 0.0
        self._moved_at = time.monotonic()
        self._drawn = 0.0
        self._waits = False
        self._planned = False
        self._overall = progress.add_task(escape(name) + tr("Inventory"), total=None)

    def listing(self, files: int) -> None:
        self._describe(T("Inventory: {files} files", files=files))

    def planned(self, recordings: int, size: int, already_sealed: int) -> None:
        self._files, self._planned = recordings, True
        self._moved_at = time.monotonic()
        self._progress.reset(self._overall, total=size, completed=0)
        self._draw()

    def waiting(self, waits: bool) -> None:
        self._waits = waits
        self._moved_at = time.monotonic()
        self._draw(now=True)

    def started(self, path: CardPath, size: int) -> None:
        if size < _OWN_BAR:
            return
        with self._lock:
            if path not in self._tasks:
                name = escape(_short(path.name.shown))
                self._tasks[path] = self._progress.add_task(f"  {name}", total=size)

    def copied(self, path: CardPath, count: int) -> None:
        self._advance(path, count)

    def read_back(self, path: CardPath, count: int) -> None:
        self._advance(path, count)

    def finished(self, outcome: Outcome) -> None:
        with self._lock:
            task = self._tasks.pop(outcome.path, None)
            if task is not None:
                self._progress.remove_task(task)
            self._done += outcome.what is not ItemOutcome.ALREADY_SEALED
        self._draw()

    def notice(self, text: Text) -> None:
        self._progress.console.print(escape(self._name + text.shown))

    def draw_silence(self) -> None:
        """Say that the card gives nothing, when that is so."""
        silent_s = time.monotonic() - self._moved_at
        is_copying = self._planned and not self._waits and self._done < self._files
        if is_copying and silent_s >= SILENT_CARD_S:
            self._describe(T("no data from the card for {seconds} s", seconds=int(silent_s)))

    def _advance(self, path: CardPath, count: int) -> None:
        share = count / self._passes
        with self._lock:
            self._moved += share
            self._moved_at = time.monotonic()
            task = self._tasks.get(path)
            if task is not None:
                self._progress.advance(task, share)
                if self._progress.tasks[self._progress.task_ids.index(task)].finished:
                    self._progress.remove_task(self._tasks.pop(path))
        self._draw()

    def _draw(self, *, now: bool = False) -> None:
        """Bring the card's own bar up to date, but no more often than eyes can follow."""
        moment = time.monotonic()
        if not now and moment - self._drawn < _REDRAW_S and self._done < self._files:
            return
        self._drawn = moment
        self._progress.update(self._overall, completed=self._moved)
        text = T("Recordings {done}/{files}", done=self._done, files=self._files)
        self._describe(T("waiting for its turn") if self._waits else text)

    def _describe(self, text: Text) -> None:
        self._progress.update(self._overall, description=escape(self._name + text.shown))


def _short(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else "…" + name[-(_NAME_WIDTH - 1) :]
