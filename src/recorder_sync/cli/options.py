"""The options that stand before every command."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from recorder_sync import __version__
from recorder_sync.language import tr


@dataclass(frozen=True, slots=True)
class Options:
    config: Path | None


def common(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            help=tr(
                "Configuration file; otherwise $RECORDER_SYNC_CONFIG, "
                "then /etc/recorder-sync/config.toml."
            )
        ),
    ] = None,
    version: Annotated[bool, typer.Option("--version", help=tr("Show the version."))] = False,
) -> None:
    """Keep the common options for the command that follows."""
    context.obj = Options(config)
    if version:
        sys.stdout.write(f"recorder-sync {__version__}\n")
        raise typer.Exit
