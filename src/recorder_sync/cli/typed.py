"""What people type as the number of a thing, and options that many commands have."""

from typing import Annotated

import typer

from recorder_sync.errors import UsageProblem
from recorder_sync.language import T, tr
from recorder_sync.station import Station

Json = Annotated[bool, typer.Option("--json", help=tr("Print JSON."))]

By = Annotated[
    str | None,
    typer.Option(metavar="NAME", help=tr("Who does it; by default the user of this computer.")),
]


def named(text: str) -> str:
    """Return a number without spaces around it. Raises UsageProblem for an empty one."""
    if not text.strip():
        raise UsageProblem(T("A number is empty."), T("Give a number."))
    return text.strip()


def person(by: str | None, station: Station) -> str:
    """Return who acts. Raises UsageProblem for an empty name.

    The custody log names the user of the computer as well, whatever is typed here.
    """
    if by is None:
        return station.actor
    if not by.strip():
        raise UsageProblem(T("Nobody is named."), T("Give a name after --by, or leave it out."))
    return by.strip()
