"""Puts the commands together, and is the edge at which every error becomes a sentence."""

import os
import sqlite3
import tomllib
from collections.abc import Sequence
from pathlib import Path

import typer

from recorder_sync.errors import RecorderSyncError, UsageProblem, refused
from recorder_sync.language import Language, T, tr, use_language

LANGUAGE_VARIABLE = "RECORDER_SYNC_LANGUAGE"


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    use_language(_language(arguments))
    from recorder_sync.cli.screen import print_error

    as_json = "--json" in arguments
    try:
        _refuse_what_is_no_text(arguments)
        _build()(list(arguments), prog_name="recorder-sync")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except RecorderSyncError as error:
        print_error(error, as_json=as_json)
        return error.exit_code
    except sqlite3.DatabaseError as error:
        from recorder_sync.catalogue.database import explain

        problem = explain(error)
        print_error(problem, as_json=as_json)
        return problem.exit_code
    except OSError as error:
        problem = refused(error)
        print_error(problem, as_json=as_json)
        return problem.exit_code
    return 0


def _refuse_what_is_no_text(arguments: Sequence[str]) -> None:
    """Refuse an argument that is not UTF-8, unless it names something that is there."""
    for argument in arguments:
        if any("\ud800" <= c <= "\udfff" for c in argument) and not os.path.lexists(argument):
            raise UsageProblem(
                T("{text} is not text in UTF-8.", text=argument),
                T("Set the terminal to UTF-8 and type it again."),
            )


def _build() -> typer.Typer:
    from recorder_sync.cli import (
        catalogue,
        configuration,
        demo,
        dockings,
        ingest,
        ledger,
        options,
        recordings,
        status,
        verify,
    )

    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=tr("Takes footage off body cameras, proves it is whole, and keeps it."),
    )
    app.callback()(options.common)
    app.command(help=tr("Take in a mounted card or a folder now, as one docking."))(ingest.ingest)
    app.command(help=tr("Show disks, dockings and protection."))(status.status)
    app.command(help=tr("Re-read evidence and compare it with catalogue and custody log."))(
        verify.verify
    )
    app.command(help=tr("Try it out: simulated cameras on a throw-away station."))(demo.demo)
    for name, group, text in (
        ("recordings", recordings.app, tr("Search, show, correct and export recordings.")),
        ("dockings", dockings.app, tr("What happened at each plug-in.")),
        ("devices", ledger.devices, tr("The device ledger.")),
        ("officers", ledger.officers, tr("Officers by certificate number.")),
        ("cases", ledger.cases, tr("Cases with party and cause.")),
        ("catalogue", catalogue.app, tr("Check or rebuild the catalogue.")),
        ("config", configuration.app, tr("Check or show the configuration.")),
    ):
        app.add_typer(group, name=name, help=text, no_args_is_help=True)
    return app


def _language(arguments: Sequence[str]) -> Language:
    """Find the station's language before anything can be said.

    A configuration that cannot be read is reported later, by the command that needs it.
    """
    wanted = os.environ.get(LANGUAGE_VARIABLE) or _configured_language(arguments)
    return Language(wanted) if wanted in set(Language) else Language.CHINESE


def _configured_language(arguments: Sequence[str]) -> str | None:
    from recorder_sync.config import path_in_use

    given = None
    for at, argument in enumerate(arguments):
        if argument == "--config" and at + 1 < len(arguments):
            given = Path(arguments[at + 1])
        elif argument.startswith("--config="):
            given = Path(argument.removeprefix("--config="))
    try:
        values = tomllib.loads(path_in_use(given).read_text("utf-8"))
        language = values["station"]["language"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return language if isinstance(language, str) else None
