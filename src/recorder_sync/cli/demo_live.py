"""The demo that stays: the whole daemon on a throw-away station, with cameras that come and go."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import tomli_w

from recorder_sync.cli.screen import answers, messages
from recorder_sync.config import load
from recorder_sync.demo.clips import make_clips
from recorder_sync.demo.comings import PORTS, Comings
from recorder_sync.demo.office import PIN, Invitation, furnish
from recorder_sync.demo.simulated_dock import SimulatedDock
from recorder_sync.dock.live_status import read_status
from recorder_sync.language import T, chosen_language, tr
from recorder_sync.service import DockService
from recorder_sync.station import now, open_station

_CARD_BYTES_A_SECOND = 2.5e6
_SERVED_WITHIN_S = 30.0


def live_demo(folder: Path, program: str) -> None:
    """Keep a station in `folder` until a signal ends it.

    `program` is the way to this program that the reader can type. Raises MissingPart where
    ffmpeg is not there.
    """
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    configuration = _configure(folder, port)
    settings = load(configuration)
    with messages.console.status(tr("Making simulated cameras and an office for them …")):
        clips = make_clips(folder / "clips")
        station = open_station(settings)
        try:
            invitations = furnish(station)
        finally:
            station.catalogue.close()
    journal = folder / "journal"

    def show() -> None:
        if (why := _what_keeps_it(settings.paths.runtime)) is None:
            _welcome(address, invitations, f"{program} --config {configuration}")
            _open_browser(f"{address}/dock")
        else:
            _say(T("The pages are not served: {why} Start the demo again.", why=why).shown)
            os.kill(os.getpid(), signal.SIGTERM)

    dock = SimulatedDock(_CARD_BYTES_A_SECOND)
    comings = Comings(dock, folder / "cameras", clips, settings.station.zone, now)
    threads = (
        threading.Thread(target=comings.live, name="comings", daemon=True),
        threading.Thread(target=show, name="welcome", daemon=True),
    )
    with _journal_in(journal):
        for thread in threads:
            thread.start()
        try:
            DockService(configuration, whole=True, ports=dock.ports).run()
        finally:
            comings.end.set()


def _configure(folder: Path, port: int) -> Path:
    half = len(PORTS) // 2
    values = {
        "station": {"id": "demo", "language": chosen_language().value},
        "paths": {
            "state": str(folder / "state"),
            "evidence": str(folder / "evidence"),
            "runtime": str(folder / "run"),
        },
        "ingest": {"reserve_mib": 0},
        "web": {"port": port, "dock_grid": [list(PORTS[:half]), list(PORTS[half:])]},
    }
    path = folder / "config.toml"
    path.write_text(tomli_w.dumps(values), encoding="utf-8")
    return path


def _welcome(address: str, invitations: list[Invitation], command: str) -> None:
    answers.console.rule(tr("The station runs; Ctrl-C ends it, and nothing of it is left"))
    _say(T("Dock screen:  {address}", address=f"{address}/dock").shown)
    _say(T("Console:  {address}", address=f"{address}/").shown)
    answers.print()
    _say(tr("Each link signs one person in, once; choose any password of ten characters:"))
    for one in invitations:  # a link that is broken over two lines cannot be touched
        _say(f"  {tr(one.role.value)}, {one.name}")
        _say(f"    {address}/invitation/{one.token}")
    answers.print()
    _say(T("At the dock, officers give their certificate number and the PIN {pin}.", pin=PIN).shown)
    _say(tr("Follow a clip: My clips on a green tile, its case; then Recordings at the console."))
    _say(T("Commands:  {command}", command=f"{command} status").shown)


def _say(text: str) -> None:
    answers.print(text, markup=False, soft_wrap=True)


def _what_keeps_it(runtime: Path) -> str | None:
    """Wait until the station serves its pages; return what keeps it from that, or None.

    Another program may answer at their port; so the station is asked, and not the port.
    """
    until = time.monotonic() + _SERVED_WITHIN_S
    while time.monotonic() < until:
        status = read_status(runtime)
        web = status and status["web"]
        if web:
            return None if web["address"] else str(web["problem"])
        time.sleep(0.1)
    return T("they did not come within {seconds} s.", seconds=round(_SERVED_WITHIN_S)).shown


def _open_browser(address: str) -> None:
    """Show a page where there is a browser to show it in."""
    has_screen = "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    program = shutil.which("xdg-open")
    if has_screen and program:
        subprocess.run([program, address], check=False, capture_output=True)


@contextlib.contextmanager
def _journal_in(path: Path) -> Iterator[None]:
    """Have the daemon write its journal to a file, and leave the terminal to the person."""
    sys.stderr.flush()
    kept = os.dup(2)
    with path.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port
