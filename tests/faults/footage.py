"""Recordings whose every part is unlike every other, and what was sealed of them."""

import filecmp
import json
import os
from pathlib import Path
from typing import Any

from blake3 import blake3

from tests.conftest import Card, Dock
from tests.ingest.aftermath import ask, descriptions, large

MIB = 1 << 20


def footage(card: Card, name: str, container: Path, size: int) -> Path:
    """Put a recording of `size` bytes on the card: no two pages of it, or of two, are equal."""
    head = container.read_bytes()
    box = size - len(head)
    filling = blake3(name.encode()).digest(length=box - 8)
    return card.put(name, head + box.to_bytes(4) + b"free" + filling)


def sparse_footage(card: Card, name: str, container: Path, size: int) -> Path:
    """Put a long recording on the card: every MiB of it has a page like no other, and a hole."""
    path = large(card, name, container, size)
    times = path.stat()
    with path.open("r+b") as file:
        for at in range(MIB, size - 4096, MIB):
            file.seek(at)
            file.write(blake3(f"{name}\0{at}".encode()).digest(length=4096))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return path


def refill(path: Path, container: Path, seed: str) -> None:
    """Replace a recording's content by another of the same size, with the same times."""
    times, size = path.stat(), path.stat().st_size
    other = blake3(seed.encode()).digest(length=size - container.stat().st_size)
    with path.open("r+b") as file:
        file.seek(container.stat().st_size)
        file.write(other)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def described(dock: Dock, name: str, *, salvage: bool = False) -> Any:
    """Return the description of the one recording, or salvage copy, of this name."""
    (found,) = (
        d
        for d in descriptions(dock)
        if d["original_path"] == name and bool(d["missing"]) == salvage
    )
    return found


def check_whole(dock: Dock, *originals: Path) -> None:
    """The one recording of each of these names is equal to its original, byte by byte."""
    for original in originals:
        sealed = dock.evidence / described(dock, original.name)["path"]
        assert filecmp.cmp(sealed, original, shallow=False), f"{original.name} is another"


def check_rebuilt(dock: Dock) -> None:
    """The catalogue can be made anew, and everything is in it as it was before."""
    before = ask(dock, "recordings", "list", "--json").json
    assert ask(dock, "catalogue", "rebuild", "--json").code == 0
    verified = ask(dock, "verify", "--all")
    assert verified.code == 0, verified.out + verified.err
    assert ask(dock, "recordings", "list", "--json").json == before


def kept(dock: Dock) -> tuple[Path, int]:
    """Return the one partial copy that waits for its card, and how much of it is on record.

    Of the docking that it is from nothing else is left.
    """
    incoming = dock.evidence / ".incoming"
    assert [path.name for path in incoming.iterdir() if path.is_dir()] == ["kept"]
    (part,) = incoming.glob("kept/*.part")
    note = part.with_suffix(".note")
    assert set(part.parent.iterdir()) == {part, note}
    return part, json.loads(note.read_bytes())["length"]
