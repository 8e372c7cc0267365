"""`recorder-sync config`: every problem at once, and what is in force."""

from typing import Annotated

import tomli_w
import typer
from rich.markup import escape

from recorder_sync.cli.options import Options
from recorder_sync.cli.screen import answers, messages, print_json
from recorder_sync.cli.session import settings_of
from recorder_sync.config import path_in_use
from recorder_sync.language import T, tr
from recorder_sync.media import ffprobe

app = typer.Typer()

_Json = Annotated[bool, typer.Option("--json", help=tr("Print JSON."))]


@app.command("check", help=tr("Name every problem with its key, value and what is allowed."))
def check(context: typer.Context, json: _Json = False) -> None:
    settings = settings_of(context)
    program = ffprobe.find_ffprobe(settings.media)
    version = ffprobe.version_of(program)
    notice = ffprobe.notice_of(settings.media)
    options = context.find_object(Options)
    path = path_in_use(options.config if options else None)
    if json:
        about = {"path": program, "version": version}
        notices = [notice.text.english] if notice else []
        print_json({"path": str(path), "problems": [], "ffprobe": about, "notices": notices})
    else:
        answers.print(T("{path}: no problem found.", path=path).shown, markup=False)
    if notice:
        messages.print(f"[bold yellow]![/] {escape(notice.text.shown)}")
        messages.print(f"  → {escape(notice.hint.shown)}")


@app.command("show", help=tr("Every setting in force, defaults included, as TOML."))
def show(context: typer.Context, json: _Json = False) -> None:
    values = settings_of(context).model_dump(mode="json", exclude_none=True)
    if json:
        print_json(values)
    else:
        answers.print(tomli_w.dumps(values), markup=False, soft_wrap=True)
