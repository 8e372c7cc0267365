"""`recorder-sync alerts channels` and `alerts test`: how messages fare, and whether one goes out.

A test is sent from here, by whoever runs the command, and not by the service: a channel
whose address only the service's environment has cannot be tested so. That it went through is
noted for the service, which then tries at once what waits; that it did not is only said.
"""

import time
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.markup import escape

from recorder_sync.catalogue import messages as queue
from recorder_sync.catalogue.database import transaction
from recorder_sync.channels.delivering import manners, url_of
from recorder_sync.channels.sending import Outcome, Sender
from recorder_sync.channels.settings import Channel
from recorder_sync.channels.wording import RECIPIENTS, trial
from recorder_sync.cli.screen import answers, messages, print_json, table
from recorder_sync.cli.session import station_of
from recorder_sync.cli.typed import Json
from recorder_sync.config import Configuration
from recorder_sync.errors import MissingPart, UsageProblem
from recorder_sync.language import T, Text, tr
from recorder_sync.rules.recipient import Recipient
from recorder_sync.shown import local
from recorder_sync.station import Station
from recorder_sync.timestamps import iso_or_none


def channels(context: typer.Context, json: Json = False) -> None:
    with station_of(context) as station:
        settings = station.settings
        found = [
            (one, queue.channel_state(station.catalogue, one.name), _problem(one))
            for one in settings.alerts.channels
        ]
        untold = _untold(settings)
        if json:
            print_json(
                {
                    "channels": [_json(one, state, why) for one, state, why in found],
                    "told_by_none": [one.value for one in untold],
                }
            )
        elif not found:
            messages.print(tr("No channel is set: alerts are on the screen and in the journal."))
        else:
            zone = settings.station.zone
            table(
                [
                    *(tr("Channel"), tr("Kind"), tr("Tells"), tr("State")),
                    *(tr("Waiting"), tr("Last delivered"), tr("Last error")),
                ],
                (
                    (
                        *(one.name, _kind(one), _tells(one), _state(state, why)),
                        *(state.waiting, local(state.last_delivered_at, zone)),
                        (why or state.last_error or T("—")).shown,
                    )
                    for one, state, why in found
                ),
            )
        if found and untold and not json:
            who = ", ".join(RECIPIENTS[one].shown for one in untold)
            messages.print(escape(T("No channel tells: {who}.", who=who).shown))
    fails = any(state.failing_since or why for _, state, why in found)
    raise typer.Exit(1 if fails else 0)


def try_channels(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CHANNEL]...", help=tr("Channels; by default all.")),
    ] = None,
    json: Json = False,
) -> None:
    with station_of(context) as station:
        chosen = _chosen(station.settings, names or [])
        results = []
        for channel in chosen:
            began = time.monotonic()
            outcome = _try(station, channel)
            results.append((channel, outcome, time.monotonic() - began))
            if not json:
                _say(channel, outcome)
        if json:
            print_json(
                {
                    "channels": [
                        {
                            "name": channel.name,
                            "delivered": outcome.delivered,
                            "why": outcome.why.english if outcome.why else None,
                            "seconds": round(seconds, 3),
                        }
                        for channel, outcome, seconds in results
                    ]
                }
            )
    raise typer.Exit(0 if all(outcome.delivered for _, outcome, _ in results) else 1)


def _chosen(settings: Configuration, names: Sequence[str]) -> list[Channel]:
    known = {one.name: one for one in settings.alerts.channels}
    if not known:
        raise UsageProblem(
            T("The configuration names no channel."),
            T("Add one under [[alerts.channels]]; docs/channels.md has examples."),
        )
    for name in names:
        if name not in known:
            raise UsageProblem(
                T("The configuration names no channel {name}.", name=name),
                T("There are: {names}", names=", ".join(known)),
            )
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())


def _try(station: Station, channel: Channel) -> Outcome:
    settings = station.settings
    try:
        url = url_of(channel)
    except MissingPart as error:
        return Outcome(False, error.text)
    letter = trial(channel.name, station.now(), manners(settings, channel, url))
    sender = Sender()
    try:
        outcome = sender.send(url, letter, settings.alerts.attempt_limit_s, station.now())
    finally:
        sender.close()
    if outcome.delivered:
        with transaction(station.catalogue):
            queue.note_works(station.catalogue, channel.name, station.now())
            queue.hurry(station.catalogue, channel.name, station.now())
    return outcome


def _say(channel: Channel, outcome: Outcome) -> None:
    if outcome.delivered:
        text = T("{name}: taken. Look whether it has arrived.", name=channel.name)
        answers.print(f"[green]✔[/] {escape(text.shown)}", soft_wrap=True)
        return
    why = outcome.why or T("no reason given")
    text = T("{name}: not delivered: {why}", name=channel.name, why=why)
    answers.print(f"[bold red]✘[/] {escape(text.shown)}", soft_wrap=True)


def _problem(channel: Channel) -> Text | None:
    """Return why its address cannot be used from here; of a variable only the service knows."""
    if channel.url_variable is not None:
        return None
    try:
        url_of(channel)
    except MissingPart as error:
        return error.text
    return None


def _untold(settings: Configuration) -> list[Recipient]:
    """Return those who should be told of something, and whom no channel tells."""
    alerts = settings.alerts
    named = {*alerts.first, *alerts.at_limit, *alerts.later, *alerts.digest_to}
    reached = {one for channel in alerts.channels for one in channel.to}
    return [one for one in Recipient if one in named - reached]


def _kind(channel: Channel) -> str | None:
    """Return which service it is; the rest of an address stays where it is."""
    try:
        return urlsplit(url_of(channel)).scheme.lower() or None
    except (MissingPart, ValueError):
        return None


def _tells(channel: Channel) -> str:
    names = ", ".join(RECIPIENTS[one].shown for one in channel.to)
    return f"{names} ({', '.join(channel.officers)})" if channel.officers else names


def _state(state: queue.ChannelState, why: Text | None) -> str:
    if why is not None or state.failing_since is not None:
        return tr("fails")
    return tr("works") if state.last_delivered_at is not None else tr("not used yet")


def _json(channel: Channel, state: queue.ChannelState, why: Text | None) -> dict[str, object]:
    error = why or state.last_error
    return {
        "name": channel.name,
        "kind": _kind(channel),
        "to": [one.value for one in channel.to],
        "officers": list(channel.officers),
        "least": channel.least.value,
        "waiting": state.waiting,
        "failing_since": iso_or_none(state.failing_since),
        "last_delivered_at": iso_or_none(state.last_delivered_at),
        "last_error": error.english if error else None,
    }
