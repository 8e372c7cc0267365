"""`recorder-sync demo`: the whole way from card to proof, on a throw-away station.

On a terminal it is the whole daemon with its pages, until Ctrl-C (`demo_live.py`), and nothing of
it is left (`demo_keeper.py`); anywhere else, and with --once, three cards are taken in, what became
of them is printed, and the station stays to be looked at.
"""

import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import tomli_w
import typer

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.recordings import sealed_by_id
from recorder_sync.cli.demo_keeper import kept, new_folder, removed
from recorder_sync.cli.demo_live import live_demo
from recorder_sync.cli.ingest import take_in_shown
from recorder_sync.cli.intake_report import show_report
from recorder_sync.cli.screen import answers, messages, table
from recorder_sync.config import PATH_VARIABLE, Configuration, load
from recorder_sync.custody.log import Act
from recorder_sync.demo.cards import make_cards
from recorder_sync.errors import RecorderSyncError
from recorder_sync.ingest.intake import Request
from recorder_sync.ingest.report import Report
from recorder_sync.language import T, chosen_language, tr
from recorder_sync.media.ffprobe import find_ffprobe
from recorder_sync.model import Case, Device, Officer
from recorder_sync.protection import Protection
from recorder_sync.shown import local
from recorder_sync.station import Station, open_station
from recorder_sync.timestamps import iso

_OFFICERS = (
    Officer("000001", "王芳", "综合行政执法队"),
    Officer("000010", "张伟", "综合行政执法队"),
)
_CASE = Case("冀石执〔2026〕17号", "某某餐饮有限公司", "占道经营")


def demo(
    once: Annotated[
        bool,
        typer.Option("--once", help=tr("Take three cards in, say what became of them, and end.")),
    ] = False,
) -> None:
    folder = new_folder()
    if once or not sys.stdout.isatty():
        try:
            _walk_through(folder)
        except BaseException:  # of what went wrong, nothing is worth looking at
            removed(folder)
            raise
        return
    code = kept(folder, lambda: live_demo(folder, _program()), lambda gone: _farewell(folder, gone))
    if code:
        raise typer.Exit(code)


def _farewell(folder: Path, is_gone: bool) -> None:
    if is_gone:
        _say(tr("The demo has ended, and nothing of it is left."))
    else:
        _say_how_to_remove(folder, is_immutable=True)


def _walk_through(folder: Path) -> None:
    settings = _configured(folder)
    find_ffprobe(settings.media)
    station = open_station(settings)
    try:
        _register(station)
        with messages.console.status(tr("Making three simulated cameras …")):
            cards = make_cards(folder, station.now(), settings.station.zone)
        reports = []
        for card in cards:
            messages.print(
                T("── Camera on port {port}: {path}", port=card.port, path=card.path).shown,
                markup=False,
            )
            (report,) = take_in_shown(station, [Request(card.path, port=card.port)], quiet=False)
            if isinstance(report, RecorderSyncError):
                raise report
            show_report(report, station)
            reports.append(report)
        _summary(station, reports)
        _next_steps(station, folder, reports)
    finally:
        station.catalogue.close()


def _configured(folder: Path) -> Configuration:
    path = folder / "config.toml"
    values = {
        "station": {"id": "demo", "language": chosen_language().value},
        "paths": {"state": str(folder / "state"), "evidence": str(folder / "evidence")},
        "ingest": {"reserve_mib": 0},
    }
    path.write_text(tomli_w.dumps(values), encoding="utf-8")
    return load(path)


def _register(station: Station) -> None:
    at = station.now()
    device = Device("ZFY-0031", kind=tr("body camera"), officer="000010", registered_at=at)
    station.custody.append(
        [
            station.deed(
                Act.LEDGER,
                "device:ZFY-0031",
                {"kind": device.kind, "maker": None, "model": None, "officer": device.officer},
            ),
            *(
                station.deed(Act.LEDGER, f"officer:{o.cert_no}", {"name": o.name, "unit": o.unit})
                for o in _OFFICERS
            ),
            station.deed(
                Act.LEDGER, f"case:{_CASE.number}", {"party": _CASE.party, "cause": _CASE.cause}
            ),
        ]
    )
    with transaction(station.catalogue):
        for officer in _OFFICERS:
            ledger.register_officer(station.catalogue, officer, iso(at))
        ledger.register_case(station.catalogue, _CASE, iso(at))
        ledger.register_device(station.catalogue, device)


def _summary(station: Station, reports: list[Report]) -> None:
    zone = station.settings.station.zone
    answers.console.rule(tr("What was sealed, and for whom"))
    by_owner: dict[tuple[str, str], int] = {}
    sealed = [one.id for report in reports for one in report.sealed]
    for recording in sealed_by_id(station.catalogue, sealed):
        officer = recording.tags.officer
        who = recording.officer_name or (officer.value if officer else "—")
        key = (recording.device, who)
        by_owner[key] = by_owner.get(key, 0) + 1
    table(
        [tr("Device"), tr("Officer"), tr("Recordings")],
        ((device, who, count) for (device, who), count in sorted(by_owner.items())),
    )
    late = [one.id for report in reports for one in report.late]
    if late:
        answers.console.rule(tr("Late (Art. 21: within 24 hours)"))
        table(
            [tr("ID"), tr("Officer"), tr("Recorded until"), tr("Deadline"), tr("File")],
            (
                (
                    r.id,
                    r.officer_name,
                    local(r.recorded.end or r.recorded.start, zone),
                    local(r.deadline, zone),
                    r.original_path.name.shown,
                )
                for r in sealed_by_id(station.catalogue, late)
            ),
        )


def _next_steps(station: Station, folder: Path, reports: list[Report]) -> None:
    answers.console.rule(tr("Try next"))
    _say(f"  export {PATH_VARIABLE}={shlex.quote(str(folder / 'config.toml'))}")
    program = shlex.quote(_program())
    newest = reports[0].sealed[0].id
    for command in (
        "recordings list",
        "recordings list --late",
        f"recordings show {newest}",
        "verify --all",
        f"ingest {shlex.quote(str(folder / 'card-1'))}",
        "status",
    ):
        _say(f"  {program} {command}")
    answers.print()
    protection = station.evidence.protection_in_force().protection
    _say_how_to_remove(folder, is_immutable=protection is Protection.IMMUTABLE)


def _say_how_to_remove(folder: Path, *, is_immutable: bool) -> None:
    clean = shlex.join(["rm", "-rf", str(folder)])
    if is_immutable:
        clean = shlex.join(["chattr", "-R", "-i", str(folder)]) + " && " + clean
    _say(T("Remove it all with: {command}", command=clean).shown)


def _say(text: str) -> None:
    """Print a line that can be copied whole."""
    answers.print(text, markup=False, soft_wrap=True)


def _program() -> str:
    """Return the way to this program that the reader can type."""
    here = Path(sys.argv[0])
    if shutil.which(here.name) and Path(shutil.which(here.name) or "").samefile(here):
        return here.name
    try:
        return str(here.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(here)
