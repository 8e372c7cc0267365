"""The folder of thumbnails and previews, below the state folder and never in the evidence.

What is in it can be made again at any time; so it is not synced, not backed up, and what was not
looked at longest is removed when it takes more than it may. Names are ids of recordings, which
are letters and digits.
"""

import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from recorder_sync.durable import make_folders

_ID = re.compile(r"[2-7a-z]{13}")


class Form(StrEnum):
    """What is made of a recording."""

    THUMBNAIL = "thumbnail"
    PREVIEW = "preview"
    TRACK = "track"
    """The positions within it."""


class State(StrEnum):
    """How far it is."""

    READY = "ready"
    NONE = "none"
    """It could not be made."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Wanted:
    recording: str
    form: Form


class PreviewFolder:
    def __init__(self, state: Path, size: int) -> None:
        """`size`: bytes that may be in it."""
        self.root = state / "previews"
        self._size = size

    def path(self, wanted: Wanted) -> Path:
        """Return where it is, or would be. Raises ValueError for what is no id."""
        if not _ID.fullmatch(wanted.recording):
            raise ValueError(f"{wanted.recording!r} is no id")
        return self.root / wanted.recording[:2] / f"{wanted.recording}.{wanted.form.value}"

    def state(self, wanted: Wanted) -> State:
        path = self.path(wanted)
        if path.exists():
            return State.READY
        return State.NONE if _note(path).exists() else State.MISSING

    def opened(self, wanted: Wanted) -> int | None:
        """Return it open for reading, noted as looked at; None where it is not there."""
        try:
            handle = os.open(self.path(wanted), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with suppress(OSError):
            os.utime(handle)
        return handle

    def put(self, wanted: Wanted, pieces: Iterable[bytes]) -> None:
        """Write what is made, and then give it its name. Raises OSError and what `pieces` does."""
        path = self.path(wanted)
        make_folders(path.parent)
        self.root.chmod(0o700)
        part = path.with_name(f".{path.name}.part")
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                for piece in pieces:
                    file.write(piece)
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
        _note(path).unlink(missing_ok=True)
        self._make_room()

    def note_failure(self, wanted: Wanted, why: str) -> None:
        """Note that nothing comes of it, so that it is not tried again and again."""
        path = _note(self.path(wanted))
        make_folders(path.parent)
        path.write_text(json.dumps({"why": why}), encoding="utf-8")

    def failure(self, wanted: Wanted) -> str | None:
        """Return why nothing came of it, in English."""
        try:
            return str(json.loads(_note(self.path(wanted)).read_bytes())["why"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _make_room(self) -> None:
        found = [(s.st_mtime, s.st_size, p) for p in self.root.glob("*/*") if (s := _stat(p))]
        taken = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if taken <= self._size:
                return
            path.unlink(missing_ok=True)
            taken -= size


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".failed")


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
