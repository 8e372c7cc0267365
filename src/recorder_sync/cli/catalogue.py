"""`recorder-sync catalogue`: is the index sound, make it anew, copy it, put a copy back."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from recorder_sync.backups import Backups
from recorder_sync.catalogue.database import FILE_NAME, check_catalogue
from recorder_sync.catalogue.rebuild import Rebuilt
from recorder_sync.catalogue.rebuild import rebuild as rebuild_catalogue
from recorder_sync.catalogue.restore import restore as restore_catalogue
from recorder_sync.cli.screen import answers, print_json
from recorder_sync.cli.session import settings_of, station_of
from recorder_sync.config import Configuration
from recorder_sync.custody.log import Act, CustodyLog, Deed
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T, tr
from recorder_sync.owner import work_as_owner_of
from recorder_sync.shown import amount
from recorder_sync.station import acting_user, evidence_and_custody, now

app = typer.Typer()

_Json = Annotated[bool, typer.Option("--json", help=tr("Print JSON."))]


@app.command("check", help=tr("Check the database's own integrity and its references."))
def check(context: typer.Context, json: _Json = False) -> None:
    with station_of(context) as station:
        problems = check_catalogue(station.catalogue)
        path = station.settings.paths.state / FILE_NAME
        if json:
            print_json({"path": str(path), "problems": problems})
        elif problems:
            for problem in problems:
                answers.print(f"✘ {problem}", markup=False)
            answers.print(tr("Run: recorder-sync catalogue rebuild"), markup=False)
        else:
            answers.print(T("{path}: sound.", path=path).shown, markup=False)
    if problems:
        raise typer.Exit(1)


@app.command("rebuild", help=tr("Make it anew from the custody log; the old file is kept."))
def rebuild(
    context: typer.Context,
    from_store: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=tr("Bring the custody log back from this store first.")),
    ] = None,
    with_recordings: Annotated[
        bool,
        typer.Option("--with-recordings", help=tr("Fetch recordings and documents from it too.")),
    ] = False,
    verifier: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|KEY", help=tr("The verifier key that the station handed out, or a file.")
        ),
    ] = None,
    json: _Json = False,
) -> None:
    if from_store is not None:
        from recorder_sync.cli.from_store import rebuild_from_store

        rebuild_from_store(
            settings_of(context), from_store, verifier, with_recordings=with_recordings, json=json
        )
        return
    if with_recordings or verifier is not None:
        raise UsageProblem(
            T("--with-recordings and --verifier say how to use a store."),
            T("Give --from-store NAME, or leave them out."),
        )
    result, _ = _replaced(
        settings_of(context),
        lambda state, custody: (rebuild_catalogue(state, custody, now()), 0),
        {},
    )
    if json:
        print_json(_facts(result))
        return
    _tell(result)


@app.command("backup", help=tr("Copy it, whoever writes to it meanwhile; and the custody log."))
def backup(
    context: typer.Context,
    to: Annotated[
        Path | None, typer.Option(help=tr("Copy the catalogue alone into this new file."))
    ] = None,
    json: _Json = False,
) -> None:
    with station_of(context) as station:
        backups = Backups(station)
        if to is None:
            to = backups.make()
            size = to.stat().st_size
        else:
            size = backups.make_file(to)
    if json:
        print_json({"catalogue": str(to), "bytes": size})
        return
    answers.print(
        T("Copied and checked: {path}, {size}.", path=to, size=amount(size)).shown, markup=False
    )


@app.command("restore", help=tr("Put a backup back, brought up to the custody log."))
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=tr("The backup."))],
    json: _Json = False,
) -> None:
    backup = file.resolve()
    result, since = _replaced(
        settings_of(context),
        lambda state, custody: restore_catalogue(state, custody, backup, now()),
        {"from": str(backup)},
    )
    if json:
        print_json({**_facts(result), "sealed_since": since})
        return
    _tell(result)
    answers.print(
        T(
            "{count} recording(s) were sealed after that backup, and are in it now.", count=since
        ).shown
    )


def _replaced(
    settings: Configuration,
    make: Callable[[Path, CustodyLog], tuple[Rebuilt, int]],
    facts: dict[str, object],
) -> tuple[Rebuilt, int]:
    """Have another catalogue made and put it on record, as the station's owner."""
    actor = acting_user()
    work_as_owner_of(settings.paths.state)
    evidence, custody = evidence_and_custody(settings)
    evidence.prepare(in_use=custody.is_begun())
    with evidence.sealing_turn():
        result, since = make(settings.paths.state, custody)
        told = {"recordings": result.recordings, "dockings": result.dockings, **facts}
        custody.append([Deed(Act.CATALOGUE_REBUILT, FILE_NAME, actor, now(), told)])
    return result, since


def _facts(result: Rebuilt) -> dict[str, object]:
    return {
        "recordings": result.recordings,
        "dockings": result.dockings,
        "kept": str(result.kept) if result.kept else None,
    }


def _tell(result: Rebuilt) -> None:
    answers.print(
        T(
            "Rebuilt: {recordings} recording(s), {dockings} docking(s).",
            recordings=result.recordings,
            dockings=result.dockings,
        ).shown
    )
    if result.kept:
        answers.print(T("The old file is kept as {path}.", path=result.kept).shown, markup=False)
