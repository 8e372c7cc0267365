"""Things that take minutes to make, kept from run to run.

Each is a folder named by what it is and a digest of everything it was made from: when
that changes, another one is made and the old one goes. It is made beside its place and
then renamed, so half of one is never found; a lock lets two runs wait for each other.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

FOLDER_VARIABLE = "RECORDER_SYNC_E2E_CACHE"
_CHECKOUT = Path(__file__).parents[2]


def folder() -> Path:
    """Return where things are kept: named by the environment, or in the checkout."""
    path = Path(os.environ.get(FOLDER_VARIABLE) or _CHECKOUT / ".cache" / "e2e")
    path.mkdir(parents=True, exist_ok=True)
    return path


def digest(*parts: bytes) -> str:
    """Return a short name for what something is made from."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]


def digest_of_files(files: Iterable[Path]) -> str:
    """Return a digest of files, with their names and whether they can be run."""
    return digest(
        *(
            f"{path.name} {path.stat().st_mode & 0o111:o} ".encode() + path.read_bytes()
            for path in files
        )
    )


def kept(name: str, made_from: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `name` made from this, after making it where it is not there.

    `make` is given an empty folder to fill. Others of the same name are removed: one is
    kept at a time, as they are large.
    """
    place = folder() / f"{name}-{made_from}"
    with open(folder() / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.exists():
            return place
        for old in folder().glob(f"{name}-*"):
            shutil.rmtree(old)
        unfinished = place.with_name(f"{place.name}.unfinished")
        unfinished.mkdir()
        try:
            make(unfinished)
            unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return place
