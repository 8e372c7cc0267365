"""What many open dock screens cost while sixteen cameras copy, and how soon one is painted.

    python benchmarks/dock_screens.py [--screens N] [--seconds S]

The real web service in a process of its own, the real writer of the live status with sixteen
rows that move four times a second, and N readers of the stream of changes. Processor time is
that of the service's process. The first paint is chromium's own figure for a page that has
just been opened, where chromium is installed.
"""

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import tomli_w

from recorder_sync.dock.board import Board, Progress, Row
from recorder_sync.model import Battery, Health, Storage
from recorder_sync.rules.docking import Stay
from recorder_sync.station import now

_GIB = 1 << 30
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
_WORD = "data:text/html;charset=utf-8,<html lang='zh-CN'><p>执法记录</p>"
_PORTS = [f"1-1.{number}" for number in range(1, 17)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--screens", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = _configure(folder)
        service = subprocess.Popen(
            [sys.executable, "-m", "recorder_sync", "--config", str(folder / "c.toml"), "web"],
            stderr=subprocess.DEVNULL,
        )
        try:
            with Board(folder / "run", "bench", now) as board:
                end = threading.Event()
                mover = threading.Thread(target=_move, args=(board, end))
                mover.start()
                address = f"http://127.0.0.1:{port}"
                _wait_for(address)
                asyncio.run(_measure(address, service.pid, options.screens, options.seconds))
                _paint(address)
                end.set()
                mover.join()
        finally:
            service.terminate()
            service.wait()


def _configure(folder: Path) -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    values = {
        "station": {"id": "bench"},
        "paths": {
            "state": str(folder / "state"),
            "evidence": str(folder / "evidence"),
            "runtime": str(folder / "run"),
        },
        "web": {"port": port, "dock_grid": [_PORTS[n : n + 4] for n in range(0, 16, 4)]},
    }
    (folder / "c.toml").write_text(tomli_w.dumps(values), encoding="utf-8")
    return port


def _move(board: Board, end: threading.Event) -> None:
    for number, port in enumerate(_PORTS):
        health = Health(Battery(80, "made"), Storage(64 * _GIB, 20 * _GIB, 44 * _GIB))
        progress = Progress(140, 3, 0, 32 * _GIB, 0, 0, 31e6)
        row = Row(
            port, f"sd{number}", f"/sys/{port}", now(), Stay.COPYING, f"ZFY-{number:04d}",
            officer=f"{number:06d}", health=health, progress=progress,
        )  # fmt: skip
        board.show(port, row)
    while not end.wait(0.2):
        for port, row in board.rows().items():
            moved = replace(row.progress, copied=row.progress.copied + 6_000_000)
            board.follow(port, Stay.COPYING, moved)


def _wait_for(address: str) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            httpx.get(f"{address}/dock/now", timeout=5).raise_for_status()
            return
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


async def _measure(address: str, pid: int, screens: int, seconds: float) -> None:
    process, counts = psutil.Process(pid), [0] * screens
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=30, limits=limits) as client:
        readers = [
            asyncio.create_task(_read(client, address, counts, number)) for number in range(screens)
        ]
        while not all(counts):
            await asyncio.sleep(0.1)
        before, begun = process.cpu_times(), time.monotonic()
        counts[:] = [0] * screens
        await asyncio.sleep(seconds)
        after, took = process.cpu_times(), time.monotonic() - begun
        for reader in readers:
            reader.cancel()
    used = after.user + after.system - before.user - before.system
    print(f"{screens} screens, 16 cameras copying, {took:.0f} s:")
    print(f"  processor      {100 * used / took:.1f} % of a core")
    print(f"  pushed         {min(counts) / took:.1f} to {max(counts) / took:.1f} times a second")
    print(f"  memory         {process.memory_info().rss / (1 << 20):.0f} MiB")


async def _read(client: httpx.AsyncClient, address: str, counts: list[int], number: int) -> None:
    async with client.stream("GET", f"{address}/dock/stream") as answer:
        async for line in answer.aiter_lines():
            counts[number] += line.startswith("data: {")


def _paint(address: str) -> None:
    program = shutil.which("chromium")
    if program is None:
        print("  first paint    not measured: chromium is not installed")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        rights = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=rights)
        context = browser.new_context(viewport={"width": 1920, "height": 1080})
        page, times, answers = context.new_page(), [], []
        for _ in range(11):
            page.goto(f"{address}/dock")
            while (painted := page.evaluate(_PAINTED)) is None:
                time.sleep(0.05)
            times.append(painted)
            answers.append(
                page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd")
            )
        browser.close()
    print(f"  first paint    {sorted(times)[5]:.0f} ms at the median of eleven,")
    print(f"                 of which {sorted(answers)[5]:.0f} ms until the page was there")
    print(f"  a new browser  {_first_opening(program, rights, f'{address}/dock'):.0f} ms,")
    print(f"                 {_first_opening(program, rights, _WORD):.0f} ms for one Chinese word")


def _first_opening(program: str, rights: list[str], address: str) -> float:
    """Return the first paint of the first page of a new browser: the median of five."""
    from playwright.sync_api import sync_playwright

    times: list[float] = []
    with sync_playwright() as playwright:
        for _ in range(5):
            browser = playwright.chromium.launch(executable_path=program, args=rights)
            page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
            page.goto(address)
            while (painted := page.evaluate(_PAINTED)) is None:
                time.sleep(0.05)
            times.append(painted)
            browser.close()
    return sorted(times)[2]


if __name__ == "__main__":
    main()
