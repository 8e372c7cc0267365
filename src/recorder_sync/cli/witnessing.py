"""`recorder-sync custody witness`, `request`, `cosigned`: one machine vouches for another's log."""

import os
import threading
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from recorder_sync.cli.given_files import (
    document_of,
    key_or_text,
    lines_of_file,
    text_of_file,
    verifier_in,
    witness_key_in,
)
from recorder_sync.cli.new_file import refuse_place, write_new
from recorder_sync.cli.screen import facts, messages
from recorder_sync.cli.session import on_stop_signals, settings_of, station_of
from recorder_sync.config import Configuration
from recorder_sync.custody.checkpoint import Verifier
from recorder_sync.custody.checkpoints import Checkpoints, Signed
from recorder_sync.custody.cosignature import WitnessKey, cosignatures, text_of
from recorder_sync.custody.elsewhere import NoteElsewhere
from recorder_sync.custody.notes import notes_in_lines, origin_of
from recorder_sync.custody.witness import LARGEST_REQUEST, Answer, Refused
from recorder_sync.errors import CustodyProblem, MissingPart, UsageProblem, os_reason
from recorder_sync.journal import Log, log_to_the_journal
from recorder_sync.language import T, Text, tr
from recorder_sync.notify import Notify
from recorder_sync.owner import work_as_owner_of
from recorder_sync.station import now
from recorder_sync.witnessing.making import checkpoints_of, make_checkpoint
from recorder_sync.witnessing.witness_client import request_for
from recorder_sync.witnessing.witness_folder import WitnessFolder
from recorder_sync.witnessing.witness_server import WitnessServer
from recorder_sync.witnessing.witnessed import Witnessed

_BEAT_S = 1.0
_log = Log()


def witness(
    context: typer.Context,
    request: Annotated[
        str | None, typer.Argument(metavar="FILE", help=tr("A station's request; - reads it."))
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help=tr("Folder of the witness; otherwise <state>/witness.")),
    ] = None,
    trust: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY|FILE",
            help=tr(
                "Cosign for the station with this verifier key; or for the key that a consistency "
                "file leads to."
            ),
        ),
    ] = None,
    distrust: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY|FILE", help=tr("Cosign nothing any more that only this key has signed.")
        ),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS:PORT", help=tr("Answer over HTTP until stopped.")),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help=tr("Name of the witness, when its key is made; otherwise the computer's.")
        ),
    ] = None,
    new: Annotated[
        bool,
        typer.Option("--new", help=tr("Begin a witness in --folder where there is none.")),
    ] = False,
) -> None:
    is_new = new or folder is None
    folder = folder or settings_of(context).paths.state / "witness"
    stations = [_offered(given) for given in trust or ()]
    given_up = [_only_key(given) for given in distrust or ()]
    address = _address(listen) if listen else None
    work_as_owner_of(folder)
    office = WitnessFolder(folder, now)
    key = office.prepare(name or os.uname().nodename, new=is_new)
    for station in stations:
        if isinstance(station, Verifier):
            office.trust(station)
        else:
            office.follow(station)
    for verifier in given_up:
        office.distrust(verifier)
    if request is not None:
        typer.echo(_cosigned(office, text_of_file(request, LARGEST_REQUEST)), nl=False)
    elif address is not None:
        _serve(office, address)
    else:
        typer.echo(str(key))  # whole, in one line, to be handed out
        seen = {station.name: office.seen(station.name) for station in office.trusted()}
        facts([(origin, 0 if last is None else last.size) for origin, last in seen.items()])


def request(
    context: typer.Context,
    since: Annotated[
        int | None,
        typer.Option(min=0, help=tr("Entries that the witness has seen; otherwise as known here.")),
    ] = None,
    witness: Annotated[
        str | None, typer.Option(help=tr("Name of the witness in the configuration."))
    ] = None,
    to: Annotated[Path | None, typer.Option(help=tr("File to write; otherwise printed."))] = None,
) -> None:
    with station_of(context) as station:
        settings = station.settings
        if to is not None:
            refuse_place(to, settings)
        checkpoints = checkpoints_of(settings)
        signed = signed_now(settings, checkpoints)
        if since is None:
            witnessed = Witnessed(settings.paths.state / "custody")
            keys = _keys(settings, witness)
            since = max((witnessed.newest_cosigned(key) for key in keys), default=0)
        if since > signed.checkpoint.size:
            raise UsageProblem(
                T("The custody log has {size} entries.", size=signed.checkpoint.size),
                T("A witness that has seen more has seen another log: keep everything as it is."),
            )
        body = request_for(signed, since, checkpoints).body
    if to is None:
        typer.echo(body, nl=False)
        return
    write_new(to, body)
    messages.print(T("The request is in {path}.", path=to).shown, markup=False)


def cosigned(
    context: typer.Context,
    answer: Annotated[str, typer.Argument(metavar="FILE", help=tr("The answer; - reads it."))],
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY|FILE",
            help=tr("Verifier key of a witness that the configuration does not name."),
        ),
    ] = None,
) -> None:
    with station_of(context) as station:
        settings = station.settings
        keys = _keys(settings, None) if key is None else [witness_key_in(key_or_text(key), key)]
        lines = [
            line
            for line in text_of_file(answer, LARGEST_REQUEST).splitlines()
            if line.startswith("— ")
        ]
        signed, found = _matched(checkpoints_of(settings), lines, keys)
        Witnessed(settings.paths.state / "custody").add(signed, found)
        text = T(
            "{count} cosignature(s) of a checkpoint with {size} entries are kept.",
            count=len(found),
            size=signed.checkpoint.size,
        )
        messages.print(escape(text.shown))


def signed_now(settings: Configuration, checkpoints: Checkpoints) -> Signed:
    """Make a checkpoint and say where it could not be kept."""
    made = make_checkpoint(settings, checkpoints)
    for trouble in made.troubles:
        messages.print(f"[bold yellow]![/] {escape(trouble.text.shown)}")
        messages.print(f"  → {escape(trouble.hint.shown)}")
    return made.signed


def notes_of_file(path: Path, settings: Configuration) -> list[NoteElsewhere]:
    """Return the checkpoints of this station's log in a file. Raises UsageProblem for none."""
    origin = f"recorder-sync/{settings.station.id}"
    found = [
        NoteElsewhere(str(path), note)
        for note in notes_in_lines(lines_of_file(path))
        if origin_of(note) == origin
    ]
    if not found:
        raise UsageProblem(
            T("{path} holds no checkpoint of {log}.", path=path, log=origin),
            T("Give the file from the stick, or the message as it was received."),
        )
    return found


def _matched(
    checkpoints: Checkpoints, lines: list[str], keys: list[WitnessKey]
) -> tuple[Signed, list[str]]:
    """Return the newest checkpoint that these lines cosign, and those that do.

    A cosignature does not say of what it is, so each is tried.
    """
    for signed in checkpoints.kept():
        text = text_of(signed.note)
        found = []
        for line in lines:
            try:
                found += [one.line for one in cosignatures(text, [line], keys)]
            except ValueError:  # of another checkpoint, or of none: told below
                continue
        if found:
            return signed, found
    raise CustodyProblem(
        T("The answer cosigns no checkpoint of this station with a key that is known here."),
        T("Name the witness in the configuration, or give its verifier key with --key."),
    )


def _cosigned(office: WitnessFolder, body: str) -> str:
    try:
        return office.cosign(body)
    except Refused as refused:
        if refused.answer is Answer.CONFLICT and refused.size is not None:
            hint = T(
                "On the station run: recorder-sync custody request --since {size}. When that is "
                "refused too, its log is not the one that was seen here: keep both as they are.",
                size=refused.size,
            )
        else:
            hint = _HINTS[refused.answer]
        raise CustodyProblem(refused.text, hint) from refused


_TRUST = T("Trust its verifier key first: recorder-sync custody witness --trust KEY")

_HINTS: dict[Answer, Text] = {
    Answer.RUBBISH: T("Make one on the station: recorder-sync custody request --to FILE"),
    Answer.UNKNOWN_LOG: _TRUST,
    Answer.UNKNOWN_KEY: _TRUST,
    Answer.INCONSISTENT: T(
        "Do not trust this log any more before it is explained; keep this request."
    ),
}


def _serve(office: WitnessFolder, address: tuple[str, int]) -> None:
    log_to_the_journal()
    try:
        server = WitnessServer(address, office)
    except OSError as error:
        raise MissingPart(
            T(
                "{address} cannot be listened to: {why}.",
                address="{}:{}".format(*address),
                why=os_reason(error),
            ),
            T("Give an address of this computer and a free port."),
        ) from error
    stop, notify = threading.Event(), Notify()
    serving = threading.Thread(target=server.serve_forever, name="http", daemon=True)
    with server, on_stop_signals(stop.set) as received:
        serving.start()
        notify.ready("listening")
        _log.info("listening", port=server.server_address[1])
        while not stop.wait(_BEAT_S):
            notify.alive()
        notify.stopping()
        server.shutdown()
    raise typer.Exit(128 + received[0])


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise UsageProblem(
            T("{text} is no address and port.", text=text), T("Write 0.0.0.0:8413 or [::]:8413.")
        )
    return host, int(port)


def _keys(settings: Configuration, name: str | None) -> list[WitnessKey]:
    """Return the keys of the witnesses in the configuration, or of one."""
    servers = [one for one in settings.witness.servers if name in (None, one.name)]
    if name is not None and not servers:
        raise UsageProblem(
            T("The configuration names no witness {name}.", name=name),
            T("Look at [[witness.servers]] in the configuration."),
        )
    return [WitnessKey.parse(one.key) for one in servers]


def _offered(given: str) -> Verifier | dict[str, Any]:
    """Return a key, or the file that leads to one. Raises UsageProblem or MissingPart."""
    text = key_or_text(given)
    return document_of(text, given) if text.lstrip().startswith("{") else verifier_in(text, given)


def _only_key(given: str) -> Verifier:
    """Return a key; not one of several in a file, since it might be the wrong one."""
    text = key_or_text(given)
    if len(text.split()) > 1:
        raise UsageProblem(
            T("{path} has several keys.", path=given),
            T("Give the line of the one that was given up."),
        )
    return verifier_in(text, given)
