"""Puts the commands together, and is the edge at which every error becomes a sentence."""

import gc
import os
import sqlite3
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
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
        app = _build(arguments)
        gc.freeze()  # or the first collection looks at all of it once more
        gc.enable()
        ended = app(list(arguments), prog_name="recorder-sync", standalone_mode=False)
        return ended if isinstance(ended, int) else 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except typer.TyperException as refusal:
        return _refuse(refusal, as_json=as_json)
    except typer.Abort:  # a question got no answer
        sys.stderr.write(tr("Aborted!") + "\n")
        return 1
    except RecorderSyncError as error:
        problem = error
    except sqlite3.DatabaseError as error:
        from recorder_sync.catalogue.database import explain

        problem = explain(error)
    except OSError as error:
        problem = refused(error)
    print_error(problem, as_json=as_json)
    return problem.exit_code


def _refuse(refusal: typer.TyperException, *, as_json: bool) -> int:
    """Say what the command line makes no sense of; return the exit code."""
    from recorder_sync.cli.screen import print_error
    from recorder_sync.cli.usage import is_help, worded

    if is_help(refusal):
        sys.stderr.write(refusal.format_message() + "\n")
        return refusal.exit_code
    problem = worded(refusal)
    print_error(problem, as_json=as_json)
    return problem.exit_code


def _refuse_what_is_no_text(arguments: Sequence[str]) -> None:
    """Refuse an argument that is not UTF-8, unless it names something that is there."""
    for argument in arguments:
        if any("\ud800" <= c <= "\udfff" for c in argument) and not os.path.lexists(argument):
            raise UsageProblem(
                T("{text} is not text in UTF-8.", text=argument),
                T("Set the terminal to UTF-8 and type it again."),
            )


@dataclass(frozen=True, slots=True)
class _Command:
    """A command or a group of commands, imported only when it is needed."""

    name: str
    module: str
    attribute: str
    help: str

    def add_to(self, app: typer.Typer) -> None:
        found = getattr(import_module(f"recorder_sync.cli.{self.module}"), self.attribute)
        if isinstance(found, typer.Typer):
            works_alone = found.info.invoke_without_command is True
            app.add_typer(found, name=self.name, help=self.help, no_args_is_help=not works_alone)
        else:
            app.command(self.name, help=self.help)(found)


def _commands() -> list[_Command]:
    return [
        _Command(
            "ingest",
            "ingest",
            "ingest",
            tr("Take in a mounted card or a folder now, as one docking."),
        ),
        _Command("run", "dock", "run", tr("The whole daemon in one process.")),
        _Command("dock", "dock", "dock", tr("The daemon that looks after the ports.")),
        _Command(
            "forward",
            "forward",
            "app",
            tr("The daemon that has the network, and the queue of what goes to evidence stores."),
        ),
        _Command(
            "clear", "clear", "clear", tr("Remove from cards what is sealed (run by its unit).")
        ),
        _Command("status", "status", "status", tr("Show disks, dockings and protection.")),
        _Command(
            "verify",
            "verify",
            "verify",
            tr("Re-read evidence and compare it with catalogue and custody log."),
        ),
        _Command(
            "demo", "demo", "demo", tr("Try it out: simulated cameras on a throw-away station.")
        ),
        _Command(
            "recordings", "recordings", "app", tr("Search, show, correct and export recordings.")
        ),
        _Command("dockings", "dockings", "app", tr("What happened at each plug-in.")),
        _Command("devices", "devices", "app", tr("The device ledger.")),
        _Command("officers", "officers", "app", tr("Officers by certificate number.")),
        _Command("cases", "cases", "app", tr("Cases with party and cause.")),
        _Command("alerts", "alerts", "app", tr("What somebody must handle, and who is on it.")),
        _Command("deferrals", "deferrals", "app", tr("What moves a deadline to the return.")),
        _Command("calendar", "calendar", "app", tr("Shifts, and what should be recorded.")),
        _Command("gaps", "gaps", "app", tr("Interruptions within an action, and why.")),
        _Command("deadlines", "deadlines", "app", tr("What is due, and how long there is.")),
        _Command(
            "catalogue", "catalogue", "app", tr("Check, rebuild, back up or restore the catalogue.")
        ),
        _Command("custody", "custody", "app", tr("The custody log, its checkpoints and proofs.")),
        _Command(
            "web", "web", "web", tr("The daemon that serves the dock screen and the console.")
        ),
        _Command("accounts", "accounts", "app", tr("Who may sign in at the console.")),
        _Command("tokens", "tokens", "app", tr("Which programs may use the API, and for what.")),
        _Command("webhooks", "webhooks", "app", tr("Programs that are told what happens.")),
        _Command("stores", "stores", "app", tr("The evidence stores: list, check, bind.")),
        _Command("config", "configuration", "app", tr("Check or show the configuration.")),
    ]


def _build(arguments: Sequence[str]) -> typer.Typer:
    """Build the command line with the command that is asked for, or with all for the help.

    Importing what another command needs would cost more time than most commands take.
    """
    from recorder_sync.cli import options

    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=tr("Takes footage off body cameras, proves it is whole, and keeps it."),
    )
    app.callback()(options.common)
    commands = _commands()
    asked = [c for c in commands if c.name == _command_asked_for(arguments)]
    for command in asked or commands:
        command.add_to(app)
    return app


def _command_asked_for(arguments: Sequence[str]) -> str | None:
    """Return the first word that is no option and no option's value."""
    words = iter(arguments)
    for word in words:
        if word == "--config":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


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
