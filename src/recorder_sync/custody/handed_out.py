"""The verifier keys that a station hands out: others check its checkpoints with them.

    <state>/custody/verifier-key     the one in use, one line
    <state>/custody/verifier-keys    that one and those before it, one a line, oldest first

They say what the log says, and are written anew whenever they do not.
"""

from pathlib import Path

from recorder_sync.custody.checkpoint import Verifier
from recorder_sync.custody.problem import unreliable
from recorder_sync.durable import read_regular, replace_synced
from recorder_sync.language import T

NEWEST = "verifier-key"
ALL = "verifier-keys"


class HandedOut:
    """The two files in the log's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def publish(self, known: list[Verifier]) -> None:
        """Write the station's keys, oldest first, where they are not there. Raises OSError."""
        everyone = "".join(f"{verifier}\n" for verifier in known)
        for name, text in ((ALL, everyone), (NEWEST, f"{known[-1]}\n")):
            path = self._folder / name
            if not path.exists() or read_regular(path) != text.encode():
                replace_synced(path, text.encode(), 0o644)

    def check(self, known: list[Verifier]) -> None:
        """Hold the files against the station's keys; the newest may not be among them yet.

        Raises CustodyProblem or OSError.
        """
        keys = [str(verifier) for verifier in known]
        for name in (NEWEST, ALL):
            path = self._folder / name
            if not path.exists():
                continue
            lines = read_regular(path).decode("utf-8", "replace").splitlines()
            first = keys.index(lines[0]) if lines and lines[0] in keys else len(keys)
            if not lines or keys[first : first + len(lines)] != lines:
                raise unreliable(
                    T("The keys in {file} are not those that the custody log names.", file=name)
                )

    def all(self) -> list[Verifier]:
        """Return the keys on file, oldest first; none where there is no such file.

        Raises ValueError for what is no key, or OSError.
        """
        try:
            lines = read_regular(self._folder / ALL).decode().splitlines()
        except FileNotFoundError:
            return []
        return [Verifier.parse(line) for line in lines]
