"""A case and a written record of it, and the real command that hands it in."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from recorder_sync.custody.log import Act, Entry
from tests.conftest import Dock, Done

CASE = "冀石执〔2026〕17号"
TITLE = "行政处罚决定书"
NUMBER = "冀石执罚〔2026〕17号"
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40 + b"\n%%EOF\n"

_KILLED = """
import importlib, os, signal, sys
sys.path.insert(0, {root!r})
from tests.on_the_day import shift_the_clock
shift_the_clock()
where, name, when = {step!r}
module, _, owner = where.partition(":")
holder = importlib.import_module(module)
holder = getattr(holder, owner) if owner else holder
real = getattr(holder, name)
def dies(*given, **named):
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    real(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(holder, name, dies)
from recorder_sync.__main__ import main
main()
"""


def begun(dock: Dock) -> Dock:
    """Return a station with a case, whose files can be removed again."""
    dock.configure(ingest={"immutable": False})
    done = dock.run("cases", "add", CASE, "--party", "某某餐饮有限公司", "--cause", "占道经营")
    assert done.code == 0, done.err
    return dock


def paper(folder: Path, content: bytes = PDF, name: str = "决定书.pdf") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def add(dock: Dock, file: Path | bytes, *options: str, case: str = CASE) -> Done:
    given = dict(zip(options[::2], options[1::2], strict=True))
    wanted = {"--title": TITLE, "--kind": "issued document", **given}
    words = [word for pair in wanted.items() for word in pair]
    return dock.run("cases", "documents", "add", case, file, *words, "--json")


def listed(dock: Dock, case: str = CASE) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dock.run("cases", "documents", "list", case, "--json").json[
        "documents"
    ]
    return found


def killed(dock: Dock, file: Path, step: tuple[str, str, str]) -> None:
    """Hand a document in by the real command, which dies at a step of the sealing."""
    words = ("--title", TITLE, "--kind", "issued document", "--by", "王队")
    dies_at(dock, step, "cases", "documents", "add", CASE, str(file), *words)


def dies_at(dock: Dock, step: tuple[str, str, str], *words: str) -> None:
    """Run the real command, which kills itself before or after a step."""
    script = _KILLED.format(root=str(Path(__file__).parents[2]), step=step)
    command = [sys.executable, "-c", script, "--config", str(dock.config), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr


def entries(dock: Dock, *acts: Act) -> list[Entry]:
    station = dock.station()
    try:
        return [one for one in station.custody.entries() if one.deed.act in acts]
    finally:
        station.catalogue.close()


def left_in_incoming(dock: Dock) -> list[str]:
    incoming = dock.evidence / ".incoming"
    return [path.name for path in incoming.iterdir() if path.name != "sealing.lock"]


def description(dock: Dock, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((dock.evidence / f"{path}.json").read_text("utf-8"))
    return found
