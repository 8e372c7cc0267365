"""`recorder-sync catalogue`: is the index sound, and make it anew."""

from typing import Annotated

import typer

from recorder_sync.catalogue.database import FILE_NAME, check_catalogue
from recorder_sync.catalogue.rebuild import rebuild as rebuild_catalogue
from recorder_sync.cli.screen import answers, print_json
from recorder_sync.cli.session import settings_of, station_of
from recorder_sync.custody.log import Act, Deed
from recorder_sync.language import T, tr
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
def rebuild(context: typer.Context, json: _Json = False) -> None:
    settings = settings_of(context)
    evidence, custody = evidence_and_custody(settings)
    evidence.prepare(in_use=custody.is_begun())
    with evidence.sealing_turn():
        result = rebuild_catalogue(settings.paths.state, custody, now())
        custody.append(
            [
                Deed(
                    Act.CATALOGUE_REBUILT,
                    FILE_NAME,
                    acting_user(),
                    now(),
                    {"recordings": result.recordings, "dockings": result.dockings},
                )
            ]
        )
    if json:
        print_json(
            {
                "recordings": result.recordings,
                "dockings": result.dockings,
                "kept": str(result.kept) if result.kept else None,
            }
        )
        return
    answers.print(
        T(
            "Rebuilt: {recordings} recording(s), {dockings} docking(s).",
            recordings=result.recordings,
            dockings=result.dockings,
        ).shown
    )
    if result.kept:
        answers.print(T("The old file is kept as {path}.", path=result.kept).shown, markup=False)
