"""`recorder-sync forward`: the daemon that has the network."""

import typer

from recorder_sync.cli.options import Options
from recorder_sync.config import path_in_use
from recorder_sync.forward_service import ForwardService


def forward(context: typer.Context) -> None:
    options = context.find_object(Options)
    assert options is not None
    code = ForwardService(path_in_use(options.config)).run()
    if code:
        raise typer.Exit(code)
