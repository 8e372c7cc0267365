"""The positions that a film's timed text tells of, second by second.

Runs in the confined process only. ffmpeg takes the text out of the container, and writes it as
SubRip; what it says is read here line by line, and at most so much of it. The first stream of
text that tells of positions counts: a film may have others, such as a title.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from recorder_sync.rules.position_text import position_in

MOST_POINTS = 20_000
"""Five hours and a half, with one each second."""
_MOST_STREAMS = 3
_MOST_BYTES = 32 << 20
_LONGEST_LINE = 4096
_LONGEST_TEXT = 2000
_TIMES = re.compile(r"\s*(\d{1,4}):(\d{2}):(\d{2})[,.](\d{3})\s+-->\s")

Point = tuple[float, float, float]
"""Seconds from the beginning of the film, latitude and longitude in degrees."""


def track(source: int, command: Sequence[str]) -> str:
    """Return the track of the open film `source` as JSON.

    `command` has `{stream}` for the number of a stream of text. Raises ValueError where no stream
    tells of a position.
    """
    for stream in range(_MOST_STREAMS):
        filled = [one.replace("{stream}", str(stream)) for one in command]
        with subprocess.Popen(filled, stdout=subprocess.PIPE, pass_fds=(source,)) as process:
            assert process.stdout is not None
            points = list(points_in(_lines(process.stdout)))
            process.stdout.close()  # of more nothing is wanted, and ffmpeg ends by itself
        if points:
            cut = len(points) == MOST_POINTS
            return json.dumps({"points": points, "cut": cut}, separators=(",", ":"))
        if process.returncode != 0:  # there is no such stream
            break
    raise ValueError("no timed text in it tells of positions")


def points_in(lines: Iterable[str]) -> Iterator[Point]:
    """Yield the positions of SubRip, in the order of time, at most `MOST_POINTS`.

    Where a device stands still it says the same again and again; each is kept.
    """
    count, last = 0, -1.0
    for second, text in _texts(lines):
        position = position_in(text) if second > last else None
        if position is not None:
            yield second, position.latitude, position.longitude
            count, last = count + 1, second
            if count == MOST_POINTS:
                return


def _texts(lines: Iterable[str]) -> Iterator[tuple[float, str]]:
    """Yield each text with the second from which it is shown."""
    begins: float | None = None
    text = ""
    for line in lines:
        times = _TIMES.match(line)
        if times is None:
            if len(text) < _LONGEST_TEXT:
                text += line[:_LONGEST_TEXT] + "\n"
            continue
        if begins is not None:
            yield begins, text
        hours, minutes, seconds, thousandths = (int(one) for one in times.groups())
        begins, text = hours * 3600 + minutes * 60 + seconds + thousandths / 1000, ""
    if begins is not None:
        yield begins, text


def _lines(file: IO[bytes]) -> Iterator[str]:
    taken = 0
    while taken < _MOST_BYTES and (line := file.readline(_LONGEST_LINE)):
        taken += len(line)
        yield line.decode("utf-8", "replace").rstrip("\r\n")
