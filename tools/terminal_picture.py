"""Makes a picture of a terminal session for the documentation.

    python tools/terminal_picture.py TITLE FILE.svg -- COMMAND ...

Runs the command on a terminal of its own, follows it as a terminal would, and writes
the last screen as SVG, without fonts from elsewhere.
"""

import io
import os
import sys

import pexpect
import pyte
from rich.console import Console
from rich.text import Text

_ROWS, _COLUMNS = 60, 100
_FORMAT_FONT = "monospace"


def last_screen(command: list[str]) -> Text:
    """Return what the command leaves on its terminal."""
    screen = pyte.HistoryScreen(_COLUMNS, _ROWS, history=1000)
    stream = pyte.ByteStream(screen)
    child = pexpect.spawn(
        command[0],
        command[1:],
        dimensions=(_ROWS, _COLUMNS),
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": str(_COLUMNS)},
        timeout=120,
    )
    while True:
        try:
            stream.feed(child.read_nonblocking(65536, timeout=120))
        except pexpect.EOF:
            break
    text = Text()
    for row in range(_ROWS):
        line = Text()
        skip = False
        for column in range(_COLUMNS):
            if skip:
                skip = False
                continue
            cell = screen.buffer[row][column]
            style = " ".join(
                part
                for part in (
                    "bold" if cell.bold else "",
                    "" if cell.fg == "default" else _colour(cell.fg),
                    "" if cell.bg == "default" else f"on {_colour(cell.bg)}",
                )
                if part
            )
            line.append(cell.data or " ", style=style)
            skip = Text(cell.data or " ").cell_len == 2
        line.rstrip()
        text.append_text(line)
        text.append("\n")
    return text


def _colour(name: str) -> str:
    if name == "brown":  # what the terminal calls its yellow
        return "yellow"
    return f"#{name}" if len(name) == 6 and name.isalnum() and not name.isalpha() else name


def main() -> None:
    title, target, _, *command = sys.argv[1:]
    console = Console(record=True, width=_COLUMNS, file=io.StringIO())
    shown = last_screen(command)
    shown.rstrip()
    console.print(shown)
    svg = console.export_svg(title=title)
    begin = svg.find("@font-face")
    head, rest = svg[:begin], svg[begin:]
    while rest.lstrip().startswith("@font-face"):
        rest = rest[rest.index("}") + 1 :]
    with open(target, "w", encoding="utf-8") as file:
        file.write((head + rest).replace("Fira Code", _FORMAT_FONT))


if __name__ == "__main__":
    main()
