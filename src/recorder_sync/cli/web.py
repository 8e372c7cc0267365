"""`recorder-sync web`: the daemon that serves the dock screen and the console."""

import typer

from recorder_sync.cli.options import Options
from recorder_sync.config import path_in_use


def web(context: typer.Context) -> None:
    from recorder_sync.web_service import WebService

    options = context.find_object(Options)
    assert options is not None
    code = WebService(path_in_use(options.config)).run()
    if code:
        raise typer.Exit(code)
