"""An intake on the terminal: live while it runs, a verdict when it is done.

On a terminal: bars for the card and for each recording under way. Elsewhere: plain
lines, at least one a second, so that a log shows it is alive.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.markup import escape
from rich.panel import Panel
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

from recorder_sync.cli.screen import amount, answers, messages, span, table
from recorder_sync.config import Configuration
from recorder_sync.ingest.progress import Observer
from recorder_sync.ingest.report import Report
from recorder_sync.ingest.seal import Outcome
from recorder_sync.language import T, Text, tr
from recorder_sync.model import CardPath, ItemOutcome, Recording

_SHOWN_ROWS = 40
_NAME_WIDTH = 36
_SILENCE_S = 0.9
_REDRAW_S = 0.1
_OWN_BAR = 4 << 20
"""Bytes from which a recording has a bar of its own: smaller ones only flicker by."""


@contextmanager
def observer_for(settings: Configuration, *, quiet: bool) -> Iterator[Observer]:
    """Yield the observer that suits the terminal, or one that says nothing."""
    passes = 2 if settings.ingest.read_back else 1
    if quiet:
        yield _Silent()
    elif messages.is_terminal:
        with _Live(passes) as live:
            yield live
    else:
        with _Plain(passes) as plain:
            yield plain


class _Silent:
    def listing(self, files: int) -> None: ...
    def planned(self, recordings: int, size: int, already_sealed: int) -> None: ...
    def started(self, path: CardPath, size: int) -> None: ...
    def copied(self, path: CardPath, count: int) -> None: ...
    def read_back(self, path: CardPath, count: int) -> None: ...
    def finished(self, outcome: Outcome) -> None: ...
    def notice(self, text: Text) -> None: ...


class _Live:
    """Progress bars. A recording's bar is full when its copy is read back."""

    def __init__(self, passes: int) -> None:
        self._passes = passes
        self._lock = threading.Lock()
        self._tasks: dict[CardPath, TaskID] = {}
        self._files = 0
        self._done = 0
        self._moved = 0.0
        self._drawn = 0.0
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=messages,
            transient=True,
        )
        self._overall = self._progress.add_task(tr("Inventory"), total=None)

    def __enter__(self) -> "_Live":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def listing(self, files: int) -> None:
        self._progress.update(
            self._overall, description=T("Inventory: {files} files", files=files).shown
        )

    def planned(self, recordings: int, size: int, already_sealed: int) -> None:
        self._files = recordings
        self._progress.reset(self._overall, total=size, completed=0)
        self._draw()

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
        self._progress.console.print(escape(text.shown))

    def _advance(self, path: CardPath, count: int) -> None:
        share = count / self._passes
        with self._lock:
            self._moved += share
            task = self._tasks.get(path)
            if task is not None:
                self._progress.advance(task, share)
                if self._progress.tasks[self._progress.task_ids.index(task)].finished:
                    self._progress.remove_task(self._tasks.pop(path))
        self._draw()

    def _draw(self) -> None:
        """Bring the card's own bar up to date, but no more often than eyes can follow."""
        now = time.monotonic()
        if now - self._drawn < _REDRAW_S and self._done < self._files:
            return
        self._drawn = now
        text = T("Recordings {done}/{files}", done=self._done, files=self._files)
        self._progress.update(self._overall, description=text.shown, completed=self._moved)


class _Plain:
    """Lines: every large recording when it is done, and the state once a second."""

    def __init__(self, passes: int) -> None:
        self._passes = passes
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="progress", daemon=True)
        self._began = self._said = time.monotonic()
        self._files = self._done = self._size = 0
        self._moved = 0.0
        self._listed = 0
        self._planned = False

    def __enter__(self) -> "_Plain":
        self._heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._heart.join()

    def listing(self, files: int) -> None:
        self._listed = files

    def planned(self, recordings: int, size: int, already_sealed: int) -> None:
        self._files, self._size, self._planned = recordings, size, True
        self._began = time.monotonic()
        self._say(
            T(
                "{files} recording(s), {size} to copy; {known} sealed earlier",
                files=recordings,
                size=amount(size),
                known=already_sealed,
            )
        )

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
        elif self._files <= _SHOWN_ROWS and outcome.what is ItemOutcome.SEALED:
            self._say(T("sealed: {path}", path=outcome.path.shown))

    def notice(self, text: Text) -> None:
        self._say(text)

    def _move(self, count: int) -> None:
        with self._lock:
            self._moved += count / self._passes

    def _beat(self) -> None:
        while not self._end.wait(_SILENCE_S / 3):
            if time.monotonic() - self._said >= _SILENCE_S * 2 / 3:
                self._say(self._state())

    def _state(self) -> Text:
        if not self._planned:
            return T("Inventory: {files} files", files=self._listed)
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

    def _say(self, text: Text) -> None:
        self._said = time.monotonic()
        messages.print(escape(text.shown))


def show_report(report: Report, settings: Configuration) -> None:
    """Print what was sealed, what is wrong, and whether the device may be taken."""
    zone = settings.station.zone
    sealed = sorted(report.sealed, key=lambda recording: recording.recorded.start)
    if sealed:
        table(
            [tr("ID"), tr("Officer"), tr("Recorded"), tr("Length"), tr("On time"), tr("File")],
            (
                (
                    recording.id,
                    _officer(recording),
                    f"{recording.recorded.start.astimezone(zone):%m-%d %H:%M}",
                    span(recording.media.duration_s),
                    tr("on time") if recording.on_time else tr("LATE"),
                    recording.original_path.name.shown + _flags(recording),
                )
                for recording in sealed[:_SHOWN_ROWS]
            ),
            whole=(0, 2, 3, 4),
        )
        if len(sealed) > _SHOWN_ROWS:
            answers.print(T("… and {count} more", count=len(sealed) - _SHOWN_ROWS).shown)
    for item in report.items[: _SHOWN_ROWS * 10]:
        if item.skipped is not None:
            answers.print(
                escape(T("skipped: {path}: {why}", path=item.path.shown, why=item.skipped).shown),
                style="dim",
            )
    _show_failures(report)
    answers.print(_verdict(report))


def _show_failures(report: Report) -> None:
    """Print each problem once, with the files that have it."""
    by_problem: dict[tuple[str, str], list[str]] = {}
    for outcome in report.of(ItemOutcome.FAILED):
        failure = outcome.failure
        if failure is not None:
            hint = failure.hint.shown if failure.hint else ""
            by_problem.setdefault((failure.text.shown, hint), []).append(outcome.path.shown)
    for (problem, hint), paths in by_problem.items():
        for path in paths[:_SHOWN_ROWS]:
            answers.print(f"[bold red]✘[/] {escape(path)}: {escape(problem)}")
        if len(paths) > _SHOWN_ROWS:
            answers.print(T("… and {count} more", count=len(paths) - _SHOWN_ROWS).shown)
        if hint:
            answers.print(f"  → {escape(hint)}")


def _verdict(report: Report) -> Panel:
    device = report.identity.device
    failed = len(report.of(ItemOutcome.FAILED))
    lines = [
        T(
            "{device}: {sealed} sealed, {known} sealed earlier, {failed} failed, {skipped} skipped",
            device=T("Device {number}", number=device) if device else T("Unknown device"),
            sealed=len(report.sealed),
            known=len(report.of(ItemOutcome.ALREADY_SEALED)),
            failed=failed,
            skipped=sum(1 for item in report.items if item.skipped),
        ).shown
    ]
    if report.late:
        lines.append(
            T("{count} recording(s) came in late (Art. 21).", count=len(report.late)).shown
        )
    if report.in_conflict:
        lines.append(
            T(
                "{count} recording(s) whose sources disagree: recorder-sync recordings show ID",
                count=len(report.in_conflict),
            ).shown
        )
    if not report.items:
        verdict, colour = tr("Nothing was found here. Is the card really mounted?"), "yellow"
    elif failed:
        verdict, colour = tr("DO NOT clear this device: not everything is in."), "red"
    else:
        verdict, colour = tr("Safe to take: everything on it is sealed."), "green"
    lines.insert(0, f"[bold {colour}]{escape(verdict)}[/]")
    return Panel(
        "\n".join(lines[:1] + [escape(line) for line in lines[1:]]),
        border_style=colour,
        expand=False,
    )


def _officer(recording: Recording) -> str | None:
    tag = recording.tags.officer
    return recording.officer_name or (tag.value if tag else None)


def _flags(recording: Recording) -> str:
    flags = ", ".join(tr(flag.value) for flag in sorted(recording.flags))
    return f"  [{flags}]" if flags else ""


def _short(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else "…" + name[-(_NAME_WIDTH - 1) :]
