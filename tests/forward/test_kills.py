"""Killed at any moment, nothing is uploaded twice, and nothing is confirmed twice."""

import os
import random
import shutil
import signal
import sqlite3
import threading
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

from recorder_sync.forward_service import ForwardService
from tests.forward.conftest import Forwarded
from tests.ingest.aftermath import until


def _serve(config: Path, journal: Path) -> None:
    with journal.open("ab") as log:
        os.dup2(log.fileno(), 2)
        ForwardService(config).run()


def _inodes(root: Path) -> dict[str, int]:
    return {
        str(path.relative_to(root)): path.stat().st_ino
        for path in root.rglob("*")
        if path.is_file() and ".incoming" not in path.parts
    }


def test_promise_3_killed_at_any_moment_nothing_is_uploaded_or_confirmed_twice(
    forwarded: Forwarded, rounds: int
) -> None:
    """The service is forked off, as a start of Python would take most of the time."""
    bed, count = forwarded, max(8, rounds // 2)
    rate = {"limit_mb_s": count * 0.4 / rounds}
    bed.set_up("parallel = 4", forward=rate)
    sealed = bed.seal(count, size=100_000)
    bed.bind()
    fork, seen = get_context("fork"), _inodes(bed.nas)
    for number in range(rounds):
        journal = bed.dock.state.parent / f"journal-k{number:03d}"
        process = fork.Process(target=_serve, args=(bed.dock.config, journal))
        process.start()
        threading.Event().wait(random.uniform(0.0, 0.5))  # the attack: any moment
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        found = _inodes(bed.nas)
        assert {key: found[key] for key in seen} == seen, "what was there was written anew"
        seen = found
    with bed.dock.config.open("r+", encoding="utf-8") as file:
        text = file.read().replace(f"limit_mb_s = {rate['limit_mb_s']}", "")
        file.seek(0)
        file.write(text)
        file.truncate()
    bed.start()
    bed.until_confirmed(count)
    until(lambda: bed.rows("select count(*) from uploads") == [(0,)], "an empty queue")
    bed.end()
    found = _inodes(bed.nas)
    assert {key: found[key] for key in seen} == seen
    subjects = [entry["subject"] for entry in bed.entries("confirmed")]
    assert sorted(subjects) == sorted(one["id"] for one in sealed), "each is confirmed once"
    objects = bed.objects()
    assert len(objects) == 2 * count
    for one in sealed:
        (key,) = [key for key in objects if one["id"] in key and not key.endswith(".json")]
        assert objects[key] == (bed.dock.evidence / one["path"]).read_bytes()
    incoming = bed.nas / ".incoming"
    assert not incoming.is_dir() or not list(incoming.iterdir()), "no partial file is left"


def test_killed_between_log_and_catalogue_it_is_confirmed_once(forwarded: Forwarded) -> None:
    bed = forwarded
    bed.set_up()
    bed.bind()
    bed.seal(2)
    catalogue = bed.dock.state / "catalogue.db"
    before = bed.dock.state.parent / "before.db"
    with closing(sqlite3.connect(catalogue)) as db, closing(sqlite3.connect(before)) as copy:
        db.backup(copy)
    bed.start()
    bed.until_confirmed(2)
    bed.stop()
    for file in bed.dock.state.glob("catalogue.db*"):
        file.unlink()
    shutil.copyfile(before, catalogue)  # as it was before the log had the confirmations
    bed.start()
    bed.until_confirmed(2)
    assert len(bed.entries("confirmed")) == 2
