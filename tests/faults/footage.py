"""Recordings whose every part is unlike every other, and what was sealed of them."""

import filecmp
import os
from pathlib import Path
from typing import Any

from blake3 import blake3

from tests.conftest import Card, Dock
from tests.ingest.aftermath import ask, descriptions

MIB = 1 << 20


def footage(card: Card, name: str, container: Path, size: int, seed: str = "") -> Path:
    """Put a recording of `size` bytes on the card: no two pages of it, or of two, are equal."""
    head = container.read_bytes()
    box = size - len(head)
    filling = blake3(f"{name}\0{seed}".encode()).digest(length=box - 8)
    return card.put(name, head + box.to_bytes(4) + b"free" + filling)


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


def check_kept(dock: Dock, *lengths: int) -> None:
    """Partial copies with these lengths on record wait for their cards, and nothing else."""
    incoming = dock.evidence / ".incoming"
    assert sorted(path.name for path in incoming.iterdir() if path.is_dir()) == ["kept"]
    import json

    notes = sorted(incoming.glob("kept/*.note"))
    assert [json.loads(note.read_bytes())["length"] for note in notes] == list(lengths)
    assert sorted(incoming.glob("kept/*")) == sorted(
        path for note in notes for path in (note, note.with_suffix(".part"))
    )


def kept_part(dock: Dock) -> Path:
    """Return the one partial copy that waits for its card."""
    (part,) = (dock.evidence / ".incoming" / "kept").glob("*.part")
    return part
