"""How long does the console take for a page, at a million recordings?

Makes a catalogue as `catalogue_search.py` does, with everything else that a busy station has
(`made_duties.py`), and serves it by the real `recorder-sync web`. Each page is asked for several
times by somebody who is signed in, over one connection; what is timed is from the request to the
last byte. The first time of all is shown beside them: what a page reads once, or has to read from
the disk, is in it. Then the memory of the service's process is printed.
Exits 1 when a median is above --limit milliseconds, or the memory above --memory MiB.

Not to be concluded: how long a browser draws, what other hardware takes, and how long a page
takes while a card is being taken in.
"""

import argparse
import json
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import psutil
from made_catalogue import make_catalogue
from made_duties import STORE, make_duties
from measured_process import environment
from rich.console import Console

from recorder_sync.catalogue.database import FILE_NAME
from recorder_sync.catalogue.day_figures import Basis
from recorder_sync.rules.watch_limits import USUAL
from recorder_sync.timestamps import moment

PASSWORD = "correct horse battery"
ZONE = "Asia/Shanghai"

KEEPER, LEADER, INSPECTOR, ADMINISTRATOR = (
    "custodian",
    "team leader",
    "inspector",
    "administrator",
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is timed. {recording}, {case}, {device}, {docking}, {alert}, {gap} are one of
    each, {week} is a day two weeks before the newest recording, {year} and {years} are the days
    one and three years before it, {today} its own, {account} and {officer} one of each."""

    name: str
    address: str
    role: str = KEEPER


def _pages(group: str, role: str = KEEPER, **addresses: str) -> list[Page]:
    return [
        Page(f"{group}: {name.replace('_', ' ')}" if name != "page" else group, address, role)
        for name, address in addresses.items()
    ]


PAGES: list[Page] = [
    *_pages("overview", page="/", what_renews_itself="/overview/now"),
    Page("overview of a team leader", "/", LEADER),
    *_pages("dock screen", page="/dock", what_renews_itself="/dock/now"),
    *_pages(
        "recordings",
        page="/recordings",
        sheet="/recordings?view=sheet",
        of_a_device="/recordings?device=ZFY-0007",
        late="/recordings?stored=late",
        of_a_stage="/recordings?stage=investigation",
        important="/recordings?important=yes",
        one_character="/recordings?q=李",
        a_common_character="/recordings?q=石",
        cause_and_device="/recordings?q=无照经营 ZFY-0007",
        of_a_case="/recordings?case={case}",
        of_two_weeks="/recordings?since={week}",
        one="/recordings/{recording}",
        pictures_being_made="/recordings-being-made?thumbnails={recording}",
    ),
    Page("recordings of a team leader", "/recordings", LEADER),
    Page("recordings of a team leader: one character", "/recordings?q=李", LEADER),
    *_pages(
        "cases",
        page="/cases",
        closed="/cases?state=closed",
        to_be_archived="/cases?state=to be archived",
        one_character="/cases?q=李",
        one="/cases/{case}",
    ),
    Page("cases of a team leader", "/cases", LEADER),
    *_pages(
        "statistics",
        page="/statistics",
        a_quarter="/statistics?first={quarter}&last={today}",
        a_year="/statistics?first={year}&last={today}",
        three_years="/statistics?first={years}&last={today}",
        three_years_of_a_unit="/statistics?first={years}&last={today}&unit=3中队",
        three_years_as_a_table="/statistics/table.csv?table=devices&first={years}&last={today}",
        a_year_as_a_sheet="/statistics/tables.xlsx?first={year}&last={today}",
    ),
    Page("statistics of a team leader: a year", "/statistics?first={year}&last={today}", LEADER),
    *_pages(
        "devices",
        page="/devices",
        one="/devices/{device}",
        one_is_issued="/device-issue?number={device}",
        labels="/device-labels",
        handover="/device-handover?number={device}",
    ),
    *_pages("dockings", page="/dockings", of_a_device="/dockings?device={device}"),
    *_pages("dockings", one="/dockings/{docking}", held="/dockings?state=held"),
    *_pages("calendar", page="/calendar", of_a_week_ago="/calendar?on={week}"),
    *_pages("alerts", page="/alerts", resolved="/alerts?state=resolved", one="/alerts/{alert}"),
    *_pages("deadlines", page="/deadlines"),
    *_pages("deferrals", page="/deferrals"),
    *_pages("gaps", page="/gaps", of_a_week_ago="/gaps?until={week}", one="/gaps/{gap}"),
    *_pages("gaps", all_of_a_week_ago="/gaps?until={week}&all=true"),
    Page("gaps of a team leader", "/gaps?until={week}", LEADER),
    *_pages("stores", page="/stores", what_renews_itself="/stores/now"),
    *_pages("verification", page="/verification", what_renews_itself="/verification/now"),
    *_pages("custody log", page="/custody", of_one_recording="/custody?subject={recording}"),
    *_pages("accounts", ADMINISTRATOR, page="/accounts", one="/accounts/{account}"),
    *_pages("officers", ADMINISTRATOR, page="/officers", one="/officers/{officer}"),
    *_pages("programs", ADMINISTRATOR, page="/programs"),
    *_pages(
        "audit trail",
        INSPECTOR,
        page="/audit",
        looks="/audit?what=looks",
        corrections="/audit?what=corrections",
        of_a_person="/audit?who=person7",
        exports_of_a_person="/audit?who=person7&what=exports",
        about_a_recording="/audit?about={recording}",
        sign_ins="/audit?what=sign-in",
    ),
    *_pages("settings", ADMINISTRATOR, page="/settings"),
    *_pages("about", page="/about"),
    *_pages("my account", page="/my-account"),
]
"""Every page of the console; what only saves something is not there."""

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
        f'[[stores]]\nname = "{STORE}"\n[stores.directory]\npath = "{folder}/store"\n'
    )
    (folder / "store").mkdir(exist_ok=True)
    (folder / "evidence" / ".incoming").mkdir(parents=True, exist_ok=True)
    program = [str(Path(sys.executable).with_name("recorder-sync")), "--config", str(config)]
    subprocess.run([*program, "custody", "checkpoint"], env=environment(), check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
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


def signed_in(folder: Path, address: str, role: str) -> httpx.Client:
    """Return a client with a role who is cleared for everything but what is a state's secret."""
    program = [str(Path(sys.executable).with_name("recorder-sync"))]
    command = [*program, "--config", str(folder / "config.toml"), "accounts", "add"]
    unit = ["--unit", "3中队"] if role == LEADER else []
    made = subprocess.run(
        [*command, f"somebody-{time.time_ns()}", "--role", role, *unit, "--json"],
        check=True,
        capture_output=True,
        env=environment(),
    )
    token = json.loads(made.stdout)["link"].partition("/invitation/")[2]
    client = httpx.Client(base_url=address, timeout=60)
    answer = client.post(f"/invitation/{token}", data={"password": PASSWORD, "again": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client


def places(folder: Path) -> dict[str, str]:
    """Return what stands for the names in the addresses of pages."""
    db = sqlite3.connect(f"file:{folder / FILE_NAME}?mode=ro", uri=True)

    def one(query: str) -> str:
        return str(db.execute(query).fetchone()[0])

    last = moment(one("select max(started_at) from dockings")).date()
    found = {
        "recording": one("select id from recordings order by number desc limit 1"),
        "case": one("select case_no from recordings where case_no is not null and number <"
                    " (select number from recordings order by number desc limit 1 offset 50000)"
                    " order by number desc limit 1"),
        "device": one("select device from dockings order by started_at desc limit 1"),
        "docking": one("select id from dockings order by started_at desc limit 1"),
        "alert": one("select max(number) from alerts"),
        "officer": one("select min(cert_no) from officers"),
        "account": "person7",
        "today": str(last),
        "week": str(last - timedelta(days=14)),
        "quarter": str(last - timedelta(days=91)),
        "year": str(last - timedelta(days=364)),
        "years": str(last - timedelta(days=3 * 365 - 1)),
    }  # fmt: skip
    db.close()
    return found


@dataclass(frozen=True, slots=True)
class Timed:
    """Milliseconds."""

    page: Page
    size: int
    first: float
    taken: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.taken)


def time_pages(folder: Path, address: str, pages: Sequence[Page], rounds: int) -> Iterator[Timed]:
    """Time every page, so many times and once before."""
    clients = {
        role: signed_in(folder, address, role) for role in {KEEPER, *(p.role for p in pages)}
    }
    stand_for = places(folder)
    gaps = clients[KEEPER].get(f"/gaps?until={stand_for['week']}&all=true").text
    (stand_for["gap"],) = re.findall(r'href="/gaps/([2-7a-z]{13})"', gaps)[:1]
    for one in pages:
        path = one.address.format(**stand_for)
        taken, size = [], 0
        for _ in range(rounds + 1):
            begin = time.perf_counter()
            answer = clients[one.role].get(path)
            taken.append((time.perf_counter() - begin) * 1000)
            if answer.status_code != 200:
                raise SystemExit(f"{one.name}: {answer.status_code}, see web.log: {path}")
            size = len(answer.content)
        yield Timed(one, size, taken[0], taken[1:])
    for client in clients.values():
        client.close()


def show(one: Timed, limit_ms: float) -> None:
    screen.print(
        f"{one.page.name:<46}{one.size / 1024:>6.0f}{one.first:>9.0f}{one.median:>8.0f}"
        f"{max(one.taken):>8.0f}",
        style="bold red" if one.median > limit_ms else None,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recordings", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--limit", type=float, default=100.0, help="milliseconds, median")
    parser.add_argument("--memory", type=float, default=150.0, help="MiB of the service")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a real disk")
    parser.add_argument("--trail", type=int, default=1_000_000, help="rows of the audit trail")
    parser.add_argument("--only", default="", help="pages with this in their name")
    parser.add_argument("--use", type=Path, help="folder of a catalogue that was kept")
    parser.add_argument("--make", action="store_true", help="make it in that folder, and stop")
    given = parser.parse_args()
    folder = given.use or Path(tempfile.mkdtemp(prefix="recorder-sync-bench-", dir=given.folder))
    pages = [one for one in PAGES if given.only in one.name]
    try:
        if given.use is None or given.make:
            end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
            make_catalogue(folder / FILE_NAME, given.recordings, end)
            make_duties(folder, Basis(ZoneInfo(ZONE), USUAL), given.trail)
        if given.make:
            return 0
        with served(folder) as (address, process):
            screen.print(f"{'page':<46}{'KiB':>6}{'first ms':>9}{'median':>8}{'most':>8}")
            found = []
            for one in time_pages(folder, address, pages, given.rounds):
                show(one, given.limit)
                found.append(one)
            memory = process.memory_info().rss / (1 << 20)
            screen.print(f"\nmemory of the service: {memory:.0f} MiB")
    finally:
        if given.use is None:
            shutil.rmtree(folder)
    within = all(one.median <= given.limit for one in found)
    return 0 if within and memory <= given.memory else 1


if __name__ == "__main__":
    sys.exit(main())
