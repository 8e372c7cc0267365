"""`recorder-sync webhooks`: who is told what happened, and how that stands."""

import typer

from recorder_sync.cli.screen import print_json, table
from recorder_sync.cli.session import settings_of
from recorder_sync.cli.typed import Json
from recorder_sync.language import tr
from recorder_sync.webhooks.place import Standing, standing_of

app = typer.Typer()


@app.command("list", help=tr("Show the webhooks of the configuration, and how far they are told."))
def list_(context: typer.Context, json: Json = False) -> None:
    settings = settings_of(context)
    found = [(hook, standing_of(settings.paths.state, hook.name)) for hook in settings.webhooks]
    if json:
        print_json(
            {
                "webhooks": [
                    {
                        "name": hook.name,
                        "url": hook.url,
                        "events": list(hook.events),
                        "next": standing.next if standing else None,
                        "failing_since": standing.failing_since if standing else None,
                        "why": standing.why if standing else None,
                        "attempts": standing.attempts if standing else 0,
                    }
                    for hook, standing in found
                ]
            }
        )
    else:
        table(
            [tr("Name"), tr("Address"), tr("Next entry"), tr("Standing")],
            (
                (hook.name, hook.url, standing.next if standing else None, _words(standing))
                for hook, standing in found
            ),
        )
    if any(standing and standing.failing_since for _, standing in found):
        raise typer.Exit(1)


def _words(standing: Standing | None) -> str:
    if standing is None:
        return tr("not told anything yet")
    return standing.why or tr("works")
