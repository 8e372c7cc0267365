"""A station whose evidence is on a disk that fails, and what must be so when it is mended."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blake3 import blake3

from tests.conftest import Card, Dock, Done
from tests.faults.card import HostileCard
from tests.faults.disk import FaultyDisk
from tests.faults.reading import read_direct
from tests.ingest.aftermath import ask, check_done, check_evidence, finish, under_way

Cards = Callable[[Path], HostileCard]


def use(dock: Dock, disk: FaultyDisk, *, state: bool = False) -> None:
    """Keep evidence on this disk, and the state folder too if wanted."""
    dock.evidence = disk.path / "evidence"
    if state:
        dock.state = disk.path / "state"
    dock.configure()


def mount_again(disk: FaultyDisk) -> None:
    """Unmount the disk and mount it: nothing that only memory knew is left."""
    subprocess.run(["umount", disk.path], check=True)
    subprocess.run(["mount", disk.device, disk.path], check=True)


@contextmanager
def held(
    dock: Dock, hostile: HostileCard, name: str, offset: int = 0
) -> Iterator[Callable[[], Done]]:
    """Take a card in and hold it where it reads this byte; what is yielded lets it go on."""
    hang = hostile.hang_at(name, offset)
    with under_way(dock, "ingest", hostile.path, "--json") as child:
        try:
            hang.await_reader()

            def go_on() -> Done:
                hang.release()
                return finish(child)

            yield go_on
        finally:
            hang.release()


def promised(done: Done) -> dict[str, str]:
    """Return path and digest of everything that a run called sealed."""
    found = done.json if done.out else {}
    return {r["path"]: r["blake3"] for r in found.get("recordings", ())}


def check_promised(dock: Dock, promise: dict[str, str]) -> None:
    """What was called sealed is on the medium, with the content it had then."""
    for path, digest in promise.items():
        assert digest_on_medium(dock.evidence / path) == digest


def digest_on_medium(path: Path) -> str:
    size = path.stat().st_size
    return blake3(read_direct(path, -(-size // 4096) * 4096)[:size]).hexdigest()


def check_stopped(done: Done, *words: str) -> None:
    """The run as a whole could not go on: one plain message, and what to do."""
    assert "Traceback" not in done.err, done.err
    assert done.code == 3, done.out + done.err
    assert "→" in done.err
    assert done.json["error"]
    assert done.json["hint"]
    for word in words:
        assert word in done.err


def check_plain(done: Done) -> None:
    """The run failed, as a whole or in some recordings, and says so in plain words."""
    assert "Traceback" not in done.err, done.err
    assert done.code in (1, 3), done.out + done.err
    answer = done.json
    problems = answer.get("failures") or [answer]
    assert all(p["error"] and p["hint"] for p in problems), answer


def check_mended(dock: Dock, card: Card, first: Done, *names: str, earlier: int = 0) -> None:
    """The disk is well again: the next run takes in the rest, and all is sealed once."""
    promise = promised(first)
    check_promised(dock, promise)
    again = dock.ingest(card)
    check_done(again, failed=0)
    assert again.json["sealed"] + again.json["already_sealed"] == len(names)
    check_promised(dock, promise | promised(again))
    check_evidence(dock, *names, earlier=earlier)


def check_mended_on(
    disk: FaultyDisk, dock: Dock, card: Card, first: Done, *names: str, earlier: int = 0
) -> None:
    """The same for a disk of ours; what is looked at in the end is the medium."""
    check_mended(dock, card, first, *names, earlier=earlier)
    mount_again(disk)
    check_evidence(dock, *names, earlier=earlier)
    listed = ask(dock, "recordings", "list", "--json").json["recordings"]
    check_promised(dock, {r["path"]: r["blake3"] for r in listed})


def fill(folder: Path, leave: int = 0) -> Path:
    """Fill a disk up but for some bytes; what takes the room is returned."""
    ballast = folder / "ballast"
    with suppress(OSError), ballast.open("wb") as file:  # it is full, perhaps already
        while (free := _free(folder) - leave) > 0:
            while free > 0:
                free -= file.write(bytes(min(free, 1 << 20)))
                file.flush()
    return ballast


def _free(folder: Path) -> int:
    """The bytes free once nothing waits to be written: what was deleted is free only then."""
    subprocess.run(["sync", "--file-system", folder], check=True)
    return shutil.disk_usage(folder).free
