"""`recorder-sync dock` and `run`: the daemon."""

import typer

from recorder_sync.cli.options import Options
from recorder_sync.config import path_in_use
from recorder_sync.service import DockService


def dock(context: typer.Context) -> None:
    _run(context, whole=False)


def run(context: typer.Context) -> None:
    _run(context, whole=True)


def _run(context: typer.Context, *, whole: bool) -> None:
    options = context.find_object(Options)
    assert options is not None
    code = DockService(path_in_use(options.config), whole=whole).run()
    if code:
        raise typer.Exit(code)
