"""Files that a command writes for people: new ones only, and never among evidence or state."""

import os
from contextlib import suppress
from pathlib import Path

from recorder_sync.config import Configuration
from recorder_sync.errors import MissingPart, UsageProblem, os_reason
from recorder_sync.language import T


def refuse_place(to: Path, settings: Configuration) -> None:
    """Refuse a name that is taken, or lies in one of the station's own folders.

    Raises UsageProblem; called before anything is done.
    """
    if os.path.lexists(to):
        raise UsageProblem(
            T("{path} is already there.", path=to), T("Give the name of a new file.")
        )
    for own in (settings.paths.state, settings.paths.evidence):
        if to.resolve().is_relative_to(own.resolve()):
            raise UsageProblem(
                T("{path} is in the station's own folder {own}.", path=to, own=own),
                T("Give a file outside it."),
            )


def write_new(to: Path, text: str) -> None:
    """Write a new file; one that could not be written whole is removed. Raises MissingPart."""
    is_ours = False
    try:
        with to.open("x", encoding="utf-8") as file:
            is_ours = True
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if is_ours:
            with suppress(OSError):
                to.unlink()
        raise MissingPart(
            T("{path} cannot be written: {why}.", path=to, why=os_reason(error)),
            T("Check the name, the space and the rights."),
        ) from error
