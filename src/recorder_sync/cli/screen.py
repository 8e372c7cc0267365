"""What a terminal shows: tables, messages and amounts, in the station's language.

Messages for people go to standard error; standard output holds the answer only: a table,
or one JSON document.
"""

import json
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recorder_sync.errors import RecorderSyncError, error_json, problems_of
from recorder_sync.language import tr
from recorder_sync.model import Recording
from recorder_sync.printable import printable

answers = Console(highlight=False, emoji=False, soft_wrap=False)
messages = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def print_json(document: object) -> None:
    """Write the answer's one JSON document."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def print_error(error: RecorderSyncError, *, as_json: bool) -> None:
    """Say what happened and what to do next; in JSON as well where JSON was asked for."""
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
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        drawn.add_column(column, overflow="fold", no_wrap=number in whole)
    for row in rows:
        drawn.add_row(*("—" if cell is None else escape(printable(str(cell))) for cell in row))
    answers.print(drawn)


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one a line."""
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
