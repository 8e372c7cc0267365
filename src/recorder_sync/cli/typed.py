"""What people type as the number of a thing, and the option that every listing has."""

from typing import Annotated

import typer

from recorder_sync.errors import UsageProblem
from recorder_sync.language import T, tr

Json = Annotated[bool, typer.Option("--json", help=tr("Print JSON."))]


def named(text: str) -> str:
    """Return a number without spaces around it. Raises UsageProblem for an empty one."""
    if not text.strip():
        raise UsageProblem(T("A number is empty."), T("Give a number."))
    return text.strip()
