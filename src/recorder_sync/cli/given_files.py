"""Files and keys that somebody names on the command line of the custody commands.

They come from sticks, mails and other people, so no more is read than such a file can have,
and whatever it holds ends in an answer.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from recorder_sync.custody import consistency, proof
from recorder_sync.custody.checkpoint import Verifier
from recorder_sync.custody.cosignature import WitnessKey
from recorder_sync.custody.notes import LARGEST_FILE
from recorder_sync.custody.unfit import reason
from recorder_sync.errors import MissingPart, UsageProblem, os_reason
from recorder_sync.language import T

LARGEST_DOCUMENT = 16 << 20
"""Bytes of a proof or consistency file; one has some thousand."""

_PIECE = 1 << 16


def text_of_file(name: str | Path, most: int = LARGEST_DOCUMENT) -> str:
    """Return the text of a file, or of what is piped in for `-`.

    Raises MissingPart when it cannot be read, UsageProblem for more than `most` bytes, or for
    what is no UTF-8.
    """
    try:
        if str(name) == "-":
            data = sys.stdin.buffer.read(most + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(most + 1)
    except OSError as error:
        raise _unreadable(name, error) from error
    if len(data) > most:
        raise UsageProblem(
            T("{path} is too large: more than {most} bytes.", path=name, most=most),
            T("Check the name: no such file is as large."),
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageProblem(
            T("{text} is not text in UTF-8.", text=name), T("Check the name and the rights.")
        ) from error


def lines_of_file(path: Path) -> Iterator[str]:
    """Yield the lines of a file of notes, in pieces where they are very long.

    Of a file that is too large for notes, the beginning is read. Raises MissingPart.
    """
    try:
        with path.open("rb") as file:
            yield from _lines(file)
    except OSError as error:
        raise _unreadable(path, error) from error


def document_in(path: Path) -> dict[str, Any]:
    """Return a proof or consistency file. Raises UsageProblem for none, or MissingPart."""
    return document_of(text_of_file(path), path)


def document_of(text: str, path: str | Path) -> dict[str, Any]:
    """Return what the text of a proof or consistency file says. Raises UsageProblem for none."""
    hint = T("Name a file that custody prove or custody consistency wrote.")
    try:
        found = json.loads(text)
    except RecursionError as error:
        why = T("it is nested too deeply")
        raise UsageProblem(T("{path} is no JSON: {why}.", path=path, why=why), hint) from error
    except ValueError as error:
        raise UsageProblem(T("{path} is no JSON: {why}.", path=path, why=error), hint) from error
    if not isinstance(found, dict) or found.get("format") not in (proof.FORMAT, consistency.FORMAT):
        raise UsageProblem(T("{path} is no proof or consistency file.", path=path), hint)
    return found


def key_or_text(given: str) -> str:
    """Return the key that is given, or the text of the file that has it.

    Raises UsageProblem or MissingPart.
    """
    is_key = given.count("+") >= 2 and not os.access(given, os.F_OK)
    return given if is_key else text_of_file(given)


def verifier_in(text: str, given: str) -> Verifier:
    """Return the station's key in a text, the newest of several. Raises UsageProblem."""
    try:
        return Verifier.parse(_last(text))
    except ValueError as error:
        raise no_verifier(given, error) from error


def witness_key_in(text: str, given: str) -> WitnessKey:
    """Return the witness's key in a text. Raises UsageProblem."""
    try:
        return WitnessKey.parse(_last(text))
    except ValueError as error:
        raise UsageProblem(
            T("{path} has no verifier key: {why}.", path=given, why=reason(error)),
            T("Give the file verifier-key of the witness, or its one line."),
        ) from error


def no_verifier(given: object, error: ValueError) -> UsageProblem:
    """Return the error for what should be, or hold, a station's key."""
    return UsageProblem(
        T("{path} has no verifier key: {why}.", path=given, why=reason(error)),
        T("Give the file verifier-key of the station, or its one line."),
    )


def _last(text: str) -> str:
    return next(reversed(text.split()), "")


def _lines(file: BinaryIO) -> Iterator[str]:
    left = LARGEST_FILE
    while left > 0 and (piece := file.readline(min(left, _PIECE))):
        left -= len(piece)
        yield from piece.decode("utf-8", "replace").splitlines()


def _unreadable(path: object, error: OSError) -> MissingPart:
    return MissingPart(
        T("{path} cannot be read: {why}.", path=path, why=os_reason(error)),
        T("Check the name and the rights."),
    )
