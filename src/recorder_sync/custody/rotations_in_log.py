"""The rotations of a log's key, where they can be had without reading the whole log.

    <state>/custody/rotations    the log's first verifier key, and the lines of these entries

A copy, made from the log at any time. It is believed only as far as the log has the same
lines under the same numbers; what it leaves out shows in the key that signs, which is not
the newest then.
"""

from pathlib import Path

from recorder_sync.custody.checkpoint import Verifier
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.custody.problem import unreliable
from recorder_sync.custody.rotation import Rotation, rotation_in
from recorder_sync.custody.unfit import reason
from recorder_sync.durable import read_regular, replace_synced
from recorder_sync.language import T


class RotationsInLog:
    """The rotations of one log."""

    def __init__(self, folder: Path, log: CustodyLog) -> None:
        self._path = folder / "rotations"
        self._log = log

    def copied(self, signing: Verifier) -> list[bytes] | None:
        """Return the lines of the copy, None when it is not there or not the log's.

        `signing` is the key that signs: the log's first where there was no rotation. Raises
        OSError.
        """
        try:
            first, *lines = read_regular(self._path).splitlines()
        except (FileNotFoundError, ValueError):
            return None
        if not all(self._has(line) for line in lines):
            return None
        return lines if first.decode("utf-8", "replace") == _first(lines, signing) else None

    def found_from(self, first: int) -> list[bytes]:
        """Return the lines that the log itself has from entry `first` on.

        Raises CustodyProblem or OSError.
        """
        return list(self._log.lines_of(Act.KEY_ROTATED, first))

    def copy(self, lines: list[bytes], signing: Verifier) -> None:
        """Keep a copy. Raises OSError."""
        text = b"".join(line + b"\n" for line in (_first(lines, signing).encode(), *lines))
        if not self._path.exists() or read_regular(self._path) != text:
            replace_synced(self._path, text)

    def _has(self, line: bytes) -> bool:
        try:
            number = rotation_in(line).number
        except ValueError:
            return False
        return next((own for _, own in self._log.lines(number)), None) == line


def _first(lines: list[bytes], signing: Verifier) -> str:
    return str(rotation_in(lines[0]).old if lines else signing)


def read_rotations(lines: list[bytes]) -> list[Rotation]:
    """Return what the lines of the log say. Raises CustodyProblem where a signature is false."""
    try:
        return [rotation_in(line) for line in lines]
    except ValueError as error:
        raise unreliable(
            T("The custody log has a rotation of the key that is none: {why}.", why=reason(error))
        ) from error
