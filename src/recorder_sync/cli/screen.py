"""What a terminal shows: tables, messages and amounts, in the station's language.

Messages for people go to standard error; standard output holds the answer only: a table,
or one JSON document.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from recorder_sync.errors import RecorderSyncError, error_json, problems_of
from recorder_sync.language import tr
from recorder_sync.model import Recording
from recorder_sync.printable import printable

if TYPE_CHECKING:
    from rich.console import Console


class Screen:
    """A standard stream, as people see it.

    rich comes with the first words to a person: JSON and the services have none.
    """

    def __init__(self, *, stderr: bool, soft_wrap: bool) -> None:
        self._stderr = stderr
        self._soft_wrap = soft_wrap

    @cached_property
    def console(self) -> "Console":
        from rich.console import Console

        return Console(stderr=self._stderr, highlight=False, emoji=False, soft_wrap=self._soft_wrap)

    def print(
        self,
        *what: object,
        style: str | None = None,
        markup: bool | None = None,
        soft_wrap: bool | None = None,
    ) -> None:
        self.console.print(*what, style=style, markup=markup, soft_wrap=soft_wrap)


answers = Screen(stderr=False, soft_wrap=False)
messages = Screen(stderr=True, soft_wrap=True)


def print_json(document: object) -> None:
    """Write the answer's one JSON document."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def print_error(error: RecorderSyncError, *, as_json: bool) -> None:
    """Say what happened and what to do next; in JSON as well where JSON was asked for."""
    from rich.markup import escape

    messages.print(f"[bold red]✘[/] {escape(error.text.shown)}")
    for problem in problems_of(error):
        messages.print(f"  · {escape(problem.shown)}")
    if error.hint:
        messages.print(f"  → {escape(error.hint.shown)}")
    if as_json:
        print_json(error_json(error))


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], whole: Sequence[int] = (0,)
) -> None:
    """Print a table; absent values show as a dash.

    The columns numbered in `whole` are never broken over lines; by default the first, an
    id.
    """
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        drawn.add_column(column, overflow="fold", no_wrap=number in whole)
    for row in rows:
        drawn.add_row(*("—" if cell is None else escape(printable(str(cell))) for cell in row))
    answers.print(drawn)


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one a line."""
    from rich.markup import escape
    from rich.table import Table

    drawn = Table.grid(padding=(0, 2))
    drawn.add_column(style="bold", no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in pairs:
        drawn.add_row(name, "—" if value is None else escape(printable(str(value))))
    answers.print(drawn)


def name_and_flags(recording: Recording) -> str:
    """Return a recording's name on the card, with what a person should know of it."""
    flags = tr(", ").join(tr(flag.value) for flag in sorted(recording.flags))
    return recording.original_path.name.shown + (f"  [{flags}]" if flags else "")
