"""How long does the console take for a page, at a million recordings?

Makes a catalogue as `catalogue_search.py` does and serves it by the real `recorder-sync web`, its
custody log empty at the beginning. Each page is asked for several times by somebody who is signed
in, over one connection; what is timed is from the request to the last byte. Then the memory of
the service's process is printed.
Exits 1 when a median is above --limit milliseconds, or the memory above --memory MiB.

Not to be concluded: how long a browser draws, what other hardware takes, and how long a page
takes while a card is being taken in.
"""

import argparse
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import psutil
from made_catalogue import CASES, END, make_catalogue
from measured_process import environment
from rich.console import Console
from rich.table import Table

from recorder_sync.catalogue.database import FILE_NAME

PASSWORD = "correct horse battery"

PAGES: dict[str, str] = {
    "recordings": "/recordings",
    "recordings, sheet": "/recordings?view=sheet",
    "recordings, device": "/recordings?device=ZFY-0007",
    "recordings, late": "/recordings?stored=late",
    "recordings, stage": "/recordings?stage=investigation",
    "recordings, important": "/recordings?important=yes",
    "recordings, free, party": "/recordings?q=李",
    "recordings, free, device and cause": "/recordings?q=无照经营 ZFY-0007",
    "recordings, case": f"/recordings?case=冀石执〔2026〕{CASES // 2:05d}号",
    "recordings, last month": f"/recordings?since={END - timedelta(days=30):%Y-%m-%d}",
    "one recording": "/recordings/{recording}",
    "pictures asked for": "/recordings-being-made?thumbnails={recording}",
}
"""Pages by name; other parts of the console add theirs. {recording} is the newest one's id."""

screen = Console(width=100, highlight=False)


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Serve the station in a folder; yield the address and the process."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    config = folder / "config.toml"
    config.write_text(
        f'[station]\nid = "benchmark"\n[paths]\nstate = "{folder}"\n'
        f'evidence = "{folder}/evidence"\n[web]\nport = {port}\n[previews]\nenabled = false\n'
    )
    (folder / "evidence" / ".incoming").mkdir(parents=True, exist_ok=True)
    program = [str(Path(sys.executable).with_name("recorder-sync")), "--config", str(config)]
    address = f"http://127.0.0.1:{port}"
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen([*program, "web"], env=environment(), stdout=log, stderr=log)
    try:
        for _ in range(300):
            try:
                httpx.get(f"{address}/sign-in")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def signed_in(folder: Path, address: str) -> httpx.Client:
    """Return a client who is a custodian, and cleared for everything."""
    program = [str(Path(sys.executable).with_name("recorder-sync"))]
    command = [*program, "--config", str(folder / "config.toml"), "accounts", "add"]
    made = subprocess.run(
        [*command, f"keeper-{time.time_ns()}", "--role", "custodian", "--json"],
        check=True,
        capture_output=True,
        env=environment(),
    )
    token = json.loads(made.stdout)["link"].partition("/invitation/")[2]
    client = httpx.Client(base_url=address, timeout=60)
    answer = client.post(f"/invitation/{token}", data={"password": PASSWORD, "again": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client


def time_pages(client: httpx.Client, rounds: int, limit_ms: float) -> bool:
    """Time and print every page; tell whether each median is within the limit."""
    first = re.search(r'data-to="/recordings/([2-7a-z]{13})"', client.get("/recordings").text)
    assert first is not None
    drawn = Table("page", "KiB", "median ms", "max ms", box=None)
    for column in drawn.columns[1:]:
        column.justify = "right"
    within = True
    for name, address in PAGES.items():
        taken, size = [], 0
        for _ in range(rounds):
            begin = time.perf_counter()
            answer = client.get(address.replace("{recording}", first[1]))
            taken.append((time.perf_counter() - begin) * 1000)
            assert answer.status_code == 200, (name, answer.status_code, answer.text[:2000])
            size = len(answer.content)
        slow = statistics.median(taken) > limit_ms
        within = within and not slow
        drawn.add_row(
            name,
            f"{size / 1024:.0f}",
            f"{statistics.median(taken):.0f}",
            f"{max(taken):.0f}",
            style="bold red" if slow else None,
        )
    screen.print(drawn)
    return within


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--limit", type=float, default=100.0, help="milliseconds, median")
    parser.add_argument("--memory", type=float, default=150.0, help="MiB of the service")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a real disk")
    parser.add_argument("--use", type=Path, help="folder of a catalogue that was kept")
    given = parser.parse_args()
    folder = given.use or Path(tempfile.mkdtemp(prefix="recorder-sync-bench-", dir=given.folder))
    try:
        if given.use is None:
            make_catalogue(folder / FILE_NAME, given.recordings)
        with served(folder) as (address, process):
            client = signed_in(folder, address)
            within = time_pages(client, given.rounds, given.limit)
            client.close()
            memory = process.memory_info().rss / (1 << 20)
            screen.print(f"\nmemory of the service: {memory:.0f} MiB")
    finally:
        if given.use is None:
            shutil.rmtree(folder)
    return 0 if within and memory <= given.memory else 1


if __name__ == "__main__":
    sys.exit(main())
