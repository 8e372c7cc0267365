"""Keeps what others have vouched for, at the station: nothing of it is ever removed.

    <state>/custody/witnessed/SIZE          the note, with the cosignatures of witnesses
    <state>/custody/witnessed/SIZE.tsr      the time stamp of the note in checkpoints/SIZE
    <state>/custody/witnessed/sent-HASH     how many entries the last message told of, and when

SIZE has 20 digits. HASH tells the channels apart without naming them: their addresses hold
passwords.
"""

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from recorder_sync.custody.checkpoints import Signed
from recorder_sync.custody.cosignature import (
    WitnessKey,
    cosignatures,
    signature_lines,
    text_of,
    with_lines,
)
from recorder_sync.custody.notes import size_of
from recorder_sync.durable import exclusive, make_folders, read_regular, sync_folder, write_synced
from recorder_sync.timestamps import iso, moment

_DIGITS = "[0-9]" * 20


class Witnessed:
    """The folder of one station's log. Everything here may raise OSError."""

    def __init__(self, custody: Path) -> None:
        """`custody` is the log's folder."""
        self._folder = custody / "witnessed"

    def add(self, signed: Signed, lines: Iterable[str]) -> None:
        """Keep a note with these cosignatures beside those that it has, synced."""
        name = f"{signed.checkpoint.size:020d}"
        make_folders(self._folder)
        with exclusive(self._folder / "lock"):
            path = self._folder / name
            note = _note(path) if os.path.lexists(path) else signed.note
            self._replace(path, with_lines(note, lines).encode())

    def notes(self) -> Iterator[tuple[Path, str]]:
        """Yield every note that was cosigned, newest first."""
        for path in sorted(self._folder.glob(_DIGITS), reverse=True):
            yield path, _note(path)

    def newest_cosigned(self, witness: WitnessKey) -> int:
        """Return how many entries the newest note with this cosignature has; 0 for none."""
        newest = 0
        for _, note in self.notes():
            try:
                if cosignatures(text_of(note), signature_lines(note), [witness]):
                    newest = max(newest, size_of(note))
            except (ValueError, IndexError):  # checking says so
                continue
        return newest

    def add_timestamp(self, size: int, response: bytes) -> None:
        """Keep the time stamp of a checkpoint, synced."""
        make_folders(self._folder)
        path = self._folder / f"{size:020d}.tsr"
        if os.path.lexists(path):  # it does not hold, and is looked at by verification
            aside = path.with_name(f"{path.name}.false")
            aside.unlink(missing_ok=True)
            os.link(path, aside, follow_symlinks=False)
        self._replace(path, response)

    def timestamps(self) -> Iterator[tuple[int, Path]]:
        """Yield every file that should be a time stamp, with its size, newest first."""
        for path in sorted(self._folder.glob(f"{_DIGITS}.tsr"), reverse=True):
            yield int(path.stem), path

    def no_timestamps(self) -> list[Path]:
        """Return the files that are called time stamps, and are of no checkpoint by their name."""
        stamps = {path for _, path in self.timestamps()}
        return sorted(set(self._folder.glob("*.tsr*")) - stamps)

    def sent(self, channel: str) -> tuple[int, datetime] | None:
        """Return how many entries the last message through a channel told of, and when."""
        try:
            size, time = read_regular(self._folder / f"sent-{channel}").decode().split()
            return int(size), moment(time)
        except (FileNotFoundError, ValueError):  # none, or cut by a power failure: sent again
            return None

    def note_sent(self, channel: str, size: int, time: datetime) -> None:
        make_folders(self._folder)
        self._replace(self._folder / f"sent-{channel}", f"{size} {iso(time)}\n".encode())

    def _replace(self, path: Path, data: bytes) -> None:
        beside = path.with_name(f".{path.name}.new")
        write_synced(beside, data)
        os.rename(beside, path)
        sync_folder(self._folder)


def _note(path: Path) -> str:
    """Read a note; bytes that are no text are none of its signatures. Raises OSError."""
    return read_regular(path).decode("utf-8", "replace")
